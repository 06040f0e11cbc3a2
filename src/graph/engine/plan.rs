//! From the algebra of a query to a tree of operators over slots. Each operator
//! joins its pattern to the rows that it is given, which is how hits of a
//! search, the left side of an OPTIONAL and the rows of an EXISTS drive what
//! follows. Where joining row by row would not mean what the specification
//! says (SPARQL 1.1 §18.2, evaluated from the bottom up), the operator is set
//! apart: it runs by itself and its table is joined. Not for running.

use crate::graph::clause::{SearchCell, SearchTable, number_of};
use crate::graph::dataset::{GraphSet, QueryDataset};
use crate::graph::engine::batch::{Slots, Table};
use crate::graph::engine::bound::{bound, slots_of, want};
use crate::graph::expressions::{children, children_mut};
use crate::rdf::TermId;
use oxigraph::model::{Literal, NamedNode, Term, Variable};
use oxsdatatypes::DateTime;
use spargebra::algebra::{
    AggregateExpression, AggregateFunction, Expression, Function, GraphPattern, OrderExpression,
    PropertyPathExpression as Path,
};
use spargebra::term::{GroundTerm, NamedNodePattern, TermPattern};
use std::collections::{HashMap, HashSet};

/// What the engine does not do; the query goes to the evaluator whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::graph) struct NotCovered(pub(in crate::graph) &'static str);

/// The most named graphs that are asked one after the other.
const MOST_GRAPHS: usize = 16;

impl std::fmt::Display for NotCovered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

type Planned<T> = Result<T, NotCovered>;

/// An end of a triple pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::graph) enum Place {
    Term(TermId),
    Slot(usize),
}

impl Place {
    pub(in crate::graph) fn slots(self) -> Slots {
        match self {
            Self::Term(_) => Slots::default(),
            Self::Slot(slot) => Slots::one(slot),
        }
    }
}

/// What leads from the subject of a pattern to its object.
#[derive(Debug)]
pub(in crate::graph) enum Link {
    Predicate(TermId),
    Variable(usize),
    /// Any predicate but these; each triple is a solution.
    Not(Vec<TermId>),
    Closure(Steps),
}

/// A property path whose solutions are a set (SPARQL 1.1 §18.4).
#[derive(Debug)]
pub(in crate::graph) enum Steps {
    Predicate(TermId),
    Reverse(Box<Steps>),
    Sequence(Box<Steps>, Box<Steps>),
    Either(Box<Steps>, Box<Steps>),
    Repeat { inner: Box<Steps>, zero: bool, many: bool },
    Not(Vec<TermId>),
}

/// A triple pattern or a path.
#[derive(Debug)]
pub(in crate::graph) struct Atom {
    pub(in crate::graph) subject: Place,
    pub(in crate::graph) link: Link,
    pub(in crate::graph) object: Place,
    /// Which of the plan's graphs it is asked of.
    pub(in crate::graph) graph: usize,
}

impl Atom {
    pub(in crate::graph) fn slots(&self) -> Slots {
        let mut slots = self.subject.slots().or(self.object.slots());
        if let Link::Variable(slot) = self.link {
            slots.add(slot);
        }
        slots
    }
}

/// An expression, the variables in it, and what it asks of patterns.
#[derive(Debug)]
pub(in crate::graph) struct Expr {
    pub(in crate::graph) expression: Expression,
    pub(in crate::graph) variables: Vec<(usize, Variable)>,
    pub(in crate::graph) tests: Vec<Test>,
}

/// What an expression asks of rows and of patterns.
type Asked = (Vec<(usize, Variable)>, Vec<Test>);

/// An EXISTS inside an expression, where a variable stands for what it says.
#[derive(Debug)]
pub(in crate::graph) struct Test {
    pub(in crate::graph) exists: Exists,
    /// The slot of the variable.
    pub(in crate::graph) slot: usize,
}

impl Expr {
    /// The slots that it reads of the rows that it is given.
    pub(in crate::graph) fn slots(&self) -> Slots {
        let own = |slot: usize| self.tests.iter().any(|test| test.slot == slot);
        let variables = self.variables.iter().map(|(slot, _)| *slot).filter(|slot| !own(*slot));
        let all = variables.fold(Slots::default(), |slots, slot| slots.or(Slots::one(slot)));
        self.tests.iter().fold(all, |slots, test| slots.or(test.exists.slots))
    }
}

/// Whether a pattern has a solution that agrees with a row.
#[derive(Debug)]
pub(in crate::graph) struct Exists {
    pub(in crate::graph) pattern: Node,
    /// Which row it is, in the rows that the pattern is given.
    pub(in crate::graph) row: usize,
    /// What it sees of a row.
    pub(in crate::graph) slots: Slots,
}

/// What a row must fulfil.
#[derive(Debug)]
pub(in crate::graph) enum Filter {
    Expression(Expr),
    Exists { exists: Exists, wanted: bool },
}

impl Filter {
    pub(in crate::graph) fn slots(&self) -> Slots {
        match self {
            Self::Expression(expr) => expr.slots(),
            Self::Exists { exists, .. } => exists.slots,
        }
    }
}

/// An aggregate, its result's slot, and its argument's.
#[derive(Debug)]
pub(in crate::graph) struct Aggregate {
    pub(in crate::graph) slot: usize,
    pub(in crate::graph) kind: AggregateKind,
    pub(in crate::graph) distinct: bool,
    /// `None` counts solutions.
    pub(in crate::graph) argument: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::graph) enum AggregateKind {
    Count,
    Sum,
    Average,
    Least,
    Most,
    Sample,
    Concat(String),
}

/// An operator; the rows that it gives hold the slots in `keep` and those of
/// its input that somebody above wants.
#[derive(Debug)]
pub(in crate::graph) struct Node {
    pub(in crate::graph) kind: Kind,
    /// What is read of its rows further on.
    pub(in crate::graph) keep: Slots,
}

#[derive(Debug)]
pub(in crate::graph) enum Kind {
    /// Patterns joined in the best order, each filter as soon as it can be.
    Group {
        atoms: Vec<Atom>,
        filters: Vec<Filter>,
    },
    Join(Box<Node>, Box<Node>),
    Optional {
        left: Box<Node>,
        right: Box<Node>,
        filters: Vec<Filter>,
        row: usize,
    },
    Union(Box<Node>, Box<Node>),
    Minus {
        left: Box<Node>,
        right: Box<Node>,
        shared: Slots,
    },
    Filter(Box<Node>, Vec<Filter>),
    Extend(Box<Node>, usize, Expr),
    Table(Table),
    /// Run by itself, once, and joined.
    Apart(Box<Node>),
    Project(Box<Node>, Slots),
    Distinct(Box<Node>, Slots),
    Sort {
        inner: Box<Node>,
        keys: Vec<(usize, bool)>,
        limit: Option<usize>,
    },
    Slice {
        inner: Box<Node>,
        start: usize,
        length: Option<usize>,
    },
    Aggregate {
        inner: Box<Node>,
        keys: Slots,
        aggregates: Vec<Aggregate>,
    },
}

/// A plan and what it needs to run.
pub(in crate::graph) struct Plan {
    pub(in crate::graph) root: Node,
    /// The graphs that patterns are asked of; the first is the default graph.
    pub(in crate::graph) graphs: Vec<GraphSet>,
    /// The slots of the variables asked for, in order.
    pub(in crate::graph) answer: Vec<usize>,
    /// The names of the slots; empty where the query gives none.
    pub(in crate::graph) names: Vec<String>,
}

/// Plans a pattern whose answer is these variables, or, for a template, all
/// that it names.
pub(in crate::graph) fn plan(
    pattern: &GraphPattern,
    answer: &[Variable],
    dataset: &QueryDataset,
    tables: &[SearchTable],
) -> Planned<Plan> {
    let mut planner = Planner {
        dataset,
        tables,
        now: DateTime::now(),
        names: HashMap::new(),
        scopes: Vec::new(),
        width: 0,
        shown: Vec::new(),
        graphs: vec![dataset.default_set().clone()],
    };
    let root = planner.node(pattern, Slots::default(), 0)?;
    let answer: Vec<usize> =
        answer.iter().map(|v| planner.slot(v.as_str())).collect::<Planned<_>>()?;
    let wanted = answer.iter().fold(Slots::default(), |all, slot| all.or(Slots::one(*slot)));
    let mut root = root;
    want(&mut root, wanted);
    Ok(Plan { root, graphs: planner.graphs, answer, names: planner.shown })
}

struct Planner<'a> {
    dataset: &'a QueryDataset,
    now: DateTime,
    tables: &'a [SearchTable],
    names: HashMap<String, usize>,
    scopes: Vec<HashMap<String, usize>>,
    width: usize,
    shown: Vec<String>,
    graphs: Vec<GraphSet>,
}

impl Planner<'_> {
    fn fresh(&mut self) -> Planned<usize> {
        if self.width == Slots::MOST {
            return Err(NotCovered("more than 128 variables"));
        }
        self.width += 1;
        self.shown.push(String::new());
        Ok(self.width - 1)
    }

    fn slot(&mut self, name: &str) -> Planned<usize> {
        if let Some(slot) = self.names.get(name) {
            return Ok(*slot);
        }
        let slot = self.fresh()?;
        name.clone_into(&mut self.shown[slot]);
        self.names.insert(name.to_owned(), slot);
        Ok(slot)
    }

    fn term(&self, term: impl Into<Term>) -> TermId {
        self.dataset.number(term.into())
    }

    fn place(&mut self, term: &TermPattern) -> Planned<Place> {
        Ok(match term {
            TermPattern::NamedNode(iri) => Place::Term(self.term(iri.clone())),
            TermPattern::Literal(literal) => Place::Term(self.term(literal.clone())),
            TermPattern::BlankNode(node) => {
                Place::Slot(self.slot(&format!("_:{}", node.as_str()))?)
            }
            TermPattern::Variable(variable) => Place::Slot(self.slot(variable.as_str())?),
            TermPattern::Triple(_) => return Err(NotCovered("a triple term in a pattern")),
        })
    }

    /// `seeds` may be bound in the rows that the operator is given.
    fn node(&mut self, pattern: &GraphPattern, seeds: Slots, graph: usize) -> Planned<Node> {
        let kind = match pattern {
            GraphPattern::Bgp { patterns } => {
                let mut atoms = Vec::new();
                for triple in patterns {
                    let (subject, object) =
                        (self.place(&triple.subject)?, self.place(&triple.object)?);
                    let link = match &triple.predicate {
                        NamedNodePattern::NamedNode(iri) => Link::Predicate(self.term(iri.clone())),
                        NamedNodePattern::Variable(variable) => {
                            let slot = self.slot(variable.as_str())?;
                            if [subject, object].contains(&Place::Slot(slot)) {
                                return Err(NotCovered("a predicate that is also an end"));
                            }
                            Link::Variable(slot)
                        }
                    };
                    atoms.push(Atom { subject, link, object, graph });
                }
                Kind::Group { atoms, filters: Vec::new() }
            }
            GraphPattern::Path { subject, path, object } => {
                let (subject, object) = (self.place(subject)?, self.place(object)?);
                return self.path(subject, path, object, graph);
            }
            GraphPattern::Lateral { right, .. } if !is_plain(right) => {
                return Err(NotCovered("LATERAL over more than patterns"));
            }
            GraphPattern::Join { left, right } | GraphPattern::Lateral { left, right } => {
                let left = self.node(left, seeds, graph)?;
                let seeds = seeds.or(bound(&left).some);
                let right = self.node(right, seeds, graph)?;
                return Ok(join(left, right));
            }
            GraphPattern::LeftJoin { left, right, expression } => {
                return self.optional(left, right, expression.as_ref(), seeds, graph);
            }
            GraphPattern::Union { left, right } => Kind::Union(
                Box::new(self.node(left, seeds, graph)?),
                Box::new(self.node(right, seeds, graph)?),
            ),
            GraphPattern::Minus { left, right } => {
                let left = self.node(left, seeds, graph)?;
                let right = self.node(right, Slots::default(), graph)?;
                let (inside, other) = (bound(&left), bound(&right));
                let shared = inside.some.and(other.some);
                if !shared.and(seeds).within(inside.all) {
                    return self.alone(pattern, graph);
                }
                Kind::Minus { left: Box::new(left), right: Box::new(right), shared }
            }
            GraphPattern::Filter { expr, inner } => {
                let inner = self.node(inner, seeds, graph)?;
                let inside = bound(&inner);
                let mut filters = Vec::new();
                self.filters(expr, inside.some, graph, &mut filters)?;
                if !slots_of(&filters).and(seeds).within(inside.all) {
                    return self.alone(pattern, graph);
                }
                return Ok(filtered(inner, filters));
            }
            GraphPattern::Extend { inner, variable, expression } => {
                let inner = self.node(inner, seeds, graph)?;
                let inside = bound(&inner);
                let expr = self.expression(expression, inside.some, graph)?;
                if !expr.slots().and(seeds).within(inside.all) {
                    return self.alone(pattern, graph);
                }
                Kind::Extend(Box::new(inner), self.slot(variable.as_str())?, expr)
            }
            GraphPattern::Values { variables, .. } if let Some(number) = number_of(variables) => {
                let Some(hits) = self.tables.get(number) else {
                    return Err(NotCovered("a search without its hits"));
                };
                let mut table = Table { len: hits.len, ..Table::default() };
                for (variable, cells) in variables[1..].iter().zip(&hits.columns) {
                    table.slots.push(self.slot(variable.as_str())?);
                    let cell = |cell: &Option<SearchCell>| match cell {
                        Some(SearchCell::Stored(id)) => *id,
                        Some(SearchCell::Made(term)) => self.term(term.clone()),
                        None => 0,
                    };
                    table.columns.push(cells.iter().map(cell).collect());
                }
                Kind::Table(table)
            }
            GraphPattern::Values { variables, bindings } => {
                let mut table = Table { len: bindings.len(), ..Table::default() };
                for (at, variable) in variables.iter().enumerate() {
                    table.slots.push(self.slot(variable.as_str())?);
                    let cell = |row: &Vec<Option<GroundTerm>>| {
                        row[at].clone().map_or(0, |term| self.term(Term::from(term)))
                    };
                    table.columns.push(bindings.iter().map(cell).collect());
                }
                Kind::Table(table)
            }
            GraphPattern::Graph { name, inner } => {
                let name = match name {
                    NamedNodePattern::NamedNode(name) => name,
                    NamedNodePattern::Variable(name) => {
                        return self.any_graph(name.as_str(), inner, seeds);
                    }
                };
                let id = self.term(name.clone());
                let set = self.dataset.named_set(id);
                self.graphs.push(set);
                let graph = self.graphs.len() - 1;
                return self.node(inner, seeds, graph);
            }
            GraphPattern::OrderBy { .. }
            | GraphPattern::Project { .. }
            | GraphPattern::Distinct { .. }
            | GraphPattern::Reduced { .. }
            | GraphPattern::Slice { .. }
            | GraphPattern::Group { .. } => return self.apart(pattern, seeds, graph),
            GraphPattern::Service { .. } => return Err(NotCovered("SERVICE")),
        };
        Ok(node(kind))
    }

    fn optional(
        &mut self,
        left: &GraphPattern,
        right: &GraphPattern,
        expression: Option<&Expression>,
        seeds: Slots,
        graph: usize,
    ) -> Planned<Node> {
        let left_node = self.node(left, seeds, graph)?;
        let inside = bound(&left_node);
        let right_node = self.node(right, seeds.or(inside.some), graph)?;
        // The right side would see what was bound outside of both.
        if !bound(&right_node).some.and(seeds).within(inside.all) {
            let node = self.optional(left, right, expression, Slots::default(), graph)?;
            return Ok(self::node(Kind::Apart(Box::new(node))));
        }
        let visible = inside.some.or(bound(&right_node).some);
        let mut filters = Vec::new();
        if let Some(expression) = expression {
            self.filters(expression, visible, graph, &mut filters)?;
        }
        let row = self.fresh()?;
        let kind =
            Kind::Optional { left: Box::new(left_node), right: Box::new(right_node), filters, row };
        Ok(node(kind))
    }

    /// `GRAPH ?g`: the union over the named graphs (SPARQL 1.1 §18.6).
    fn any_graph(&mut self, name: &str, inner: &GraphPattern, seeds: Slots) -> Planned<Node> {
        let slot = self.slot(name)?;
        let graphs = self.dataset.named_graph_numbers();
        if graphs.len() > MOST_GRAPHS {
            return Err(NotCovered("GRAPH with a variable over many graphs"));
        }
        let mut all: Option<Node> = None;
        for id in graphs {
            let set = self.dataset.named_set(id);
            self.graphs.push(set);
            let graph = self.graphs.len() - 1;
            let inner = self.node(inner, seeds.or(Slots::one(slot)), graph)?;
            let table = Table { len: 1, slots: vec![slot], columns: vec![vec![id]] };
            let one = Kind::Join(Box::new(node(Kind::Table(table))), Box::new(inner));
            let one = Node { kind: one, keep: Slots::default() };
            all = Some(match all {
                None => one,
                Some(others) => Node {
                    kind: Kind::Union(Box::new(others), Box::new(one)),
                    keep: Slots::default(),
                },
            });
        }
        Ok(all.unwrap_or_else(|| {
            let table = Table { len: 0, slots: vec![slot], columns: vec![Vec::new()] };
            Node { kind: Kind::Table(table), keep: Slots::default() }
        }))
    }

    /// A pattern that would see, in rows that it does not bind, what stands
    /// outside of it: it runs by itself and is joined.
    fn alone(&mut self, pattern: &GraphPattern, graph: usize) -> Planned<Node> {
        let node = self.node(pattern, Slots::default(), graph)?;
        Ok(self::node(Kind::Apart(Box::new(node))))
    }

    /// A part that is evaluated by itself; its inner variables are its own.
    fn apart(&mut self, pattern: &GraphPattern, seeds: Slots, graph: usize) -> Planned<Node> {
        let node = self.modified(pattern, graph)?;
        if seeds.is_empty() {
            return Ok(node);
        }
        Ok(self::node(Kind::Apart(Box::new(node))))
    }

    fn modified(&mut self, pattern: &GraphPattern, graph: usize) -> Planned<Node> {
        let kind = match pattern {
            GraphPattern::Project { inner, variables } => {
                let mut inside = HashMap::new();
                let mut shown = Slots::default();
                for variable in variables {
                    let slot = self.slot(variable.as_str())?;
                    inside.insert(variable.as_str().to_owned(), slot);
                    shown.add(slot);
                }
                let outside = std::mem::replace(&mut self.names, inside);
                self.scopes.push(outside);
                let inner = self.modified(inner, graph)?;
                self.names = self.scopes.pop().unwrap_or_default();
                Kind::Project(Box::new(inner), shown)
            }
            GraphPattern::Distinct { inner } | GraphPattern::Reduced { inner } => {
                let inner = self.modified(inner, graph)?;
                let slots = bound(&inner).some;
                Kind::Distinct(Box::new(inner), slots)
            }
            GraphPattern::Slice { inner, start, length } => {
                let mut inner = self.modified(inner, graph)?;
                if let Some(length) = length {
                    limit(&mut inner, start.saturating_add(*length));
                }
                Kind::Slice { inner: Box::new(inner), start: *start, length: *length }
            }
            GraphPattern::OrderBy { inner, expression } => {
                let mut inner = self.modified(inner, graph)?;
                let mut keys = Vec::new();
                for order in expression {
                    let (expr, descending) = match order {
                        OrderExpression::Asc(expr) => (expr, false),
                        OrderExpression::Desc(expr) => (expr, true),
                    };
                    let slot;
                    (inner, slot) = self.computed(inner, expr, graph)?;
                    keys.push((slot, descending));
                }
                Kind::Sort { inner: Box::new(inner), keys, limit: None }
            }
            GraphPattern::Group { inner, variables, aggregates } => {
                let mut inner = self.node(inner, Slots::default(), graph)?;
                let mut keys = Slots::default();
                for variable in variables {
                    keys.add(self.slot(variable.as_str())?);
                }
                let mut found = Vec::new();
                for (variable, aggregate) in aggregates {
                    let (kind, distinct, expr) = match aggregate {
                        AggregateExpression::CountSolutions { distinct: false } => {
                            (AggregateKind::Count, false, None)
                        }
                        AggregateExpression::CountSolutions { distinct: true } => {
                            if aggregates.len() > 1 {
                                return Err(NotCovered("COUNT(DISTINCT *) beside another"));
                            }
                            // Solutions of a group differ where all solutions do.
                            let slots = bound(&inner).some;
                            inner = self::node(Kind::Distinct(Box::new(inner), slots));
                            (AggregateKind::Count, false, None)
                        }
                        AggregateExpression::FunctionCall { name, expr, distinct } => {
                            (aggregate_kind(name)?, *distinct, Some(expr))
                        }
                    };
                    let argument = match expr {
                        None => None,
                        Some(expr) => {
                            let slot;
                            (inner, slot) = self.computed(inner, expr, graph)?;
                            Some(slot)
                        }
                    };
                    let slot = self.slot(variable.as_str())?;
                    found.push(Aggregate { slot, kind, distinct, argument });
                }
                Kind::Aggregate { inner: Box::new(inner), keys, aggregates: found }
            }
            GraphPattern::Extend { inner, variable, expression } => {
                let inner = self.modified(inner, graph)?;
                let expr = self.expression(expression, bound(&inner).some, graph)?;
                Kind::Extend(Box::new(inner), self.slot(variable.as_str())?, expr)
            }
            GraphPattern::Filter { expr, inner } => {
                let inner = self.modified(inner, graph)?;
                let mut filters = Vec::new();
                self.filters(expr, bound(&inner).some, graph, &mut filters)?;
                return Ok(filtered(inner, filters));
            }
            other => return self.node(other, Slots::default(), graph),
        };
        Ok(node(kind))
    }

    /// The slot that holds the value of an expression, computed if it is more
    /// than a variable.
    fn computed(&mut self, inner: Node, expr: &Expression, graph: usize) -> Planned<(Node, usize)> {
        let visible = bound(&inner).some;
        if let Expression::Variable(variable) = expr {
            let slot = self.slot(variable.as_str())?;
            if visible.has(slot) {
                return Ok((inner, slot));
            }
        }
        let expr = self.expression(expr, visible, graph)?;
        let slot = self.fresh()?;
        let kind = Kind::Extend(Box::new(inner), slot, expr);
        Ok((node(kind), slot))
    }

    fn expression(
        &mut self,
        expression: &Expression,
        visible: Slots,
        graph: usize,
    ) -> Planned<Expr> {
        let mut expression = expression.clone();
        let mut asked = (Vec::new(), Vec::new());
        self.resolve(&mut expression, visible, graph, &mut asked)?;
        let (variables, tests) = asked;
        Ok(Expr { expression, variables, tests })
    }

    /// Finds the slots of the variables; one that is not visible here gets a
    /// name that is never bound.
    fn resolve(
        &mut self,
        expression: &mut Expression,
        visible: Slots,
        graph: usize,
        asked: &mut Asked,
    ) -> Planned<()> {
        let (variables, tests) = &mut *asked;
        match expression {
            Expression::Variable(variable) | Expression::Bound(variable) => {
                let slot = self.slot(variable.as_str())?;
                if !visible.has(slot) {
                    *variable = Variable::new_unchecked("not visible");
                } else if !variables.iter().any(|(known, _)| *known == slot) {
                    variables.push((slot, variable.clone()));
                }
            }
            // One time for the whole query (SPARQL 1.1 §17.4.5.1).
            Expression::FunctionCall(Function::Now, _) => {
                *expression = Literal::from(self.now).into();
                return Ok(());
            }
            Expression::FunctionCall(
                Function::Rand | Function::Uuid | Function::StrUuid | Function::BNode,
                _,
            ) => return Err(NotCovered("a function with a new value each time")),
            Expression::FunctionCall(Function::Custom(name), _) if !is_known(name) => {
                return Err(NotCovered("a function that is not known here"));
            }
            Expression::Exists(pattern) => {
                let exists = self.exists(pattern, visible, graph)?;
                let slot = self.fresh()?;
                let variable = Variable::new_unchecked(format!("exists {slot}"));
                variables.push((slot, variable.clone()));
                tests.push(Test { exists, slot });
                *expression = variable.into();
                return Ok(());
            }
            _ => {}
        }
        for item in children_mut(expression) {
            self.resolve(item, visible, graph, asked)?;
        }
        Ok(())
    }

    /// The parts of a filter that must all be true.
    fn filters(
        &mut self,
        expression: &Expression,
        visible: Slots,
        graph: usize,
        found: &mut Vec<Filter>,
    ) -> Planned<()> {
        match expression {
            Expression::And(a, b) => {
                self.filters(a, visible, graph, found)?;
                self.filters(b, visible, graph, found)
            }
            Expression::Exists(pattern) => {
                let exists = self.exists(pattern, visible, graph)?;
                found.push(Filter::Exists { exists, wanted: true });
                Ok(())
            }
            Expression::Not(inner) if matches!(&**inner, Expression::Exists(_)) => {
                let Expression::Exists(pattern) = &**inner else { return Ok(()) };
                let exists = self.exists(pattern, visible, graph)?;
                found.push(Filter::Exists { exists, wanted: false });
                Ok(())
            }
            other => {
                found.push(Filter::Expression(self.expression(other, visible, graph)?));
                Ok(())
            }
        }
    }

    /// The values of a row stand for its variables everywhere in the pattern
    /// (SPARQL 1.1 §18.6), in its filters as well.
    fn exists(&mut self, pattern: &GraphPattern, visible: Slots, graph: usize) -> Planned<Exists> {
        let mut pattern = pattern;
        let mut conditions = Vec::new();
        while let GraphPattern::Filter { expr, inner } = pattern {
            conditions.push(expr);
            pattern = inner;
        }
        if !is_plain(pattern) {
            return Err(NotCovered("EXISTS with more than patterns and filters"));
        }
        let inner = self.node(pattern, visible, graph)?;
        let seen = bound(&inner).some.or(visible);
        let mut filters = Vec::new();
        for condition in conditions {
            self.filters(condition, seen, graph, &mut filters)?;
        }
        let slots = bound(&inner).some.or(slots_of(&filters)).and(visible);
        Ok(Exists { pattern: filtered(inner, filters), row: self.fresh()?, slots })
    }

    fn path(&mut self, subject: Place, path: &Path, object: Place, graph: usize) -> Planned<Node> {
        let atom = |link| {
            let atoms = vec![Atom { subject, link, object, graph }];
            Node { kind: Kind::Group { atoms, filters: Vec::new() }, keep: Slots::default() }
        };
        Ok(match path {
            Path::NamedNode(iri) => atom(Link::Predicate(self.term(iri.clone()))),
            Path::Reverse(inner) => return self.path(object, inner, subject, graph),
            Path::Sequence(first, second) => {
                let middle = Place::Slot(self.fresh()?);
                let first = self.path(subject, first, middle, graph)?;
                join(first, self.path(middle, second, object, graph)?)
            }
            Path::Alternative(one, other) => {
                let one = self.path(subject, one, object, graph)?;
                let other = self.path(subject, other, object, graph)?;
                let kind = Kind::Union(Box::new(one), Box::new(other));
                node(kind)
            }
            Path::NegatedPropertySet(iris) => atom(Link::Not(self.numbers(iris))),
            Path::ZeroOrMore(_) | Path::OneOrMore(_) | Path::ZeroOrOne(_) => {
                atom(Link::Closure(self.steps(path)))
            }
        })
    }

    fn numbers(&self, iris: &[NamedNode]) -> Vec<TermId> {
        iris.iter().map(|iri| self.term(iri.clone())).collect()
    }

    fn steps(&self, path: &Path) -> Steps {
        let repeat = |inner: &Path, zero, many| Steps::Repeat {
            inner: Box::new(self.steps(inner)),
            zero,
            many,
        };
        match path {
            Path::NamedNode(iri) => Steps::Predicate(self.term(iri.clone())),
            Path::Reverse(inner) => Steps::Reverse(Box::new(self.steps(inner))),
            Path::Sequence(a, b) => {
                Steps::Sequence(Box::new(self.steps(a)), Box::new(self.steps(b)))
            }
            Path::Alternative(a, b) => {
                Steps::Either(Box::new(self.steps(a)), Box::new(self.steps(b)))
            }
            Path::ZeroOrMore(inner) => repeat(inner, true, true),
            Path::OneOrMore(inner) => repeat(inner, false, true),
            Path::ZeroOrOne(inner) => repeat(inner, true, false),
            Path::NegatedPropertySet(iris) => Steps::Not(self.numbers(iris)),
        }
    }
}

/// Casts and the guard of long texts; the evaluator tells of others.
fn is_known(name: &NamedNode) -> bool {
    name.as_str().starts_with("http://www.w3.org/2001/XMLSchema#")
        || name.as_str() == crate::graph::guard::GUARD
}

/// Patterns, and filters on what their own pattern binds in each solution: they
/// mean the same for each row by itself.
fn is_plain(pattern: &GraphPattern) -> bool {
    match pattern {
        GraphPattern::Bgp { .. } | GraphPattern::Path { .. } | GraphPattern::Values { .. } => true,
        GraphPattern::Join { left, right } | GraphPattern::Union { left, right } => {
            is_plain(left) && is_plain(right)
        }
        GraphPattern::Filter { expr, inner } => {
            let mut certain = HashSet::new();
            add_certain(inner, &mut certain);
            is_plain(inner) && asks_only(expr, &certain)
        }
        GraphPattern::Graph { inner, .. } => is_plain(inner),
        _ => false,
    }
}

/// Adds variables that a plain pattern binds in each solution.
fn add_certain<'p>(pattern: &'p GraphPattern, certain: &mut HashSet<&'p Variable>) {
    let mut add = |term: &'p TermPattern| {
        if let TermPattern::Variable(variable) = term {
            certain.insert(variable);
        }
    };
    match pattern {
        GraphPattern::Bgp { patterns } => {
            for triple in patterns {
                add(&triple.subject);
                add(&triple.object);
            }
        }
        GraphPattern::Path { subject, object, .. } => {
            add(subject);
            add(object);
        }
        GraphPattern::Join { left, right } => {
            add_certain(left, certain);
            add_certain(right, certain);
        }
        GraphPattern::Filter { inner, .. } | GraphPattern::Graph { inner, .. } => {
            add_certain(inner, certain);
        }
        _ => {}
    }
}

/// Whether an expression asks of these variables alone, and of no pattern.
fn asks_only(expression: &Expression, of: &HashSet<&Variable>) -> bool {
    match expression {
        Expression::Variable(variable) | Expression::Bound(variable) => of.contains(variable),
        Expression::Exists(_) => false,
        other => children(other).into_iter().all(|child| asks_only(child, of)),
    }
}

fn aggregate_kind(name: &AggregateFunction) -> Planned<AggregateKind> {
    Ok(match name {
        AggregateFunction::Count => AggregateKind::Count,
        AggregateFunction::Sum => AggregateKind::Sum,
        AggregateFunction::Avg => AggregateKind::Average,
        AggregateFunction::Min => AggregateKind::Least,
        AggregateFunction::Max => AggregateKind::Most,
        AggregateFunction::Sample => AggregateKind::Sample,
        AggregateFunction::GroupConcat { separator } => {
            AggregateKind::Concat(separator.clone().unwrap_or_else(|| " ".to_owned()))
        }
        AggregateFunction::Custom(_) => return Err(NotCovered("an aggregate of its own")),
    })
}

/// Joins two operators; patterns side by side become one group, which is
/// ordered as a whole.
fn join(left: Node, right: Node) -> Node {
    let kind = match (left.kind, right.kind) {
        (Kind::Group { mut atoms, mut filters }, Kind::Group { atoms: more, filters: others }) => {
            atoms.extend(more);
            filters.extend(others);
            Kind::Group { atoms, filters }
        }
        (Kind::Join(first, second), Kind::Group { atoms, filters })
            if matches!(second.kind, Kind::Group { .. }) =>
        {
            let right = Node { kind: Kind::Group { atoms, filters }, keep: Slots::default() };
            Kind::Join(first, Box::new(join(*second, right)))
        }
        // A table goes first: its rows drive the patterns.
        (left @ Kind::Group { .. }, right @ Kind::Table(_)) => {
            Kind::Join(Box::new(node(right)), Box::new(node(left)))
        }
        (left, right) => Kind::Join(Box::new(node(left)), Box::new(node(right))),
    };
    node(kind)
}

fn node(kind: Kind) -> Node {
    Node { kind, keep: Slots::default() }
}

/// A filter's parts, inside a group as far as its patterns bind what they ask.
fn filtered(inner: Node, parts: Vec<Filter>) -> Node {
    let all = bound(&inner).all;
    let mut inner = inner;
    let mut outside = Vec::new();
    if let Kind::Group { filters, .. } = &mut inner.kind {
        for part in parts {
            if part.slots().within(all) { filters.push(part) } else { outside.push(part) }
        }
    } else {
        outside = parts;
    }
    if outside.is_empty() {
        return inner;
    }
    Node { kind: Kind::Filter(Box::new(inner), outside), keep: Slots::default() }
}

/// Tells a sort how many of its rows are wanted.
fn limit(node: &mut Node, rows: usize) {
    match &mut node.kind {
        Kind::Sort { limit, .. } => *limit = Some(rows),
        Kind::Project(inner, _) => limit(inner, rows),
        _ => {}
    }
}
