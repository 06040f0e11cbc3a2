//! Runs a plan: each operator takes rows, joins its pattern to them and gives
//! the result on, chunk by chunk, until nobody wants more. Not for planning.

use crate::graph::Snapshot;
use crate::graph::budget::look_at_budget;
use crate::graph::columns::Columns;
use crate::graph::dataset::QueryDataset;
use crate::graph::engine::batch::{Batch, CHUNK, Column, Slots, Table, UNBOUND, row_number};
use crate::graph::engine::bound::slots_of;
use crate::graph::engine::expression::Expressions;
use crate::graph::engine::plan::{Exists, Filter, Kind, Node, NotCovered, Plan};
use crate::graph::engine::table::{Index, Seen};
use crate::rdf::TermId;
use hashbrown::HashMap;
use spargebra::Query;
use std::cell::{Cell, RefCell};
use std::ops::ControlFlow::{self, Break, Continue};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Whether more rows are wanted.
pub(in crate::graph) type Flow = ControlFlow<()>;
/// Where rows go.
pub(in crate::graph) type Sink<'s> = dyn FnMut(Batch) -> Flow + 's;

/// Rows and time of one operator.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::graph) struct Measured {
    pub(in crate::graph) rows: usize,
    pub(in crate::graph) time: Duration,
}

/// What runs a plan.
pub(in crate::graph) struct Engine<'a> {
    pub(in crate::graph) snapshot: &'a Snapshot,
    pub(in crate::graph) dataset: &'a QueryDataset,
    pub(in crate::graph) columns: Vec<Arc<Columns>>,
    pub(in crate::graph) expressions: Expressions,
    /// Numbers of walks over paths by node, so that none need be cleared.
    pub(in crate::graph) walks: RefCell<(Vec<u32>, u32)>,
    /// The query: relative IRIs of functions are relative to its base.
    pub(in crate::graph) query: &'a Query,
    tables: RefCell<HashMap<usize, Rc<Index>>>,
    measured: Option<RefCell<HashMap<usize, Measured>>>,
    failed: Cell<Option<NotCovered>>,
}

impl<'a> Engine<'a> {
    /// An engine for a plan over what a query sees.
    pub(in crate::graph) fn new(
        snapshot: &'a Snapshot,
        dataset: &'a QueryDataset,
        plan: &Plan,
        query: &'a Query,
        measure: bool,
    ) -> Self {
        let columns = plan
            .graphs
            .iter()
            .map(|graphs| Columns::of(snapshot.quads(), &graphs.shared()))
            .collect();
        Self {
            snapshot,
            dataset,
            columns,
            expressions: Expressions::default(),
            walks: RefCell::default(),
            query,
            tables: RefCell::default(),
            measured: measure.then(RefCell::default),
            failed: Cell::new(None),
        }
    }

    /// Runs the plan. Each batch has the answer's slots.
    pub(in crate::graph) fn run(&self, plan: &Plan, sink: &mut Sink<'_>) -> Result<(), NotCovered> {
        let _ = self.eval(&plan.root, Batch::unit(), sink);
        self.failed.get().map_or(Ok(()), Err)
    }

    /// Ends the run: the evaluator must do it.
    pub(in crate::graph) fn fail(&self, why: &'static str) -> Flow {
        self.failed.set(Some(NotCovered(why)));
        Break(())
    }

    /// Rows and time by operator, the address of the operator being its name.
    pub(in crate::graph) fn measured(&self, address: usize) -> Measured {
        self.measured
            .as_ref()
            .and_then(|all| all.borrow().get(&address).copied())
            .unwrap_or_default()
    }

    pub(in crate::graph) fn begun(&self) -> Option<Instant> {
        self.measured.as_ref().map(|_| Instant::now())
    }

    pub(in crate::graph) fn ended(&self, address: usize, begun: Option<Instant>) {
        if let (Some(all), Some(begun)) = (&self.measured, begun) {
            all.borrow_mut().entry(address).or_default().time += begun.elapsed();
        }
    }

    pub(in crate::graph) fn counted(&self, address: usize, rows: usize) {
        if let Some(all) = &self.measured {
            all.borrow_mut().entry(address).or_default().rows += rows;
        }
    }

    /// Joins an operator's pattern to rows.
    pub(in crate::graph) fn eval(&self, node: &Node, input: Batch, sink: &mut Sink<'_>) -> Flow {
        if input.len == 0 {
            return Continue(());
        }
        look_at_budget();
        if self.measured.is_none() {
            return self.eval_kind(node, input, sink);
        }
        let address = std::ptr::from_ref(node).addr();
        let begun = self.begun();
        let flow = self.eval_kind(node, input, &mut |batch| {
            self.counted(address, batch.len);
            sink(batch)
        });
        self.ended(address, begun);
        flow
    }

    fn eval_kind(&self, node: &Node, input: Batch, sink: &mut Sink<'_>) -> Flow {
        let keep = node.keep;
        match &node.kind {
            Kind::Group { atoms, filters } => self.group(atoms, filters, &input, keep, sink),
            Kind::Join(left, right) => {
                self.eval(left, input, &mut |batch| self.eval(right, batch, sink))
            }
            Kind::Union(left, right) => {
                self.eval(left, input.clone(), sink)?;
                self.eval(right, input, sink)
            }
            Kind::Optional { left, right, filters, row } => self.eval(left, input, &mut |batch| {
                self.optional(right, filters, *row, batch, keep, sink)
            }),
            Kind::Filter(inner, filters) => self.eval(inner, input, &mut |mut batch| {
                for filter in filters {
                    batch = self.filtered(filter, batch, keep.or(slots_of(filters)))?;
                }
                batch.keep(keep);
                if batch.len == 0 { Continue(()) } else { sink(batch) }
            }),
            Kind::Extend(inner, slot, expr) => self.eval(inner, input, &mut |mut batch| {
                let had = batch.column(*slot).cloned();
                if keep.has(*slot) || had.is_some() {
                    let mut value = self.value(expr, &batch)?;
                    if let Some(had) = had {
                        let mut rows = Vec::new();
                        let mut agreed = Vec::new();
                        for row in 0..batch.len {
                            let (a, b) = (had.get(row), value.get(row));
                            if a == b || a == UNBOUND || b == UNBOUND {
                                rows.push(row_number(row));
                                agreed.push(if a == UNBOUND { b } else { a });
                            }
                        }
                        batch = batch.gather(&rows, batch.slots());
                        value = Column::rows(agreed);
                    }
                    batch.set(*slot, value);
                }
                batch.keep(keep);
                sink(batch)
            }),
            Kind::Minus { left, right, shared } => {
                let table = self.indexed(right, *shared);
                self.eval(left, input, &mut |mut batch| {
                    let rows = table.disjoint(&batch);
                    if rows.len() < batch.len {
                        batch = batch.gather(&rows, keep);
                    }
                    batch.keep(keep);
                    if batch.len == 0 { Continue(()) } else { sink(batch) }
                })
            }
            Kind::Table(table) => {
                if input.is_unit() {
                    let mut batch = table.batch();
                    batch.keep(keep);
                    return if batch.len == 0 { Continue(()) } else { sink(batch) };
                }
                let address = std::ptr::from_ref(node).addr();
                let found = self.tables.borrow().get(&address).cloned();
                let index = found.unwrap_or_else(|| {
                    let mut copy = Table::new(Slots::default());
                    copy.slots.clone_from(&table.slots);
                    copy.columns.clone_from(&table.columns);
                    copy.len = table.len;
                    let index = Rc::new(Index::new(copy));
                    self.tables.borrow_mut().insert(address, Rc::clone(&index));
                    index
                });
                index.join(&input, keep, sink)
            }
            Kind::Apart(inner) => {
                if input.is_unit() {
                    return self.eval(inner, input, sink);
                }
                self.indexed(inner, inner.keep).join(&input, keep, sink)
            }
            Kind::Project(inner, shown) => self.eval(inner, input, &mut |mut batch| {
                batch.keep(*shown);
                sink(batch)
            }),
            Kind::Distinct(inner, slots) => {
                let mut seen = Seen::new(*slots);
                self.eval(inner, input, &mut |mut batch| {
                    batch.keep(*slots);
                    let rows = seen.fresh(&batch);
                    look_at_budget();
                    if rows.is_empty() {
                        return Continue(());
                    }
                    sink(batch.gather(&rows, keep))
                })
            }
            Kind::Sort { inner, keys, limit } => {
                let table = self.table(inner, inner.keep);
                let order = self.sorted(&table, keys, *limit);
                for rows in order.chunks(CHUNK) {
                    look_at_budget();
                    let mut batch = table.rows(rows);
                    batch.keep(keep);
                    sink(batch)?;
                }
                Continue(())
            }
            Kind::Slice { inner, start, length } => {
                let (mut skip, mut left) = (*start, length.unwrap_or(usize::MAX));
                let mut wanted = Continue(());
                if left > 0 {
                    let _ = self.eval(inner, input, &mut |mut batch| {
                        if skip >= batch.len {
                            skip -= batch.len;
                            return Continue(());
                        }
                        let len = (batch.len - skip).min(left);
                        if len < batch.len {
                            batch = batch.slice(skip, len);
                        }
                        skip = 0;
                        left -= len;
                        wanted = sink(batch);
                        if left == 0 { Break(()) } else { wanted }
                    });
                }
                if self.failed.get().is_some() { Break(()) } else { wanted }
            }
            Kind::Aggregate { inner, keys, aggregates } => {
                self.aggregated(inner, *keys, aggregates, keep, sink)
            }
        }
    }

    /// All rows of an operator by itself.
    pub(in crate::graph) fn table(&self, node: &Node, slots: Slots) -> Table {
        let mut table = Table::new(slots);
        let _ = self.eval(node, Batch::unit(), &mut |batch| {
            table.push(&batch);
            look_at_budget();
            Continue(())
        });
        table
    }

    /// The same, made once a query, with an index for joins.
    fn indexed(&self, node: &Node, slots: Slots) -> Rc<Index> {
        let address = std::ptr::from_ref(node).addr();
        if let Some(found) = self.tables.borrow().get(&address) {
            return Rc::clone(found);
        }
        let index = Rc::new(Index::new(self.table(node, slots)));
        self.tables.borrow_mut().insert(address, Rc::clone(&index));
        index
    }

    fn optional(
        &self,
        right: &Node,
        filters: &[Filter],
        row: usize,
        mut batch: Batch,
        keep: Slots,
        sink: &mut Sink<'_>,
    ) -> Flow {
        let numbers: Vec<TermId> = (0..batch.len).map(|at| row_number(at) + 1).collect();
        batch.set(row, Column::rows(numbers));
        let mut matched = vec![false; batch.len];
        self.eval(right, batch.clone(), &mut |mut found| {
            let wanted = keep.or(Slots::one(row)).or(slots_of(filters));
            for filter in filters {
                if found.len > 0 {
                    found = self.filtered(filter, found, wanted)?;
                }
            }
            for at in 0..found.len {
                matched[found.get(row, at) as usize - 1] = true;
            }
            found.keep(keep);
            if found.len == 0 { Continue(()) } else { sink(found) }
        })?;
        let alone: Vec<u32> = (0..batch.len).filter(|at| !matched[*at]).map(row_number).collect();
        if alone.is_empty() { Continue(()) } else { sink(batch.gather(&alone, keep)) }
    }

    /// For which rows a pattern has a solution.
    pub(in crate::graph) fn found(&self, exists: &Exists, batch: &Batch) -> Vec<bool> {
        // What stands outside of the filter's group is not seen.
        let mut asked = batch.clone();
        asked.keep(exists.slots);
        let numbers: Vec<TermId> = (0..batch.len).map(|at| row_number(at) + 1).collect();
        asked.set(exists.row, Column::rows(numbers));
        let mut found = vec![false; batch.len];
        let _ = self.eval(&exists.pattern, asked, &mut |batch| {
            for at in 0..batch.len {
                found[batch.get(exists.row, at) as usize - 1] = true;
            }
            Continue(())
        });
        found
    }

    /// The rows for which a filter holds.
    pub(in crate::graph) fn filtered(
        &self,
        filter: &Filter,
        batch: Batch,
        keep: Slots,
    ) -> ControlFlow<(), Batch> {
        let rows = match filter {
            Filter::Expression(expr) => self.holds(expr, &batch)?,
            Filter::Exists { exists, wanted } => {
                let found = self.found(exists, &batch);
                (0..batch.len).filter(|at| found[*at] == *wanted).map(row_number).collect()
            }
        };
        if rows.len() == batch.len {
            return Continue(batch);
        }
        Continue(batch.gather(&rows, keep.and(batch.slots())))
    }
}
