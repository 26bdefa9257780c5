//! One thread, registers only: whole numbers, and floating point of 64 bits in basic operations, which IEEE 754 rounds
//! the same everywhere.

use std::hint::black_box;

const PRIMES_BELOW: u64 = 3000;
const MIXED: u64 = 40_000;

/// Primes by trial division, then shifts, rotations and products.
pub fn integer() -> u64 {
    let mut primes = 0_u64;
    for candidate in 2..black_box(PRIMES_BELOW) {
        let mut divisor = 2;
        while divisor * divisor <= candidate && candidate % divisor != 0 {
            divisor += 1;
        }
        primes += u64::from(divisor * divisor > candidate);
    }
    let mut state = black_box(0x9e37_79b9_7f4a_7c15_u64);
    let mut sum = primes;
    for _ in 0..black_box(MIXED) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        sum = sum.wrapping_mul(31).wrapping_add(state).rotate_left(5);
    }
    sum
}

const STEPS: u32 = 1500;
const BODIES: usize = 5;

#[derive(Clone, Copy)]
struct Body {
    place: [f64; 3],
    speed: [f64; 3],
    mass: f64,
}

/// Bodies that attract each other, moved on step by step.
pub fn floating_point() -> u64 {
    let mut bodies: [Body; BODIES] = std::array::from_fn(|index| {
        let number = black_box(index as f64);
        Body {
            place: [number * 1.25 - 2.0, 0.5 * number * number - 1.0, 1.0 - 0.75 * number],
            speed: [0.01 * number, -0.02 * number, 0.005],
            mass: 1.0 / (1.0 + number),
        }
    });
    for _ in 0..black_box(STEPS) {
        step(&mut bodies);
    }
    let values = bodies.iter().flat_map(|body| body.place.into_iter().chain(body.speed));
    values.fold(0, |sum: u64, value| sum.rotate_left(7) ^ value.to_bits())
}

fn step(bodies: &mut [Body; BODIES]) {
    const TIME: f64 = 0.001;
    for one in 0..BODIES {
        for other in one + 1..BODIES {
            let between: [f64; 3] = std::array::from_fn(|axis| bodies[one].place[axis] - bodies[other].place[axis]);
            let square = between[0] * between[0] + between[1] * between[1] + between[2] * between[2] + 0.01;
            let strength = TIME / (square * square.sqrt());
            let (pull, push) = (bodies[other].mass * strength, bodies[one].mass * strength);
            for (axis, distance) in between.iter().enumerate() {
                bodies[one].speed[axis] -= distance * pull;
                bodies[other].speed[axis] += distance * push;
            }
        }
    }
    for body in bodies {
        for (place, speed) in body.place.iter_mut().zip(body.speed) {
            *place += TIME * speed;
        }
    }
}
