//! From spargebra's algebra to the executor's: variables and constants become
//! numbers, joins are flattened into groups of atoms with their filters. Says
//! what is not covered. Not for the order of joins, which is chosen while they
//! run.

use crate::graph::columnar::expression::{Expr, Maker};
use crate::graph::columnar::terms::Terms;
use crate::rdf::TermId;
use oxigraph::model::{Term, Variable};
use spargebra::algebra::{
    AggregateExpression, AggregateFunction, Expression, GraphPattern, OrderExpression,
    PropertyPathExpression,
};
use spargebra::term::{GroundTerm, NamedNodePattern, TermPattern};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// A variable, by its place among the names of the query.
pub(super) type Var = usize;
/// Some variables.
pub(super) type VarSet = BTreeSet<Var>;

/// What the executor does not cover, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Declined(pub(super) &'static str);

/// A place of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Const(TermId),
    Var(Var),
}

impl Slot {
    pub(super) fn var(self) -> Option<Var> {
        match self {
            Self::Var(var) => Some(var),
            Self::Const(_) => None,
        }
    }
}

/// A path of predicates.
#[derive(Debug, Clone)]
pub(super) enum Path {
    Step(TermId),
    Reverse(Box<Self>),
    Sequence(Box<Self>, Box<Self>),
    Alternative(Box<Self>, Box<Self>),
    ZeroOrMore(Box<Self>),
    OneOrMore(Box<Self>),
    ZeroOrOne(Box<Self>),
    Not(Vec<TermId>),
}

/// Bindings that are given: VALUES, or what a search found. Cells are numbers
/// of terms, 0 where nothing is bound.
#[derive(Debug, Clone, Default)]
pub(super) struct Given {
    pub(super) vars: Vec<Var>,
    pub(super) columns: Vec<Vec<TermId>>,
    pub(super) rows: usize,
}

/// One operand of a join.
#[derive(Debug, Clone)]
pub(super) enum Atom {
    Triple([Slot; 3]),
    Path(Slot, Rc<Path>, Slot),
    Given(Rc<Given>),
    Node(Node),
}

/// An aggregate of a group.
#[derive(Debug, Clone)]
pub(super) struct Aggregate {
    pub(super) var: Var,
    pub(super) function: AggregateFunction,
    /// `None` is `COUNT(*)`.
    pub(super) of: Option<Expr>,
    pub(super) distinct: bool,
}

/// An operator.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Join { atoms: Vec<Atom>, filters: Vec<Expr> },
    LeftJoin { left: Box<Self>, right: Box<Self>, filters: Vec<Expr> },
    Union(Vec<Self>),
    Minus(Box<Self>, Box<Self>),
    Extend { inner: Box<Self>, var: Var, value: Expr },
    Graph { name: Slot, inner: Box<Self> },
    Group { inner: Box<Self>, keys: Vec<Var>, aggregates: Vec<Aggregate> },
    Project { inner: Box<Self>, vars: Vec<Var> },
    Distinct(Box<Self>),
    Sort { inner: Box<Self>, keys: Vec<(Expr, bool)> },
    Slice { inner: Box<Self>, start: usize, length: Option<usize> },
}

/// Makes plans of one query.
pub(super) struct Planner<'t, 's> {
    pub(super) terms: &'t Terms<'s>,
    pub(super) names: Vec<String>,
    index: HashMap<String, Var>,
}

impl<'t, 's> Planner<'t, 's> {
    pub(super) fn new(terms: &'t Terms<'s>) -> Self {
        Self { terms, names: Vec::new(), index: HashMap::new() }
    }

    pub(super) fn var(&mut self, variable: &Variable) -> Var {
        self.named(variable.as_str())
    }

    fn named(&mut self, name: &str) -> Var {
        if let Some(var) = self.index.get(name) {
            return *var;
        }
        self.names.push(name.to_owned());
        self.index.insert(name.to_owned(), self.names.len() - 1);
        self.names.len() - 1
    }

    /// A variable that no query can name.
    pub(super) fn fresh(&mut self) -> Var {
        let name = format!("made {}", self.names.len());
        self.named(&name)
    }

    pub(super) fn slot(&mut self, term: &TermPattern) -> Slot {
        match term {
            TermPattern::NamedNode(iri) => Slot::Const(self.terms.intern(iri.as_ref().into())),
            TermPattern::Literal(literal) => {
                Slot::Const(self.terms.intern(literal.as_ref().into()))
            }
            // A blank node of a pattern is a variable that cannot be named.
            TermPattern::BlankNode(node) => Slot::Var(self.named(&format!("_:{}", node.as_str()))),
            TermPattern::Variable(variable) => Slot::Var(self.var(variable)),
        }
    }

    pub(super) fn name(&mut self, name: &NamedNodePattern) -> Slot {
        match name {
            NamedNodePattern::NamedNode(iri) => Slot::Const(self.terms.intern(iri.as_ref().into())),
            NamedNodePattern::Variable(variable) => Slot::Var(self.var(variable)),
        }
    }

    pub(super) fn node(&mut self, pattern: &GraphPattern) -> Result<Node, Declined> {
        Ok(match pattern {
            GraphPattern::Bgp { .. }
            | GraphPattern::Path { .. }
            | GraphPattern::Values { .. }
            | GraphPattern::Join { .. }
            | GraphPattern::Filter { .. } => {
                let (mut atoms, mut filters) = (Vec::new(), Vec::new());
                self.flatten(pattern, &mut atoms, &mut filters)?;
                Node::Join { atoms, filters }
            }
            GraphPattern::LeftJoin { left, right, expression } => {
                let mut filters = Vec::new();
                let left = Box::new(self.node(left)?);
                let right = Box::new(self.node(right)?);
                if let Some(expression) = expression {
                    self.conjuncts(expression, &mut filters)?;
                }
                Node::LeftJoin { left, right, filters }
            }
            GraphPattern::Union { left, right } => {
                let mut parts = Vec::new();
                for side in [left, right] {
                    match self.node(side)? {
                        Node::Union(mut more) => parts.append(&mut more),
                        other => parts.push(other),
                    }
                }
                Node::Union(parts)
            }
            GraphPattern::Minus { left, right } => {
                Node::Minus(Box::new(self.node(left)?), Box::new(self.node(right)?))
            }
            GraphPattern::Extend { inner, variable, expression } => Node::Extend {
                inner: Box::new(self.node(inner)?),
                var: self.var(variable),
                value: self.expression(expression)?,
            },
            GraphPattern::Graph { name, inner } => {
                Node::Graph { name: self.name(name), inner: Box::new(self.node(inner)?) }
            }
            GraphPattern::Group { inner, variables, aggregates } => {
                self.group(inner, variables, aggregates)?
            }
            GraphPattern::Project { inner, variables } => Node::Project {
                inner: Box::new(self.node(inner)?),
                vars: variables.iter().map(|variable| self.var(variable)).collect(),
            },
            GraphPattern::Distinct { inner } => Node::Distinct(Box::new(self.node(inner)?)),
            GraphPattern::Reduced { inner } => self.node(inner)?,
            GraphPattern::OrderBy { inner, expression } => {
                let inner = Box::new(self.node(inner)?);
                let mut keys = Vec::new();
                for order in expression {
                    keys.push(match order {
                        OrderExpression::Asc(key) => (self.expression(key)?, false),
                        OrderExpression::Desc(key) => (self.expression(key)?, true),
                    });
                }
                Node::Sort { inner, keys }
            }
            GraphPattern::Slice { inner, start, length } => {
                Node::Slice { inner: Box::new(self.node(inner)?), start: *start, length: *length }
            }
            GraphPattern::Lateral { .. } => return Err(Declined("LATERAL")),
            GraphPattern::Service { .. } => return Err(Declined("SERVICE")),
        })
    }

    fn group(
        &mut self,
        inner: &GraphPattern,
        variables: &[Variable],
        aggregates: &[(Variable, AggregateExpression)],
    ) -> Result<Node, Declined> {
        let inner = Box::new(self.node(inner)?);
        let keys = variables.iter().map(|variable| self.var(variable)).collect();
        let mut list = Vec::new();
        for (variable, aggregate) in aggregates {
            let var = self.var(variable);
            list.push(match aggregate {
                AggregateExpression::CountSolutions { distinct } => Aggregate {
                    var,
                    function: AggregateFunction::Count,
                    of: None,
                    distinct: *distinct,
                },
                AggregateExpression::FunctionCall { name, expr, distinct } => {
                    if matches!(name, AggregateFunction::Custom(_)) {
                        return Err(Declined("an aggregate of its own"));
                    }
                    Aggregate {
                        var,
                        function: name.clone(),
                        of: Some(self.expression(expr)?),
                        distinct: *distinct,
                    }
                }
            });
        }
        Ok(Node::Group { inner, keys, aggregates: list })
    }

    fn flatten(
        &mut self,
        pattern: &GraphPattern,
        atoms: &mut Vec<Atom>,
        filters: &mut Vec<Expr>,
    ) -> Result<(), Declined> {
        match pattern {
            GraphPattern::Bgp { patterns } => {
                for triple in patterns {
                    let s = self.slot(&triple.subject);
                    let p = self.name(&triple.predicate);
                    let o = self.slot(&triple.object);
                    let mut slots = [s, p, o];
                    for at in 1..3 {
                        if slots[at].var().is_some() && slots[..at].contains(&slots[at]) {
                            let fresh = Slot::Var(self.fresh());
                            if let (Slot::Var(a), Slot::Var(b)) = (slots[at], fresh) {
                                filters.push(Expr::Same(a, b));
                            }
                            slots[at] = fresh;
                        }
                    }
                    atoms.push(Atom::Triple(slots));
                }
            }
            GraphPattern::Path { subject, path, object } => {
                let s = self.slot(subject);
                let mut o = self.slot(object);
                if let (Slot::Var(a), true) = (s, s == o) {
                    let fresh = self.fresh();
                    filters.push(Expr::Same(a, fresh));
                    o = Slot::Var(fresh);
                }
                let path = self.path(path);
                self.path_atoms(s, path, o, atoms);
            }
            GraphPattern::Values { variables, bindings } => {
                atoms.push(Atom::Given(Rc::new(self.given(variables, bindings))));
            }
            GraphPattern::Join { left, right } => {
                self.flatten(left, atoms, filters)?;
                seal(atoms, filters);
                // A filter of one side sees that side alone, unless the side
                // binds all that the filter looks at.
                match self.node(right)? {
                    Node::Join { atoms: mut more, filters: mut its } if is_open(&more, &its) => {
                        atoms.append(&mut more);
                        filters.append(&mut its);
                    }
                    other => atoms.push(Atom::Node(other)),
                }
            }
            GraphPattern::Filter { expr, inner } => {
                self.flatten(inner, atoms, filters)?;
                self.conjuncts(expr, filters)?;
            }
            other => atoms.push(Atom::Node(self.node(other)?)),
        }
        Ok(())
    }

    /// A sequence is a chain of steps over variables of its own, as long as no
    /// part of it counts each pair once.
    fn path_atoms(&mut self, s: Slot, path: Path, o: Slot, atoms: &mut Vec<Atom>) {
        match path {
            Path::Step(predicate) => atoms.push(Atom::Triple([s, Slot::Const(predicate), o])),
            Path::Reverse(inner) => self.path_atoms(o, *inner, s, atoms),
            Path::Sequence(a, b) => {
                let middle = Slot::Var(self.fresh());
                self.path_atoms(s, *a, middle, atoms);
                self.path_atoms(middle, *b, o, atoms);
            }
            other => atoms.push(Atom::Path(s, Rc::new(other), o)),
        }
    }

    fn path(&mut self, path: &PropertyPathExpression) -> Path {
        let mut inner = |path: &PropertyPathExpression| Box::new(self.path(path));
        match path {
            PropertyPathExpression::NamedNode(iri) => {
                Path::Step(self.terms.intern(iri.as_ref().into()))
            }
            PropertyPathExpression::Reverse(a) => Path::Reverse(inner(a)),
            PropertyPathExpression::Sequence(a, b) => Path::Sequence(inner(a), inner(b)),
            PropertyPathExpression::Alternative(a, b) => Path::Alternative(inner(a), inner(b)),
            PropertyPathExpression::ZeroOrMore(a) => Path::ZeroOrMore(inner(a)),
            PropertyPathExpression::OneOrMore(a) => Path::OneOrMore(inner(a)),
            PropertyPathExpression::ZeroOrOne(a) => Path::ZeroOrOne(inner(a)),
            PropertyPathExpression::NegatedPropertySet(list) => {
                Path::Not(list.iter().map(|iri| self.terms.intern(iri.as_ref().into())).collect())
            }
        }
    }

    fn given(&mut self, variables: &[Variable], bindings: &[Vec<Option<GroundTerm>>]) -> Given {
        let mut given = Given {
            vars: variables.iter().map(|variable| self.var(variable)).collect(),
            columns: vec![Vec::with_capacity(bindings.len()); variables.len()],
            rows: bindings.len(),
        };
        for row in bindings {
            for (column, cell) in given.columns.iter_mut().zip(row) {
                column.push(match cell {
                    None => 0,
                    Some(GroundTerm::NamedNode(iri)) => self.terms.intern(iri.as_ref().into()),
                    Some(GroundTerm::Literal(literal)) => {
                        self.terms.intern(literal.as_ref().into())
                    }
                });
            }
        }
        given
    }

    fn conjuncts(
        &mut self,
        expression: &Expression,
        filters: &mut Vec<Expr>,
    ) -> Result<(), Declined> {
        if let Expression::And(a, b) = expression {
            self.conjuncts(a, filters)?;
            return self.conjuncts(b, filters);
        }
        filters.push(self.expression(expression)?);
        Ok(())
    }

    fn expression(&mut self, expression: &Expression) -> Result<Expr, Declined> {
        Maker { planner: self }.make(expression)
    }

    /// The number of a term.
    pub(super) fn constant(&self, term: &Term) -> TermId {
        self.terms.intern(term.as_ref())
    }
}

/// Whether the filters of these atoms may also run over a larger join.
fn is_open(atoms: &[Atom], filters: &[Expr]) -> bool {
    let bound: VarSet = atoms.iter().flat_map(Atom::certain).collect();
    filters.iter().all(|filter| filter.pattern_free() && filter.vars().is_subset(&bound))
}

/// Closes a side of a join whose filters must not see the other side.
fn seal(atoms: &mut Vec<Atom>, filters: &mut Vec<Expr>) {
    if !is_open(atoms, filters) {
        let side = Node::Join { atoms: std::mem::take(atoms), filters: std::mem::take(filters) };
        atoms.push(Atom::Node(side));
    }
}

impl Atom {
    /// The variables that a solution may bind.
    pub(super) fn vars(&self) -> VarSet {
        match self {
            Self::Triple(slots) => slots.iter().filter_map(|slot| slot.var()).collect(),
            Self::Path(s, _, o) => [s, o].iter().filter_map(|slot| slot.var()).collect(),
            Self::Given(given) => given.vars.iter().copied().collect(),
            Self::Node(node) => node.vars(),
        }
    }

    /// The variables that every solution binds.
    pub(super) fn certain(&self) -> VarSet {
        match self {
            Self::Triple(_) | Self::Path(..) => self.vars(),
            Self::Given(given) => {
                let columns = given.vars.iter().zip(&given.columns);
                columns.filter(|(_, cells)| !cells.contains(&0)).map(|(var, _)| *var).collect()
            }
            Self::Node(node) => node.certain(),
        }
    }
}

impl Node {
    /// The variables that a solution may bind.
    pub(super) fn vars(&self) -> VarSet {
        match self {
            Self::Join { atoms, .. } => atoms.iter().flat_map(Atom::vars).collect(),
            Self::LeftJoin { left, right, .. } => &left.vars() | &right.vars(),
            Self::Union(parts) => parts.iter().flat_map(Self::vars).collect(),
            Self::Minus(left, _) => left.vars(),
            Self::Extend { inner, var, .. } => with(inner.vars(), *var),
            Self::Graph { name, inner } => match name {
                Slot::Var(var) => with(inner.vars(), *var),
                Slot::Const(_) => inner.vars(),
            },
            Self::Group { keys, aggregates, .. } => {
                keys.iter().copied().chain(aggregates.iter().map(|a| a.var)).collect()
            }
            Self::Project { vars, .. } => vars.iter().copied().collect(),
            Self::Distinct(inner) | Self::Sort { inner, .. } | Self::Slice { inner, .. } => {
                inner.vars()
            }
        }
    }

    /// The variables that every solution binds.
    pub(super) fn certain(&self) -> VarSet {
        match self {
            Self::Join { atoms, .. } => atoms.iter().flat_map(Atom::certain).collect(),
            Self::LeftJoin { left, .. } | Self::Minus(left, _) => left.certain(),
            Self::Union(parts) => {
                let mut parts = parts.iter().map(Self::certain);
                let first = parts.next().unwrap_or_default();
                parts.fold(first, |all, part| &all & &part)
            }
            // The expression may fail.
            Self::Extend { inner, .. } => inner.certain(),
            Self::Graph { name, inner } => match name {
                Slot::Var(var) => with(inner.certain(), *var),
                Slot::Const(_) => inner.certain(),
            },
            Self::Group { inner, keys, .. } => {
                let inner = inner.certain();
                keys.iter().copied().filter(|key| inner.contains(key)).collect()
            }
            Self::Project { inner, vars } => {
                let inner = inner.certain();
                vars.iter().copied().filter(|var| inner.contains(var)).collect()
            }
            Self::Distinct(inner) | Self::Sort { inner, .. } | Self::Slice { inner, .. } => {
                inner.certain()
            }
        }
    }

    /// Every variable that is named anywhere in it.
    pub(super) fn mentioned(&self) -> VarSet {
        let of = |filters: &[Expr]| filters.iter().flat_map(Expr::vars).collect::<VarSet>();
        match self {
            Self::Join { atoms, filters } => {
                let mut all = of(filters);
                for atom in atoms {
                    match atom {
                        Atom::Node(node) => all.append(&mut node.mentioned()),
                        other => all.append(&mut other.vars()),
                    }
                }
                all
            }
            Self::LeftJoin { left, right, filters } => {
                &(&left.mentioned() | &right.mentioned()) | &of(filters)
            }
            Self::Union(parts) => parts.iter().flat_map(Self::mentioned).collect(),
            Self::Minus(left, right) => &left.mentioned() | &right.mentioned(),
            Self::Extend { inner, var, value } => with(&inner.mentioned() | &value.vars(), *var),
            Self::Graph { name, inner } => match name {
                Slot::Var(var) => with(inner.mentioned(), *var),
                Slot::Const(_) => inner.mentioned(),
            },
            Self::Group { inner, aggregates, .. } => {
                let mut all = &self.vars() | &inner.mentioned();
                for aggregate in aggregates {
                    all.extend(aggregate.of.iter().flat_map(Expr::vars));
                }
                all
            }
            Self::Project { inner, vars } => {
                let mut all = inner.mentioned();
                all.extend(vars);
                all
            }
            Self::Sort { inner, keys } => {
                let mut all = inner.mentioned();
                all.extend(keys.iter().flat_map(|(key, _)| key.vars()));
                all
            }
            Self::Distinct(inner) | Self::Slice { inner, .. } => inner.mentioned(),
        }
    }
}

fn with(mut vars: VarSet, var: Var) -> VarSet {
    vars.insert(var);
    vars
}
