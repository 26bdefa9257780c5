//! Vectors of 128 bits, which every processor of both architectures has: SSE2 and NEON, with the same operations in
//! the same order. Whole numbers and floating point of 32 bits.

use std::hint::black_box;

const ROUNDS: u32 = 60_000;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[allow(unsafe_code)]
pub fn block() -> u64 {
    // SAFETY: the feature it is compiled for belongs to every processor of this architecture.
    unsafe { vectors() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse2")]
fn vectors() -> u64 {
    use std::arch::x86_64::{
        _mm_add_epi32, _mm_add_ps, _mm_castps_si128, _mm_cvtsi128_si64, _mm_mul_ps, _mm_set_epi32, _mm_set1_ps,
        _mm_slli_epi32, _mm_srli_epi32, _mm_unpackhi_epi64, _mm_xor_si128,
    };
    let mut whole = _mm_set_epi32(4, 3, 2, black_box(1));
    let mut sum = _mm_set_epi32(0, 0, 0, 0);
    let mut real = _mm_set1_ps(black_box(1.0));
    let (factor, offset) = (_mm_set1_ps(black_box(0.75)), _mm_set1_ps(black_box(0.625)));
    for _ in 0..black_box(ROUNDS) {
        whole = _mm_xor_si128(whole, _mm_slli_epi32::<13>(whole));
        whole = _mm_xor_si128(whole, _mm_srli_epi32::<17>(whole));
        whole = _mm_xor_si128(whole, _mm_slli_epi32::<5>(whole));
        sum = _mm_add_epi32(sum, whole);
        real = _mm_add_ps(_mm_mul_ps(real, factor), offset);
    }
    let all = _mm_xor_si128(sum, _mm_castps_si128(real));
    (_mm_cvtsi128_si64(all) ^ _mm_cvtsi128_si64(_mm_unpackhi_epi64(all, all)).rotate_left(17)).cast_unsigned()
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
fn vectors() -> u64 {
    use std::arch::aarch64::{
        vaddq_f32, vaddq_u32, vcombine_u32, vcreate_u32, vdupq_n_f32, veorq_u32, vgetq_lane_u64, vmulq_f32,
        vreinterpretq_u32_f32, vreinterpretq_u64_u32, vshlq_n_u32, vshrq_n_u32,
    };
    let mut whole = vcombine_u32(vcreate_u32(black_box(1) | 2 << 32), vcreate_u32(3 | 4 << 32));
    let mut sum = vcombine_u32(vcreate_u32(0), vcreate_u32(0));
    let mut real = vdupq_n_f32(black_box(1.0));
    let (factor, offset) = (vdupq_n_f32(black_box(0.75)), vdupq_n_f32(black_box(0.625)));
    for _ in 0..black_box(ROUNDS) {
        whole = veorq_u32(whole, vshlq_n_u32::<13>(whole));
        whole = veorq_u32(whole, vshrq_n_u32::<17>(whole));
        whole = veorq_u32(whole, vshlq_n_u32::<5>(whole));
        sum = vaddq_u32(sum, whole);
        real = vaddq_f32(vmulq_f32(real, factor), offset);
    }
    let all = vreinterpretq_u64_u32(veorq_u32(sum, vreinterpretq_u32_f32(real)));
    vgetq_lane_u64::<0>(all) ^ vgetq_lane_u64::<1>(all).rotate_left(17)
}

/// The same lane by lane, where there is no such vector.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub fn block() -> u64 {
    let mut whole = [black_box(1_u32), 2, 3, 4];
    let mut sum = [0_u32; 4];
    let mut real = [black_box(1.0_f32); 4];
    for _ in 0..black_box(ROUNDS) {
        for lane in 0..4 {
            whole[lane] ^= whole[lane] << 13;
            whole[lane] ^= whole[lane] >> 17;
            whole[lane] ^= whole[lane] << 5;
            sum[lane] = sum[lane].wrapping_add(whole[lane]);
            real[lane] = real[lane] * 0.75 + 0.625;
        }
    }
    let lane = |index: usize| u64::from(sum[index] ^ real[index].to_bits());
    (lane(0) | lane(1) << 32) ^ (lane(2) | lane(3) << 32).rotate_left(17)
}
