//! Whether a change may happen: our shapes over the neighbourhood of what it
//! touches. Not for making it happen.

use crate::graph::GraphPattern;
use crate::graph::Snapshot;
use crate::ontology::shape_files;
use crate::rdf::QuadIds;
use crate::shapes::{Affected, DataGraph, Focus, Node, Report, Shapes, affected, validate};
use oxigraph::io::{RdfFormat, RdfParser};
use oxigraph::model::{Term, TermRef, Triple};
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
    fn node(&self, term: TermRef<'_>) -> Option<Node> {
        self.0.id(term)
    }

    fn term(&self, node: Node) -> Option<Term> {
        self.0.term(node)
    }

    fn triples(
        &self,
        subject: Option<Node>,
        predicate: Option<Node>,
        object: Option<Node>,
        each: &mut dyn FnMut([Node; 3]) -> bool,
    ) {
        for [s, p, o, _] in self.0.quads().matching(subject, predicate, object, GraphPattern::Any) {
            if !each([s, p, o]) {
                return;
            }
        }
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
        let nodes = nodes.iter().filter_map(|node| graph.id(node.as_ref())).collect();
        validate(&self.shapes, &Union(graph), Focus::Nodes(&nodes))
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
        let seen = removed.iter().filter(|quad| before.quads().contains(**quad));
        let seen = seen.chain(added.iter().filter(|quad| after.quads().contains(**quad)));
        let mut changed: Vec<[Node; 3]> = seen.map(|[s, p, o, _]| [*s, *p, *o]).collect();
        changed.sort_unstable();
        changed.dedup();
        let (was, is) = (&Union(before), &Union(after));
        let states: &[&dyn DataGraph] = match (removed, added) {
            ([], _) => &[is],
            (_, []) => &[was],
            _ => &[was, is],
        };
        match affected(&self.shapes, states, &changed) {
            Affected::All => self.judge_all(after),
            Affected::Nodes(nodes) if nodes.is_empty() => Report::default(),
            Affected::Nodes(nodes) => validate(&self.shapes, is, Focus::Nodes(&nodes)),
        }
    }
}
