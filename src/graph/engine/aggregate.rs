//! Groups rows and computes aggregates (SPARQL 1.1 §18.5.1), and sorts rows.
//! Sums and means of decimals are decimals.

use crate::graph::budget::look_at_budget;
use crate::graph::engine::batch::Batch;
use crate::graph::engine::batch::{CHUNK, Column, Slots, Table, UNBOUND, row_number};
use crate::graph::engine::order::{self, Numbers};
use crate::graph::engine::plan::{Aggregate, AggregateKind, Node};
use crate::graph::engine::run::{Engine, Flow, Sink};
use crate::graph::engine::table::Groups;
use crate::rdf::TermId;
use oxigraph::model::{Literal, Term};
use oxsdatatypes::{Decimal, Double, Float, Integer};
use rustc_hash::{FxHashMap, FxHashSet};
use spareval::ExpressionTerm;
use std::cmp::Ordering;
use std::ops::ControlFlow::Continue;

/// What is kept of each group for one aggregate.
enum State {
    Count(Vec<i64>),
    /// Group and value of each row, and of each group the last value and
    /// whether all came in rising order.
    Distinct {
        pairs: Vec<u64>,
        last: Vec<(TermId, bool)>,
        count: Vec<i64>,
    },
    Sum {
        sums: Vec<Option<ExpressionTerm>>,
        counts: Vec<i64>,
    },
    Best(Vec<Option<TermId>>),
    /// The texts so far, none of no row; an error.
    Concat(Vec<Result<Option<String>, ()>>),
}

impl State {
    fn new(aggregate: &Aggregate) -> Self {
        match aggregate.kind {
            AggregateKind::Count if aggregate.distinct => {
                Self::Distinct { pairs: Vec::new(), last: Vec::new(), count: Vec::new() }
            }
            AggregateKind::Count => Self::Count(Vec::new()),
            AggregateKind::Sum | AggregateKind::Average => {
                Self::Sum { sums: Vec::new(), counts: Vec::new() }
            }
            AggregateKind::Least | AggregateKind::Most | AggregateKind::Sample => {
                Self::Best(Vec::new())
            }
            AggregateKind::Concat(_) => Self::Concat(Vec::new()),
        }
    }

    fn grow(&mut self, groups: usize) {
        match self {
            Self::Count(counts) => counts.resize(groups, 0),
            Self::Distinct { last, count, .. } => {
                last.resize(groups, (UNBOUND, true));
                count.resize(groups, 0);
            }
            Self::Sum { sums, counts } => {
                sums.resize(groups, Some(ExpressionTerm::IntegerLiteral(Integer::from(0))));
                counts.resize(groups, 0);
            }
            Self::Best(best) => best.resize(groups, Some(UNBOUND)),
            Self::Concat(texts) => texts.resize(groups, Ok(None)),
        }
    }
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl Engine<'_> {
    /// Groups the rows of an operator.
    pub(in crate::graph) fn aggregated(
        &self,
        inner: &Node,
        keys: Slots,
        aggregates: &[Aggregate],
        keep: Slots,
        sink: &mut Sink<'_>,
    ) -> Flow {
        if let Some((key, found, counts)) = self.counts_of_keys(inner, keys, aggregates) {
            let mut batch = Batch::of(found.len());
            batch.set(key, Column::rows(found));
            for (aggregate, counts) in aggregates.iter().zip(counts) {
                if keep.has(aggregate.slot) {
                    let values = self.finished(aggregate, State::Count(counts));
                    batch.set(aggregate.slot, Column::rows(values));
                }
            }
            return in_chunks(batch, keep, sink);
        }
        let mut groups = Groups::new(keys);
        let mut states: Vec<State> = aggregates.iter().map(State::new).collect();
        let mut seen: Vec<FxHashSet<u64>> =
            aggregates.iter().map(|_| FxHashSet::default()).collect();
        if keys.is_empty() {
            // A query without GROUP BY has one group, also of no rows.
            groups.of(&Batch::of(1));
        }
        let _ = self.eval(inner, Batch::unit(), &mut |batch| {
            look_at_budget();
            let numbers = groups.of(&batch);
            for ((aggregate, state), seen) in aggregates.iter().zip(&mut states).zip(&mut seen) {
                state.grow(groups.table.len);
                self.add(aggregate, state, seen, &numbers, &batch);
            }
            Continue(())
        });
        let mut found = groups.table.batch();
        for (aggregate, mut state) in aggregates.iter().zip(states) {
            state.grow(groups.table.len);
            if keep.has(aggregate.slot) {
                let values = self.finished(aggregate, state);
                found.set(aggregate.slot, Column::rows(values));
            }
        }
        in_chunks(found, keep, sink)
    }

    fn add(
        &self,
        aggregate: &Aggregate,
        state: &mut State,
        seen: &mut FxHashSet<u64>,
        numbers: &Column,
        batch: &Batch,
    ) {
        let argument = aggregate
            .argument
            .map(|slot| batch.column(slot).cloned().unwrap_or(Column::Same(UNBOUND)));
        let group = |row: usize| numbers.get(row) as usize;
        match (state, argument) {
            (State::Count(counts), None | Some(Column::Same(1..))) => {
                if let Column::Same(group) = numbers {
                    counts[*group as usize] += count(batch.len);
                } else {
                    (0..batch.len).for_each(|row| counts[group(row)] += 1);
                }
            }
            (State::Count(counts), Some(values)) => {
                for row in 0..batch.len {
                    counts[group(row)] += i64::from(values.get(row) != UNBOUND);
                }
            }
            (State::Distinct { pairs, last, .. }, Some(values)) => {
                pairs.reserve(batch.len);
                for row in 0..batch.len {
                    let (group, value) = (group(row), values.get(row));
                    if value == UNBOUND {
                        continue;
                    }
                    let (before, rising) = &mut last[group];
                    if *before != value {
                        *rising &= *before < value;
                        *before = value;
                        pairs.push((group as u64) << 32 | u64::from(value));
                    }
                }
            }
            (State::Sum { sums, counts }, Some(values)) => {
                for row in 0..batch.len {
                    let (group, value) = (group(row), values.get(row));
                    if aggregate.distinct && !seen.insert((group as u64) << 32 | u64::from(value)) {
                        continue;
                    }
                    let sum = &mut sums[group];
                    if let Some(so_far) = sum {
                        *sum = self.decoded(value).and_then(|value| added(so_far, &value));
                        counts[group] += 1;
                    }
                }
            }
            (State::Best(best), Some(values)) => {
                for row in 0..batch.len {
                    self.better(&aggregate.kind, &mut best[group(row)], values.get(row));
                }
            }
            (State::Concat(texts), Some(values)) => {
                let AggregateKind::Concat(separator) = &aggregate.kind else { return };
                for row in 0..batch.len {
                    let (group, value) = (group(row), values.get(row));
                    if aggregate.distinct && !seen.insert((group as u64) << 32 | u64::from(value)) {
                        continue;
                    }
                    let text = self.decoded(value).and_then(|value| match &*value {
                        ExpressionTerm::StringLiteral(value)
                        | ExpressionTerm::LangStringLiteral { value, .. }
                        | ExpressionTerm::DirLangStringLiteral { value, .. } => Some(value.clone()),
                        _ => None,
                    });
                    let so_far = &mut texts[group];
                    match (so_far.as_mut(), text) {
                        (Ok(Some(all)), Some(text)) => {
                            all.push_str(separator);
                            all.push_str(&text);
                        }
                        (Ok(none), Some(text)) => *none = Some(text),
                        _ => *so_far = Err(()),
                    }
                }
            }
            (
                State::Distinct { .. } | State::Sum { .. } | State::Best(_) | State::Concat(_),
                None,
            ) => {}
        }
    }

    /// An error in one row makes the whole aggregate one: `None`.
    fn better(&self, kind: &AggregateKind, best: &mut Option<TermId>, value: TermId) {
        if *kind == AggregateKind::Sample {
            if *best == Some(UNBOUND) {
                *best = Some(value);
            }
            return;
        }
        let Some(before) = *best else { return };
        if value == UNBOUND {
            *best = None;
        } else if before == UNBOUND {
            *best = Some(value);
        } else if before != value {
            let ranks = self.snapshot.dictionary().ranks();
            let order = ranks.and_then(|ranks| ranks.compare(value, before)).unwrap_or_else(|| {
                order::compare(self.decoded(value).as_deref(), self.decoded(before).as_deref())
            });
            let wanted =
                if *kind == AggregateKind::Least { Ordering::Less } else { Ordering::Greater };
            if order == wanted {
                *best = Some(value);
            }
        }
    }

    fn finished(&self, aggregate: &Aggregate, state: State) -> Vec<TermId> {
        let integer = |n: i64| self.integer(n);
        match state {
            State::Count(counts) => counts.into_iter().map(integer).collect(),
            State::Distinct { mut pairs, last, mut count } => {
                let rising = last.iter().all(|(_, rising)| *rising);
                if !rising {
                    look_at_budget();
                    pairs.sort_unstable();
                    pairs.dedup();
                }
                for pair in pairs {
                    count[usize::try_from(pair >> 32).unwrap_or(0)] += 1;
                }
                count.into_iter().map(integer).collect()
            }
            State::Sum { sums, counts } => sums
                .into_iter()
                .zip(counts)
                .map(|(sum, count)| {
                    let value = if aggregate.kind == AggregateKind::Average {
                        sum.and_then(|sum| mean(&sum, count))
                    } else {
                        sum
                    };
                    value.map_or(UNBOUND, |value| self.dataset.number(Term::from(value)))
                })
                .collect(),
            State::Best(best) => best.into_iter().map(|id| id.unwrap_or(UNBOUND)).collect(),
            State::Concat(texts) => texts
                .into_iter()
                .map(|text| {
                    text.map_or(UNBOUND, |text: Option<String>| {
                        let text = Literal::new_simple_literal(text.unwrap_or_default());
                        self.dataset.number(text.into())
                    })
                })
                .collect(),
        }
    }

    /// The rows of a table in order; only the first of them if so limited.
    pub(in crate::graph) fn sorted(
        &self,
        table: &Table,
        keys: &[(usize, bool)],
        limit: Option<usize>,
    ) -> Vec<u32> {
        let mut rows: Vec<u32> = (0..row_number(table.len)).collect();
        let limit = limit.unwrap_or(usize::MAX);
        // Each row's place so far; a further key parts those that are equal.
        let mut places: Vec<u32> = vec![0; table.len];
        for (slot, descending) in keys {
            let Some(at) = table.position(*slot) else { continue };
            let column = &table.columns[at];
            if is_settled(&rows, &places) {
                break;
            }
            let ranks = self.ranks(rows.iter().map(|row| column[*row as usize]));
            let mut keyed: Vec<(u64, u32)> = rows
                .iter()
                .zip(ranks)
                .map(|(row, rank)| {
                    let place = u64::from(places[*row as usize]);
                    let rank = if *descending { u32::MAX - rank } else { rank };
                    (place << 32 | u64::from(rank), *row)
                })
                .collect();
            look_at_budget();
            if limit > 0 && limit < keyed.len() {
                // What lies behind the last that is wanted is not sorted.
                let (_, last, _) = keyed.select_nth_unstable(limit - 1);
                let last = last.0;
                keyed.retain(|(key, _)| *key <= last);
            }
            keyed.sort_unstable();
            look_at_budget();
            rows = keyed.iter().map(|(_, row)| *row).collect();
            let mut place = 0;
            let mut before = None;
            for (at, (key, row)) in keyed.iter().enumerate() {
                if before != Some(*key) {
                    place = row_number(at);
                    before = Some(*key);
                }
                places[*row as usize] = place;
            }
        }
        rows.truncate(limit);
        rows
    }

    /// The rank of each of some terms; terms that compare equal share one.
    fn ranks(&self, ids: impl Iterator<Item = TermId> + Clone) -> Vec<u32> {
        let known = self.snapshot.dictionary().ranks();
        if let Some(ranks) = known.and_then(|ranks| ranks.of_all(ids.clone())) {
            return ranks;
        }
        let ranks = self.ranks_of_distinct(ids.clone().collect());
        ids.map(|id| ranks.get(&id).copied().unwrap_or(0)).collect()
    }

    fn ranks_of_distinct(&self, mut distinct: Vec<TermId>) -> FxHashMap<TermId, u32> {
        distinct.sort_unstable();
        distinct.dedup();
        let dictionary = self.snapshot.dictionary();
        let name = |id: TermId| dictionary.bytes(id).filter(|bytes| bytes.first() == Some(&b'I'));
        let names: Option<Vec<(&[u8], TermId)>> =
            distinct.iter().map(|id| name(*id).map(|bytes| (bytes, *id))).collect();
        if let Some(mut names) = names {
            look_at_budget();
            if !names.is_sorted() {
                names.sort_unstable();
            }
            return names
                .into_iter()
                .enumerate()
                .map(|(at, (_, id))| (id, row_number(at)))
                .collect();
        }
        let mut terms: Vec<(TermId, Option<std::rc::Rc<ExpressionTerm>>)> =
            distinct.into_iter().map(|id| (id, self.decoded(id))).collect();
        let mut steps = 0_u32;
        // A comparison of mixed types need not be an order: no panic for it.
        merge_sort(&mut terms, &mut |a, b| {
            steps += 1;
            if steps.is_multiple_of(1024) {
                look_at_budget();
            }
            order::compare(a.1.as_deref(), b.1.as_deref())
        });
        let mut ranks = FxHashMap::default();
        let mut rank = 0;
        for (at, (id, term)) in terms.iter().enumerate() {
            if at > 0 && order::compare(terms[at - 1].1.as_deref(), term.as_deref()).is_ne() {
                rank += 1;
            }
            ranks.insert(*id, rank);
        }
        ranks
    }
}

/// Gives on the wanted columns of groups, some rows at a time.
fn in_chunks(mut found: Batch, keep: Slots, sink: &mut Sink<'_>) -> Flow {
    found.keep(keep);
    let mut from = 0;
    while from < found.len {
        let len = CHUNK.min(found.len - from);
        sink(if len == found.len { found.clone() } else { found.slice(from, len) })?;
        from += len;
    }
    Continue(())
}

/// Whether no two of the rows share a place.
fn is_settled(rows: &[u32], places: &[u32]) -> bool {
    rows.len() < 2
        || rows.windows(2).all(|two| places[two[0] as usize] != places[two[1] as usize])
            && places[rows[0] as usize] != places[rows[1] as usize]
}

/// A stable sort that takes any comparison.
fn merge_sort<T: Clone>(items: &mut Vec<T>, compare: &mut impl FnMut(&T, &T) -> Ordering) {
    let mut width = 1;
    while width < items.len() {
        let mut merged = Vec::with_capacity(items.len());
        for pair in items.chunks(2 * width) {
            let (left, right) = pair.split_at(width.min(pair.len()));
            let (mut l, mut r) = (left.iter().peekable(), right.iter().peekable());
            while let (Some(a), Some(b)) = (l.peek(), r.peek()) {
                if compare(a, b).is_gt() {
                    merged.extend(r.next().cloned());
                } else {
                    merged.extend(l.next().cloned());
                }
            }
            merged.extend(l.cloned());
            merged.extend(r.cloned());
        }
        *items = merged;
        width *= 2;
    }
}

fn added(sum: &ExpressionTerm, value: &ExpressionTerm) -> Option<ExpressionTerm> {
    Some(match Numbers::of(sum, value)? {
        Numbers::Integer(a, b) => ExpressionTerm::IntegerLiteral(a.checked_add(b)?),
        Numbers::Decimal(a, b) => ExpressionTerm::DecimalLiteral(a.checked_add(b)?),
        Numbers::Float(a, b) => ExpressionTerm::FloatLiteral(a + b),
        Numbers::Double(a, b) => ExpressionTerm::DoubleLiteral(a + b),
    })
}

fn mean(sum: &ExpressionTerm, count: i64) -> Option<ExpressionTerm> {
    if count == 0 {
        return Some(ExpressionTerm::IntegerLiteral(0.into()));
    }
    let count = Integer::from(count);
    Some(match sum {
        ExpressionTerm::IntegerLiteral(sum) => {
            ExpressionTerm::DecimalLiteral(Decimal::from(*sum).checked_div(count)?)
        }
        ExpressionTerm::DecimalLiteral(sum) => {
            ExpressionTerm::DecimalLiteral(sum.checked_div(count)?)
        }
        ExpressionTerm::FloatLiteral(sum) => {
            ExpressionTerm::FloatLiteral(*sum / Float::from(count))
        }
        ExpressionTerm::DoubleLiteral(sum) => {
            ExpressionTerm::DoubleLiteral(*sum / Double::from(count))
        }
        _ => return None,
    })
}
