//! The probe: says what it runs on, or what lies in the file system it runs in, as lines of JSON, and ends. It needs no
//! library, no file and no right, but that of reading what it is to look at.
//!
//!     silidock-probe identify             everything, with a program of each platform started as a child
//!     silidock-probe identify own         the processor and its own process only
//!     silidock-probe inside [NAME..]      every file that can be run or loaded, and those of these names
//!     silidock-probe bench                does work by the clock as its input asks; see `protocol`
//!     silidock-probe bench serve          the other side of connections, until its input ends
//!     silidock-probe bench child          ends at once

mod cpu;
mod look;
mod mounts;
mod proc;
mod session;
mod stubs;
mod surroundings;
mod walk;
mod work;

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

use silidock_probe::{Answer, SCHEMA, STUB_STATUS, Stub, built_for};

const USAGE: &[u8] = b"usage: silidock-probe identify [own] | inside [NAME..] | bench [serve | child]\n";
const MISUSED: u8 = 64;
const CHILD_STATUS: u8 = STUB_STATUS as u8;

fn main() -> ExitCode {
    let given: Vec<OsString> = env::args_os().skip(1).collect();
    let words: Vec<_> = given.iter().map(|word| word.to_str().unwrap_or_default()).collect();
    let written = match words.as_slice() {
        ["identify"] => tell(&identify(stubs::all())),
        ["identify", "own"] => tell(&identify(Vec::new())),
        ["bench"] => session::run(io::stdin().lock(), io::stdout().lock()),
        ["bench", "serve"] => work::serve(io::stdin().lock(), io::stdout().lock()),
        ["bench", work::CHILD] => return ExitCode::from(CHILD_STATUS),
        ["inside", ..] => walk::run(c"/", given.into_iter().skip(1).map(OsString::into_vec).collect()),
        _ => {
            // Nobody to tell it to if even this fails.
            let _ = io::stderr().write_all(USAGE);
            return ExitCode::from(MISUSED);
        }
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn identify(stubs: Vec<Stub>) -> Answer {
    let auxiliary = proc::auxiliary();
    Answer {
        schema: SCHEMA.to_owned(),
        built_for: built_for().to_owned(),
        kernel: proc::kernel(),
        page_size: auxiliary.page_size,
        cpu: cpu::cpu(&auxiliary),
        cpuinfo: proc::cpuinfo(),
        own: proc::own(),
        stubs,
    }
}

fn tell(answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    let mut output = io::stdout().lock();
    output.write_all(&line)?;
    output.flush()
}
