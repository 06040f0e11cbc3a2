//! Takes apart what a person typed: words, "phrases", -exclusions. Nothing is
//! an error: what cannot be understood is a word, or is left out and told.

/// More words than this are noise, and cost time; the rest is dropped.
const MOST_WORDS: usize = 64;

/// Words that say nothing about a record: the list of Lucene's English
/// analyser.
const STOP_WORDS: [&str; 33] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it",
    "no", "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these",
    "they", "this", "to", "was", "will", "with",
];

/// Words of which people make a question of a subject. In texts that are not
/// written as questions they are rare, so that BM25 would take them for its
/// most telling words.
const QUESTION_WORDS: [&str; 44] = [
    "about", "am", "been", "being", "can", "could", "did", "do", "does", "doing", "from", "had",
    "has", "have", "having", "he", "her", "his", "how", "i", "its", "me", "my", "our", "ours",
    "she", "should", "so", "than", "them", "those", "too", "up", "us", "we", "were", "what",
    "when", "where", "which", "why", "would", "you", "your",
];

/// What a person typed, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// Words that may occur, or must if `all` is set.
    pub any: Vec<String>,
    /// Phrases that must occur.
    pub phrases: Vec<String>,
    /// Words that must not occur.
    pub none: Vec<String>,
    /// Whether every word must occur.
    pub all: bool,
    /// The words in the order typed, stop words included, exclusions not.
    pub typed: Vec<String>,
    /// What was left out.
    pub dropped: Vec<String>,
}

impl Words {
    /// Whether nothing is asked for, which finds everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.any.is_empty() && self.phrases.is_empty() && self.none.is_empty()
    }

    /// Whether it was said just what is meant: then nothing is widened,
    /// corrected or guessed.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        self.all || !self.phrases.is_empty() || self.is_identifier()
    }

    /// One word that is a code or an address rather than a word.
    fn is_identifier(&self) -> bool {
        let [word] = self.any.as_slice() else { return false };
        let has = |test: fn(char) -> bool| word.chars().any(test);
        has(|c| matches!(c, '/' | ':' | '@' | '#' | '_'))
            || (has(|c| c.is_ascii_digit()) && has(char::is_alphabetic))
            || word.chars().all(|c| c.is_ascii_digit())
    }
}

/// Takes a text apart. `exact` asks for every word and drops no stop word.
#[must_use]
pub fn read_words(text: &str, exact: bool) -> Words {
    let mut words = Words { all: exact, ..Words::default() };
    let mut dropped = Vec::new();
    let mut stopped = Vec::new();
    for token in tokens(text) {
        let count = words.any.len() + words.phrases.len() + words.none.len();
        match token {
            Token::Phrase(phrase) if has_letters(phrase) => {
                if count < MOST_WORDS {
                    words.phrases.push(phrase.to_owned());
                    words.typed.push(phrase.to_owned());
                } else {
                    dropped.push(phrase.to_owned());
                }
            }
            Token::Excluded(word) if has_letters(word) => words.none.push(word.to_owned()),
            Token::Word(word) if has_letters(word) => {
                let lower = word.to_lowercase();
                if count < MOST_WORDS {
                    words.typed.push(word.to_owned());
                }
                if !exact && is_stop_word(&lower) {
                    stopped.push(word.to_owned());
                } else if words.any.iter().any(|w| w.eq_ignore_ascii_case(word)) {
                    // Said twice, meant once.
                } else if count < MOST_WORDS {
                    words.any.push(word.to_owned());
                } else {
                    dropped.push(word.to_owned());
                }
            }
            _ => {}
        }
    }
    if words.any.is_empty() && words.phrases.is_empty() {
        words.any.append(&mut stopped);
    }
    stopped.append(&mut dropped);
    words.dropped = stopped;
    words
}

/// Whether a lower-case word says nothing about a record.
pub(super) fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.contains(&word) || QUESTION_WORDS.contains(&word)
}

fn has_letters(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

enum Token<'a> {
    Word(&'a str),
    Phrase(&'a str),
    Excluded(&'a str),
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let is_quote = |c: char| matches!(c, '"' | '“' | '”' | '„' | '«' | '»');
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| !c.is_whitespace()) {
        rest = &rest[start..];
        let (excluded, body) = match rest.strip_prefix('-') {
            Some(body) if body.starts_with(|c: char| c.is_alphanumeric() || is_quote(c)) => {
                (true, body)
            }
            _ => (false, rest),
        };
        let quote = body.chars().next().filter(|c| is_quote(*c));
        if let Some(quote) = quote {
            let inside = &body[quote.len_utf8()..];
            // A quote that is never closed is only a character.
            if let Some(end) = inside.find(is_quote) {
                let phrase = &inside[..end];
                tokens.push(if excluded { Token::Excluded(phrase) } else { Token::Phrase(phrase) });
                rest = inside[end..].trim_start_matches(is_quote);
                continue;
            }
            rest = inside;
            continue;
        }
        let end = body.find(|c: char| c.is_whitespace() || is_quote(c)).unwrap_or(body.len());
        tokens.push(if excluded {
            Token::Excluded(&body[..end])
        } else {
            Token::Word(&body[..end])
        });
        rest = &body[end..];
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, any: &[&str], phrases: &[&str], none: &[&str]) {
        let words = read_words(text, false);
        assert_eq!(words.any, any, "{text}");
        assert_eq!(words.phrases, phrases, "{text}");
        assert_eq!(words.none, none, "{text}");
    }

    #[test]
    fn words_phrases_and_exclusions() {
        check("missed appointments", &["missed", "appointments"], &[], &[]);
        check("the \"missed appointments\" -text", &[], &["missed appointments"], &["text"]);
        check("“local partners” -\"pilot site\"", &[], &["local partners"], &["pilot site"]);
        check("to be or not to be", &["to", "be", "or", "not", "to", "be"], &[], &[]);
        check("Data data DATA", &["Data"], &[], &[]);
        assert_eq!(read_words("the end of it", false).typed, ["the", "end", "of", "it"]);
    }

    #[test]
    fn codes_and_quotes_are_meant_literally() {
        for text in ["\"local partners\"", "PMC6744644", "10.1186/s12916", "2024", "a_b"] {
            assert!(read_words(text, false).is_literal(), "{text}");
        }
        for text in ["NASSS", "local partners", "co-production", "10 year plan"] {
            assert!(!read_words(text, false).is_literal(), "{text}");
        }
        assert!(read_words("local partners", true).is_literal());
    }

    #[test]
    fn anything_typed_is_searched() {
        check("", &[], &[], &[]);
        check("\"", &[], &[], &[]);
        check("a\"b", &["b"], &[], &[]);
        check("AND:OR (x)] ~^ 🙂 -- - \"\"", &["AND:OR", "(x)]"], &[], &[]);
        let words = read_words(&"lorem1 ipsum2 dolor3 ".repeat(500), false);
        assert_eq!((words.any.len(), words.dropped.len()), (3, 0));
        let many: Vec<String> = (0..200).map(|n| format!("w{n}")).collect();
        let many = many.join(" ");
        let words = read_words(&many, false);
        assert_eq!((words.any.len(), words.dropped.len()), (64, 136));
    }
}
