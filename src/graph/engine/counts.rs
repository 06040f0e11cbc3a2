//! Counts by the subjects or the objects of one predicate: the columns hold
//! each key with its values, so that no row is made to count them. Not for
//! groups of what is joined or filtered.

use crate::graph::base::Way;
use crate::graph::budget::look_at_budget;
use crate::graph::engine::batch::Slots;
use crate::graph::engine::plan::{Aggregate, AggregateKind, Kind, Link, Node, Place};
use crate::graph::engine::run::Engine;
use crate::rdf::TermId;
use std::ops::ControlFlow::Continue;

impl Engine<'_> {
    /// The keys of the one pattern that is grouped by its subject or its object,
    /// and for each aggregate how many values of each key it counts; none if
    /// that is not what is asked.
    pub(super) fn counts_of_keys(
        &self,
        inner: &Node,
        keys: Slots,
        aggregates: &[Aggregate],
    ) -> Option<(usize, Vec<TermId>, Vec<Vec<i64>>)> {
        let Kind::Group { atoms, filters } = &inner.kind else { return None };
        let ([atom], []) = (atoms.as_slice(), filters.as_slice()) else { return None };
        let (Place::Slot(subject), Link::Predicate(predicate), Place::Slot(object)) =
            (atom.subject, &atom.link, atom.object)
        else {
            return None;
        };
        let (key, value, way) = if keys == Slots::one(subject) {
            (subject, object, Way::Forward)
        } else if keys == Slots::one(object) {
            (object, subject, Way::Backward)
        } else {
            return None;
        };
        if key == value {
            return None;
        }
        // Each value of a key is there once: distinct ones are all of them.
        let mut ones = Vec::with_capacity(aggregates.len());
        for aggregate in aggregates {
            if aggregate.kind != AggregateKind::Count {
                return None;
            }
            ones.push(match aggregate.argument {
                Some(slot) if slot == value => false,
                Some(slot) if slot == key => aggregate.distinct,
                None if !aggregate.distinct => false,
                _ => return None,
            });
        }
        let view = self.columns[atom.graph].predicate(*predicate);
        self.counted(std::ptr::from_ref(inner).addr(), view.len());
        self.counted(std::ptr::from_ref(atom).addr(), view.len());
        let mut found = Vec::with_capacity(view.keys(way));
        let mut counts = Vec::with_capacity(view.keys(way));
        view.for_each(way, |key, values| {
            if found.len().is_multiple_of(1024) {
                look_at_budget();
            }
            found.push(key);
            counts.push(i64::try_from(values.len()).unwrap_or(i64::MAX));
            Continue(())
        });
        let of = |one: bool| if one { vec![1; counts.len()] } else { counts.clone() };
        Some((key, found, ones.into_iter().map(of).collect()))
    }
}
