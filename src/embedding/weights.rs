//! Reads the packed weights: a safetensors file in the form that
//! `model/pack_minilm.py` describes, laid out again for the kernels.

use serde_json::Value;

/// Columns (outputs) in a panel.
pub(crate) const PANEL: usize = 32;
/// Inputs that share a scale.
pub(crate) const GROUP: usize = 32;

/// Weights of 32 inputs and 32 outputs: 8 steps of 4 inputs, in each the 32
/// outputs side by side with their 4 inputs together. Values are -16 to 15:
/// four products of bytes then fit 16 bits, which AVX2 relies on.
#[derive(Clone)]
#[repr(C, align(64))]
pub(crate) struct Block(pub(crate) [i8; PANEL * GROUP]);

/// A linear layer: `outputs = weights * inputs + bias`.
#[derive(Default)]
pub(crate) struct Matrix {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// By panel, then by group of inputs.
    pub(crate) blocks: Vec<Block>,
    /// The scale of each block's columns.
    pub(crate) scales: Vec<[f32; PANEL]>,
    /// The sum of each output's weights.
    pub(crate) sums: Vec<f32>,
    pub(crate) bias: Vec<f32>,
}

impl Matrix {
    /// Groups of inputs.
    pub(crate) fn groups(&self) -> usize {
        self.inputs / GROUP
    }

    /// The blocks of a panel, with their scales.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    pub(crate) fn panel(&self, panel: usize) -> (&[Block], &[[f32; PANEL]]) {
        let of_panel = panel * self.groups()..(panel + 1) * self.groups();
        (&self.blocks[of_panel.clone()], &self.scales[of_panel])
    }

    /// A matrix of integers from -16 to 15, row-major, with a scale a group.
    /// `factor` multiplies weights and bias.
    fn push(&mut self, weights: &[i8], scales: &[f32], bias: &[f32], factor: f32) {
        let rows = bias.len();
        let groups = self.groups();
        for panel in 0..rows / PANEL {
            for group in 0..groups {
                let mut block = Block([0; PANEL * GROUP]);
                let mut of_columns = [0.0; PANEL];
                for (column, scale) in of_columns.iter_mut().enumerate() {
                    let row = panel * PANEL + column;
                    *scale = scales[row * groups + group] * factor;
                    let inputs = &weights[row * self.inputs + group * GROUP..][..GROUP];
                    for (input, weight) in inputs.iter().enumerate() {
                        let (step, byte) = (input / 4, input % 4);
                        block.0[step * 4 * PANEL + column * 4 + byte] = *weight;
                    }
                }
                self.blocks.push(block);
                self.scales.push(of_columns);
            }
        }
        for row in 0..rows {
            let sum = (0..groups).map(|group| {
                let inputs = &weights[row * self.inputs + group * GROUP..][..GROUP];
                let sum: i32 = inputs.iter().map(|w| i32::from(*w)).sum();
                #[expect(clippy::cast_precision_loss, reason = "at most 512")]
                let sum = sum as f32;
                sum * scales[row * groups + group] * factor
            });
            self.sums.push(sum.sum());
        }
        self.bias.extend(bias.iter().map(|b| b * factor));
        self.outputs += rows;
    }
}

/// A layer of the transformer.
pub(crate) struct Layer {
    /// Query, key and value together; the query is divided by the root of the
    /// size of a head.
    pub(crate) attention: Matrix,
    pub(crate) attention_output: Matrix,
    pub(crate) attention_norm: Norm,
    pub(crate) inner: Matrix,
    pub(crate) output: Matrix,
    pub(crate) output_norm: Norm,
}

/// Weight and bias of a layer normalisation.
pub(crate) struct Norm {
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
}

/// The word vectors, in 4 bits, as they lie in the file.
pub(crate) struct Words {
    nibbles: &'static [u8],
    scales: &'static [u8],
    width: usize,
}

impl Words {
    /// Adds the vector of a token to a row.
    pub(crate) fn add(&self, token: u32, row: &mut [f32]) {
        let token = token as usize;
        let nibbles = &self.nibbles[token * self.width / 2..][..self.width / 2];
        let scales = &self.scales[token * self.width / GROUP * 2..][..self.width / GROUP * 2];
        for ((out, bytes), scale) in row
            .chunks_exact_mut(GROUP)
            .zip(nibbles.chunks_exact(GROUP / 2))
            .zip(scales.chunks_exact(2))
        {
            let scale = half(u16::from_le_bytes([scale[0], scale[1]]));
            for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
                pair[0] += f32::from((byte & 15).cast_signed() - 8) * scale;
                pair[1] += f32::from((byte >> 4).cast_signed() - 8) * scale;
            }
        }
    }

    /// The number of tokens.
    pub(crate) fn len(&self) -> usize {
        self.nibbles.len() * 2 / self.width
    }
}

/// All weights of the model.
pub(crate) struct Weights {
    pub(crate) words: Words,
    /// Position vectors, with that of the first token type added.
    pub(crate) positions: Vec<f32>,
    pub(crate) norm: Norm,
    pub(crate) layers: Vec<Layer>,
    pub(crate) width: usize,
    pub(crate) heads: usize,
}

/// Heads of attention in every layer; the file does not say.
const HEADS: usize = 12;

struct File {
    header: Value,
    data: &'static [u8],
}

impl File {
    fn open(bytes: &'static [u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk::<8>()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let (header, data) = rest.split_at_checked(length)?;
        Some(Self { header: serde_json::from_slice(header).ok()?, data })
    }

    fn bytes(&self, name: &str) -> Option<&'static [u8]> {
        let offsets = self.header.get(name)?.get("data_offsets")?;
        let offset = |n: usize| usize::try_from(offsets.get(n)?.as_u64()?).ok();
        self.data.get(offset(0)?..offset(1)?)
    }

    fn halves(&self, name: &str) -> Option<Vec<f32>> {
        let bytes = self.bytes(name)?;
        Some(bytes.chunks_exact(2).map(|b| half(u16::from_le_bytes([b[0], b[1]]))).collect())
    }

    fn norm(&self, name: &str) -> Option<Norm> {
        Some(Norm {
            weight: self.halves(&format!("{name}.weight"))?,
            bias: self.halves(&format!("{name}.bias"))?,
        })
    }

    fn matrix(&self, inputs: usize, names: &[(&str, f32)], layer: &str) -> Option<Matrix> {
        let mut matrix = Matrix { inputs, ..Matrix::default() };
        for (name, factor) in names {
            let name = format!("{layer}.{name}");
            let low = self.bytes(&format!("{name}.weight.q4"))?;
            let high = self.bytes(&format!("{name}.weight.q1"))?;
            let weights: Vec<i8> = (0..low.len() * 2)
                .map(|n| {
                    let low = if n % 2 == 0 { low[n / 2] & 15 } else { low[n / 2] >> 4 };
                    let high = high[n / 8] >> (n % 8) & 1;
                    (low | high << 4).cast_signed() - 16
                })
                .collect();
            let scales = self.halves(&format!("{name}.weight.s"))?;
            let bias = self.halves(&format!("{name}.bias"))?;
            matrix.push(&weights, &scales, &bias, *factor);
        }
        Some(matrix)
    }
}

impl Weights {
    /// Reads the file. `None` if it is not what it should be.
    pub(crate) fn read(bytes: &'static [u8]) -> Option<Self> {
        let file = File::open(bytes)?;
        let norm = file.norm("embeddings.LayerNorm")?;
        let width = norm.weight.len();
        let words = Words {
            nibbles: file.bytes("embeddings.word_embeddings.weight.q4")?,
            scales: file.bytes("embeddings.word_embeddings.weight.s")?,
            width,
        };
        let mut positions = file.halves("embeddings.position_embeddings.weight")?;
        let types = file.halves("embeddings.token_type_embeddings.weight")?;
        for row in positions.chunks_exact_mut(width) {
            for (position, type_) in row.iter_mut().zip(&types) {
                *position += type_;
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let factor = 1.0 / ((width / HEADS) as f32).sqrt();
        let mut layers = Vec::new();
        loop {
            let name = format!("encoder.layer.{}", layers.len());
            if file.bytes(&format!("{name}.output.dense.bias")).is_none() {
                break;
            }
            let qkv = [
                ("attention.self.query", factor),
                ("attention.self.key", 1.0),
                ("attention.self.value", 1.0),
            ];
            let inner = file.matrix(width, &[("intermediate.dense", 1.0)], &name)?;
            layers.push(Layer {
                attention: file.matrix(width, &qkv, &name)?,
                attention_output: file.matrix(width, &[("attention.output.dense", 1.0)], &name)?,
                attention_norm: file.norm(&format!("{name}.attention.output.LayerNorm"))?,
                output: file.matrix(inner.outputs, &[("output.dense", 1.0)], &name)?,
                output_norm: file.norm(&format!("{name}.output.LayerNorm"))?,
                inner,
            });
        }
        (!layers.is_empty()).then_some(Self { words, positions, norm, layers, width, heads: HEADS })
    }
}

/// IEEE 754 half precision to single.
fn half(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let exponent = u32::from(bits >> 10 & 31);
    let fraction = u32::from(bits & 1023);
    match (exponent, fraction) {
        (0, 0) => f32::from_bits(sign),
        // Subnormal: a multiple of 2^-24.
        (0, n) => {
            #[expect(clippy::cast_precision_loss, reason = "ten bits")]
            let value = n as f32 / 16_777_216.0;
            if sign == 0 { value } else { -value }
        }
        (31, n) => f32::from_bits(sign | 0x7f80_0000 | n << 13),
        (e, n) => f32::from_bits(sign | (e + 112) << 23 | n << 13),
    }
}

#[cfg(test)]
mod tests {
    use super::half;

    #[test]
    fn halves_have_their_values() {
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x3555, 0.333_251_95),
            (0x0001, 5.960_464_5e-8),
            (0x7bff, 65504.0),
            (0x0000, 0.0),
        ] {
            assert!((half(bits) - value).abs() <= value.abs() * 1e-6, "{bits:x}");
        }
        assert!(half(0x7c00).is_infinite() && half(0x7e00).is_nan());
    }
}
