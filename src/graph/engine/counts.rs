//! Counts by the subjects or the objects of one predicate: the columns hold
//! each key with its values, so that no row is made to count them. Not for
//! groups of what is joined or filtered.

use crate::graph::base::Way;
use crate::graph::budget::{look_at_budget, touch};
use crate::graph::engine::batch::Slots;
use crate::graph::engine::plan::{Aggregate, AggregateKind, Atom, Kind, Link, Node, Place};
use crate::graph::engine::run::Engine;
use crate::rdf::TermId;
use std::ops::ControlFlow::Continue;

impl Engine<'_> {
    /// The keys of the one pattern (of one graph, or of each) that is grouped by its
    /// subject or its object, and for each aggregate how many values of each key it counts; none if
    /// that is not what is asked.
    pub(super) fn counts_of_keys(
        &self,
        inner: &Node,
        keys: Slots,
        aggregates: &[Aggregate],
    ) -> Option<(usize, Vec<TermId>, Vec<Vec<i64>>)> {
        let read = aggregates.iter().filter_map(|aggregate| aggregate.argument);
        let read = read.fold(keys, |all, slot| all.or(Slots::one(slot)));
        let mut atoms = Vec::new();
        add_atoms(inner, read, &mut atoms)?;
        let several = atoms.len() > 1;
        let (key, value, way) = ends(atoms.first()?, keys)?;
        if atoms.iter().any(|atom| ends(atom, keys) != Some((key, value, way))) {
            return None;
        }
        // Each value of a key is there once in each graph.
        let mut wanted = Vec::with_capacity(aggregates.len());
        for aggregate in aggregates {
            let wants = match (aggregate.argument, aggregate.distinct) {
                _ if aggregate.kind != AggregateKind::Count => return None,
                (Some(slot), true) if slot == key => Wanted::One,
                (Some(slot), true) if slot == value && several => Wanted::Distinct,
                (Some(slot), _) if slot == value || slot == key => Wanted::All,
                (None, false) => Wanted::All,
                _ => return None,
            };
            wanted.push(wants);
        }
        let mut counts = vec![Vec::new(); wanted.len()];
        let mut found = Vec::new();
        let mut looked_at = 0_usize;
        let mut count = |key: TermId, lists: &[&[TermId]]| {
            if looked_at.is_multiple_of(1024) {
                look_at_budget();
            }
            looked_at += 1;
            found.push(key);
            for (counts, wanted) in counts.iter_mut().zip(&wanted) {
                let count = match wanted {
                    Wanted::One => 1,
                    Wanted::All => lists.iter().map(|list| list.len()).sum(),
                    Wanted::Distinct => distinct(lists),
                };
                counts.push(i64::try_from(count).unwrap_or(i64::MAX));
            }
        };
        let mut rows = 0;
        let mut of_keys: Vec<(TermId, &[TermId])> = Vec::new();
        for atom in atoms {
            let Link::Predicate(predicate) = &atom.link else { return None };
            let view = self.columns[atom.graph].predicate(*predicate);
            rows += view.len();
            self.counted(std::ptr::from_ref(atom).addr(), view.len());
            view.for_each(way, |key, values| {
                if several {
                    of_keys.push((key, values));
                } else {
                    count(key, &[values]);
                }
                Continue(())
            });
        }
        // Those of each graph are mostly in order.
        of_keys.sort_by_key(|(key, _)| *key);
        let mut lists = Vec::new();
        for of_key in of_keys.chunk_by(|(one, _), (other, _)| one == other) {
            lists.clear();
            lists.extend(of_key.iter().map(|(_, list)| *list));
            count(of_key[0].0, &lists);
        }
        self.counted(std::ptr::from_ref(inner).addr(), rows);
        Some((key, found, counts))
    }
}

/// What is counted of the values of a key.
enum Wanted {
    /// The key itself, once.
    One,
    All,
    /// Those of several graphs, each once.
    Distinct,
}

/// How many different numbers sorted lists have.
fn distinct(lists: &[&[TermId]]) -> usize {
    let mut lists = lists.to_vec();
    let mut count = 0;
    while let Some(least) = lists.iter().filter_map(|list| list.first()).min().copied() {
        touch();
        count += 1;
        for list in &mut lists {
            if let Some((first, rest)) = list.split_first()
                && *first == least
            {
                *list = rest;
            }
        }
    }
    count
}

/// The key and the value of a pattern that is grouped by one of its ends.
fn ends(atom: &Atom, keys: Slots) -> Option<(usize, usize, Way)> {
    let (Place::Slot(subject), Link::Predicate(_), Place::Slot(object)) =
        (atom.subject, &atom.link, atom.object)
    else {
        return None;
    };
    if subject == object {
        None
    } else if keys == Slots::one(subject) {
        Some((subject, object, Way::Forward))
    } else if keys == Slots::one(object) {
        Some((object, subject, Way::Backward))
    } else {
        None
    }
}

/// The patterns whose rows an operator gives one after the other: one, or one
/// in each of several graphs, whose name is not read; none if it does more.
fn add_atoms<'n>(node: &'n Node, read: Slots, atoms: &mut Vec<&'n Atom>) -> Option<()> {
    match &node.kind {
        Kind::Group { atoms: own, filters } => {
            let ([atom], []) = (own.as_slice(), filters.as_slice()) else { return None };
            atoms.push(atom);
            Some(())
        }
        Kind::Union(left, right) => {
            add_atoms(left, read, atoms)?;
            add_atoms(right, read, atoms)
        }
        Kind::Join(left, right) => match &left.kind {
            Kind::Table(table) if table.len == 1 => {
                let before = atoms.len();
                add_atoms(right, read, atoms)?;
                let read = atoms[before..].iter().fold(read, |all, atom| all.or(atom.slots()));
                (!table.slots.iter().any(|slot| read.has(*slot))).then_some(())
            }
            _ => None,
        },
        _ => None,
    }
}
