//! AVX2 and FMA. Products of bytes: four `maddubs` are added in 16 bits before
//! one `madd` widens them, which does not overflow because weights are -16 to
//! 15 (255 * 16 * 2 * 4 = 32,640).

#![expect(clippy::needless_range_loop, reason = "indices of registers, unrolled by the compiler")]

use crate::kernels::portable::{EPSILON, step};
use crate::kernels::{HEAD, Rows, Scratch, Span, Then, tile_rows};
use crate::vector::DIMENSIONS;
use crate::weights::{GROUP, Matrix, Norm, PANEL};
use std::arch::x86_64::{
    __m128i, __m256, __m256i, _CMP_LT_OQ, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT,
    _mm_add_epi32, _mm_cvtsi128_si32, _mm_shuffle_epi32, _mm256_abs_epi8, _mm256_add_epi16,
    _mm256_add_epi32, _mm256_add_ps, _mm256_and_ps, _mm256_andnot_ps, _mm256_castsi256_ps,
    _mm256_castsi256_si128, _mm256_cmp_ps, _mm256_cvtepi32_ps, _mm256_cvtps_epi32, _mm256_div_ps,
    _mm256_extracti128_si256, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_loadu_si256,
    _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps,
    _mm256_or_ps, _mm256_packs_epi32, _mm256_packus_epi16, _mm256_permutevar8x32_epi32,
    _mm256_round_ps, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setr_epi32,
    _mm256_setzero_ps, _mm256_setzero_si256, _mm256_sign_epi8, _mm256_slli_epi32, _mm256_storeu_ps,
    _mm256_storeu_si256, _mm256_sub_ps,
};

/// Calls that [`crate::kernels::Kernel`] has made sure of.
pub(super) mod guarded {
    use super::{DIMENSIONS, Matrix, Norm, Rows, Scratch, Span, Then};

    /// Each function calls its namesake, which declares AVX2 and FMA.
    macro_rules! guarded {
        ($($name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {$(
            pub(in crate::kernels) fn $name($($argument: $type),*) $(-> $result)? {
                #[expect(unsafe_code, reason = "Kernel::Avx2 and ::Vnni imply the features")]
                // SAFETY: all callers match on `Kernel::Avx2` or `Kernel::Vnni`, which
                // `available` gives out after it has detected AVX2 and FMA.
                unsafe { super::$name($($argument),*) }
            }
        )*};
    }

    guarded! {
        quantise(values: &[f32], rows: &mut Rows);
        product(matrix: &Matrix, rows: &Rows, then: Then, out: &mut [f32]);
        attention(qkv: &[f32], span: Span, scratch: &mut Scratch, out: &mut [f32]);
        add_and_normalise(rows: &mut [f32], more: &[f32], norm: &Norm);
        dot(a: &[i8; DIMENSIONS], b: &[i8; DIMENSIONS]) -> i32;
        dots(one: &[i8; DIMENSIONS], others: &[&[i8; DIMENSIONS]], out: &mut [i32]);
    }
}

/// Lanes of a register of floats.
const LANES: usize = 8;

#[inline]
#[target_feature(enable = "avx2")]
fn load(values: &[f32; LANES]) -> __m256 {
    #[expect(unsafe_code, reason = "a load through a reference")]
    // SAFETY: the array has 8 floats; the load may be unaligned.
    unsafe {
        _mm256_loadu_ps(values.as_ptr())
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(values: &mut [f32; LANES], register: __m256) {
    #[expect(unsafe_code, reason = "a store through a reference")]
    // SAFETY: the array has 8 floats; the store may be unaligned.
    unsafe {
        _mm256_storeu_ps(values.as_mut_ptr(), register);
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_bytes(bytes: &[i8; 32]) -> __m256i {
    #[expect(unsafe_code, reason = "a load through a reference")]
    // SAFETY: the array has 32 bytes; the load may be unaligned.
    unsafe {
        _mm256_loadu_si256(bytes.as_ptr().cast())
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store_bytes(bytes: &mut [u8; 32], register: __m256i) {
    #[expect(unsafe_code, reason = "a store through a reference")]
    // SAFETY: the array has 32 bytes; the store may be unaligned.
    unsafe {
        _mm256_storeu_si256(bytes.as_mut_ptr().cast(), register);
    }
}

/// The registers of a row whose length is a multiple of eight.
fn lanes(row: &[f32]) -> &[[f32; LANES]] {
    row.as_chunks().0
}

fn lanes_mut(row: &mut [f32]) -> &mut [[f32; LANES]] {
    row.as_chunks_mut().0
}

#[inline]
#[target_feature(enable = "avx2")]
fn sum_of(register: __m256) -> f32 {
    let mut lanes = [0.0; LANES];
    store(&mut lanes, register);
    (lanes[0] + lanes[4]) + (lanes[1] + lanes[5]) + (lanes[2] + lanes[6]) + (lanes[3] + lanes[7])
}

#[target_feature(enable = "avx2,fma")]
fn quantise(values: &[f32], rows: &mut Rows) {
    let width = rows.width;
    let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    for (n, row) in values.chunks_exact(width).enumerate() {
        let (mut low, mut high) = (_mm256_set1_ps(f32::MAX), _mm256_set1_ps(f32::MIN));
        for part in lanes(row) {
            let part = load(part);
            low = _mm256_min_ps(low, part);
            high = _mm256_max_ps(high, part);
        }
        let (mut lows, mut highs) = ([0.0; LANES], [0.0; LANES]);
        store(&mut lows, low);
        store(&mut highs, high);
        let low = lows.into_iter().fold(f32::MAX, f32::min);
        let high = highs.into_iter().fold(f32::MIN, f32::max);
        let (scale, inverse) = step(low, high);
        rows.scales[n] = scale;
        rows.lows[n] = low;
        let (low, inverse) = (_mm256_set1_ps(low), _mm256_set1_ps(inverse));
        let bytes = rows.bytes[n * width..][..width].as_chunks_mut::<32>().0;
        for (bytes, parts) in bytes.iter_mut().zip(lanes(row).as_chunks::<4>().0) {
            let mut quarters = [_mm256_setzero_si256(); 4];
            for (quarter, part) in quarters.iter_mut().zip(parts) {
                let value = _mm256_mul_ps(_mm256_sub_ps(load(part), low), inverse);
                *quarter = _mm256_cvtps_epi32(value);
            }
            let first = _mm256_packs_epi32(quarters[0], quarters[1]);
            let second = _mm256_packs_epi32(quarters[2], quarters[3]);
            let all = _mm256_packus_epi16(first, second);
            store_bytes(bytes, _mm256_permutevar8x32_epi32(all, order));
        }
    }
}

#[target_feature(enable = "avx2,fma")]
fn product(matrix: &Matrix, rows: &Rows, then: Then, out: &mut [f32]) {
    let count = rows.scales.len();
    for panel in 0..matrix.outputs / PANEL {
        let mut row = 0;
        while row < count {
            row += match tile_rows(count - row, TILE) {
                1 => tile::<1>(matrix, rows, panel, row, then, out),
                2 => tile::<2>(matrix, rows, panel, row, then, out),
                3 => tile::<3>(matrix, rows, panel, row, then, out),
                _ => tile::<TILE>(matrix, rows, panel, row, then, out),
            };
        }
    }
}

/// Rows in a tile: with eight columns, as many as registers can hold.
const TILE: usize = 4;

#[inline]
#[target_feature(enable = "avx2,fma")]
fn tile<const R: usize>(
    matrix: &Matrix,
    rows: &Rows,
    panel: usize,
    row: usize,
    then: Then,
    out: &mut [f32],
) -> usize {
    let (blocks, scales) = matrix.panel(panel);
    let inputs: [&[[u8; GROUP]]; R] = std::array::from_fn(|r| {
        let groups = rows.bytes[(row + r) * rows.width..][..rows.width].as_chunks().0;
        &groups[..blocks.len()]
    });
    let ones = _mm256_set1_epi16(1);
    for quarter in 0..4 {
        let mut sums = [_mm256_setzero_ps(); R];
        for (group, (block, scales)) in blocks.iter().zip(scales).enumerate() {
            let parts: &[[i8; 32]; 32] =
                block.0.as_chunks().0.first_chunk().expect("a block has 32 times 32 weights");
            let mut whole = [_mm256_setzero_si256(); R];
            for half in 0..2 {
                let mut narrow = [_mm256_setzero_si256(); R];
                for step in half * 4..half * 4 + 4 {
                    let weights = load_bytes(&parts[step * 4 + quarter]);
                    for r in 0..R {
                        let bytes = &inputs[r][group];
                        let four = std::array::from_fn(|n| bytes[step * 4 + n]);
                        let four = _mm256_set1_epi32(i32::from_le_bytes(four));
                        narrow[r] =
                            _mm256_add_epi16(narrow[r], _mm256_maddubs_epi16(four, weights));
                    }
                }
                for r in 0..R {
                    whole[r] = _mm256_add_epi32(whole[r], _mm256_madd_epi16(narrow[r], ones));
                }
            }
            let scales = load(&lanes(scales)[quarter]);
            for r in 0..R {
                sums[r] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(whole[r]), scales, sums[r]);
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            finish(matrix, rows, row + r, panel * PANEL + quarter * LANES, *sums, then, out);
        }
    }
    R
}

/// Turns sums of bytes into outputs: scale, low end, bias, activation.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn finish(
    matrix: &Matrix,
    rows: &Rows,
    row: usize,
    column: usize,
    sums: __m256,
    then: Then,
    out: &mut [f32],
) {
    let at = column / LANES;
    let rest = _mm256_fmadd_ps(
        _mm256_set1_ps(rows.lows[row]),
        load(&lanes(&matrix.sums)[at]),
        load(&lanes(&matrix.bias)[at]),
    );
    let mut value = _mm256_fmadd_ps(sums, _mm256_set1_ps(rows.scales[row]), rest);
    if then == Then::Gelu {
        value = gelu(value);
    }
    let out = &mut out[row * matrix.outputs..][..matrix.outputs];
    store(&mut lanes_mut(out)[at], value);
}

/// `e^x` for x from -87 to 88, to about 2e-7.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn exp(x: __m256) -> __m256 {
    let x = _mm256_max_ps(_mm256_min_ps(x, _mm256_set1_ps(88.0)), _mm256_set1_ps(-87.0));
    let n = _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(_mm256_mul_ps(
        x,
        _mm256_set1_ps(std::f32::consts::LOG2_E),
    ));
    // ln 2 in two parts, so that the difference is exact.
    let r = _mm256_fmadd_ps(n, _mm256_set1_ps(-0.693_359_4), x);
    let r = _mm256_fmadd_ps(n, _mm256_set1_ps(2.121_944_4e-4), r);
    let mut sum = _mm256_set1_ps(1.0 / 720.0);
    for factor in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = _mm256_fmadd_ps(sum, r, _mm256_set1_ps(factor));
    }
    let power = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    _mm256_mul_ps(sum, _mm256_castsi256_ps(_mm256_slli_epi32::<23>(power)))
}

/// See the portable one.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn gelu(x: __m256) -> __m256 {
    let (one, sign_bit) = (_mm256_set1_ps(1.0), _mm256_set1_ps(-0.0));
    let z = _mm256_mul_ps(
        _mm256_andnot_ps(sign_bit, x),
        _mm256_set1_ps(std::f32::consts::FRAC_1_SQRT_2),
    );
    let t = _mm256_div_ps(one, _mm256_fmadd_ps(_mm256_set1_ps(0.327_591_1), z, one));
    let mut poly = _mm256_set1_ps(1.061_405_4);
    for factor in [-1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6] {
        poly = _mm256_fmadd_ps(poly, t, _mm256_set1_ps(factor));
    }
    let poly = _mm256_mul_ps(poly, t);
    let tail = exp(_mm256_mul_ps(_mm256_sub_ps(_mm256_setzero_ps(), z), z));
    let erf = _mm256_sub_ps(one, _mm256_mul_ps(poly, tail));
    let signed = _mm256_or_ps(erf, _mm256_and_ps(x, sign_bit));
    _mm256_mul_ps(_mm256_mul_ps(_mm256_set1_ps(0.5), x), _mm256_add_ps(one, signed))
}

/// Query rows that go through the keys together.
const QUERIES: usize = 4;

#[target_feature(enable = "avx2,fma")]
fn attention(qkv: &[f32], span: Span, scratch: &mut Scratch, out: &mut [f32]) {
    let Span { first, count, width, heads } = span;
    let padded = count.next_multiple_of(2 * LANES);
    scratch.keys.clear();
    scratch.keys.resize(HEAD * padded, 0.0);
    scratch.values.resize(count * HEAD, 0.0);
    scratch.scores.resize(QUERIES * padded, 0.0);
    for head in 0..heads {
        for n in 0..count {
            let row = &qkv[(first + n) * 3 * width..][..3 * width];
            let key = &row[width + head * HEAD..][..HEAD];
            for (d, value) in key.iter().enumerate() {
                scratch.keys[d * padded + n] = *value;
            }
            let value = &row[2 * width + head * HEAD..][..HEAD];
            scratch.values[n * HEAD..][..HEAD].copy_from_slice(value);
        }
        let mut query = 0;
        while query < count {
            let at = At { qkv, span, head, query, padded };
            query += match (count - query).min(QUERIES) {
                1 => attend::<1>(at, scratch, out),
                2 => attend::<2>(at, scratch, out),
                3 => attend::<3>(at, scratch, out),
                _ => attend::<QUERIES>(at, scratch, out),
            };
        }
    }
}

/// Where some queries of a head are.
#[derive(Clone, Copy)]
struct At<'a> {
    qkv: &'a [f32],
    span: Span,
    head: usize,
    query: usize,
    padded: usize,
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn attend<const R: usize>(at: At<'_>, scratch: &mut Scratch, out: &mut [f32]) -> usize {
    let Span { first, count, width, .. } = at.span;
    let row = |r: usize| (first + at.query + r) * 3 * width + at.head * HEAD;
    let asked: [&[f32; HEAD]; R] =
        std::array::from_fn(|r| at.qkv[row(r)..].first_chunk().expect("a row has whole heads"));
    let columns = at.padded / LANES;
    let mut column = 0;
    while column < columns {
        let mut sums = [[_mm256_setzero_ps(); 2]; R];
        for d in 0..HEAD {
            let keys = &lanes(&scratch.keys[d * at.padded..][..at.padded])[column..column + 2];
            let keys = [load(&keys[0]), load(&keys[1])];
            for r in 0..R {
                let value = _mm256_set1_ps(asked[r][d]);
                sums[r][0] = _mm256_fmadd_ps(value, keys[0], sums[r][0]);
                sums[r][1] = _mm256_fmadd_ps(value, keys[1], sums[r][1]);
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            let scores = lanes_mut(&mut scratch.scores[r * at.padded..][..at.padded]);
            store(&mut scores[column], sums[0]);
            store(&mut scores[column + 1], sums[1]);
        }
        column += 2;
    }
    let mut totals = [0.0; R];
    for (r, total) in totals.iter_mut().enumerate() {
        let scores = &mut scratch.scores[r * at.padded..][..at.padded];
        // What is only padding must not count.
        scores[count..].fill(-1e30);
        let scores = lanes_mut(scores);
        let mut most = _mm256_set1_ps(f32::MIN);
        for part in scores.iter() {
            most = _mm256_max_ps(most, load(part));
        }
        let mut highest = [0.0; LANES];
        store(&mut highest, most);
        let most = _mm256_set1_ps(highest.into_iter().fold(f32::MIN, f32::max));
        let mut sum = _mm256_setzero_ps();
        for part in scores.iter_mut() {
            let distance = _mm256_sub_ps(load(part), most);
            // `exp` has a floor, and padding must be nothing at all.
            let counts = _mm256_cmp_ps::<_CMP_LT_OQ>(_mm256_set1_ps(-80.0), distance);
            let share = _mm256_and_ps(exp(distance), counts);
            sum = _mm256_add_ps(sum, share);
            store(part, share);
        }
        *total = sum_of(sum);
    }
    let mut mixed = [[_mm256_setzero_ps(); 4]; R];
    for n in 0..count {
        let values = &lanes(&scratch.values[n * HEAD..][..HEAD])[..4];
        let values = [load(&values[0]), load(&values[1]), load(&values[2]), load(&values[3])];
        for r in 0..R {
            let share = _mm256_set1_ps(scratch.scores[r * at.padded + n]);
            for part in 0..4 {
                mixed[r][part] = _mm256_fmadd_ps(share, values[part], mixed[r][part]);
            }
        }
    }
    for (r, mixed) in mixed.iter().enumerate() {
        let inverse = _mm256_set1_ps(1.0 / totals[r]);
        let start = (first + at.query + r) * width + at.head * HEAD;
        let out = lanes_mut(&mut out[start..start + HEAD]);
        for (out, mixed) in out.iter_mut().zip(mixed) {
            store(out, _mm256_mul_ps(*mixed, inverse));
        }
    }
    R
}

#[target_feature(enable = "avx2,fma")]
fn add_and_normalise(rows: &mut [f32], more: &[f32], norm: &Norm) {
    let width = norm.weight.len();
    #[expect(clippy::cast_precision_loss, reason = "small")]
    let count = width as f32;
    for (row, more) in rows.chunks_exact_mut(width).zip(more.chunks_exact(width)) {
        let row = lanes_mut(row);
        let mut sum = _mm256_setzero_ps();
        for (value, more) in row.iter_mut().zip(lanes(more)) {
            let both = _mm256_add_ps(load(value), load(more));
            sum = _mm256_add_ps(sum, both);
            store(value, both);
        }
        let mean = _mm256_set1_ps(sum_of(sum) / count);
        let mut squares = _mm256_setzero_ps();
        for value in row.iter() {
            let off = _mm256_sub_ps(load(value), mean);
            squares = _mm256_fmadd_ps(off, off, squares);
        }
        let factor = _mm256_set1_ps(1.0 / (sum_of(squares) / count + EPSILON).sqrt());
        for ((value, weight), bias) in
            row.iter_mut().zip(lanes(&norm.weight)).zip(lanes(&norm.bias))
        {
            let off = _mm256_mul_ps(_mm256_sub_ps(load(value), mean), factor);
            store(value, _mm256_fmadd_ps(off, load(weight), load(bias)));
        }
    }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn dot(a: &[i8; DIMENSIONS], b: &[i8; DIMENSIONS]) -> i32 {
    let ones = _mm256_set1_epi16(1);
    let mut sum = _mm256_setzero_si256();
    let (a, b) = (a.as_chunks::<32>().0, b.as_chunks::<32>().0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (load_bytes(a), load_bytes(b));
        // Bytes are -127 to 127, so that two products fit 16 bits.
        let pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(a), _mm256_sign_epi8(b, a));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, ones));
    }
    let sum = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
    let sum: __m128i = _mm_add_epi32(sum, _mm_shuffle_epi32::<0b01_00_11_10>(sum));
    _mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_shuffle_epi32::<0b10_11_00_01>(sum)))
}

#[target_feature(enable = "avx2,fma")]
fn dots(one: &[i8; DIMENSIONS], others: &[&[i8; DIMENSIONS]], out: &mut [i32]) {
    for (out, other) in out.iter_mut().zip(others) {
        *out = dot(one, other);
    }
}
