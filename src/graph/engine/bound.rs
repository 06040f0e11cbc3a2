//! What operators bind, and what of their rows is read further on, so that
//! nothing else is carried along. Not for making operators.

use crate::graph::engine::batch::Slots;
use crate::graph::engine::plan::{AggregateKind, Expr, Filter, Kind, Node, Test};

/// What an operator binds: in some of its rows, and in all.
#[derive(Clone, Copy, Default)]
pub(super) struct Bound {
    pub(super) some: Slots,
    pub(super) all: Slots,
}

/// What an operator binds.
pub(super) fn bound(node: &Node) -> Bound {
    match &node.kind {
        Kind::Group { atoms, .. } => {
            let all = atoms.iter().fold(Slots::default(), |all, atom| all.or(atom.slots()));
            Bound { some: all, all }
        }
        Kind::Join(left, right) => {
            let (left, right) = (bound(left), bound(right));
            Bound { some: left.some.or(right.some), all: left.all.or(right.all) }
        }
        Kind::Optional { left, right, .. } => {
            let (left, right) = (bound(left), bound(right));
            Bound { some: left.some.or(right.some), all: left.all }
        }
        Kind::Union(left, right) => {
            let (left, right) = (bound(left), bound(right));
            Bound { some: left.some.or(right.some), all: left.all.and(right.all) }
        }
        Kind::Minus { left, .. } => bound(left),
        Kind::Filter(inner, _)
        | Kind::Apart(inner)
        | Kind::Distinct(inner, _)
        | Kind::Sort { inner, .. }
        | Kind::Slice { inner, .. } => bound(inner),
        Kind::Extend(inner, slot, _) => {
            let inner = bound(inner);
            Bound { some: inner.some.or(Slots::one(*slot)), all: inner.all }
        }
        Kind::Table(table) => {
            let mut bound = Bound::default();
            for (slot, column) in table.slots.iter().zip(&table.columns) {
                bound.some.add(*slot);
                if !column.contains(&0) {
                    bound.all.add(*slot);
                }
            }
            bound
        }
        Kind::Project(inner, shown) => {
            let inner = bound(inner);
            Bound { some: inner.some.and(*shown), all: inner.all.and(*shown) }
        }
        Kind::Aggregate { inner, keys, aggregates } => {
            let inner = bound(inner);
            let mut some = *keys;
            let mut all = inner.all.and(*keys);
            for aggregate in aggregates {
                some.add(aggregate.slot);
                if aggregate.kind == AggregateKind::Count {
                    all.add(aggregate.slot);
                }
            }
            Bound { some, all }
        }
    }
}

/// What filters read.
pub(super) fn slots_of(filters: &[Filter]) -> Slots {
    filters.iter().fold(Slots::default(), |all, filter| all.or(filter.slots()))
}

/// Tells each operator what of its rows is read further on.
pub(super) fn want(node: &mut Node, wanted: Slots) {
    node.keep = wanted;
    match &mut node.kind {
        Kind::Group { filters, .. } => want_inside(filters),
        Kind::Join(left, right) => {
            want(right, wanted);
            let below = wanted.or(reads(right));
            want(left, below);
        }
        Kind::Optional { left, right, filters, row } => {
            want_inside(filters);
            want(right, wanted.or(slots_of(filters)).or(Slots::one(*row)));
            let below = wanted.or(reads(right)).or(slots_of(filters));
            want(left, below);
        }
        Kind::Union(left, right) => {
            want(left, wanted);
            want(right, wanted);
        }
        Kind::Minus { left, right, shared } => {
            want(left, wanted.or(*shared));
            want(right, *shared);
        }
        Kind::Filter(inner, filters) => {
            want_inside(filters);
            want(inner, wanted.or(slots_of(filters)));
        }
        Kind::Extend(inner, slot, expr) => {
            want_of_tests(expr);
            // Its own slot as well: where a row has it, both must agree.
            want(inner, wanted.or(expr.slots()).or(Slots::one(*slot)));
        }
        Kind::Table(_) => {}
        Kind::Apart(inner) => {
            let all = bound(inner).some;
            want(inner, all);
        }
        Kind::Project(inner, shown) => want(inner, wanted.and(*shown)),
        Kind::Distinct(inner, slots) => want(inner, *slots),
        Kind::Sort { inner, keys, .. } => {
            let keys = keys.iter().fold(wanted, |all, (slot, _)| all.or(Slots::one(*slot)));
            want(inner, keys);
        }
        Kind::Slice { inner, .. } => want(inner, wanted),
        Kind::Aggregate { inner, keys, aggregates } => {
            let arguments = aggregates
                .iter()
                .filter_map(|aggregate| aggregate.argument)
                .fold(*keys, |all, slot| all.or(Slots::one(slot)));
            want(inner, arguments);
        }
    }
}

fn want_inside(filters: &mut [Filter]) {
    for filter in filters {
        match filter {
            Filter::Expression(expr) => want_of_tests(expr),
            Filter::Exists { exists, .. } => want(&mut exists.pattern, Slots::one(exists.row)),
        }
    }
}

fn want_of_tests(expr: &mut Expr) {
    for Test { exists, .. } in &mut expr.tests {
        want(&mut exists.pattern, Slots::one(exists.row));
    }
}

/// The slots that an operator may read of the rows that it is given.
fn reads(node: &Node) -> Slots {
    match &node.kind {
        Kind::Group { filters: own, .. } => bound(node).some.or(slots_of(own)),
        Kind::Join(left, right) | Kind::Union(left, right) => reads(left).or(reads(right)),
        Kind::Optional { left, right, filters: own, .. } => {
            reads(left).or(reads(right)).or(slots_of(own))
        }
        Kind::Minus { left, shared, .. } => reads(left).or(*shared),
        Kind::Filter(inner, own) => reads(inner).or(slots_of(own)),
        Kind::Extend(inner, slot, expr) => reads(inner).or(expr.slots()).or(Slots::one(*slot)),
        _ => bound(node).some,
    }
}
