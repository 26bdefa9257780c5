//! Threads that need the same memory at the same time: atomic operations, messages by release and acquire, and locks.
//! An emulator of a processor with a strict order of memory accesses pays here.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use silidock_probe::size::{OPERATIONS, THREADS};

use super::Load;

/// Does so many blocks in every thread and tells how many operations took effect.
pub struct Threads(pub fn(u64) -> u64);

impl Load for Threads {
    /// A block is one share of every thread, so the threads are started once for all blocks.
    fn run(&mut self, blocks: u64) -> Result<u64, String> {
        let done = (self.0)(blocks);
        let expected = THREADS * blocks * OPERATIONS;
        if done == expected { Ok(OPERATIONS) } else { Err(format!("{done} of {expected} operations took effect")) }
    }
}

/// On lines of their own, so that one does not slow down the other.
#[repr(align(256))]
#[derive(Default)]
struct Alone(AtomicU64);

pub fn atomics(blocks: u64) -> u64 {
    let (shared, flag) = (Alone::default(), Alone::default());
    let own: Vec<Alone> = (0..THREADS).map(|_| Alone::default()).collect();
    thread::scope(|scope| {
        for own in &own {
            let (shared, flag) = (&shared.0, &flag.0);
            scope.spawn(move || {
                for number in 0..blocks * OPERATIONS {
                    own.0.fetch_add(1, Ordering::Relaxed);
                    match number % 4 {
                        0 => drop(shared.fetch_add(1, Ordering::SeqCst)),
                        1 => flag.store(number, Ordering::Release),
                        2 => drop(flag.load(Ordering::Acquire)),
                        _ => {
                            let seen = shared.load(Ordering::Acquire);
                            // Whether another thread was faster does not matter: the value stays the same.
                            let _ = shared.compare_exchange(seen, seen, Ordering::AcqRel, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    let own: u64 = own.iter().map(|own| own.0.load(Ordering::Relaxed)).sum();
    if shared.0.load(Ordering::Relaxed) * 4 == own { own } else { 0 }
}

pub fn locks(blocks: u64) -> u64 {
    let shared = Mutex::new([0_u64; 4]);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for number in 0..blocks * OPERATIONS {
                    // A thread that failed would have ended the whole program.
                    let mut counters = shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    counters[(number % 4) as usize] += 1;
                }
            });
        }
    });
    shared.into_inner().unwrap_or_default().iter().sum()
}
