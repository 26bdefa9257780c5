//! Answers commands line by line until there are no more: says who it is, how busy it is there, and does work by the
//! clock. Which work, how often and in which order is the asker's.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{self, BufRead, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use silidock_probe::{BENCH_SCHEMA, Command, Hello, Ran, Reply, Work};

use crate::work::{Load, prepare};
use crate::{identify, surroundings};

/// A calibration goes on until it took this part of a sample.
const ENOUGH: u32 = 3;
const FASTER: u64 = 4;

/// Answers until the input ends.
pub fn run(input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    let mut ready = Ready::default();
    for line in input.lines() {
        let reply = match serde_json::from_str(&line?) {
            Ok(command) => ready.answer(command),
            Err(error) => Reply::Refused { why: format!("this is no command: {error}") },
        };
        serde_json::to_writer(&mut output, &reply)?;
        output.write_all(b"\n")?;
        output.flush()?;
    }
    Ok(())
}

/// Workloads that were made ready, to be used again.
#[derive(Default)]
struct Ready(HashMap<Work, Box<dyn Load>>);

impl Ready {
    fn answer(&mut self, command: Command) -> Reply {
        match command {
            Command::Hello => Reply::Hello(Box::new(hello())),
            Command::Surroundings => Reply::Surroundings(surroundings::look()),
            Command::Calibrate { work, nanoseconds } => self
                .load(work)
                .and_then(|load| calibrate(load, Duration::from_nanos(nanoseconds)))
                .map_or_else(|why| Reply::Refused { why }, |blocks| Reply::Calibrated { blocks }),
            Command::Run { work, blocks } => self
                .load(work)
                .and_then(|load| measure(load, blocks))
                .map_or_else(|why| Reply::Refused { why }, Reply::Ran),
            Command::Forget => {
                self.0.clear();
                Reply::Done
            }
        }
    }

    fn load(&mut self, work: Work) -> Result<&mut dyn Load, String> {
        match self.0.entry(work) {
            Entry::Occupied(ready) => Ok(ready.into_mut().as_mut()),
            Entry::Vacant(free) => {
                let load = prepare(free.key())?;
                Ok(free.insert(load).as_mut())
            }
        }
    }
}

/// The first blocks warm up: caches, branches, and an emulator that translates what it has not seen.
fn calibrate(load: &mut dyn Load, sample: Duration) -> Result<u64, String> {
    load.run(1)?;
    let mut blocks = 1;
    loop {
        let begun = Instant::now();
        load.run(blocks)?;
        let took = begun.elapsed();
        if took >= sample / ENOUGH {
            let fitting = sample.as_nanos().saturating_mul(u128::from(blocks)) / took.as_nanos().max(1);
            return Ok(u64::try_from(fitting).unwrap_or(u64::MAX).max(1));
        }
        blocks = blocks.saturating_mul(FASTER);
    }
}

fn measure(load: &mut dyn Load, blocks: u64) -> Result<Ran, String> {
    let (begun, before) = moment();
    let checksum = load.run(blocks)?;
    let (ended, after) = moment();
    let nanoseconds = u64::try_from((ended - begun).as_nanos()).unwrap_or(u64::MAX);
    let waited = before.zip(after).map(|(before, after)| after.saturating_sub(before));
    Ok(Ran { blocks, nanoseconds, checksum, waited, note: load.note().map(str::to_owned) })
}

/// A moment, and how long this thread had waited for a processor until then: both are of the same moment only if it
/// did not have to wait between the two questions.
fn moment() -> (Instant, Option<u64>) {
    const TRIES: u32 = 20;
    let mut before = surroundings::waited();
    for _ in 1..TRIES {
        let now = Instant::now();
        let after = surroundings::waited();
        if before == after {
            return (now, after);
        }
        before = after;
    }
    (Instant::now(), before)
}

fn hello() -> Hello {
    let (child, childless) = match child() {
        Ok(answer) => (Some(answer), None),
        Err(error) => (None, Some(error.to_string())),
    };
    Hello { schema: BENCH_SCHEMA.to_owned(), own: identify(Vec::new()), child, childless }
}

/// The same program as a child. Its own program is named by whoever runs it: the kernel or an emulator.
fn child() -> io::Result<serde_json::Value> {
    let program = std::env::current_exe()?;
    let mut command = std::process::Command::new(program);
    let output = command.args(["identify", "own"]).stdin(Stdio::null()).output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("a child of the probe ended with {}", output.status)));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
