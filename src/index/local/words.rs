//! How text becomes words, for records and for queries alike.

use std::ops::Range;
use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RemoveLongFilter, Stemmer, TextAnalyzer, Token,
    TokenStream, Tokenizer,
};

/// Longer words are noise (addresses, hashes); bytes.
const LONGEST_WORD: usize = 60;

/// Takes a text apart at everything that is no letter or digit. Each line is a
/// value of its own: a position stays free between two, so that no phrase
/// reaches from one into the next.
#[derive(Clone)]
struct Words;

struct WordStream<'a> {
    text: &'a str,
    at: usize,
    token: Token,
}

impl Tokenizer for Words {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        WordStream { text, at: 0, token: Token::default() }
    }
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        let Some(word) = next_word(self.text, self.at) else { return false };
        let between = &self.text[self.at..word.start];
        let lines = between.bytes().filter(|byte| *byte == b'\n').count();
        self.at = word.end;
        self.token.offset_from = word.start;
        self.token.offset_to = word.end;
        // The first position is 0: a new token's wraps around.
        self.token.position = self.token.position.wrapping_add(1 + lines);
        self.token.text.clear();
        self.token.text.push_str(&self.text[word]);
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

/// Words, lower case, without accents, English stems. Stop words stay.
pub(super) fn analyser() -> TextAnalyzer {
    TextAnalyzer::builder(Words)
        .filter(RemoveLongFilter::limit(LONGEST_WORD))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .filter(Stemmer::new(Language::English))
        .build()
}

/// The same words, at the same positions, as they are written.
pub(super) fn surface_analyser() -> TextAnalyzer {
    TextAnalyzer::builder(Words)
        .filter(RemoveLongFilter::limit(LONGEST_WORD))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .build()
}

thread_local! {
    // An analyser takes longer to make than a title to take apart.
    static ANALYSERS: std::cell::RefCell<[TextAnalyzer; 2]> =
        std::cell::RefCell::new([analyser(), surface_analyser()]);
}

/// Calls with each word of a text.
pub(super) fn each_word(text: &str, stems: bool, mut each: impl FnMut(&Token)) {
    ANALYSERS.with_borrow_mut(|analysers| {
        let mut stream = analysers[usize::from(!stems)].token_stream(text);
        while stream.advance() {
            each(stream.token());
        }
    });
}

/// The index words (stems) of a text with their places in it (byte offsets).
#[must_use]
pub fn words_of(text: &str) -> Vec<(String, Range<usize>)> {
    let mut words = Vec::new();
    each_word(text, true, |token| {
        words.push((token.text.clone(), token.offset_from..token.offset_to));
    });
    words
}

/// What the words of some stems begin with, so that most words of a text need
/// not be stemmed to find a few in it. A stem is what its words begin with, but
/// for its last letter and for i that was y.
#[derive(Default)]
pub struct Beginnings {
    /// At most four letters, lower case, y as i, with a mask of those there are.
    all: Vec<(u32, u32)>,
    /// Whether any of them begins with this byte.
    first: Vec<bool>,
}

impl Beginnings {
    /// The beginnings of these stems.
    pub fn of<'a>(stems: impl Iterator<Item = &'a str>) -> Self {
        let beginning = |stem: &str| {
            let length = stem.len().saturating_sub(1).clamp(1, 4);
            let mask = u32::MAX << (8 * (4 - length));
            (folded(stem.as_bytes()) & mask, mask)
        };
        let mut all: Vec<(u32, u32)> = stems.map(beginning).collect();
        all.sort_unstable();
        all.dedup();
        let begins = |byte: u8| {
            let letters = folded(&[byte]);
            !byte.is_ascii() || all.iter().any(|(wanted, _)| wanted >> 24 == letters >> 24)
        };
        Self { first: (0..=u8::MAX).map(begins).collect(), all }
    }

    /// The words of a text that may have one of the stems: their places in it
    /// (byte offsets).
    pub fn words_in(&self, text: &str) -> impl Iterator<Item = Range<usize>> {
        places_of_words(text).filter(|range| {
            let word = &text.as_bytes()[range.clone()];
            self.first.get(usize::from(word[0])) == Some(&true) && self.may_begin(word)
        })
    }

    /// Whether a word may have one of the stems. One that is not all ASCII at
    /// its beginning may lose an accent.
    fn may_begin(&self, word: &[u8]) -> bool {
        let letters = folded(word);
        letters & 0x8080_8080 != 0
            || self.all.iter().any(|(wanted, mask)| letters & mask == *wanted)
    }
}

/// The first four letters of a word, lower case, y as i; zero bytes after them.
fn folded(word: &[u8]) -> u32 {
    let mut letters = [0; 4];
    for (letter, byte) in letters.iter_mut().zip(word) {
        *letter = match byte.to_ascii_lowercase() {
            b'y' => b'i',
            byte => byte,
        };
    }
    u32::from_be_bytes(letters)
}

/// The places of the words of a text (byte offsets).
pub fn places_of_words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let range = next_word(text, at)?;
        at = range.end;
        Some(range)
    })
}

/// The next word of a text, from a place on.
#[inline]
fn next_word(text: &str, from: usize) -> Option<Range<usize>> {
    let mut begin = from;
    let mut at = loop {
        let (is_letter, length) = letter_at(text, begin)?;
        if is_letter {
            break begin + length;
        }
        begin += length;
    };
    while let Some((true, length)) = letter_at(text, at) {
        at += length;
    }
    Some(begin..at)
}

/// Whether a letter or digit is at a place of a text, and the bytes of what is;
/// none at its end.
#[inline]
fn letter_at(text: &str, at: usize) -> Option<(bool, usize)> {
    let byte = text.as_bytes().get(at)?;
    if byte.is_ascii() {
        return Some((byte.is_ascii_alphanumeric(), 1));
    }
    let letter = text[at..].chars().next()?;
    Some((letter.is_alphanumeric(), letter.len_utf8()))
}

/// The words of a text as they are written, lower case and without accents.
#[must_use]
pub fn surface_words_of(text: &str) -> Vec<(String, Range<usize>)> {
    let mut words = Vec::new();
    each_word(text, false, |token| {
        words.push((token.text.clone(), token.offset_from..token.offset_to));
    });
    words
}

#[cfg(test)]
mod tests {
    use super::{Beginnings, each_word, words_of};

    #[test]
    fn a_stem_begins_as_its_word_does() {
        let words = "dying lying tying skies news gently early only singly ugly happily flying \
                     cries agreed hopping generously communities howe inning proceed exceeding \
                     oed ing ies yes years A5 5 x o'clock organisations practised";
        let many = include_str!("../../embedding/model/vocabulary.txt");
        for text in [words, many] {
            for (stem, range) in words_of(text) {
                let word = &text[range];
                let found = Beginnings::of(std::iter::once(stem.as_str())).words_in(word).count();
                assert_eq!(found, 1, "{word} {stem}");
            }
        }
        let organisations = Beginnings::of(std::iter::once("organis"));
        assert_eq!(organisations.words_in("ordinary organs, Organisations").count(), 2);
    }

    #[test]
    fn words_of_two_lines_do_not_follow_each_other() {
        let mut words = Vec::new();
        each_word("A caf\u{e9}, twice\n42 wards", false, |token| {
            words.push((token.text.clone(), token.position, token.offset_from));
        });
        let expected =
            [("a", 0, 0), ("cafe", 1, 2), ("twice", 2, 9), ("42", 4, 15), ("wards", 5, 18)];
        assert_eq!(words, expected.map(|(text, position, from)| (text.to_owned(), position, from)));
    }
}
