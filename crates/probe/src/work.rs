//! The workloads: fixed blocks of work whose outcome is the same on every processor. How long they take is measured
//! by `session`; which of them make sense somewhere is the asker's business.

mod arithmetic;
mod dynamic;
mod files;
mod hashing;
mod interpreter;
mod kernel;
mod memory;
mod simd;
mod tcp;
mod threads;

pub use kernel::CHILD;
pub use tcp::serve;

use silidock_probe::{WORKLOADS, Work};

/// A workload that is ready to run.
pub trait Load {
    /// Does so many blocks and tells what each of them computed.
    fn run(&mut self, blocks: u64) -> Result<u64, String>;

    /// What is done otherwise than asked.
    fn note(&self) -> Option<&'static str> {
        None
    }
}

/// Blocks that do not need each other's leavings.
struct Blocks<F>(F);

impl<F: FnMut() -> Result<u64, String>> Load for Blocks<F> {
    fn run(&mut self, blocks: u64) -> Result<u64, String> {
        let mut same = None;
        for _ in 0..blocks {
            let outcome = (self.0)()?;
            if *same.get_or_insert(outcome) != outcome {
                return Err("two blocks of the same work gave different results".to_owned());
            }
        }
        same.ok_or_else(|| "no block was asked for".to_owned())
    }
}

fn pure(block: impl FnMut() -> u64 + 'static) -> Box<dyn Load> {
    let mut block = block;
    Box::new(Blocks(move || Ok(block())))
}

fn fallible(block: impl FnMut() -> Result<u64, String> + 'static) -> Box<dyn Load> {
    Box::new(Blocks(block))
}

/// Makes ready what a workload needs.
pub fn prepare(work: &Work) -> Result<Box<dyn Load>, String> {
    Ok(match work.workload.as_str() {
        "empty" => pure(|| std::hint::black_box(0)),
        "integer" => pure(arithmetic::integer),
        "float" => pure(arithmetic::floating_point),
        "simd" => pure(simd::block),
        "hash" => Box::new(hashing::Hashing::plain()),
        "hash-hardware" => Box::new(hashing::Hashing::best()),
        "interpreter" => pure(interpreter::block),
        "memory-latency" => memory::latency(),
        "memory-bandwidth" => memory::bandwidth(),
        "atomics" => Box::new(threads::Threads(threads::atomics)),
        "locks" => Box::new(threads::Threads(threads::locks)),
        "system-calls" => kernel::system_calls()?,
        "spawn" => kernel::spawn()?,
        "dynamic-code" => dynamic::prepare()?,
        "files" => files::prepare(work.folder.as_deref())?,
        "tcp" => tcp::prepare(work.peer.as_deref())?,
        other => {
            let known: Vec<&str> = WORKLOADS.iter().map(|workload| workload.id).collect();
            return Err(format!("no workload is called {other:?}; there are {}", known.join(", ")));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_computes_what_it_says() {
        let folder = tempfile::tempdir().unwrap();
        for workload in WORKLOADS {
            let folder = Some(folder.path().to_str().unwrap().to_owned());
            let work = Work { workload: workload.id.to_owned(), folder, peer: None };
            // A child of the test's own program is not the probe; the program itself is tested in tests/bench.rs.
            if workload.id == "spawn" {
                continue;
            }
            let mut load = prepare(&work).unwrap();
            for blocks in [1, 3] {
                let found = load.run(blocks).unwrap();
                assert_eq!(found, workload.checksum, "{}: {found:#018x}", workload.id);
            }
        }
    }
}
