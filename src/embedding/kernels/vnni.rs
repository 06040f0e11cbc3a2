//! AVX-512 VNNI: products of bytes, four a lane and step. The rest of the work
//! is done by AVX2, which these processors have too.

use crate::kernels::avx2::finish;
use crate::kernels::{Rows, Then, tile_rows};
use crate::vector::DIMENSIONS;
use crate::weights::{Block, GROUP, Matrix, PANEL};
use std::arch::x86_64::{
    __m512, __m512i, _mm256_castpd_ps, _mm512_castps_pd, _mm512_castps512_ps256,
    _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_extractf64x4_pd, _mm512_fmadd_ps,
    _mm512_loadu_ps, _mm512_loadu_si512, _mm512_reduce_add_epi32, _mm512_set1_epi8,
    _mm512_set1_epi32, _mm512_setzero_ps, _mm512_setzero_si512, _mm512_xor_si512,
};

/// Calls that [`crate::kernels::Kernel`] has made sure of.
pub(super) mod guarded {
    use super::{DIMENSIONS, Matrix, Rows, Then};

    pub(in crate::kernels) fn product(matrix: &Matrix, rows: &Rows, then: Then, out: &mut [f32]) {
        #[expect(unsafe_code, reason = "Kernel::Vnni is made only where these features are")]
        // SAFETY: the only caller matches on `Kernel::Vnni`, which `available`
        // gives out after it has detected the features that `product` declares.
        unsafe {
            super::product(matrix, rows, then, out);
        }
    }

    pub(in crate::kernels) fn dots(
        one: &[i8; DIMENSIONS],
        others: &[&[i8; DIMENSIONS]],
        out: &mut [i32],
    ) {
        #[expect(unsafe_code, reason = "Kernel::Vnni is made only where these features are")]
        // SAFETY: as for `product`.
        unsafe {
            super::dots(one, others, out);
        }
    }
}

/// Bytes of a register.
const BYTES: usize = 64;

/// One factor of the instruction has no sign: its bytes get 128 more, which adds
/// 128 times the sum of the other factor.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn dots(one: &[i8; DIMENSIONS], others: &[&[i8; DIMENSIONS]], out: &mut [i32]) {
    let more = 128 * one.iter().map(|byte| i32::from(*byte)).sum::<i32>();
    let sign = _mm512_set1_epi8(i8::MIN);
    let mut ours = [_mm512_setzero_si512(); DIMENSIONS / BYTES];
    for (register, bytes) in ours.iter_mut().zip(one.as_chunks().0) {
        *register = load_bytes(bytes);
    }
    for (out, other) in out.iter_mut().zip(others) {
        let mut sum = _mm512_setzero_si512();
        for (ours, bytes) in ours.iter().zip(other.as_chunks().0) {
            sum = _mm512_dpbusd_epi32(sum, _mm512_xor_si512(load_bytes(bytes), sign), *ours);
        }
        *out = _mm512_reduce_add_epi32(sum) - more;
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_bytes(bytes: &[i8; BYTES]) -> __m512i {
    #[expect(unsafe_code, reason = "a load through a reference")]
    // SAFETY: the array has 64 bytes; the load may be unaligned.
    unsafe {
        _mm512_loadu_si512(bytes.as_ptr().cast())
    }
}

#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512vnni")]
fn product(matrix: &Matrix, rows: &Rows, then: Then, out: &mut [f32]) {
    let count = rows.scales.len();
    for panel in 0..matrix.outputs / PANEL {
        let mut row = 0;
        while row < count {
            row += match tile_rows(count - row, 6) {
                1 => tile::<1>(matrix, rows, panel, row, then, out),
                2 => tile::<2>(matrix, rows, panel, row, then, out),
                3 => tile::<3>(matrix, rows, panel, row, then, out),
                4 => tile::<4>(matrix, rows, panel, row, then, out),
                5 => tile::<5>(matrix, rows, panel, row, then, out),
                _ => tile::<6>(matrix, rows, panel, row, then, out),
            };
        }
    }
}

#[inline]
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512vnni")]
fn tile<const R: usize>(
    matrix: &Matrix,
    rows: &Rows,
    panel: usize,
    row: usize,
    then: Then,
    out: &mut [f32],
) -> usize {
    let (blocks, scales) = matrix.panel(panel);
    let inputs: [&[u8]; R] =
        std::array::from_fn(|r| &rows.bytes[(row + r) * rows.width..][..rows.width]);
    let mut sums = [[_mm512_setzero_ps(); 2]; R];
    for (group, (block, scales)) in blocks.iter().zip(scales).enumerate() {
        let mut whole = [[_mm512_setzero_si512(); 2]; R];
        let inputs: [&[u8; GROUP]; R] = std::array::from_fn(|r| {
            inputs[r][group * GROUP..].first_chunk().expect("a row is whole groups")
        });
        for step in 0..8 {
            let weights = load_weights(block, step);
            for r in 0..R {
                let four = std::array::from_fn(|n| inputs[r][step * 4 + n]);
                let four = _mm512_set1_epi32(i32::from_le_bytes(four));
                for half in 0..2 {
                    whole[r][half] = _mm512_dpbusd_epi32(whole[r][half], four, weights[half]);
                }
            }
        }
        let scales = load_scales(scales);
        for r in 0..R {
            for half in 0..2 {
                let value = _mm512_cvtepi32_ps(whole[r][half]);
                sums[r][half] = _mm512_fmadd_ps(value, scales[half], sums[r][half]);
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        for (half, sums) in sums.iter().enumerate() {
            let low = _mm512_castps512_ps256(*sums);
            let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(*sums)));
            let column = panel * PANEL + half * 16;
            finish(matrix, rows, row + r, column, low, then, out);
            finish(matrix, rows, row + r, column + 8, high, then, out);
        }
    }
    R
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_weights(block: &Block, step: usize) -> [__m512i; 2] {
    let bytes: &[i8; 4 * PANEL] =
        block.0[step * 4 * PANEL..].first_chunk().expect("a block has eight steps");
    let (first, second) = bytes.split_at(64);
    #[expect(unsafe_code, reason = "loads through references")]
    // SAFETY: both halves have 64 bytes; the loads may be unaligned.
    unsafe {
        [_mm512_loadu_si512(first.as_ptr().cast()), _mm512_loadu_si512(second.as_ptr().cast())]
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_scales(scales: &[f32; PANEL]) -> [__m512; 2] {
    #[expect(unsafe_code, reason = "a load through a reference")]
    // SAFETY: the array has 32 floats; the load may be unaligned.
    unsafe {
        [_mm512_loadu_ps(scales.as_ptr()), _mm512_loadu_ps(scales.as_ptr().add(16))]
    }
}
