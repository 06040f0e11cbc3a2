//! Words that mean the same, from the graph itself: sets of search terms, and
//! the alternative and hidden labels of whatever has a preferred one (SKOS
//! Reference §5). Traps are data too: words that must not be merged.

use crate::graph::{GraphPattern, Snapshot};
use crate::index::{edits, surface_words_of, words_of};
use crate::rdf::TermId;
use crate::rdf::vocabulary::{DCTERMS, INSITES, SKOS};
use crate::search::words::is_stop_word;
use rustc_hash::{FxHashMap, FxHashSet};

/// Weight of another name, next to 1 for the words as typed: a document that
/// says it in the same words is the better answer.
const OTHER_NAME: f32 = 0.5;
/// Weight of a term that only means nearly the same.
const NEAR: f32 = 0.25;
/// Letters from which a label of one word may stand in the plural.
const SHORTEST_PLURAL: usize = 4;
/// Longest label (words) that is looked for in a query.
const LONGEST: usize = 8;

/// A term that means the same as one that was typed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Synonym {
    /// As people write it.
    pub(super) text: String,
    /// Its stems.
    pub(super) stems: Vec<String>,
    pub(super) weight: f32,
}

/// All synonyms of one revision, as one kind of reader sees them.
#[derive(Debug, Default)]
pub(super) struct Synonyms {
    /// By the words of a label, lower case, with single spaces.
    by_label: FxHashMap<String, Vec<Synonym>>,
    /// Labels by their words in the singular: «start ups» is «start-up».
    by_singular: FxHashMap<String, String>,
    /// Words of labels that a misspelt word may have been.
    words: FxHashSet<String>,
    /// Words that no correction may turn into another name, nor make of one.
    trapped: FxHashSet<String>,
    /// What a trapped word would mean, for when it stands nowhere else.
    meant: FxHashMap<String, Vec<Synonym>>,
}

impl Synonyms {
    /// Reads them from the graph.
    pub(super) fn read(graph: &Snapshot) -> Self {
        let mut synonyms = Self::default();
        let iri = |namespace: &str, name: &str| graph.iri_id(&format!("{namespace}{name}"));
        let label_properties: Vec<TermId> =
            ["altLabel", "hiddenLabel"].into_iter().filter_map(|name| iri(SKOS, name)).collect();
        let mut named: Vec<TermId> = label_properties
            .iter()
            .flat_map(|p| graph.quads().matching(None, Some(*p), None, GraphPattern::Any))
            .map(|quad| quad[0])
            .collect();
        named.sort_unstable();
        named.dedup();
        let near = iri("https://w3id.org/insites/id/", "synonym-kind/near-synonym");
        let kind = format!("{INSITES}synonymKind");
        for subject in named {
            let texts = |namespace: &str, name: &str| {
                let ids = graph.objects(subject, &format!("{namespace}{name}"));
                ids.into_iter().filter_map(|id| graph.text(id)).collect::<Vec<_>>()
            };
            let is_near = near.is_some_and(|near| graph.objects(subject, &kind).contains(&near));
            let weight = if is_near { NEAR } else { OTHER_NAME };
            let mut labels = texts(SKOS, "prefLabel");
            if labels.is_empty() {
                labels = texts(DCTERMS, "title");
            }
            labels.extend(texts(SKOS, "altLabel"));
            labels.extend(texts(SKOS, "hiddenLabel"));
            synonyms.add(&labels, weight);
        }
        if let Some(never) = iri(INSITES, "neverMergedWith") {
            let quads = graph.quads().matching(None, Some(never), None, GraphPattern::Any);
            for [subject, _, object, _] in quads {
                let preferred = graph.objects(subject, &format!("{SKOS}prefLabel"));
                let trap = graph.text(object).map(|text| key(&text));
                for text in preferred.iter().filter_map(|id| graph.text(*id)) {
                    synonyms.trapped.insert(key(&text));
                    let stems = words_of(&text).into_iter().map(|(stem, _)| stem).collect();
                    let meant = Synonym { text, stems, weight: 1.0 };
                    if let Some(trap) = &trap {
                        synonyms.meant.entry(trap.clone()).or_default().push(meant);
                    }
                }
                synonyms.trapped.extend(trap);
            }
        }
        synonyms
    }

    fn add(&mut self, labels: &[String], weight: f32) {
        let all: Vec<(String, Synonym)> = labels
            .iter()
            .map(|label| {
                let stems = words_of(label).into_iter().map(|(stem, _)| stem).collect();
                (key(label), Synonym { text: label.clone(), stems, weight })
            })
            .filter(|(key, synonym)| !key.is_empty() && !synonym.stems.is_empty())
            .collect();
        for (label, own) in &all {
            let words: Vec<&str> = label.split(' ').collect();
            self.by_singular.entry(singular(&words)).or_insert_with(|| label.clone());
            self.words.extend(words.into_iter().map(str::to_owned));
            let others = self.by_label.entry(label.clone()).or_default();
            for (_, other) in &all {
                if other.stems != own.stems && !others.iter().any(|o| o.stems == other.stems) {
                    others.push(other.clone());
                }
            }
        }
    }

    /// The labels among the words of a query, the longest first at each place:
    /// first word, number of words, and what means the same.
    pub(super) fn among(&self, words: &[String]) -> Vec<(usize, usize, &[Synonym])> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < words.len() {
            let longest = LONGEST.min(words.len() - at);
            let label = (1..=longest).rev().find_map(|length| {
                let text = words[at..at + length].join(" ");
                if length == 1 && is_stop_word(&text) {
                    return None;
                }
                let label = self.by_label.get(&text);
                let label = label.or_else(|| {
                    let words: Vec<&str> =
                        words[at..at + length].iter().map(String::as_str).collect();
                    self.by_label.get(self.by_singular.get(&singular(&words))?)
                });
                let others = label.filter(|others| !others.is_empty())?;
                Some((length, others.as_slice()))
            });
            match label {
                Some((length, others)) => {
                    found.push((at, length, others));
                    at += length;
                }
                None => at += 1,
            }
        }
        found
    }

    /// What a trapped word would mean: to be used only where the word itself
    /// finds nothing, so that nothing is merged.
    pub(super) fn meant_by(&self, word: &str) -> &[Synonym] {
        self.meant.get(word).map_or(&[], Vec::as_slice)
    }

    /// Whether a word is a name of its own, or a trap, which no correction may
    /// touch or make.
    pub(super) fn keeps(&self, word: &str) -> bool {
        self.trapped.contains(word) || self.by_label.contains_key(word)
    }

    /// The words of labels at most so many edits from one, the nearest first.
    pub(super) fn spelt_like(&self, word: &str, most: usize) -> Vec<&str> {
        let length = word.chars().count();
        let near = self.words.iter().filter(|other| other.chars().count().abs_diff(length) <= most);
        let mut near: Vec<(usize, &str)> = near
            .map(|other| (edits(word, other), other.as_str()))
            .filter(|(edits, _)| *edits <= most)
            .collect();
        near.sort_unstable();
        near.into_iter().map(|(_, other)| other).collect()
    }

    /// Whether a correction would merge what must not be merged.
    pub(super) fn is_trap(&self, word: &str) -> bool {
        self.trapped.contains(word)
    }
}

/// Words in the singular, but for a single short one: that is mostly a name,
/// and «ICS» is no plural. Other forms may mean something else: what is
/// «projected» is a forecast, and a project is none.
fn singular(words: &[&str]) -> String {
    let shortest = if words.len() == 1 { SHORTEST_PLURAL } else { 3 };
    let singular = |word: &&str| {
        let cut = word.strip_suffix('s').filter(|cut| !cut.ends_with('s'));
        let cut = cut.filter(|_| word.chars().count() >= shortest);
        cut.unwrap_or(word).to_owned()
    };
    words.iter().map(singular).collect::<Vec<_>>().join(" ")
}

fn key(label: &str) -> String {
    let words: Vec<String> = surface_words_of(label).into_iter().map(|(word, _)| word).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_found_in_a_query_the_longest_first() {
        let mut synonyms = Synonyms::default();
        let labels = |all: &[&str]| all.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>();
        synonyms.add(&labels(&["Health Innovation Network", "AHSN", "HIN"]), OTHER_NAME);
        synonyms.add(&labels(&["health", "wellbeing"]), NEAR);
        let words = labels(&["the", "health", "innovation", "network", "health"]);
        let found = synonyms.among(&words);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].0, found[0].1), (1, 3));
        assert_eq!(found[0].2.iter().map(|s| s.text.as_str()).collect::<Vec<_>>(), ["AHSN", "HIN"]);
        assert_eq!((found[1].0, found[1].1, found[1].2[0].text.as_str()), (4, 1, "wellbeing"));
        assert!(synonyms.keeps("ahsn") && !synonyms.keeps("network"));
        assert_eq!(synonyms.among(&labels(&["health", "innovations", "networks"])).len(), 1);
        assert!(synonyms.among(&labels(&["healthy"])).is_empty());
        assert_eq!(super::singular(&["start", "ups"]), "start up");
        assert_eq!(super::singular(&["ics"]), "ics");
        assert_eq!(synonyms.spelt_like("welbeing", 1), ["wellbeing"]);
    }
}
