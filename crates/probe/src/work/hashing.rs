//! SHA-256, by ordinary instructions and by those made for it (SHA extensions of x86, cryptography extensions of ARM).
//! Written out here because the comparison needs both ways for certain, and a library chooses one by itself.

use std::hint::black_box;

use silidock_probe::size::HASHED;

use super::Load;

const K: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2,
];
const START: [u32; 8] =
    [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

/// Pieces of 64 bytes in a block.
const PIECES: u32 = HASHED as u32 / 64;

type Compress = fn(&mut [u32; 8], &[u32; 16]);

pub struct Hashing {
    compress: Compress,
    note: Option<&'static str>,
}

impl Hashing {
    pub fn plain() -> Self {
        Self { compress: plain, note: None }
    }

    /// What a program gets that uses the instructions where they are, and does without where they are not.
    pub fn best() -> Self {
        match hardware() {
            Some(compress) => Self { compress, note: None },
            None => Self { compress: plain, note: Some("this processor has no instructions for SHA-256") },
        }
    }

    fn block(&self) -> u64 {
        let mut state = black_box(START);
        let mut words: [u32; 16] = std::array::from_fn(|index| index as u32 * 0x0101_0101);
        for piece in 0..black_box(PIECES) {
            words[0] = piece;
            (self.compress)(&mut state, &words);
        }
        state
            .chunks_exact(2)
            .fold(0, |sum: u64, pair| sum.rotate_left(9) ^ (u64::from(pair[0]) << 32 | u64::from(pair[1])))
    }
}

impl Load for Hashing {
    fn run(&mut self, blocks: u64) -> Result<u64, String> {
        super::Blocks(|| Ok(self.block())).run(blocks)
    }

    fn note(&self) -> Option<&'static str> {
        self.note
    }
}

fn plain(state: &mut [u32; 8], words: &[u32; 16]) {
    let mut w = *words;
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for round in 0..64 {
        if round >= 16 {
            let (early, late) = (w[(round + 1) % 16], w[(round + 14) % 16]);
            let early = early.rotate_right(7) ^ early.rotate_right(18) ^ (early >> 3);
            let late = late.rotate_right(17) ^ late.rotate_right(19) ^ (late >> 10);
            w[round % 16] = w[round % 16].wrapping_add(early).wrapping_add(w[(round + 9) % 16]).wrapping_add(late);
        }
        let turned = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let one =
            h.wrapping_add(turned).wrapping_add((e & f) ^ (!e & g)).wrapping_add(K[round]).wrapping_add(w[round % 16]);
        let turned = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let two = turned.wrapping_add((a & b) ^ (a & c) ^ (b & c));
        (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(one), c, b, a, one.wrapping_add(two));
    }
    for (sum, part) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *sum = sum.wrapping_add(part);
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
fn hardware() -> Option<Compress> {
    let there = std::arch::is_x86_feature_detected!("sha")
        && std::arch::is_x86_feature_detected!("ssse3")
        && std::arch::is_x86_feature_detected!("sse4.1");
    // SAFETY: the features that the function is compiled for were just seen.
    there.then_some(|state, words| unsafe { x86(state, words) })
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
fn x86(state: &mut [u32; 8], words: &[u32; 16]) {
    use std::arch::x86_64::{
        __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_extract_epi32, _mm_set_epi32, _mm_sha256msg1_epu32,
        _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi32,
    };
    let four = |high: u32, b: u32, c: u32, low: u32| {
        _mm_set_epi32(high.cast_signed(), b.cast_signed(), c.cast_signed(), low.cast_signed())
    };
    let [a, b, c, d, e, f, g, h] = *state;
    let (abef, cdgh) = (four(a, b, e, f), four(c, d, g, h));
    let mut w: [__m128i; 4] = std::array::from_fn(|at| {
        let at = at * 4;
        four(words[at + 3], words[at + 2], words[at + 1], words[at])
    });
    let (mut one, mut two) = (abef, cdgh);
    for (round, k) in K.chunks_exact(4).enumerate() {
        let ready = _mm_add_epi32(w[round % 4], four(k[3], k[2], k[1], k[0]));
        two = _mm_sha256rnds2_epu32(two, one, ready);
        one = _mm_sha256rnds2_epu32(one, two, _mm_shuffle_epi32::<0x0e>(ready));
        let (second, third, fourth) = (w[(round + 1) % 4], w[(round + 2) % 4], w[(round + 3) % 4]);
        let next = _mm_sha256msg1_epu32(w[round % 4], second);
        let next = _mm_add_epi32(next, _mm_alignr_epi8::<4>(fourth, third));
        w[round % 4] = _mm_sha256msg2_epu32(next, fourth);
    }
    let (abef, cdgh) = (_mm_add_epi32(abef, one), _mm_add_epi32(cdgh, two));
    let parts = [
        _mm_extract_epi32::<3>(abef),
        _mm_extract_epi32::<2>(abef),
        _mm_extract_epi32::<3>(cdgh),
        _mm_extract_epi32::<2>(cdgh),
        _mm_extract_epi32::<1>(abef),
        _mm_extract_epi32::<0>(abef),
        _mm_extract_epi32::<1>(cdgh),
        _mm_extract_epi32::<0>(cdgh),
    ];
    *state = parts.map(i32::cast_unsigned);
}

#[cfg(target_arch = "aarch64")]
#[allow(unsafe_code)]
fn hardware() -> Option<Compress> {
    let there = std::arch::is_aarch64_feature_detected!("sha2");
    // SAFETY: the feature that the function is compiled for was just seen.
    there.then_some(|state, words| unsafe { arm(state, words) })
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon,sha2")]
fn arm(state: &mut [u32; 8], words: &[u32; 16]) {
    use std::arch::aarch64::{
        uint32x4_t, vaddq_u32, vcombine_u32, vcreate_u32, vgetq_lane_u32, vsha256h2q_u32, vsha256hq_u32,
        vsha256su0q_u32, vsha256su1q_u32,
    };
    let four = |from: &[u32]| {
        let pair = |low: u32, high: u32| vcreate_u32(u64::from(low) | u64::from(high) << 32);
        vcombine_u32(pair(from[0], from[1]), pair(from[2], from[3]))
    };
    let (abcd, efgh) = (four(&state[..4]), four(&state[4..]));
    let mut w: [uint32x4_t; 4] = std::array::from_fn(|at| four(&words[at * 4..at * 4 + 4]));
    let (mut one, mut two) = (abcd, efgh);
    for (round, k) in K.chunks_exact(4).enumerate() {
        let ready = vaddq_u32(w[round % 4], four(k));
        let before = one;
        one = vsha256hq_u32(one, two, ready);
        two = vsha256h2q_u32(two, before, ready);
        let next = vsha256su0q_u32(w[round % 4], w[(round + 1) % 4]);
        w[round % 4] = vsha256su1q_u32(next, w[(round + 2) % 4], w[(round + 3) % 4]);
    }
    let (abcd, efgh) = (vaddq_u32(abcd, one), vaddq_u32(efgh, two));
    let apart = |from: uint32x4_t| {
        [vgetq_lane_u32::<0>(from), vgetq_lane_u32::<1>(from), vgetq_lane_u32::<2>(from), vgetq_lane_u32::<3>(from)]
    };
    let (front, back) = state.split_at_mut(4);
    front.copy_from_slice(&apart(abcd));
    back.copy_from_slice(&apart(efgh));
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn hardware() -> Option<Compress> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first example of FIPS 180-4: "abc".
    #[test]
    fn both_ways_are_sha_256() {
        let mut words = [0; 16];
        (words[0], words[15]) = (0x6162_6380, 24);
        let expected = [0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223, 0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad];
        for compress in [Some(plain as Compress), hardware()].into_iter().flatten() {
            let mut state = START;
            compress(&mut state, &words);
            assert_eq!(state, expected);
        }
    }
}
