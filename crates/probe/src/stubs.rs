//! Starts a tiny program of each platform as a child and looks which program the kernel really runs for it.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use silidock_probe::elf::MACHINES;
use silidock_probe::{Ended, Machine, Refusal, STUB_STATUS, Seen, Stub};

use crate::proc;

/// An emulator on an emulated machine needs a second to begin.
const PATIENCE: Duration = Duration::from_secs(8);
const LOOK_AGAIN: Duration = Duration::from_millis(2);

const LONGEST_COMPLAINT: u64 = 1024;

const ENOENT: i32 = 2;
const ENOEXEC: i32 = 8;

/// Where a program may be put: the place made for it, or in a build step the root itself.
const FOLDERS: [&str; 2] = ["/tmp", "/"];

pub fn all() -> Vec<Stub> {
    MACHINES.iter().map(|machine| Stub { platform: machine.platform.to_owned(), seen: of(machine) }).collect()
}

fn of(machine: &Machine) -> Seen {
    let path = match put(machine) {
        Ok(path) => path,
        Err(error) => return Seen::Unknown { why: format!("no place to put a program of that platform: {error}") },
    };
    let seen = start(&path);
    // It lies in memory that goes with the container; in a build step it would stay in a layer nobody keeps.
    let _ = fs::remove_file(&path);
    seen
}

fn put(machine: &Machine) -> io::Result<PathBuf> {
    let name = format!("silidock-stub-{}", machine.platform.replace('/', "-"));
    let mut failure = io::Error::from(io::ErrorKind::NotFound);
    for folder in FOLDERS {
        let path = Path::new(folder).join(&name);
        let written = fs::write(&path, machine.program(machine.stub))
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o755)));
        match written {
            Ok(()) => return Ok(path),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn start(path: &Path) -> Seen {
    let spawned =
        Command::new(path).env_clear().stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    match spawned {
        Ok(child) => watch(child, path),
        Err(error) => match error.raw_os_error() {
            Some(ENOEXEC) => Seen::Refused { refusal: Refusal::NoHandler },
            // The file was written a moment ago.
            Some(ENOENT) => Seen::Refused { refusal: Refusal::HandlerMissing },
            Some(number) => Seen::Refused { refusal: Refusal::Errno { number } },
            None => Seen::Unknown { why: error.to_string() },
        },
    }
}

fn watch(mut child: Child, path: &Path) -> Seen {
    // It waits for its input, so it is there as long as the pipe is open, unless its emulator fails.
    let exe = proc::exe(&format!("/proc/{}/exe", child.id()));
    drop(child.stdin.take());
    let ended = match end(&mut child) {
        Ok(ended) => ended,
        Err(error) => return Seen::Unknown { why: format!("its end could not be awaited: {error}") },
    };
    let Some(exe) = exe else {
        return Seen::Unknown { why: format!("it ended before it could be looked at ({ended:?})") };
    };
    if Path::new(&exe.link) == path {
        return Seen::Native { ended };
    }
    Seen::Interpreted { exe, ended, complaint: complaint(child) }
}

fn end(child: &mut Child) -> io::Result<Ended> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(told(status));
        }
        if begun.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Ok(Ended::Never);
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

fn told(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(STUB_STATUS), _) => Ended::Well,
        (Some(status), _) => Ended::Status { status },
        (None, signal) => Ended::Signal { signal: signal.unwrap_or_default() },
    }
}

/// What an emulator has to say, on one line.
fn complaint(child: Child) -> String {
    let mut bytes = Vec::new();
    if let Some(stderr) = child.stderr {
        // What was read before a failure is still worth telling.
        let _ = stderr.take(LONGEST_COMPLAINT).read_to_end(&mut bytes);
    }
    let text = String::from_utf8_lossy(&bytes);
    let words: Vec<&str> =
        text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}
