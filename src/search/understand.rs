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
    Ok(understood)
}

fn stems_of(text: &str) -> Vec<String> {
    words_of(text).into_iter().map(|(stem, _)| stem).collect()
}

/// Scoring with the words that share letters with those of the query (step T of
/// the recipe).
pub(super) fn widened(index: &Snapshot, typed: &Scoring) -> Result<Scoring, Error> {
    let mut scoring = typed.clone();
    for (words, weight) in &typed.terms {
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
    Ok(scoring)
}

/// Whether two words begin with the same letter, or with the same two swapped:
/// people seldom get the first letter wrong, and «leeks» are no «weeks».
fn begin_alike(one: &str, other: &str) -> bool {
    let [(a, b), (c, d)] = [one, other].map(|word| {
        let mut letters = word.chars();
        (letters.next(), letters.next())
    });
    a == c || (a == d && b == c)
}

/// Whether two words differ in their endings only: in at most the last two
/// letters of the longer one.
fn is_other_form(one: &str, other: &str) -> bool {
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let most = one.chars().count().max(other.chars().count());
    same + 3 > most
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
            let written = self.has(&surface, Spelling::Surface)?;
            let known = written || self.has(&stem, Spelling::Stem)?;
            let mut counted = stem.clone();
            if !literal {
                let mut other = None;
                for variant in variants(&surface) {
                    let stems = stems_of(&variant);
                    let [stem] = stems.as_slice() else { continue };
                    if *stem != alternatives[0]
                        && (self.has(stem, Spelling::Stem)?
                            || self.has(&variant, Spelling::Surface)?)
                    {
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
                } else if !written && let Some(to) = self.correction(&surface)? {
                    let corrected = stems_of(&to).pop().unwrap_or_else(|| to.clone());
                    // Another form of a word is no misspelling.
                    if corrected != stem || !is_other_form(&surface, &to) {
                        self.speak(word, &word[range.clone()], &to);
                        self.out.corrections.push(Change { from: surface.clone(), to });
                    }
                    if corrected != stem {
                        if known {
                            self.score(vec![corrected.clone()], 1.0);
                        } else {
                            counted.clone_from(&corrected);
                        }
                        self.mark(corrected.clone(), Some(surface.clone()));
                        alternatives.push(corrected);
                    }
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
        // It is as telling as what was typed, and no more: «invention» must not
        // outdo a frequent «innovation» by being rare.
        let (typed, meant) = (self.rarity(&stems_of(from))?, self.rarity(&other.stems)?);
        let telling = if meant > typed { typed / meant } else { 1.0 };
        self.score(other.stems.clone(), other.weight * telling);
        for stem in other.stems.iter().filter(|stem| !is_stop_word(stem)) {
            self.mark(stem.clone(), Some(from.to_owned()));
        }
        self.out.matching.groups.push(Group { alternatives: vec![term], required: false });
        Ok(())
    }

    fn has(&self, word: &str, spelling: Spelling) -> Result<bool, Error> {
        self.index.any_has(&[Term::Words(vec![word.to_owned()])], spelling)
    }

    fn rarity(&self, stems: &[String]) -> Result<f32, Error> {
        stems.iter().try_fold(0.0, |sum, stem| Ok(sum + self.index.rarity(stem)?))
    }

    /// The nearest word that the index has, or else a label, if this one may be
    /// corrected.
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
            let allowed = |other: &str| {
                !self.synonyms.is_trap(other)
                    && other.chars().count() + 1 >= ONE_EDIT
                    && begin_alike(word, other)
            };
            let near = self.index.spellings(word, distance, 16)?;
            if let Some(near) = near.into_iter().find(|other| allowed(other)) {
                return Ok(Some(near));
            }
            let labels = self.synonyms.spelt_like(word, usize::from(distance));
            if let Some(label) = labels.into_iter().find(|other| allowed(other)) {
                return Ok(Some(label.to_owned()));
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
