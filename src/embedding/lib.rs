//! Meaning as vectors: all-MiniLM-L6-v2 run from packed weights, and the exact
//! scan over the vectors it makes. It knows texts, tokens and bytes; it does
//! not know records, graphs or what a search is.
//!
//! The weights stay in the 4 and 5 bits in which they are shipped (see
//! `model/README.md`); activations are quantised to 8 bits a row. Against f32
//! arithmetic on the same weights the cosine of a vector is .999 on average,
//! and retrieval does not change measurably. Kernels are chosen when the
//! encoder is loaded: AVX-512 VNNI, AVX2, or portable loops; one that does not
//! agree with the portable loops on a small product is not used.
//!
//! ```
//! use insites_embedding::{Encoder, Workspace};
//! let encoder = Encoder::built_in();
//! let mut workspace = Workspace::default();
//! let mut vector = |text: &str| encoder.vector(text, &mut workspace);
//! let (asked, near, far) =
//!     (vector("missed appointments"), vector("patients who did not attend"), vector("apple pie"));
//! assert!(asked.cosine(&near) > asked.cosine(&far));
//! ```

mod encoder;
mod kernels;
mod store;
mod vector;
mod weights;
mod word_piece;

pub use encoder::{Encoder, LongText, TOKENS, Workspace};
pub use kernels::{Kernel, common_bits};
pub use store::{Place, Record, StoreError, VectorReader, VectorStore};
pub use vector::{DIMENSIONS, Vector};
