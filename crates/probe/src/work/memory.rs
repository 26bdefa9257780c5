//! Memory beyond the caches: how long one access takes when each waits for the one before, and how much moves when
//! none waits.

use std::hint::black_box;

use silidock_probe::size::{LINES, NUMBERS};

use super::Load;

/// A cache line on the processors with the longest ones.
const LINE: usize = 128;
const WORDS_OF_A_LINE: usize = LINE / size_of::<u32>();

/// One walk through all lines, 32 MiB, in an order that cannot be foreseen; each line says where the next is.
pub fn latency() -> Box<dyn Load> {
    let mut order: Vec<u32> = (0..LINES as u32).collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    // Sattolo's way to shuffle: what comes out is one single circle.
    for last in (1..order.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        order.swap(last, (state % last as u64) as usize);
    }
    let mut memory = vec![0_u32; LINES as usize * WORDS_OF_A_LINE];
    for (line, next) in order.iter().enumerate() {
        memory[line * WORDS_OF_A_LINE] = *next;
    }
    super::pure(move || {
        let (mut at, mut sum) = (black_box(0_u32), 0_u64);
        for _ in 0..LINES {
            at = memory[at as usize * WORDS_OF_A_LINE];
            sum = sum.rotate_left(1) ^ u64::from(at);
        }
        sum
    })
}

/// 16 MiB each of two that are read and one that is written.
pub fn bandwidth() -> Box<dyn Load> {
    let one: Vec<u64> = (0..NUMBERS).collect();
    let two: Vec<u64> = (0..NUMBERS).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    let mut sums = vec![0_u64; NUMBERS as usize];
    super::pure(move || {
        for ((sum, one), two) in sums.iter_mut().zip(black_box(&one)).zip(black_box(&two)) {
            *sum = one.wrapping_add(*two);
        }
        black_box(&mut sums).iter().step_by(4096).fold(0, |all: u64, sum| all.rotate_left(3) ^ sum)
    })
}
