//! The arithmetic, once for each instruction set. Everything that is unsafe in
//! this crate but the mapping and viewing of files is in this folder: calls of
//! functions that need an instruction set, and loads and stores through
//! references to arrays. Outside this crate a [`Kernel`] does nothing but choose
//! an encoder, which refuses one that was not detected; inside it, kernels come
//! from [`Kernel::available`] alone.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod bits;
mod portable;
#[cfg(target_arch = "x86_64")]
mod vnni;

pub use bits::common_bits;

use crate::vector::DIMENSIONS;
use crate::weights::{Matrix, Norm};
use std::sync::OnceLock;

/// Rows of activations in bytes: `value = byte * scale + low`.
#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) width: usize,
    pub(crate) bytes: Vec<u8>,
    pub(crate) scales: Vec<f32>,
    pub(crate) lows: Vec<f32>,
}

impl Rows {
    fn reset(&mut self, count: usize, width: usize) {
        self.width = width;
        self.bytes.resize(count * width, 0);
        self.scales.resize(count, 0.0);
        self.lows.resize(count, 0.0);
    }
}

/// What comes after a product.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Nothing,
    /// The Gaussian error linear unit.
    Gelu,
}

/// Buffers of attention.
#[derive(Default)]
pub(crate) struct Scratch {
    keys: Vec<f32>,
    values: Vec<f32>,
    scores: Vec<f32>,
}

/// Rows of one text in a row of texts, and how its heads lie.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    pub(crate) first: usize,
    pub(crate) count: usize,
    /// Width of the model; query, key and value lie side by side in a row.
    pub(crate) width: usize,
    pub(crate) heads: usize,
}

/// Rows of the next tile, of so many left, when a tile has at most so many:
/// tiles are nearly equal, 8 rows are 4 and 4, not 6 and 2.
#[cfg(target_arch = "x86_64")]
#[inline]
fn tile_rows(left: usize, most: usize) -> usize {
    left.div_ceil(left.div_ceil(most))
}

/// The numbers in a head of attention.
pub(crate) const HEAD: usize = 32;

/// The instruction set that is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// AVX-512 VNNI for products, AVX2 for the rest.
    Vnni,
    /// AVX2 and FMA.
    Avx2,
    /// Loops that any processor runs.
    Portable,
}

impl Kernel {
    /// The kernels that this processor has, the best first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut kernels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let has_avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            if has_avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vnni")
            {
                kernels.push(Self::Vnni);
            }
            if has_avx2 {
                kernels.push(Self::Avx2);
            }
        }
        kernels.push(Self::Portable);
        kernels
    }

    /// The best kernel that agrees with the portable loops on a product.
    #[must_use]
    pub fn best() -> Self {
        static BEST: OnceLock<Kernel> = OnceLock::new();
        *BEST.get_or_init(|| {
            let agrees = |kernel: &Self| kernel.agrees_with(Self::Portable);
            Self::available().into_iter().find(agrees).unwrap_or(Self::Portable)
        })
    }

    /// The name, as it is logged and written beside vectors.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Vnni => "avx512-vnni",
            Self::Avx2 => "avx2",
            Self::Portable => "portable",
        }
    }

    fn agrees_with(self, other: Self) -> bool {
        let (matrix, values) = portable::sample();
        let product = |kernel: Self| {
            let (mut rows, mut out) = (Rows::default(), vec![0.0; 7 * matrix.outputs]);
            kernel.quantise(&values, matrix.inputs, &mut rows);
            kernel.product(&matrix, &rows, Then::Gelu, &mut out);
            out
        };
        let (ours, theirs) = (product(self), product(other));
        ours.iter().zip(theirs).all(|(a, b)| (a - b).abs() < 0.05 + b.abs() * 0.01)
    }

    /// Quantises rows of values.
    pub(crate) fn quantise(self, values: &[f32], width: usize, rows: &mut Rows) {
        rows.reset(values.len() / width, width);
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Vnni | Self::Avx2 => avx2::guarded::quantise(values, rows),
            _ => portable::quantise(values, rows),
        }
    }

    /// Multiplies every row with a matrix. `out` gets a row of outputs a row.
    pub(crate) fn product(self, matrix: &Matrix, rows: &Rows, then: Then, out: &mut [f32]) {
        assert_eq!(matrix.inputs, rows.width);
        assert_eq!(out.len(), rows.scales.len() * matrix.outputs);
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Vnni => vnni::guarded::product(matrix, rows, then, out),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => avx2::guarded::product(matrix, rows, then, out),
            _ => portable::product(matrix, rows, then, out),
        }
    }

    /// Attention of all heads over one text.
    pub(crate) fn attention(self, qkv: &[f32], span: Span, scratch: &mut Scratch, out: &mut [f32]) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Vnni | Self::Avx2 => avx2::guarded::attention(qkv, span, scratch, out),
            _ => portable::attention(qkv, span, scratch, out),
        }
    }

    /// Adds rows to rows and normalises the sums.
    pub(crate) fn add_and_normalise(self, rows: &mut [f32], more: &[f32], norm: &Norm) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Vnni | Self::Avx2 => avx2::guarded::add_and_normalise(rows, more, norm),
            _ => portable::add_and_normalise(rows, more, norm),
        }
    }
}

/// The product of two vectors of bytes.
pub(crate) fn dot(a: &[i8; DIMENSIONS], b: &[i8; DIMENSIONS]) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "at most 384 * 127 * 127, below 2^23")]
    match Kernel::best() {
        #[cfg(target_arch = "x86_64")]
        Kernel::Vnni | Kernel::Avx2 => avx2::guarded::dot(a, b) as f32,
        _ => portable::dot(a, b) as f32,
    }
}

/// The products of one vector with several.
pub(crate) fn dots(one: &[i8; DIMENSIONS], others: &[&[i8; DIMENSIONS]], out: &mut [i32]) {
    assert_eq!(others.len(), out.len());
    match Kernel::best() {
        #[cfg(target_arch = "x86_64")]
        Kernel::Vnni => vnni::guarded::dots(one, others, out),
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx2 => avx2::guarded::dots(one, others, out),
        _ => {
            for (out, other) in out.iter_mut().zip(others) {
                *out = portable::dot(one, other);
            }
        }
    }
}

#[cfg(test)]
mod tests;
