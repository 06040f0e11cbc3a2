//! Expressions over batches. Tests on numbers, dates, texts and identity are
//! made here, once for each distinct value; the common operators and functions
//! in `compute.rs`; all others are handed, once for each distinct row of
//! arguments, to the evaluator, which sees them as triples of a row, a column
//! and a value.

use crate::graph::dataset::BridgeRows;
use crate::graph::dictionary::AHEAD;
use crate::graph::engine::batch::{Batch, Column, UNBOUND, row_number};
use crate::graph::engine::order;
use crate::graph::engine::plan::Expr;
use crate::graph::engine::run::Engine;
use crate::graph::guard::with_guards;
use crate::graph::ranks::{Among, Ranks};
use crate::rdf::TermId;
use oxigraph::model::{Literal, NamedNode, Term, Variable};
use regex::{Regex, RegexBuilder};
use rustc_hash::{FxHashMap, FxHashSet};
use spareval::{ExpressionTerm, QueryEvaluator, QueryResults};
use spargebra::Query;
use spargebra::algebra::{Expression, Function, GraphPattern};
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern};
use std::borrow::Cow;
use std::cell::RefCell;
use std::cmp::Ordering;
use std::ops::ControlFlow::{self, Break, Continue};
use std::rc::Rc;

/// Places for terms that were just used.
const RECENT: usize = 64;

/// An expression and the values of its variables.
type Arguments = (usize, Box<[TermId]>);

/// What was computed in this query.
#[derive(Default)]
pub(in crate::graph) struct Expressions {
    terms: RefCell<FxHashMap<TermId, Option<Rc<ExpressionTerm>>>>,
    /// The last of them, each at a place of its number: most columns of values
    /// have few.
    recent: RefCell<Vec<(TermId, Option<Rc<ExpressionTerm>>)>>,
    values: RefCell<FxHashMap<Arguments, TermId>>,
    tests: RefCell<FxHashMap<(usize, TermId, TermId), Truth>>,
    regexes: RefCell<FxHashMap<usize, Option<Rc<Regex>>>>,
    /// Of expressions of one variable, by its value.
    pub(super) computed: RefCell<FxHashMap<(usize, TermId), TermId>>,
    /// The numbers of integers that were computed.
    integers: RefCell<FxHashMap<i64, TermId>>,
}

/// True, false, or an error (SPARQL 1.1 §17.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Truth {
    True,
    False,
    Error,
}

impl Truth {
    fn of(value: Option<bool>) -> Self {
        match value {
            Some(true) => Self::True,
            Some(false) => Self::False,
            None => Self::Error,
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::True, Self::True) => Self::True,
            _ => Self::Error,
        }
    }

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Error => Self::Error,
        }
    }
}

impl Engine<'_> {
    /// The value of an expression in each row; an error leaves it unbound.
    pub(in crate::graph) fn value(&self, expr: &Expr, batch: &Batch) -> ControlFlow<(), Column> {
        let batch = &*self.tested(expr, batch);
        match &expr.expression {
            Expression::Variable(_) => {
                let slot = expr.variables.first().map(|(slot, _)| *slot);
                let column = slot.and_then(|slot| batch.column(slot).cloned());
                Continue(column.unwrap_or(Column::Same(UNBOUND)))
            }
            Expression::NamedNode(iri) => {
                Continue(Column::Same(self.dataset.number(iri.clone().into())))
            }
            Expression::Literal(literal) => {
                Continue(Column::Same(self.dataset.number(literal.clone().into())))
            }
            other => match self.computed(other, expr, batch) {
                Some(column) => Continue(column),
                None => self.bridged(other, expr, 0, batch),
            },
        }
    }

    /// The rows in which an expression's effective boolean value is true.
    pub(in crate::graph) fn holds(&self, expr: &Expr, batch: &Batch) -> ControlFlow<(), Vec<u32>> {
        let batch = &*self.tested(expr, batch);
        let truth = self.truth(&expr.expression, expr, batch)?;
        Continue((0..batch.len).filter(|row| truth[*row] == Truth::True).map(row_number).collect())
    }

    /// The rows with what each EXISTS of an expression says of them.
    fn tested<'b>(&self, expr: &Expr, batch: &'b Batch) -> Cow<'b, Batch> {
        let mut batch = Cow::Borrowed(batch);
        for test in &expr.tests {
            let [yes, no] = [true, false].map(|truth| {
                let literal = Literal::from(truth);
                self.dataset.number(literal.into())
            });
            let found = self.found(&test.exists, &batch);
            let values = found.into_iter().map(|found| if found { yes } else { no });
            batch.to_mut().set(test.slot, Column::rows(values.collect()));
        }
        batch
    }

    fn truth(
        &self,
        expression: &Expression,
        expr: &Expr,
        batch: &Batch,
    ) -> ControlFlow<(), Vec<Truth>> {
        let column = |variable: &Variable| {
            let slot = expr.variables.iter().find(|(_, name)| name == variable)?.0;
            batch.column(slot).cloned()
        };
        let zip = |a: Vec<Truth>, b: &[Truth], with: fn(Truth, Truth) -> Truth| {
            a.into_iter().zip(b).map(|(a, b)| with(a, *b)).collect::<Vec<Truth>>()
        };
        let address = std::ptr::from_ref(expression).addr();
        match expression {
            Expression::And(a, b) => {
                let a = self.truth(a, expr, batch)?;
                return Continue(zip(a, &self.truth(b, expr, batch)?, Truth::and));
            }
            Expression::Or(a, b) => {
                let a = self.truth(a, expr, batch)?;
                let b = self.truth(b, expr, batch)?;
                return Continue(zip(a, &b, |a, b| a.not().and(b.not()).not()));
            }
            Expression::Not(inner) => {
                let inner = self.truth(inner, expr, batch)?;
                return Continue(inner.into_iter().map(Truth::not).collect());
            }
            Expression::Bound(variable) => {
                let column = column(variable);
                let bound = |row| column.as_ref().is_some_and(|c| c.get(row) != UNBOUND);
                return Continue((0..batch.len).map(|row| Truth::of(Some(bound(row)))).collect());
            }
            Expression::SameTerm(a, b) => {
                if let (Some(a), Some(b)) = (self.simple(a, &column), self.simple(b, &column)) {
                    return Continue(pairs(batch, &a, &b, |a, b| Some(a == b)));
                }
            }
            Expression::Equal(a, b)
            | Expression::Less(a, b)
            | Expression::LessOrEqual(a, b)
            | Expression::Greater(a, b)
            | Expression::GreaterOrEqual(a, b) => {
                if let (Some(a), Some(b)) = (self.simple(a, &column), self.simple(b, &column))
                    && let Some(truth) = self.compared(expression, address, batch, &a, &b)
                {
                    return Continue(truth);
                }
            }
            Expression::FunctionCall(function, arguments) => {
                if let Some(test) = self.text_test(function, arguments, address)
                    && let Some(column) = column(test.variable)
                {
                    let cells = (0..batch.len).map(|row| column.get(row));
                    return Continue(cells.map(|id| self.text(id, &test)).collect());
                }
            }
            _ => {}
        }
        if let Some(truth) = self.computed_truth(expression, expr, batch) {
            return Continue(truth.into_iter().map(Truth::of).collect());
        }
        let value = self.bridged(expression, expr, 1, batch)?;
        let truth = |id| {
            if id == UNBOUND {
                return Truth::Error;
            }
            Truth::of(self.snapshot_text(id).map(|text| text == "true"))
        };
        let mut last = (UNBOUND, Truth::Error);
        let mut each = |id| {
            if last.0 != id {
                last = (id, truth(id));
            }
            last.1
        };
        Continue((0..batch.len).map(|row| each(value.get(row))).collect())
    }

    fn snapshot_text(&self, id: TermId) -> Option<String> {
        match self.dataset.term(id) {
            Term::Literal(literal) => Some(literal.destruct().0),
            _ => None,
        }
    }

    /// A variable's or a constant's column.
    fn simple(
        &self,
        expression: &Expression,
        column: &impl Fn(&Variable) -> Option<Column>,
    ) -> Option<Column> {
        match expression {
            Expression::Variable(variable) => {
                Some(column(variable).unwrap_or(Column::Same(UNBOUND)))
            }
            Expression::NamedNode(iri) => {
                Some(Column::Same(self.dataset.number(iri.clone().into())))
            }
            Expression::Literal(literal) => {
                Some(Column::Same(self.dataset.number(literal.clone().into())))
            }
            _ => None,
        }
    }

    /// Comparisons; `None` if a pair is of a kind that is left to the evaluator.
    fn compared(
        &self,
        expression: &Expression,
        address: usize,
        batch: &Batch,
        a: &Column,
        b: &Column,
    ) -> Option<Vec<Truth>> {
        let mut tests = self.expressions.tests.borrow_mut();
        let mut truth = Vec::with_capacity(batch.len);
        let ranked = self.ranked(a, b);
        // Pairs with a constant come again; two columns seldom do.
        let constant = matches!(a, Column::Same(_)) || matches!(b, Column::Same(_));
        let mut last: Option<(TermId, TermId, Truth)> = None;
        for row in 0..batch.len {
            let (left, right) = (a.get(row), b.get(row));
            if let Some((l, r, known)) = last
                && (l, r) == (left, right)
            {
                truth.push(known);
                continue;
            }
            let by_rank = ranked.as_ref().and_then(|(ranks, among, first)| {
                let order = among.compare(ranks.of(if *first { right } else { left })?)?;
                Some(if *first { order.reverse() } else { order })
            });
            let found = if left == UNBOUND || right == UNBOUND {
                Truth::Error
            } else if let Some(order) = by_rank {
                decided(expression, order)
            } else if constant {
                let key = (address, left, right);
                if let Some(known) = tests.get(&key) {
                    *known
                } else {
                    let found = self.compare(expression, left, right)?;
                    tests.insert(key, found);
                    found
                }
            } else {
                self.compare(expression, left, right)?
            };
            last = Some((left, right, found));
            truth.push(found);
        }
        Some(truth)
    }

    fn compare(&self, expression: &Expression, a: TermId, b: TermId) -> Option<Truth> {
        use ExpressionTerm as E;
        if matches!(expression, Expression::Equal(..)) && (self.is_name(a) || self.is_name(b)) {
            return Some(Truth::of(Some(a == b)));
        }
        let (left, right) = (self.decoded(a)?, self.decoded(b)?);
        let numbers = order::Numbers::of(&left, &right).is_some();
        let alike = matches!(
            (&*left, &*right),
            (E::StringLiteral(_), E::StringLiteral(_))
                | (E::DateLiteral(_), E::DateLiteral(_))
                | (E::DateTimeLiteral(_), E::DateTimeLiteral(_))
        );
        if !numbers && !alike {
            return None;
        }
        let order = order::literals(&left, &right);
        match order {
            Some(order) => Some(decided(expression, order)),
            // Dates with and without a zone may be neither less nor equal.
            None if numbers && matches!(expression, Expression::Equal(..)) => Some(Truth::False),
            None => None,
        }
    }

    /// The ranks with which a column is compared with a constant, and whether
    /// the constant comes first.
    fn ranked(&self, a: &Column, b: &Column) -> Option<(&Ranks, Among, bool)> {
        let (constant, first) = match (a, b) {
            (Column::Same(_), Column::Same(_)) => return None,
            (Column::Same(constant), _) => (*constant, true),
            (_, Column::Same(constant)) => (*constant, false),
            _ => return None,
        };
        let dictionary = self.snapshot.dictionary();
        let constant = self.decoded(constant)?;
        let ranks = dictionary.ranks()?;
        let among = ranks.among(&constant, |id| dictionary.term(id).map(Into::into))?;
        Some((ranks, among, first))
    }

    /// The number of an integer. Counts and parts of dates come again.
    pub(super) fn integer(&self, integer: i64) -> TermId {
        let mut known = self.expressions.integers.borrow_mut();
        let number = || self.dataset.number(Literal::from(integer).into());
        *known.entry(integer).or_insert_with(number)
    }

    /// Whether a term is an IRI or a blank node.
    pub(super) fn is_name(&self, id: TermId) -> bool {
        matches!(self.dataset.tag(id), b'I' | b'B')
    }

    /// A term as the evaluator's functions take it.
    pub(in crate::graph) fn decoded(&self, id: TermId) -> Option<Rc<ExpressionTerm>> {
        if id == UNBOUND {
            return None;
        }
        let mut recent = self.expressions.recent.borrow_mut();
        if recent.is_empty() {
            recent.resize(RECENT, (UNBOUND, None));
        }
        let place = &mut recent[id as usize % RECENT];
        if place.0 != id {
            let mut terms = self.expressions.terms.borrow_mut();
            let made = || Some(Rc::new(self.dataset.term(id).into()));
            *place = (id, terms.entry(id).or_insert_with(made).clone());
        }
        place.1.clone()
    }

    /// Brings near what a column has from a row on, where it is time to.
    pub(super) fn near(&self, row: usize, len: usize, column: &Column) {
        if let Column::Rows(values) = column
            && row.is_multiple_of(AHEAD)
        {
            let some = &values[row..len.min(row + AHEAD)];
            self.snapshot.dictionary().read_ahead(some.iter().copied());
        }
    }

    /// A test on the text of a variable.
    fn text_test<'e>(
        &self,
        function: &Function,
        arguments: &'e [Expression],
        address: usize,
    ) -> Option<TextTest<'e>> {
        let (first, rest) = arguments.split_first()?;
        let Expression::Literal(needle) = rest.first()? else { return None };
        if needle.datatype() != oxigraph::model::vocab::xsd::STRING {
            return None;
        }
        let needle = needle.value();
        let (variable, any, lower) = match first {
            Expression::Variable(variable) => (variable, false, false),
            Expression::FunctionCall(inner, one) => match (inner, &**one) {
                (Function::LCase, [Expression::Variable(variable)]) => (variable, false, true),
                (Function::Str, [Expression::Variable(variable)]) => (variable, true, false),
                (Function::LCase, [Expression::FunctionCall(Function::Str, one)]) => match &**one {
                    [Expression::Variable(variable)] => (variable, true, true),
                    _ => return None,
                },
                _ => return None,
            },
            _ => return None,
        };
        let kind = match (function, rest) {
            (Function::Contains, [_]) => TextKind::Contains,
            (Function::StrStarts, [_]) => TextKind::Starts,
            (Function::StrEnds, [_]) => TextKind::Ends,
            (Function::Regex, [_]) if !lower => TextKind::Regex { any_case: false },
            (Function::Regex, [_, Expression::Literal(flags)]) if !lower => match flags.value() {
                "" => TextKind::Regex { any_case: false },
                "i" => TextKind::Regex { any_case: true },
                _ => return None,
            },
            _ => return None,
        };
        let regex = if let TextKind::Regex { any_case } = kind {
            let mut regexes = self.expressions.regexes.borrow_mut();
            let made = regexes.entry(address).or_insert_with(|| {
                let mut builder = RegexBuilder::new(needle);
                builder.case_insensitive(any_case).size_limit(1 << 20);
                builder.build().ok().map(Rc::new)
            });
            Some(made.clone()?)
        } else {
            None
        };
        Some(TextTest { variable, any, lower, kind, needle, regex })
    }

    fn text(&self, id: TermId, test: &TextTest<'_>) -> Truth {
        crate::graph::budget::touch();
        let holds = |text: &str| match &test.regex {
            Some(regex) => regex.is_match(text),
            None if test.lower && !text.is_ascii() => test.plain(&text.to_lowercase()),
            None if test.lower => test.plain(&text.to_ascii_lowercase()),
            None => test.plain(text),
        };
        let stored = if test.any { self.snapshot.literal(id) } else { self.snapshot.string(id) };
        if let Some((text, _)) = stored {
            return Truth::of(Some(holds(text)));
        }
        if id == UNBOUND {
            return Truth::Error;
        }
        match self.dataset.term(id) {
            Term::NamedNode(iri) if test.any => Truth::of(Some(holds(iri.as_str()))),
            Term::Literal(literal)
                if test.any
                    || literal.language().is_some()
                    || literal.datatype() == oxigraph::model::vocab::xsd::STRING =>
            {
                Truth::of(Some(holds(literal.value())))
            }
            _ => Truth::Error,
        }
    }

    /// Any expression, by the evaluator; `way` 1 asks for its effective
    /// boolean value.
    fn bridged(
        &self,
        expression: &Expression,
        expr: &Expr,
        way: usize,
        batch: &Batch,
    ) -> ControlFlow<(), Column> {
        let address = std::ptr::from_ref(expression).addr() * 2 + way;
        let columns: Vec<Option<&Column>> =
            expr.variables.iter().map(|(slot, _)| batch.column(*slot)).collect();
        let same = columns.iter().all(|c| matches!(c, Some(Column::Same(_)) | None));
        let len = if same { batch.len.min(1) } else { batch.len };
        let row_of = |row: usize| -> Box<[TermId]> {
            columns.iter().map(|c| c.map_or(UNBOUND, |c| c.get(row))).collect()
        };
        let mut values = self.expressions.values.borrow_mut();
        let mut missing: FxHashSet<Box<[TermId]>> = FxHashSet::default();
        let keys: Vec<Arguments> = (0..len).map(|row| (address, row_of(row))).collect();
        for (_, key) in &keys {
            if !missing.contains(key) && !values.contains_key(&(address, key.clone())) {
                missing.insert(key.clone());
            }
        }
        let missing: Vec<Box<[TermId]>> = missing.into_iter().collect();
        if !missing.is_empty() {
            let names: Vec<&Variable> = expr.variables.iter().map(|(_, name)| name).collect();
            let Ok(found) = self.asked(expression, way, &names, &missing) else {
                let _ = self.fail("an expression that the evaluator refuses");
                return Break(());
            };
            for (row, value) in missing.into_iter().zip(found) {
                values.insert((address, row), value);
            }
        }
        let get = |key: &Arguments| values.get(key).copied().unwrap_or(UNBOUND);
        if same {
            return Continue(Column::Same(keys.first().map_or(UNBOUND, get)));
        }
        Continue(Column::rows(keys.iter().map(get).collect()))
    }

    /// Asks the evaluator for an expression over rows of arguments.
    fn asked(
        &self,
        expression: &Expression,
        way: usize,
        names: &[&Variable],
        rows: &[Box<[TermId]>],
    ) -> Result<Vec<TermId>, ()> {
        let mut values = vec![UNBOUND; rows.len()];
        // Rows that bind the same arguments are asked together.
        let mut ways: FxHashMap<Vec<bool>, Vec<usize>> = FxHashMap::default();
        for (at, row) in rows.iter().enumerate() {
            ways.entry(row.iter().map(|id| *id != UNBOUND).collect()).or_default().push(at);
        }
        let (row_name, value_name) =
            (Variable::new_unchecked("row of"), Variable::new_unchecked("value of"));
        for (bound, members) in ways {
            let mut columns = Vec::new();
            let mut patterns = Vec::new();
            let mut column = |object: TermPattern, cells: Vec<TermId>| {
                patterns.push(TriplePattern {
                    subject: TermPattern::Variable(row_name.clone()),
                    predicate: NamedNodePattern::NamedNode(BridgeRows::predicate(columns.len())),
                    object,
                });
                columns.push(cells);
            };
            for (at, name) in names.iter().enumerate() {
                if bound[at] {
                    let cells = members.iter().map(|row| rows[*row][at]).collect();
                    column(TermPattern::Variable((*name).clone()), cells);
                }
            }
            if !bound.contains(&true) {
                let unused = Variable::new_unchecked("none of");
                let cells = vec![self.dataset.number(Literal::from(true).into()); members.len()];
                column(TermPattern::Variable(unused), cells);
            }
            let expression = if way == 1 {
                let value = |value: bool| Box::new(Expression::Literal(Literal::from(value)));
                Expression::If(Box::new(expression.clone()), value(true), value(false))
            } else {
                expression.clone()
            };
            let (Query::Select { base_iri, .. }
            | Query::Ask { base_iri, .. }
            | Query::Construct { base_iri, .. }
            | Query::Describe { base_iri, .. }) = self.query;
            let query = Query::Select {
                dataset: None,
                pattern: GraphPattern::Project {
                    inner: Box::new(GraphPattern::Extend {
                        inner: Box::new(GraphPattern::Bgp { patterns }),
                        variable: value_name.clone(),
                        expression,
                    }),
                    variables: vec![row_name.clone(), value_name.clone()],
                },
                base_iri: base_iri.clone(),
            };
            let dataset = self.dataset.with_rows(columns);
            let evaluator = with_guards(QueryEvaluator::new());
            let results = evaluator.prepare(&query).execute(dataset).map_err(|_| ())?;
            let QueryResults::Solutions(solutions) = results else { return Err(()) };
            for solution in solutions {
                let solution = solution.map_err(|_| ())?;
                let Some(Term::Literal(row)) = solution.get(&row_name) else { return Err(()) };
                let row: usize = row.value().parse().map_err(|_| ())?;
                if let Some(value) = solution.get(&value_name) {
                    let member = *members.get(row).ok_or(())?;
                    values[member] = self.dataset.number(value.clone());
                }
            }
        }
        Ok(values)
    }
}

fn pairs(
    batch: &Batch,
    a: &Column,
    b: &Column,
    test: impl Fn(TermId, TermId) -> Option<bool>,
) -> Vec<Truth> {
    (0..batch.len)
        .map(|row| match (a.get(row), b.get(row)) {
            (UNBOUND, _) | (_, UNBOUND) => Truth::Error,
            (a, b) => Truth::of(test(a, b)),
        })
        .collect()
}

/// What a comparison says of two values in this order.
fn decided(expression: &Expression, order: Ordering) -> Truth {
    Truth::of(Some(match expression {
        Expression::Equal(..) => order.is_eq(),
        Expression::Less(..) => order.is_lt(),
        Expression::LessOrEqual(..) => order.is_le(),
        Expression::Greater(..) => order.is_gt(),
        _ => order.is_ge(),
    }))
}

struct TextTest<'e> {
    variable: &'e Variable,
    /// Whether other terms are taken by their text, as STR does.
    any: bool,
    lower: bool,
    kind: TextKind,
    needle: &'e str,
    regex: Option<Rc<Regex>>,
}

#[derive(Clone, Copy)]
enum TextKind {
    Contains,
    Starts,
    Ends,
    Regex { any_case: bool },
}

impl TextTest<'_> {
    fn plain(&self, text: &str) -> bool {
        match self.kind {
            TextKind::Contains => text.contains(self.needle),
            TextKind::Starts => text.starts_with(self.needle),
            TextKind::Ends => text.ends_with(self.needle),
            TextKind::Regex { .. } => false,
        }
    }
}

/// Keeps the type of a column's name in one place.
impl BridgeRows {
    fn predicate(column: usize) -> NamedNode {
        NamedNode::new_unchecked(format!("urn:insites:internal:column:{column}"))
    }
}
