//! Tokens and vectors against those of other programs: `model/reference.json`
//! holds texts with the numbers that the `tokenizers` crate 0.22 gives and the
//! vectors of f32 arithmetic on the same weights (`model/README.md`).

use super::{Encoder, LongText, TOKENS, Workspace};
use crate::kernels::Kernel;
use crate::vector::{DIMENSIONS, Vector};
use serde_json::Value;

struct Reference {
    text: String,
    tokens: Vec<u32>,
    vector: Vector,
}

fn reference() -> Vec<Reference> {
    let parsed: Vec<Value> =
        serde_json::from_str(include_str!("../model/reference.json")).expect("JSON");
    parsed
        .into_iter()
        .map(|one| {
            let tokens = one["tokens"].as_array().expect("tokens");
            let values = one["vector"].as_array().expect("a vector");
            assert_eq!(values.len(), DIMENSIONS);
            #[expect(clippy::cast_possible_truncation, reason = "five digits are kept")]
            let values = std::array::from_fn(|n| values[n].as_f64().expect("a number") as f32);
            Reference {
                text: one["text"].as_str().expect("a text").to_owned(),
                tokens: tokens
                    .iter()
                    .map(|t| u32::try_from(t.as_u64().expect("a number")).expect("small"))
                    .collect(),
                vector: Vector::new(&values),
            }
        })
        .collect()
}

#[test]
fn tokens_are_those_of_the_tokenizers_crate() {
    let encoder = Encoder::built_in();
    for Reference { text, tokens, .. } in reference() {
        let mut found = encoder.tokens(&text);
        found.truncate(TOKENS - 2);
        assert_eq!(found, tokens, "{text:?}");
    }
}

#[test]
fn special_tokens_that_are_typed_are_text() {
    let encoder = Encoder::built_in();
    assert_eq!(encoder.tokens("[MASK]").len(), 3);
    assert!(encoder.tokens("[CLS] [SEP]").iter().all(|token| !(100..104).contains(token)));
}

#[test]
fn vectors_are_near_to_those_of_f32_with_every_kernel() {
    for kernel in Kernel::available() {
        let encoder = Encoder::with_kernel(kernel);
        let mut workspace = Workspace::default();
        let (mut sum, mut count) = (0.0, 0.0);
        for Reference { text, tokens, vector } in reference() {
            // The portable loops take their time for a long text.
            if kernel == Kernel::Portable && tokens.len() > 60 {
                continue;
            }
            let cosine = encoder.vector(&text, &mut workspace).cosine(&vector);
            // Nothing but punctuation is where 8 bits are worst.
            let has_words = text.chars().any(char::is_alphabetic);
            assert!(cosine > if has_words { 0.997 } else { 0.99 }, "{kernel:?} {cosine} {text:?}");
            if tokens.len() >= 6 {
                sum += cosine;
                count += 1.0;
            }
        }
        // Odd texts on purpose: ordinary ones reach .9993.
        assert!(count > 8.0 && sum / count > 0.9988, "{kernel:?}: {}", sum / count);
    }
}

#[test]
fn texts_taken_together_get_the_vectors_they_get_alone() {
    let encoder = Encoder::built_in();
    let mut workspace = Workspace::default();
    let texts: Vec<Vec<u32>> =
        ["missed appointments", "", "the ward", "local partners mobilise resources"]
            .map(|text| encoder.tokens(text))
            .to_vec();
    let together = encoder.vectors(&texts, &mut workspace);
    for (text, together) in texts.iter().zip(together) {
        let alone = encoder.vectors(std::slice::from_ref(text), &mut workspace)[0];
        assert!(alone.cosine(&together) > 0.9999);
    }
}

#[test]
fn long_texts_become_passages_that_begin_alike() {
    let encoder = Encoder::built_in();
    let text = format!("A title. {}", "word ".repeat(600));
    assert_eq!(encoder.passages(&text, LongText::Cut).len(), 1);
    let passages = encoder.passages(&text, LongText::Passages { most: 8, lead: 3 });
    assert_eq!(passages.len(), 3);
    assert!(passages.iter().all(|p| p.len() <= TOKENS - 2 && p[..3] == passages[0][..3]));
    let all: usize = passages.iter().map(Vec::len).sum();
    assert_eq!(all, encoder.tokens(&text).len() + 2 * 3, "nothing is lost");
    assert_eq!(encoder.passages(&text, LongText::Passages { most: 2, lead: 3 }).len(), 2);
    assert_eq!(encoder.passages("", LongText::Cut), [Vec::<u32>::new()]);
}
