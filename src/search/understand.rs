//! What a query means to the index: which words count, what they were
//! corrected to, which others mean the same, and how documents are scored.

use crate::index::{
    Encoder, Error, Group, Matching, Scoring, Snapshot, Spelling, Term, surface_words_of, words_of,
};
use crate::search::Change;
use crate::search::spelling::variants;
use crate::search::synonyms::{Synonym, Synonyms};
use crate::search::words::{Words, is_stop_word, read_words};

/// Weight of a match in the title, on top of the text, which holds the title
/// too (0.25 is best on `NFCorpus` dev).
const TITLE: f32 = 0.25;
/// Weight of a look-alike at a cosine of 1; it falls with the square.
const LOOK_ALIKE: f32 = 0.4;
/// Letters from which a word may have one edit, and two. Shorter words are too
/// near to others.
const ONE_EDIT: usize = 4;
const TWO_EDITS: usize = 8;

/// A query as the index can answer it.
#[derive(Debug, Clone, Default)]
pub(super) struct Understood {
    /// What was typed.
    pub(super) words: Words,
    /// Which documents match.
    pub(super) matching: Matching,
    /// Scoring by the words that match.
    pub(super) scoring: Scoring,
    /// The same with look-alikes.
    pub(super) widened: Scoring,
    /// Stems to mark in texts, with what was typed for them if that differs.
    pub(super) marked: Vec<(String, Option<String>)>,
    /// What the meaning is taken from.
    pub(super) text: String,
    pub(super) corrections: Vec<Change>,
    pub(super) synonyms: Vec<Change>,
}

impl Understood {
    /// Whether recall may be widened by guesses.
    pub(super) fn may_guess(&self) -> bool {
        !self.words.is_literal()
    }
}

/// Understands a query over what a reader sees.
pub(super) fn understand(
    text: &str,
    exact: bool,
    index: &Snapshot,
    synonyms: &Synonyms,
) -> Result<Understood, Error> {
    let words = read_words(text, exact);
    let mut understood = Understood { words: words.clone(), ..Understood::default() };
    let mut reader = Reader { index, synonyms, out: &mut understood, spoken: words.typed.clone() };
    let literal = words.is_literal();
    for word in &words.any {
        reader.word(word, words.all, literal)?;
    }
    for phrase in &words.phrases {
        reader.phrase(phrase);
    }
    if !literal {
        reader.synonyms()?;
    }
    let spoken = reader.spoken;
    understood.text = spoken.join(" ");
    for word in &words.none {
        let stems = stems_of(word);
        if !stems.is_empty() {
            understood.matching.none.push(Term::Words(stems));
        }
    }
    understood.scoring.title = TITLE;
    understood.widened = understood.scoring.clone();
    if !literal {
        widen(index, &mut understood.widened)?;
    }
    Ok(understood)
}

fn stems_of(text: &str) -> Vec<String> {
    words_of(text).into_iter().map(|(stem, _)| stem).collect()
}

/// Adds words that share letters with those of the query (step T of the
/// recipe).
fn widen(index: &Snapshot, scoring: &mut Scoring) -> Result<(), Error> {
    let typed = scoring.terms.clone();
    for (words, weight) in &typed {
        // What only means the same is not widened again.
        let [stem] = words.as_slice() else { continue };
        if *weight < 1.0 {
            continue;
        }
        for (other, cosine) in index.look_alikes(stem)? {
            let more = LOOK_ALIKE * cosine * cosine * weight;
            match scoring.terms.iter_mut().find(|(words, _)| words.as_slice() == [other.as_str()]) {
                Some((_, weight)) => *weight += more,
                None => scoring.terms.push((vec![other], more)),
            }
        }
    }
    Ok(())
}

struct Reader<'a> {
    index: &'a Snapshot,
    synonyms: &'a Synonyms,
    out: &'a mut Understood,
    /// The words as typed, with corrections in place.
    spoken: Vec<String>,
}

impl Reader<'_> {
    /// A word as typed: it may fall apart into several index words, all of
    /// which then count.
    fn word(&mut self, word: &str, required: bool, literal: bool) -> Result<(), Error> {
        for (surface, range) in surface_words_of(word) {
            let stem = stems_of(&surface).pop().unwrap_or_else(|| surface.clone());
            let mut alternatives = vec![stem.clone()];
            let known = self.knows(&surface, &stem)?;
            let mut counted = stem.clone();
            if !literal {
                let mut other = None;
                for variant in variants(&surface) {
                    let stems = stems_of(&variant);
                    let [stem] = stems.as_slice() else { continue };
                    if *stem != alternatives[0] && self.knows(&variant, stem)? {
                        self.out.synonyms.push(Change { from: surface.clone(), to: variant });
                        other = Some(stem.clone());
                        break;
                    }
                }
                if let Some(stem) = other {
                    if known {
                        self.score(vec![stem.clone()], 1.0);
                    } else {
                        counted.clone_from(&stem);
                    }
                    self.mark(stem.clone(), Some(surface.clone()));
                    alternatives.push(stem);
                } else if !known && !self.synonyms.meant_by(&surface).is_empty() {
                    for meant in self.synonyms.meant_by(&surface) {
                        self.also(&surface, meant)?;
                        self.speak(word, &word[range.clone()], &meant.text);
                    }
                } else if !known && let Some(to) = self.correction(&surface)? {
                    let stem = stems_of(&to).pop().unwrap_or_else(|| to.clone());
                    self.speak(word, &word[range.clone()], &to);
                    self.out.corrections.push(Change { from: surface.clone(), to });
                    self.mark(stem.clone(), Some(surface.clone()));
                    counted.clone_from(&stem);
                    alternatives.push(stem);
                }
            }
            self.score(vec![counted], 1.0);
            self.mark(stem, None);
            let alternatives = alternatives.into_iter().map(|stem| Term::Words(vec![stem]));
            self.out.matching.groups.push(Group { alternatives: alternatives.collect(), required });
        }
        Ok(())
    }

    fn phrase(&mut self, phrase: &str) {
        let stems = stems_of(phrase);
        if stems.is_empty() {
            return;
        }
        for stem in &stems {
            self.score(vec![stem.clone()], 1.0);
            self.mark(stem.clone(), None);
        }
        let alternatives = vec![Term::Words(stems)];
        self.out.matching.groups.push(Group { alternatives, required: true });
    }

    /// What means the same as some of the words.
    fn synonyms(&mut self) -> Result<(), Error> {
        let spoken: Vec<String> = self
            .spoken
            .iter()
            .flat_map(|word| surface_words_of(word))
            .map(|(word, _)| word)
            .collect();
        for (at, length, others) in self.synonyms.among(&spoken) {
            let from = spoken[at..at + length].join(" ");
            for other in others {
                self.also(&from, other)?;
            }
        }
        Ok(())
    }

    /// Adds what means the same as some words, if anything says it.
    fn also(&mut self, from: &str, other: &Synonym) -> Result<(), Error> {
        let term = Term::Words(other.stems.clone());
        if !self.index.any_has(std::slice::from_ref(&term), Spelling::Stem)? {
            return Ok(());
        }
        let change = Change { from: from.to_owned(), to: other.text.clone() };
        if !self.out.synonyms.contains(&change) {
            self.out.synonyms.push(change);
        }
        self.score(other.stems.clone(), other.weight);
        for stem in other.stems.iter().filter(|stem| !is_stop_word(stem)) {
            self.mark(stem.clone(), Some(from.to_owned()));
        }
        self.out.matching.groups.push(Group { alternatives: vec![term], required: false });
        Ok(())
    }

    fn knows(&self, surface: &str, stem: &str) -> Result<bool, Error> {
        let word = |text: &str| [Term::Words(vec![text.to_owned()])];
        Ok(self.index.any_has(&word(stem), Spelling::Stem)?
            || self.index.any_has(&word(surface), Spelling::Surface)?)
    }

    /// The nearest word that the index has, if this one may be corrected.
    fn correction(&self, word: &str) -> Result<Option<String>, Error> {
        let letters = word.chars().count();
        let is_word = word.chars().all(char::is_alphabetic);
        // A word of the language that no record has is not misspelt.
        let is_common = Encoder::built_in().knows(word);
        if letters < ONE_EDIT || !is_word || is_common || self.synonyms.keeps(word) {
            return Ok(None);
        }
        for distance in [1, 2] {
            if distance == 2 && letters < TWO_EDITS {
                break;
            }
            let near = self.index.spellings(word, distance, 4)?;
            let allowed = near.into_iter().find(|other| {
                !self.synonyms.is_trap(other) && other.chars().count() + 1 >= ONE_EDIT
            });
            if allowed.is_some() {
                return Ok(allowed);
            }
        }
        Ok(None)
    }

    fn score(&mut self, stems: Vec<String>, weight: f32) {
        let terms = &mut self.out.scoring.terms;
        match terms.iter_mut().find(|(other, _)| *other == stems) {
            Some((_, old)) => *old = old.max(weight),
            None => terms.push((stems, weight)),
        }
    }

    fn mark(&mut self, stem: String, typed: Option<String>) {
        if !self.out.marked.iter().any(|(other, _)| *other == stem) {
            self.out.marked.push((stem, typed));
        }
    }

    /// Puts a correction into what the meaning is taken from.
    fn speak(&mut self, word: &str, from: &str, to: &str) {
        for spoken in self.spoken.iter_mut().filter(|spoken| *spoken == word) {
            *spoken = spoken.replacen(from, to, 1);
        }
    }
}
