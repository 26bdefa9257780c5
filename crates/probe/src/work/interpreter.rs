//! An interpreter of a small bytecode: what script languages do. Its branches depend on data, so processors and
//! emulators cannot foresee them.

use std::hint::black_box;

#[derive(Clone, Copy)]
enum Op {
    /// A register gets a number.
    Set(u8, u64),
    /// A register gets another one.
    Copy(u8, u8),
    /// Added to a register.
    Add(u8, u64),
    /// One register added to another.
    Sum(u8, u8),
    /// A register times three plus one.
    Grow(u8),
    /// A register halved.
    Halve(u8),
    /// Goes on elsewhere if the register is odd.
    IfOdd(u8, u16),
    /// Goes on elsewhere unless the register is 1.
    UnlessOne(u8, u16),
    /// Goes on elsewhere if the first is less than the second.
    IfLess(u8, u8, u16),
    /// Goes on elsewhere.
    Jump(u16),
    /// Ends with a register.
    End(u8),
}

/// How long the series "halve if even, else times three plus one" are from each number, summed up. Registers: 0 the
/// number to begin with, 1 the end, 2 where the series is, 3 the sum.
const PROGRAM: [Op; 14] = [
    Op::Set(0, 2),
    Op::Set(1, 600),
    Op::Set(3, 0),
    Op::Copy(2, 0),
    Op::IfOdd(2, 7),
    Op::Halve(2),
    Op::Jump(8),
    Op::Grow(2),
    Op::Add(3, 1),
    Op::UnlessOne(2, 4),
    Op::Sum(3, 0),
    Op::Add(0, 1),
    Op::IfLess(0, 1, 3),
    Op::End(3),
];

pub fn block() -> u64 {
    let program = black_box(&PROGRAM);
    let mut registers = [0_u64; 4];
    let mut at = 0_usize;
    loop {
        let op = program[at];
        at += 1;
        match op {
            Op::Set(to, number) => registers[usize::from(to)] = number,
            Op::Copy(to, from) => registers[usize::from(to)] = registers[usize::from(from)],
            Op::Add(to, number) => registers[usize::from(to)] += number,
            Op::Sum(to, from) => registers[usize::from(to)] += registers[usize::from(from)],
            Op::Grow(of) => registers[usize::from(of)] = registers[usize::from(of)] * 3 + 1,
            Op::Halve(of) => registers[usize::from(of)] /= 2,
            Op::IfOdd(of, to) if registers[usize::from(of)] % 2 == 1 => at = usize::from(to),
            Op::UnlessOne(of, to) if registers[usize::from(of)] != 1 => at = usize::from(to),
            Op::IfLess(of, than, to) if registers[usize::from(of)] < registers[usize::from(than)] => {
                at = usize::from(to)
            }
            Op::Jump(to) => at = usize::from(to),
            Op::End(of) => return registers[usize::from(of)],
            Op::IfOdd(..) | Op::UnlessOne(..) | Op::IfLess(..) => {}
        }
    }
}
