//! Text to token numbers: the uncased `BERT` tokeniser (Devlin et al. 2019)
//! with its basic splitting and longest-match-first word pieces. Special
//! tokens that a person types are ordinary text here.

use rustc_hash::FxHashMap;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// A longer word (characters) is one unknown token.
const LONGEST_WORD: usize = 100;

/// The start of a text.
pub(crate) const START: u32 = 101;
/// The end of a text.
pub(crate) const END: u32 = 102;
const UNKNOWN: u32 = 100;

/// The tokeniser with its words.
pub(crate) struct WordPiece {
    starts: FxHashMap<&'static str, u32>,
    continuations: FxHashMap<&'static str, u32>,
}

impl WordPiece {
    /// Reads the list of words, one a line; the number of a word is its line.
    pub(crate) fn new(words: &'static str) -> Self {
        let mut starts = FxHashMap::default();
        let mut continuations = FxHashMap::default();
        for (number, word) in (0..).zip(words.lines()) {
            match word.strip_prefix("##") {
                Some(rest) if !rest.is_empty() => continuations.insert(rest, number),
                _ => starts.insert(word, number),
            };
        }
        Self { starts, continuations }
    }

    /// Whether a lower-case word is in the list as a whole.
    pub(crate) fn knows(&self, word: &str) -> bool {
        self.starts.contains_key(word)
    }

    /// The tokens of a text, without those of start and end.
    pub(crate) fn tokens(&self, text: &str) -> Vec<u32> {
        let mut tokens = Vec::with_capacity(text.len() / 4);
        let mut word = String::new();
        if text.is_ascii() {
            for byte in text.bytes() {
                match byte {
                    b' ' | b'\t' | b'\n' | b'\r' => self.end_word(&mut word, &mut tokens),
                    0..=0x1f | 0x7f => {}
                    _ if byte.is_ascii_alphanumeric() => {
                        word.push(byte.to_ascii_lowercase().into());
                    }
                    _ => {
                        self.end_word(&mut word, &mut tokens);
                        word.push(byte.into());
                        self.end_word(&mut word, &mut tokens);
                    }
                }
            }
        } else {
            for c in text.chars().filter(|c| !is_removed(*c)).nfd() {
                if c.general_category() == GeneralCategory::NonspacingMark {
                    continue;
                }
                for c in c.to_lowercase() {
                    if is_space(c) {
                        self.end_word(&mut word, &mut tokens);
                    } else if is_punctuation(c) || is_ideograph(c) {
                        self.end_word(&mut word, &mut tokens);
                        word.push(c);
                        self.end_word(&mut word, &mut tokens);
                    } else if c.general_category() != GeneralCategory::NonspacingMark {
                        word.push(c);
                    }
                }
            }
        }
        self.end_word(&mut word, &mut tokens);
        tokens
    }

    /// Takes a word apart and empties it.
    fn end_word(&self, word: &mut String, tokens: &mut Vec<u32>) {
        if word.is_empty() {
            return;
        }
        if let Some(token) = self.starts.get(word.as_str()) {
            tokens.push(*token);
        } else {
            let before = tokens.len();
            if word.chars().count() > LONGEST_WORD || !self.pieces(word, tokens) {
                tokens.truncate(before);
                tokens.push(UNKNOWN);
            }
        }
        word.clear();
    }

    /// Whether the whole word could be taken apart.
    fn pieces(&self, word: &str, tokens: &mut Vec<u32>) -> bool {
        let mut from = 0;
        while from < word.len() {
            let words = if from == 0 { &self.starts } else { &self.continuations };
            let mut to = word.len();
            loop {
                if word.is_char_boundary(to)
                    && let Some(token) = words.get(&word[from..to])
                {
                    tokens.push(*token);
                    from = to;
                    break;
                }
                to -= 1;
                if to == from {
                    return false;
                }
            }
        }
        true
    }
}

fn is_removed(c: char) -> bool {
    if matches!(c, '\t' | '\n' | '\r') {
        return false;
    }
    c == '\u{0}'
        || c == '\u{fffd}'
        || matches!(
            c.general_category(),
            GeneralCategory::Control
                | GeneralCategory::Format
                | GeneralCategory::PrivateUse
                | GeneralCategory::Unassigned
        )
}

fn is_space(c: char) -> bool {
    c.is_whitespace()
}

fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation() || c.general_category_group() == GeneralCategoryGroup::Punctuation
}

/// The ranges that BERT calls Chinese characters: each is a word.
fn is_ideograph(c: char) -> bool {
    matches!(
        u32::from(c),
        0x4E00..=0x9FFF
            | 0x3400..=0x4DBF
            | 0x20000..=0x2A6DF
            | 0x2A700..=0x2CEAF
            | 0xF900..=0xFAFF
            | 0x2F800..=0x2FA1F
    )
}
