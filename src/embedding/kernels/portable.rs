//! Loops that any processor runs: the reference for the other kernels, and
//! what is used where there is nothing better.

use crate::kernels::{HEAD, Rows, Scratch, Span, Then};
use crate::vector::DIMENSIONS;
use crate::weights::{Block, GROUP, Matrix, Norm, PANEL};

/// Added to a variance before its root is taken.
pub(super) const EPSILON: f32 = 1e-12;
/// Rows and columns that are summed together: as many sums as SSE2 and NEON
/// keep in registers.
const TILE: usize = 4;
const COLUMNS: usize = 8;

pub(super) fn quantise(values: &[f32], rows: &mut Rows) {
    let width = rows.width;
    for (n, row) in values.chunks_exact(width).enumerate() {
        let (mut low, mut high) = ([f32::MAX; 8], [f32::MIN; 8]);
        for part in row.chunks_exact(8) {
            for lane in 0..8 {
                low[lane] = low[lane].min(part[lane]);
                high[lane] = high[lane].max(part[lane]);
            }
        }
        let low = low.into_iter().fold(f32::MAX, f32::min);
        let high = high.into_iter().fold(f32::MIN, f32::max);
        let (scale, inverse) = step(low, high);
        rows.scales[n] = scale;
        rows.lows[n] = low;
        for (byte, value) in rows.bytes[n * width..][..width].iter_mut().zip(row) {
            // Adding half and cutting off rounds what is not negative.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "from 0 to 255"
            )]
            let rounded = ((value - low) * inverse + 0.5) as u8;
            *byte = rounded;
        }
    }
}

/// What a byte is worth in a row of this range, and how many bytes a unit.
pub(super) fn step(low: f32, high: f32) -> (f32, f32) {
    let range = high - low;
    if range > 0.0 && range.is_finite() { (range / 255.0, 255.0 / range) } else { (0.0, 0.0) }
}

pub(super) fn product(matrix: &Matrix, rows: &Rows, then: Then, out: &mut [f32]) {
    let (groups, count) = (matrix.groups(), rows.scales.len());
    let inputs: Vec<f32> = rows.bytes.iter().map(|byte| f32::from(*byte)).collect();
    // The weights of eight columns as floats: unpacked once for all rows.
    let mut unpacked = vec![[0.0_f32; COLUMNS]; matrix.inputs];
    for column in (0..matrix.outputs).step_by(COLUMNS) {
        let (panel, offset) = (column / PANEL, column % PANEL);
        for (input, weights) in unpacked.iter_mut().enumerate() {
            let block = panel * groups + input / GROUP;
            let base = input % GROUP / 4 * 4 * PANEL + offset * 4 + input % 4;
            for (n, weight) in weights.iter_mut().enumerate() {
                *weight = f32::from(matrix.blocks[block].0[base + n * 4])
                    * matrix.scales[block][offset + n];
            }
        }
        let mut row = 0;
        while row < count {
            row += if count - row >= TILE {
                tile::<TILE>(matrix, rows, &inputs, &unpacked, (row, column), then, out)
            } else {
                tile::<1>(matrix, rows, &inputs, &unpacked, (row, column), then, out)
            };
        }
    }
}

fn tile<const R: usize>(
    matrix: &Matrix,
    rows: &Rows,
    inputs: &[f32],
    weights: &[[f32; COLUMNS]],
    (row, column): (usize, usize),
    then: Then,
    out: &mut [f32],
) -> usize {
    let inputs: [&[f32]; R] =
        std::array::from_fn(|r| &inputs[(row + r) * rows.width..][..weights.len()]);
    let mut sums = [[0.0_f32; COLUMNS]; R];
    for (input, weights) in weights.iter().enumerate() {
        for r in 0..R {
            let value = inputs[r][input];
            for n in 0..COLUMNS {
                sums[r][n] += value * weights[n];
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        let (scale, low) = (rows.scales[row + r], rows.lows[row + r]);
        let out = &mut out[(row + r) * matrix.outputs + column..][..COLUMNS];
        for (n, out) in out.iter_mut().enumerate() {
            let value = sums[n] * scale + low * matrix.sums[column + n] + matrix.bias[column + n];
            *out = if then == Then::Gelu { gelu(value) } else { value };
        }
    }
    R
}

/// `x * P(X <= x)` for a standard normal X (Hendrycks and Gimpel 2016).
fn gelu(x: f32) -> f32 {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    // Abramowitz and Stegun 7.1.26: at most 1.5e-7 off.
    let t = 1.0 / (0.327_591_1 * z + 1.0);
    let poly = t
        * (0.254_829_6
            + t * (-0.284_496_74 + t * (1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4))));
    let erf = 1.0 - poly * (-z * z).exp();
    let signed = if x < 0.0 { -erf } else { erf };
    0.5 * x * (1.0 + signed)
}

pub(super) fn attention(qkv: &[f32], span: Span, scratch: &mut Scratch, out: &mut [f32]) {
    let Span { first, count, width, heads } = span;
    let row = |n: usize, part: usize, head: usize| {
        let start = (first + n) * 3 * width + part * width + head * HEAD;
        &qkv[start..start + HEAD]
    };
    scratch.scores.resize(count, 0.0);
    for head in 0..heads {
        for query in 0..count {
            let asked = row(query, 0, head);
            for (key, score) in scratch.scores.iter_mut().enumerate() {
                let mut sums = [0.0_f32; 8];
                for (a, b) in asked.chunks_exact(8).zip(row(key, 1, head).chunks_exact(8)) {
                    for lane in 0..8 {
                        sums[lane] += a[lane] * b[lane];
                    }
                }
                *score = sums.iter().sum();
            }
            let most = scratch.scores.iter().copied().fold(f32::MIN, f32::max);
            let mut total = 0.0;
            for score in &mut scratch.scores {
                *score = (*score - most).exp();
                total += *score;
            }
            let mut mixed = [0.0_f32; HEAD];
            for (key, share) in scratch.scores.iter().enumerate() {
                for (mixed, value) in mixed.iter_mut().zip(row(key, 2, head)) {
                    *mixed += share * value;
                }
            }
            let out = &mut out[(first + query) * width + head * HEAD..][..HEAD];
            for (out, mixed) in out.iter_mut().zip(mixed) {
                *out = mixed / total;
            }
        }
    }
}

pub(super) fn add_and_normalise(rows: &mut [f32], more: &[f32], norm: &Norm) {
    let width = norm.weight.len();
    #[expect(clippy::cast_precision_loss, reason = "small")]
    let count = width as f32;
    for (row, more) in rows.chunks_exact_mut(width).zip(more.chunks_exact(width)) {
        for (value, more) in row.iter_mut().zip(more) {
            *value += more;
        }
        let mean = row.iter().sum::<f32>() / count;
        let variance = row.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / count;
        let factor = 1.0 / (variance + EPSILON).sqrt();
        for ((value, weight), bias) in row.iter_mut().zip(&norm.weight).zip(&norm.bias) {
            *value = (*value - mean) * factor * weight + bias;
        }
    }
}

pub(super) fn dot(a: &[i8; DIMENSIONS], b: &[i8; DIMENSIONS]) -> i32 {
    a.iter().zip(b).map(|(a, b)| i32::from(i16::from(*a) * i16::from(*b))).sum()
}

/// A matrix and seven rows with every kind of value, for kernels to agree on.
pub(super) fn sample() -> (Matrix, Vec<f32>) {
    let (inputs, outputs) = (2 * GROUP, 2 * PANEL);
    let mut state = 12_345_u32;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    let mut matrix = Matrix { inputs, outputs, ..Matrix::default() };
    for n in 0..4_u8 {
        let mut block = Block([0; PANEL * GROUP]);
        for weight in &mut block.0 {
            *weight = (random() & 31).cast_signed() - 16;
        }
        if n == 0 {
            // The largest products there can be.
            block.0[..8 * PANEL].fill(-16);
        }
        matrix.blocks.push(block);
        matrix.scales.push(std::array::from_fn(|_| f32::from(random()) / 25_500.0));
    }
    matrix.sums = (0..outputs).map(|_| f32::from(random()) / 255.0 - 0.5).collect();
    matrix.bias = (0..outputs).map(|_| f32::from(random()) / 255.0 - 0.5).collect();
    let values =
        (0..7 * inputs).map(|n| if n % 5 == 0 { 3.0 } else { f32::from(random()) / 64.0 - 2.0 });
    (matrix, values.collect())
}
