//! What search shows of records, read from the graph: titles, texts, status.
//! The numbers of the properties are looked up once a revision.

use crate::graph::{GraphPattern, Snapshot};
use crate::index::Facet;
use crate::rdf::vocabulary::{DCTERMS, INSITES, TITLES};
use crate::rdf::{Names, TermId};
use crate::search::FacetValue;
use crate::search::synonyms::Synonyms;
use rustc_hash::FxHashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Value and label of a facet, as answers share them.
type Shown = (Arc<str>, Arc<str>);

/// What the searches of one revision have in common, as one kind of reader
/// sees it.
pub(super) struct Known {
    pub(super) synonyms: Synonyms,
    pub(super) properties: Properties,
    /// Values and labels of facets that were shown.
    facets: RwLock<FxHashMap<(Facet, u64), Shown>>,
}

impl Known {
    pub(super) fn read(graph: &Snapshot) -> Self {
        Self {
            synonyms: Synonyms::read(graph),
            properties: Properties::of(graph),
            facets: RwLock::default(),
        }
    }

    /// Values of a facet, given as numbers with their counts.
    pub(super) fn facet_values(
        &self,
        graph: &Snapshot,
        names: &Names,
        facet: Facet,
        counts: &[(u64, u64)],
    ) -> Vec<FacetValue> {
        let shown = |known: &FxHashMap<_, Shown>| -> Option<Vec<FacetValue>> {
            let value = |(number, count): &(u64, u64)| {
                let (value, label) = known.get(&(facet, *number))?.clone();
                Some(FacetValue { value, label, count: *count })
            };
            counts.iter().map(value).collect()
        };
        let known = self.facets.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(values) = shown(&known) {
            return values;
        }
        drop(known);
        let mut known = self.facets.write().unwrap_or_else(PoisonError::into_inner);
        for (number, _) in counts {
            known.entry((facet, *number)).or_insert_with(|| {
                let (value, label) = super::facet_text(graph, names, facet, *number);
                (value.into(), label.into())
            });
        }
        shown(&known).unwrap_or_default()
    }
}

/// Numbers of the properties that search reads.
pub(super) struct Properties {
    /// Those that say what a record is called, the best first.
    titles: Vec<TermId>,
    description: Option<TermId>,
    status: Option<TermId>,
}

/// What a record says of itself.
#[derive(Debug, Default)]
pub(super) struct Wording<'a> {
    /// Its English title, preferred label or label; empty if it has none.
    pub(super) title: &'a str,
    /// Its other texts, the description first.
    pub(super) texts: Vec<&'a str>,
    /// The local name of its status; empty if it has none.
    pub(super) status: String,
}

impl Properties {
    pub(super) fn of(graph: &Snapshot) -> Self {
        let id = |namespace: &str, name: &str| graph.iri_id(&format!("{namespace}{name}"));
        Self {
            titles: TITLES
                .into_iter()
                .filter_map(|(namespace, name)| id(namespace, name))
                .collect(),
            description: id(DCTERMS, "description"),
            status: id(INSITES, "status"),
        }
    }

    /// The title of a record, as [`Self::read`] has it.
    pub(super) fn title(&self, graph: &Snapshot, subject: TermId) -> String {
        for title in &self.titles {
            let quads =
                graph.quads().matching(Some(subject), Some(*title), None, GraphPattern::Any);
            let values = quads.filter_map(|quad| {
                let (text, language) = graph.literal(quad[2])?;
                Some((is_foreign(language), text))
            });
            if let Some((_, text)) = values.min() {
                return text.to_owned();
            }
        }
        String::new()
    }

    /// Reads a record.
    pub(super) fn read<'a>(&self, graph: &'a Snapshot, subject: TermId) -> Wording<'a> {
        let mut read = Wording::default();
        let mut titles: Vec<(usize, bool, &str)> = Vec::new();
        let mut texts: Vec<(bool, &str)> = Vec::new();
        let quads = graph.quads().matching(Some(subject), None, None, GraphPattern::Any);
        for [_, property, object, _] in quads {
            if Some(property) == self.status {
                if let Some(name) = graph.text(object).as_deref().and_then(local_name) {
                    name.clone_into(&mut read.status);
                }
                continue;
            }
            let Some((text, language)) = graph.literal(object) else { continue };
            if let Some(rank) = self.titles.iter().position(|title| *title == property) {
                titles.push((rank, is_foreign(language), text));
            } else if graph.string(object).is_some() {
                texts.push((Some(property) != self.description, text));
            }
        }
        texts.sort_by_key(|(other, _)| *other);
        texts.dedup();
        read.texts = texts.into_iter().map(|(_, text)| text).collect();
        read.title = titles.into_iter().min().map(|(.., title)| title).unwrap_or_default();
        read
    }
}

/// Whether a text is in another language than English.
fn is_foreign(language: Option<&str>) -> bool {
    !language.is_none_or(|language| language.starts_with("en"))
}

fn local_name(iri: &str) -> Option<&str> {
    iri.strip_prefix(INSITES)
}

/// What people call a resource: its English title, preferred label or label;
/// empty if it has none.
#[must_use]
pub fn label(graph: &Snapshot, subject: TermId) -> String {
    Properties::of(graph).title(graph, subject)
}

/// The local name of a record's status; empty if it has none.
#[must_use]
pub fn status(graph: &Snapshot, subject: TermId) -> String {
    graph
        .objects(subject, &format!("{INSITES}status"))
        .into_iter()
        .filter_map(|status| Some(local_name(&graph.text(status)?)?.to_owned()))
        .next_back()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_may_be_any_literal_and_other_texts_are_strings() {
        use oxigraph::model::{Literal, NamedNode, Term, vocab::xsd};
        let mut dictionary = crate::graph::Dictionary::default();
        let mut number = |term: Term| -> TermId {
            let mut encoded = Vec::new();
            crate::graph::encode(term.as_ref(), &mut encoded);
            dictionary.intern_encoded(&encoded)
        };
        let mut iri = |text: &str| number(NamedNode::new_unchecked(text).into());
        let (record, title) = (iri("http://x/r"), iri(&format!("{DCTERMS}title")));
        let note = iri("http://x/note");
        let year: Term = Literal::new_typed_literal("2024", xsd::G_YEAR).into();
        let values = [year, Literal::from("said").into()].map(number);
        let quads = [[record, title, values[0], 0], [record, note, values[0], 0]];
        let quads = [quads[0], quads[1], [record, note, values[1], 0]];
        let graph = Snapshot::new(dictionary, crate::graph::Quads::from_quads(&quads));
        let properties = Properties::of(&graph);
        let read = properties.read(&graph, record);
        assert_eq!((read.title, read.texts), ("2024", vec!["said"]));
        assert_eq!(properties.title(&graph, record), "2024");
    }
}
