//! Which focus nodes a change can make valid or invalid, so that a small change
//! is judged in the time it takes to look at its neighbourhood. Not for judging.
//!
//! The answer may name too many nodes, never too few: every place where judging
//! a focus node reads a triple is known from the shapes alone ([`Reads`]); a
//! changed triple is followed back from there to the nodes that read it, in the
//! data before and in the data after.

use crate::shapes::constraint::Constraint;
use crate::shapes::data::{DataGraph, Node};
use crate::shapes::path::Path;
use crate::shapes::shape::{Shape, ShapeId, Shapes, Target};
use oxigraph::model::vocab::{rdf, rdfs};
use oxigraph::model::{NamedNode, Term};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The focus nodes a change touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Affected {
    /// Any may be: the class hierarchy changed, or shapes are recursive.
    All,
    /// None but these.
    Nodes(FxHashSet<Node>),
}

/// The path from a focus node to the end of a triple that is read: its subject,
/// or its object if `backward`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Read {
    at: Path,
    backward: bool,
}

/// Where judging reads triples, by predicate.
#[derive(Debug, Clone, Default)]
pub(super) struct Reads {
    of: HashMap<NamedNode, Vec<Read>>,
    /// Whatever the predicate.
    any: Vec<Read>,
    /// Shapes lead to themselves, so that there is no end of paths.
    recursive: bool,
}

impl Reads {
    /// What these shapes read.
    pub(super) fn new(shapes: &[Shape]) -> Self {
        let mut tracer = Tracer { shapes, reads: Self::default() };
        for (index, shape) in shapes.iter().enumerate() {
            if shape.deactivated || shape.targets.is_empty() {
                continue;
            }
            for target in &shape.targets {
                let here = Path::Sequence(Vec::new());
                match target {
                    Target::Node(_) => {}
                    Target::Class(_) => tracer.reads(here, false, &rdf::TYPE.into_owned()),
                    Target::SubjectsOf(predicate) => tracer.reads(here, false, predicate),
                    Target::ObjectsOf(predicate) => tracer.reads(here, true, predicate),
                }
            }
            tracer.shape(ShapeId(index), &Path::Sequence(Vec::new()), &mut Vec::new());
        }
        tracer.reads
    }
}

/// The focus nodes whose verdict a change may turn. `states` are the data before
/// the change and after it, with the same numbers; where nothing was removed,
/// the data after it is enough, and where nothing was added, that before it.
/// `changed` are the triples that came or went.
#[must_use]
pub fn affected(shapes: &Shapes, states: &[&dyn DataGraph], changed: &[[Node; 3]]) -> Affected {
    let mut nodes = FxHashSet::default();
    if shapes.reads.recursive {
        return Affected::All;
    }
    let mut of: FxHashMap<Node, &[Read]> = FxHashMap::default();
    // Whether a node is the object of anything.
    let mut is_object: FxHashMap<Node, bool> = FxHashMap::default();
    for [subject, predicate, object] in changed {
        let reads = match of.entry(*predicate) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                let Some(Term::NamedNode(iri)) =
                    states.iter().find_map(|data| data.term(*predicate))
                else {
                    return Affected::All;
                };
                if iri.as_ref() == rdfs::SUB_CLASS_OF {
                    return Affected::All;
                }
                place.insert(shapes.reads.of.get(&iri).map_or(&[], Vec::as_slice))
            }
        };
        for read in reads.iter().chain(&shapes.reads.any) {
            let end = if read.backward { *object } else { *subject };
            if read.at == Path::Sequence(Vec::new()) {
                nodes.insert(end);
                continue;
            }
            let is_object = *is_object.entry(end).or_insert_with(|| {
                let mut found = false;
                for data in states {
                    data.triples(None, None, Some(end), &mut |_| {
                        found = true;
                        false
                    });
                }
                found
            });
            if is_object || !read.at.ends_in_object() {
                nodes.extend(states.iter().flat_map(|data| read.at.origins(*data, end)));
            }
        }
    }
    Affected::Nodes(nodes)
}

struct Tracer<'a> {
    shapes: &'a [Shape],
    reads: Reads,
}

impl Tracer<'_> {
    /// Follows what a shape reads of nodes that `to` leads to from the focus
    /// node.
    fn shape(&mut self, id: ShapeId, to: &Path, above: &mut Vec<ShapeId>) {
        if above.contains(&id) {
            self.reads.recursive = true;
            return;
        }
        above.push(id);
        let shapes = self.shapes;
        let shape = &shapes[id.0];
        let values = match &shape.path {
            Some(path) => to.followed_by(path),
            None => to.clone(),
        };
        if let Some(path) = &shape.path {
            for step in path.steps() {
                self.reads(to.followed_by(&step.before), step.backward, step.predicate);
            }
        }
        for constraint in &shape.constraints {
            match constraint {
                Constraint::Class(_) => {
                    self.reads(values.clone(), false, &rdf::TYPE.into_owned());
                }
                Constraint::Equals(other)
                | Constraint::Disjoint(other)
                | Constraint::LessThan(other)
                | Constraint::LessThanOrEquals(other) => self.reads(to.clone(), false, other),
                Constraint::Closed(_) => {
                    let read = Read { at: values.clone(), backward: false };
                    if !self.reads.any.contains(&read) {
                        self.reads.any.push(read);
                    }
                }
                _ => {
                    for inner in constraint.shapes() {
                        self.shape(inner, &values, above);
                    }
                }
            }
        }
        above.pop();
    }

    fn reads(&mut self, at: Path, backward: bool, predicate: &NamedNode) {
        let reads = self.reads.of.entry(predicate.clone()).or_default();
        let read = Read { at, backward };
        if !reads.contains(&read) {
            reads.push(read);
        }
    }
}
