//! Calls into the kernel: the cheapest there are, and the most expensive, a new process.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::process::parent_id;
use std::process::{Command, Stdio};

use silidock_probe::STUB_STATUS;
use silidock_probe::size::CALLS;

use super::Load;

/// Alternately one without and one with memory that the kernel writes to.
pub fn system_calls() -> Result<Box<dyn Load>, String> {
    let mut zeros = File::open("/dev/zero").map_err(|error| format!("/dev/zero: {error}"))?;
    let parent = parent_id();
    Ok(super::fallible(move || {
        let mut done = 0;
        for _ in 0..CALLS / 2 {
            let mut byte = [1_u8];
            zeros.read_exact(&mut byte).map_err(|error| format!("/dev/zero: {error}"))?;
            done += u64::from(parent_id() == parent) + u64::from(byte[0] == 0);
        }
        Ok(done)
    }))
}

/// The word that makes the probe end at once.
pub const CHILD: &str = "child";

/// A process of the same program that does nothing.
pub fn spawn() -> Result<Box<dyn Load>, String> {
    // An emulator names the program that it runs.
    let program = std::env::current_exe().map_err(|error| format!("its own program: {error}"))?;
    Ok(super::fallible(move || {
        let run = || -> io::Result<Option<i32>> {
            let mut command = Command::new(&program);
            command.args(["bench", CHILD]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            Ok(command.status()?.code())
        };
        match run() {
            Ok(Some(STUB_STATUS)) => Ok(1),
            Ok(status) => Err(format!("a child ended with {status:?}")),
            Err(error) => Err(format!("a child could not be started: {error}")),
        }
    }))
}
