//! An answer of triples as resources and the links between them. Not for how
//! they are drawn.

use crate::graph::Solutions;
use crate::http::record_page::facts::Facts;
use crate::http::record_page::property_label;
use crate::http::records::compact;
use crate::pages::{Link, Network, NetworkLink, NetworkNode, Value};
use crate::rdf::Term;
use crate::rdf::vocabulary::{INSITES, TITLES, TYPE};
use crate::search::{kind_label, label, status};
use std::collections::{HashMap, HashSet};

/// Names of columns under which rows are read as triples, as graph queries and
/// many a `SELECT` name them.
const COLUMNS: [[&str; 2]; 3] = [["subject", "s"], ["predicate", "p"], ["object", "o"]];

/// The resources of an answer and their links; `None` if it has other columns
/// than the three of a triple, or no link to draw. Literals, classes and words
/// of the ontology are facts of a record; where there is no other link, those
/// are linked to.
pub(super) fn network(facts: &Facts, caption: &str, solutions: &Solutions) -> Option<Network> {
    let named = solutions.variables.len() == COLUMNS.len()
        && solutions
            .variables
            .iter()
            .zip(COLUMNS)
            .all(|(name, known)| known.contains(&name.as_str()));
    if !named {
        return None;
    }
    let triples: Vec<(&Term, &str, &Term)> = solutions
        .rows
        .iter()
        .map(|row| match row.as_slice() {
            [Some(s), Some(Term::NamedNode(p)), Some(o)] if is_resource(s) => {
                Some((s, p.as_str(), o))
            }
            _ => None,
        })
        .collect::<Option<_>>()?;
    let is_link = |(s, p, o): &(&Term, &str, &Term)| {
        *p != TYPE && s != o && is_resource(o) && (is_word(s) || !is_word(o))
    };
    let has_links = triples.iter().any(is_link);
    let mut found = Found {
        facts,
        nodes: Vec::new(),
        at: HashMap::new(),
        unnamed: HashSet::new(),
        labels: HashMap::new(),
    };
    let mut links = Vec::new();
    for triple @ (s, p, o) in &triples {
        let from = found.node(s);
        if is_link(triple) || s == o || (is_resource(o) && !has_links) {
            let (label, to) = (found.label(p), found.node(o));
            links.push(NetworkLink { from, label, to });
        } else {
            found.say(from, p, o);
        }
    }
    let network = Network { caption: caption.to_owned(), nodes: found.nodes, links };
    network.has_links().then_some(network)
}

fn is_resource(term: &Term) -> bool {
    matches!(term, Term::NamedNode(_) | Term::BlankNode(_))
}

/// Whether a term is a class, a property or a fixed value of the ontology.
fn is_word(term: &Term) -> bool {
    matches!(term, Term::NamedNode(iri) if iri.as_str().starts_with(INSITES))
}

/// An IRI without a name: with its prefix, or the address as people write it.
fn written(iri: &str) -> String {
    let compact = compact(iri);
    let address = compact.strip_prefix("https://").or_else(|| compact.strip_prefix("http://"));
    address.map_or_else(
        || compact.clone(),
        |rest| rest.trim_start_matches("www.").trim_end_matches('/').to_owned(),
    )
}

/// What was met so far.
struct Found<'a> {
    facts: &'a Facts<'a>,
    nodes: Vec<NetworkNode>,
    at: HashMap<Term, usize>,
    /// Nodes that still have to take their name from a title in the answer.
    unnamed: HashSet<usize>,
    /// Properties and what they are called.
    labels: HashMap<String, String>,
}

impl Found<'_> {
    fn node(&mut self, term: &Term) -> usize {
        if let Some(at) = self.at.get(term) {
            return *at;
        }
        let at = self.nodes.len();
        let (node, named) = if let Term::NamedNode(iri) = term {
            self.resource(iri.as_str())
        } else {
            let link = Link::new(&format!("Resource {} without a name", at + 1), "");
            (NetworkNode { link, ..NetworkNode::default() }, false)
        };
        if !named {
            self.unnamed.insert(at);
        }
        self.at.insert(term.clone(), at);
        self.nodes.push(node);
        at
    }

    /// A resource, and whether the graph has a name of it.
    fn resource(&self, iri: &str) -> (NetworkNode, bool) {
        let graph = &self.facts.snapshot.graph;
        let id = graph.iri_id(iri);
        let name = id.map(|id| label(graph, id)).unwrap_or_default();
        let named = !name.is_empty();
        let name = if named { name } else { written(iri) };
        let status = id.map(|id| status(graph, id)).unwrap_or_default();
        let link = Link::new(&name, &self.facts.url(iri)).with_status(&status);
        let kind = self.facts.names.kind_and_slug(iri).map(|(kind, _)| kind_label(kind, false));
        (NetworkNode { link, kind: kind.unwrap_or_default(), facts: Vec::new() }, named)
    }

    /// Adds a fact of a resource. A title gives a name to what has none, a
    /// class a kind.
    fn say(&mut self, of: usize, property: &str, object: &Term) {
        let value = match object {
            Term::NamedNode(iri) => Value::Link(self.resource(iri.as_str()).0.link),
            Term::Literal(literal) => Value::Text {
                text: literal.value().to_owned(),
                language: literal.language().map(str::to_owned),
            },
            Term::BlankNode(_) | Term::Triple(_) => Value::text(&object.to_string()),
        };
        let label = self.label(property);
        let node = &mut self.nodes[of];
        if property == TYPE && node.kind.is_empty() {
            value.plain().clone_into(&mut node.kind);
        }
        let is_title =
            TITLES.iter().any(|(space, name)| property.strip_prefix(space) == Some(*name));
        if is_title && self.unnamed.remove(&of) {
            value.plain().clone_into(&mut node.link.text);
        }
        match node.facts.iter_mut().find(|(known, _)| *known == label) {
            Some((_, values)) => values.push(value),
            None => node.facts.push((label, vec![value])),
        }
    }

    fn label(&mut self, property: &str) -> String {
        let graph = &self.facts.snapshot.graph;
        let make = || property_label(graph, property);
        self.labels.entry(property.to_owned()).or_insert_with(make).clone()
    }
}
