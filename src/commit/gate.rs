//! Whether a change may happen: our shapes over the neighbourhood of what it
//! touches. Not for making it happen.

use crate::graph::GraphPattern;
use crate::graph::Snapshot;
use crate::ontology::shape_files;
use crate::rdf::QuadIds;
use crate::shapes::{Affected, DataGraph, Focus, Report, Shapes, affected, validate};
use oxigraph::io::{RdfFormat, RdfParser};
use oxigraph::model::{NamedNode, NamedOrBlankNode, Term, Triple};
use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

/// Changes with more quads than this are judged by judging everything: finding
/// the neighbourhood of each would take longer.
const LARGE: usize = 20_000;

/// What to do when a change breaks the shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rules {
    /// Refuse the change.
    #[default]
    Refuse,
    /// Make the change and report.
    Report,
    /// Make the change and do not look.
    Off,
}

/// All graphs of a snapshot as one.
struct Union<'a>(&'a Snapshot);

impl DataGraph for Union<'_> {
    fn triples<'a>(
        &'a self,
        subject: Option<&NamedOrBlankNode>,
        predicate: Option<&NamedNode>,
        object: Option<&Term>,
    ) -> Box<dyn Iterator<Item = Triple> + 'a> {
        let graph = self.0;
        // A term without a number is in no triple.
        let (mut s, mut p, mut o) = (None, None, None);
        if let Some(subject) = subject {
            s = graph.id(subject.as_ref().into());
            if s.is_none() {
                return Box::new(std::iter::empty());
            }
        }
        if let Some(predicate) = predicate {
            p = graph.id(predicate.as_ref().into());
            if p.is_none() {
                return Box::new(std::iter::empty());
            }
        }
        if let Some(object) = object {
            o = graph.id(object.as_ref());
            if o.is_none() {
                return Box::new(std::iter::empty());
            }
        }
        let quads = graph.quads().matching(s, p, o, GraphPattern::Any);
        Box::new(quads.filter_map(|quad| graph.quad(quad).map(Triple::from)))
    }
}

/// What is to be judged: drafts may be unfinished, and may be new versions of
/// what is published. They are judged when they are published.
fn without_drafts(graph: &Snapshot) -> Snapshot {
    let drafts = graph
        .named_graphs()
        .into_iter()
        .filter(|id| graph.text(*id).is_some_and(|name| name.contains("/graph/draft/")));
    graph.without_graphs(drafts.collect())
}

/// The shapes of the ontology, ready to judge.
#[derive(Debug, Clone)]
pub struct Gate {
    shapes: Arc<Shapes>,
}

impl Gate {
    /// The shapes built into this program.
    ///
    /// # Panics
    ///
    /// When they cannot be read, which a test excludes.
    #[must_use]
    pub fn built_in() -> Self {
        static SHAPES: OnceLock<Arc<Shapes>> = OnceLock::new();
        let shapes = SHAPES.get_or_init(|| {
            let triples = shape_files().into_iter().flat_map(|file| {
                RdfParser::from_format(RdfFormat::Turtle)
                    .rename_blank_nodes()
                    .for_slice(file.text.as_bytes())
                    .map(|quad| Triple::from(quad.expect("the shapes built in are Turtle")))
            });
            Arc::new(Shapes::parse(triples).expect("the shapes built in are well-formed"))
        });
        Self { shapes: Arc::clone(shapes) }
    }

    /// The shapes.
    #[must_use]
    pub fn shapes(&self) -> &Shapes {
        &self.shapes
    }

    /// Judges everything.
    pub fn judge_all(&self, graph: &Snapshot) -> Report {
        validate(&self.shapes, &Union(&without_drafts(graph)), Focus::All)
    }

    /// Judges some nodes of a state as it is, drafts and all.
    pub fn judge_nodes(&self, graph: &Snapshot, nodes: &HashSet<Term>) -> Report {
        validate(&self.shapes, &Union(graph), Focus::Nodes(nodes))
    }

    /// Judges what a change touches, on the state after it.
    pub(super) fn judge(
        &self,
        before: &Snapshot,
        after: &Snapshot,
        removed: &[QuadIds],
        added: &[QuadIds],
    ) -> Report {
        if removed.len() + added.len() > LARGE {
            return self.judge_all(after);
        }
        let (before, after) = (&without_drafts(before), &without_drafts(after));
        let changed: HashSet<Triple> = removed
            .iter()
            .chain(added)
            .filter(|quad| before.quads().contains(**quad) || after.quads().contains(**quad))
            .filter_map(|quad| after.quad(*quad).map(Triple::from))
            .collect();
        let changed: Vec<Triple> = changed.into_iter().collect();
        match affected(&self.shapes, &Union(before), &Union(after), &changed) {
            Affected::All => self.judge_all(after),
            Affected::Nodes(nodes) if nodes.is_empty() => Report::default(),
            Affected::Nodes(nodes) => validate(&self.shapes, &Union(after), Focus::Nodes(&nodes)),
        }
    }
}
