//! Reading a record for a page: values, links and labels of a snapshot. Not
//! for what a page is to look like.

use crate::commit::Snapshot;
use crate::pages::{Card, Link, Value};
use crate::rdf::Names;
use crate::rdf::Term;
use crate::rdf::TermId;
use crate::rdf::prefixes;
use crate::rdf::vocabulary::{INSITES, TYPE};
use crate::search::{kind_label, label, status};

/// `insites:problem` as an IRI.
pub(crate) fn iri(name: &str) -> String {
    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
    prefixes()
        .iter()
        .find(|(known, _)| *known == prefix)
        .map_or_else(|| name.to_owned(), |(_, namespace)| format!("{namespace}{local}"))
}

/// A snapshot as pages read it.
#[derive(Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) names: &'a Names,
}

impl Facts<'_> {
    pub(crate) fn objects(&self, subject: TermId, property: &str) -> Vec<TermId> {
        self.snapshot.graph.objects(subject, &iri(property))
    }

    pub(crate) fn subjects(&self, property: &str, object: TermId) -> Vec<TermId> {
        self.snapshot.graph.subjects(&iri(property), object)
    }

    pub(crate) fn texts(&self, subject: TermId, property: &str) -> Vec<String> {
        let graph = &self.snapshot.graph;
        self.objects(subject, property).into_iter().filter_map(|id| graph.text(id)).collect()
    }

    pub(crate) fn text(&self, subject: TermId, property: &str) -> String {
        self.texts(subject, property).into_iter().next().unwrap_or_default()
    }

    pub(crate) fn label(&self, id: TermId) -> String {
        let text = label(&self.snapshot.graph, id);
        if text.is_empty() { self.snapshot.graph.text(id).unwrap_or_default() } else { text }
    }

    /// The address of the page about a term.
    pub(crate) fn url(&self, iri: &str) -> String {
        match self.names.kind_and_slug(iri) {
            Some((kind, slug)) => format!("/{kind}/{slug}"),
            None => match iri.strip_prefix(INSITES) {
                Some(name) => format!("/ontology#{name}"),
                None => iri.to_owned(),
            },
        }
    }

    /// A link with the status of what it leads to.
    pub(crate) fn link(&self, id: TermId) -> Link {
        let iri = self.snapshot.graph.text(id).unwrap_or_default();
        Link::new(&self.label(id), &self.url(&iri)).with_status(&status(&self.snapshot.graph, id))
    }

    /// The same without its status, where that would only repeat.
    pub(crate) fn bare_link(&self, id: TermId) -> Link {
        let iri = self.snapshot.graph.text(id).unwrap_or_default();
        Link::new(&self.label(id), &self.url(&iri))
    }

    pub(crate) fn value(&self, id: TermId) -> Option<Value> {
        Some(match self.snapshot.graph.term(id)? {
            Term::NamedNode(_) => Value::Link(self.bare_link(id)),
            Term::Literal(literal) => Value::Text {
                text: literal.value().to_owned(),
                language: literal.language().map(str::to_owned),
            },
            Term::BlankNode(_) => Value::text("(without a name)"),
            Term::Triple(triple) => Value::text(&triple.to_string()),
        })
    }

    pub(crate) fn values(&self, subject: TermId, property: &str) -> Vec<Value> {
        let mut values: Vec<Value> =
            self.objects(subject, property).into_iter().filter_map(|id| self.value(id)).collect();
        values.sort_by(|a, b| a.plain().cmp(b.plain()));
        values
    }

    /// A row of a summary; empty where nothing is recorded.
    pub(crate) fn row(&self, subject: TermId, name: &str, property: &str) -> (String, Vec<Value>) {
        (name.to_owned(), self.values(subject, property))
    }

    /// The kind in a record's address, for people.
    pub(crate) fn kind(&self, id: TermId) -> String {
        let iri = self.snapshot.graph.text(id).unwrap_or_default();
        self.names.kind_and_slug(&iri).map_or_else(String::new, |(kind, _)| kind_label(kind, false))
    }

    /// Whether a record has a class.
    pub(crate) fn is_a(&self, id: TermId, class: &str) -> bool {
        let graph = &self.snapshot.graph;
        graph.iri_id(&iri(class)).is_some_and(|class| graph.objects(id, TYPE).contains(&class))
    }

    /// Whether a record's date is the day its source was read, since the source
    /// prints none.
    pub(crate) fn only_read(&self, id: TermId) -> bool {
        let graph = &self.snapshot.graph;
        let read = graph.iri_id(&iri("insites:Read"));
        read.is_some_and(|read| self.objects(id, "insites:sourceDateKind").contains(&read))
    }

    /// A record with a few words on it.
    pub(crate) fn card(&self, id: TermId) -> Card {
        let mut facts = vec![self.kind(id)];
        facts.extend(
            self.objects(id, "insites:outcomeStatus").into_iter().map(|o| self.label(o)).take(1),
        );
        facts.extend(self.texts(id, "insites:period").into_iter().take(1));
        let text = self
            .texts(id, "dct:description")
            .into_iter()
            .chain(self.texts(id, "skos:definition"))
            .next()
            .unwrap_or_default();
        Card { link: self.link(id), facts, text: shorten(&text, 220) }
    }

    /// Cards of records, by title, at most so many.
    pub(crate) fn cards(&self, mut ids: Vec<TermId>, most: usize) -> Vec<Card> {
        ids.sort_unstable();
        ids.dedup();
        // Ordering all of a large list by title would take longer than a page may.
        ids.truncate(most * 8);
        let mut titled: Vec<(String, TermId)> =
            ids.into_iter().map(|id| (self.label(id), id)).collect();
        titled.sort();
        titled.truncate(most);
        titled.into_iter().map(|(_, id)| self.card(id)).collect()
    }

    /// The sources of a record as links that say whose site it is.
    pub(crate) fn sources(&self, id: TermId) -> Vec<Link> {
        self.texts(id, "dct:source").iter().map(|url| Link::new(&host(url), url)).collect()
    }
}

/// Whose site an address is at.
pub(crate) fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    host.strip_prefix("www.").unwrap_or(host).to_owned()
}

/// The beginning of a text, cut between words.
pub(crate) fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let cut: String = text.chars().take(most).collect();
    let end = cut.rfind(' ').unwrap_or(cut.len());
    format!("{}…", cut[..end].trim_end_matches([',', ';', '.', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_short_texts() {
        assert_eq!(host("https://www.rand.org/x/y"), "rand.org");
        assert_eq!(host("no address"), "no address");
        assert_eq!(shorten("one two three", 9), "one two…");
        assert_eq!(shorten("one", 9), "one");
        assert_eq!(iri("dct:title"), "http://purl.org/dc/terms/title");
    }
}
