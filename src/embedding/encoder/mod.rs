//! The transformer: tokens in, one vector out (the mean over all tokens,
//! length 1), as sentence-transformers does with this model.

use crate::kernels::{Kernel, Rows, Scratch, Span, Then};
use crate::vector::{DIMENSIONS, Vector};
use crate::weights::Weights;
use crate::word_piece::{END, START, WordPiece};
use std::sync::OnceLock;

/// Tokens that the model was trained to read at once, start and end included.
pub const TOKENS: usize = 256;
/// Rows that go through the feed-forward layers together: their inner values
/// (590 kB) stay in the cache.
const ROWS: usize = 96;

static MODEL: &[u8] = include_bytes!("../model/model.safetensors");
static VOCABULARY: &str = include_str!("../model/vocabulary.txt");

/// The model. Loading takes some 40 ms and 20 MB; it is shared read-only.
pub struct Encoder {
    words: WordPiece,
    weights: Weights,
    kernel: Kernel,
}

/// Buffers of one thread, reused from text to text (about 3 MB).
#[derive(Default)]
pub struct Workspace {
    rows: Rows,
    scratch: Scratch,
    values: Vec<f32>,
    attention: Vec<f32>,
    mixed: Vec<f32>,
    inner: Vec<f32>,
    out: Vec<f32>,
}

/// What becomes of the tokens that a text has beyond [`TOKENS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LongText {
    /// They are left out.
    Cut,
    /// They make further passages, up to so many in all, each with the first
    /// tokens (the title) in front.
    Passages {
        /// Most passages of a text.
        most: usize,
        /// Tokens repeated from the beginning.
        lead: usize,
    },
}

impl Encoder {
    /// The model that is built in, with the best kernel.
    ///
    /// # Panics
    ///
    /// When it cannot be read, which a test excludes.
    #[must_use]
    pub fn built_in() -> &'static Self {
        static ENCODER: OnceLock<Encoder> = OnceLock::new();
        ENCODER.get_or_init(|| Self::with_kernel(Kernel::best()))
    }

    /// The model that is built in, with a kernel of [`Kernel::available`].
    ///
    /// # Panics
    ///
    /// When it cannot be read, which a test excludes, or when this processor
    /// does not have the kernel.
    #[must_use]
    pub fn with_kernel(kernel: Kernel) -> Self {
        assert!(Kernel::available().contains(&kernel), "{} is not here", kernel.name());
        let weights = Weights::read(MODEL).expect("the model built in is whole");
        assert_eq!(weights.width, DIMENSIONS);
        Self { words: WordPiece::new(VOCABULARY), weights, kernel }
    }

    /// The kernel in use.
    #[must_use]
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Tells this model from others: vectors of different models do not
    /// compare.
    #[must_use]
    pub fn fingerprint(&self) -> &'static str {
        use sha2::{Digest, Sha256};
        static FINGERPRINT: OnceLock<String> = OnceLock::new();
        FINGERPRINT.get_or_init(|| {
            let digest = Sha256::new().chain_update(MODEL).chain_update(VOCABULARY).finalize();
            let first = digest.iter().take(8).fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
            format!("{first:016x}")
        })
    }

    /// Whether a lower-case word is one that the model has a token for: a
    /// common English word, then, and not a misspelt one.
    #[must_use]
    pub fn knows(&self, word: &str) -> bool {
        self.words.knows(word)
    }

    /// The token numbers of a text, without those of start and end.
    #[must_use]
    pub fn tokens(&self, text: &str) -> Vec<u32> {
        self.words.tokens(text)
    }

    /// The vector of a text; tokens beyond [`TOKENS`] are left out.
    #[must_use]
    pub fn vector(&self, text: &str, workspace: &mut Workspace) -> Vector {
        let mut tokens = self.tokens(text);
        tokens.truncate(TOKENS - 2);
        self.vectors(&[tokens], workspace)[0]
    }

    /// The passages of a text as tokens, at least one.
    #[must_use]
    pub fn passages(&self, text: &str, long: LongText) -> Vec<Vec<u32>> {
        const LONGEST: usize = TOKENS - 2;
        let mut tokens = self.tokens(text);
        let mut rest = if tokens.len() > LONGEST { tokens.split_off(LONGEST) } else { Vec::new() };
        let mut passages = vec![tokens];
        if let LongText::Passages { most, lead } = long {
            let lead = passages[0][..lead.min(LONGEST / 2).min(passages[0].len())].to_vec();
            while !rest.is_empty() && passages.len() < most {
                let length = (LONGEST - lead.len()).min(rest.len());
                let tail = rest.split_off(length);
                passages.push([lead.as_slice(), &rest].concat());
                rest = tail;
            }
        }
        passages
    }

    /// The vectors of several texts, as tokens of at most `TOKENS - 2` each.
    /// Texts of a few hundred tokens in all are best taken together.
    ///
    /// # Panics
    ///
    /// When a text has more tokens than that, or a number is no token's.
    #[must_use]
    pub fn vectors(&self, texts: &[Vec<u32>], workspace: &mut Workspace) -> Vec<Vector> {
        let Weights { width, heads, .. } = self.weights;
        let mut spans = Vec::with_capacity(texts.len());
        let mut total = 0;
        for text in texts {
            assert!(text.len() <= TOKENS - 2, "a text has {} tokens", text.len());
            spans.push(Span { first: total, count: text.len() + 2, width, heads });
            total += text.len() + 2;
        }
        self.look_up(texts, total, &mut workspace.values, &mut workspace.mixed);
        for layer in 0..self.weights.layers.len() {
            self.layer(layer, &spans, workspace);
        }
        let vectors = spans.iter().map(|span| {
            let mut sums = [0.0; DIMENSIONS];
            for row in workspace.values[span.first * width..][..span.count * width].chunks(width) {
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum += value;
                }
            }
            Vector::new(&sums)
        });
        vectors.collect()
    }

    /// Word and position vectors, normalised.
    fn look_up(
        &self,
        texts: &[Vec<u32>],
        total: usize,
        values: &mut Vec<f32>,
        positions: &mut Vec<f32>,
    ) {
        let width = self.weights.width;
        values.clear();
        values.resize(total * width, 0.0);
        positions.clear();
        let mut rows = values.chunks_exact_mut(width);
        for text in texts {
            let tokens = [START].into_iter().chain(text.iter().copied()).chain([END]);
            for (token, row) in tokens.zip(&mut rows) {
                assert!((token as usize) < self.weights.words.len(), "{token} is no token");
                self.weights.words.add(token, row);
            }
            positions.extend_from_slice(&self.weights.positions[..(text.len() + 2) * width]);
        }
        self.kernel.add_and_normalise(values, positions, &self.weights.norm);
    }

    fn layer(&self, layer: usize, spans: &[Span], workspace: &mut Workspace) {
        let layer = &self.weights.layers[layer];
        let (kernel, width) = (self.kernel, self.weights.width);
        let Workspace { rows, scratch, values, attention, mixed, inner, out } = workspace;
        let count = values.len() / width;
        kernel.quantise(values, width, rows);
        attention.resize(count * 3 * width, 0.0);
        kernel.product(&layer.attention, rows, Then::Nothing, attention);
        mixed.resize(count * width, 0.0);
        for span in spans {
            kernel.attention(attention, *span, scratch, mixed);
        }
        kernel.quantise(mixed, width, rows);
        out.resize(count * width, 0.0);
        kernel.product(&layer.attention_output, rows, Then::Nothing, out);
        kernel.add_and_normalise(values, out, &layer.attention_norm);
        for part in values.chunks_mut(ROWS * width) {
            let count = part.len() / width;
            kernel.quantise(part, width, rows);
            inner.resize(count * layer.inner.outputs, 0.0);
            kernel.product(&layer.inner, rows, Then::Gelu, inner);
            kernel.quantise(inner, layer.inner.outputs, rows);
            out.resize(count * width, 0.0);
            kernel.product(&layer.output, rows, Then::Nothing, out);
            kernel.add_and_normalise(part, out, &layer.output_norm);
        }
    }
}

#[cfg(test)]
mod tests;
