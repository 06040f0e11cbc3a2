//! Which focus nodes a change can make valid or invalid, so that a small change
//! is judged in the time it takes to look at its neighbourhood. Not for judging.
//!
//! The answer may name too many nodes, never too few: every place where judging
//! a focus node reads a triple is followed back from the changed triple to the
//! nodes that read it, in the data before and in the data after.

use crate::shapes::DataGraph;
use crate::shapes::constraint::Constraint;
use crate::shapes::path::Path;
use crate::shapes::shape::{Shape, ShapeId, Shapes, Target};
use oxigraph::model::vocab::{rdf, rdfs};
use oxigraph::model::{Term, Triple};
use std::collections::HashSet;

/// The focus nodes a change touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Affected {
    /// Any may be: the class hierarchy changed, or shapes are recursive.
    All,
    /// None but these.
    Nodes(HashSet<Term>),
}

/// The focus nodes whose verdict the change may turn. `before` is the data
/// without the change, `after` with it; `changed` the triples that came or went.
#[must_use]
pub fn affected(
    shapes: &Shapes,
    before: &dyn DataGraph,
    after: &dyn DataGraph,
    changed: &[Triple],
) -> Affected {
    if changed.iter().any(|triple| triple.predicate == rdfs::SUB_CLASS_OF) {
        return Affected::All;
    }
    let mut tracer = Tracer { shapes, data: [before, after], changed, nodes: HashSet::new() };
    for (index, shape) in shapes.shapes.iter().enumerate() {
        if shape.deactivated || shape.targets.is_empty() {
            continue;
        }
        tracer.targets(shape);
        let here = Path::Sequence(Vec::new());
        if !tracer.shape(ShapeId(index), &here, &mut Vec::new()) {
            return Affected::All;
        }
    }
    Affected::Nodes(tracer.nodes)
}

struct Tracer<'a> {
    shapes: &'a Shapes,
    data: [&'a dyn DataGraph; 2],
    changed: &'a [Triple],
    nodes: HashSet<Term>,
}

impl Tracer<'_> {
    fn targets(&mut self, shape: &Shape) {
        for target in &shape.targets {
            for triple in self.changed {
                match target {
                    Target::Class(_) if triple.predicate == rdf::TYPE => {
                        self.nodes.insert(triple.subject.clone().into());
                    }
                    Target::SubjectsOf(predicate) if triple.predicate == *predicate => {
                        self.nodes.insert(triple.subject.clone().into());
                    }
                    Target::ObjectsOf(predicate) if triple.predicate == *predicate => {
                        self.nodes.insert(triple.object.clone());
                    }
                    _ => {}
                }
            }
        }
    }

    /// Follows what a shape reads of nodes that `to` leads to from the focus
    /// node. False if shapes are recursive.
    fn shape(&mut self, id: ShapeId, to: &Path, above: &mut Vec<ShapeId>) -> bool {
        if above.contains(&id) {
            return false;
        }
        above.push(id);
        let shape = self.shapes.shape(id);
        let values = match &shape.path {
            Some(path) => Path::Sequence(vec![to.clone(), path.clone()]),
            None => to.clone(),
        };
        if let Some(path) = &shape.path {
            for step in path.steps() {
                let at = Path::Sequence(vec![to.clone(), step.before.clone()]);
                self.reads(&at, step.backward, |triple| triple.predicate == *step.predicate);
            }
        }
        let mut known = true;
        for constraint in &shape.constraints {
            match constraint {
                Constraint::Class(_) => {
                    self.reads(&values, false, |triple| triple.predicate == rdf::TYPE);
                }
                Constraint::Equals(other)
                | Constraint::Disjoint(other)
                | Constraint::LessThan(other)
                | Constraint::LessThanOrEquals(other) => {
                    self.reads(to, false, |triple| triple.predicate == *other);
                }
                Constraint::Closed(_) => self.reads(&values, false, |_| true),
                _ => {
                    for inner in constraint.shapes() {
                        known &= self.shape(inner, &values, above);
                    }
                }
            }
        }
        above.pop();
        known
    }

    /// Adds the focus nodes from which `at` leads to an end of a changed triple.
    fn reads(&mut self, at: &Path, backward: bool, wanted: impl Fn(&Triple) -> bool) {
        for triple in self.changed.iter().filter(|triple| wanted(triple)) {
            let end = if backward { triple.object.clone() } else { triple.subject.clone().into() };
            for data in self.data {
                self.nodes.extend(at.origins(data, &end));
            }
        }
    }
}
