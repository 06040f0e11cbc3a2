//! Rewrites a parsed query so that its evaluation cannot slip past the budget.
//! The answers stay the same. Not for limits on the query's size.
//!
//! Two things escape [`budget::touch`]: solutions that bind nothing (joining
//! them touches no term), and functions that make long strings in one step.
//! The first get a variable of their own, which nobody can see; the arguments
//! of the second pass through a function that looks at their length first.

use crate::graph::budget;
use crate::graph::expressions::children_mut;
use oxigraph::model::{Literal, NamedNode, Term, Variable};
use spareval::QueryEvaluator;
use spargebra::Query;
use spargebra::algebra::{
    AggregateExpression, AggregateFunction, Expression, Function, GraphPattern, OrderExpression,
};
use spargebra::term::{NamedNodePattern, TermPattern};

/// The most characters that REPLACE or CONCAT may be given, and about the most
/// that they may make (bytes).
const LONGEST_TEXT: usize = 16 << 20;

/// The name of the function that looks at the length of texts.
pub(super) const GUARD: &str = "urn:insites:internal:guard";

/// Something in the query that this service does not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// `SERVICE` to this place.
    Service(String),
}

/// How much a query asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// Triple patterns and paths, those of a CONSTRUCT template as well.
    pub patterns: usize,
    /// Cells of all VALUES tables and of IN lists.
    pub values: usize,
}

/// Guards a query in place and measures it on the way.
pub(super) fn guard(query: &mut Query) -> Result<Size, Refused> {
    let mut guard = Guard::default();
    if let Query::Construct { template, .. } = query {
        guard.size.patterns += template.len();
    }
    let (Query::Select { pattern, .. }
    | Query::Construct { pattern, .. }
    | Query::Describe { pattern, .. }
    | Query::Ask { pattern, .. }) = query;
    guard.outermost(pattern)?;
    Ok(guard.size)
}

/// Guards the WHERE clause of an update.
pub(super) fn guard_pattern(pattern: &mut GraphPattern, size: &mut Size) -> Result<(), Refused> {
    let mut guard = Guard { size: *size, ..Guard::default() };
    guard.outermost(pattern)?;
    *size = guard.size;
    Ok(())
}

/// Gives an evaluator the functions that guarded queries call.
pub(super) fn with_guards(evaluator: QueryEvaluator) -> QueryEvaluator {
    evaluator.with_custom_function(NamedNode::new_unchecked(GUARD), |arguments| {
        budget::look_at_budget();
        let length = |term: &Term| match term {
            Term::Literal(literal) => literal.value().len(),
            Term::NamedNode(iri) => iri.as_str().len(),
            Term::BlankNode(_) | Term::Triple(_) => 0,
        };
        let product = arguments.iter().fold(1_usize, |n, t| n.saturating_mul(length(t).max(1)));
        (product <= LONGEST_TEXT).then(|| arguments[0].clone())
    })
}

#[derive(Default)]
struct Guard {
    fresh: usize,
    size: Size,
}

impl Guard {
    /// The query's own projection stays as it is: its variables are the answer's.
    fn outermost(&mut self, pattern: &mut GraphPattern) -> Result<(), Refused> {
        match pattern {
            GraphPattern::Slice { inner, .. }
            | GraphPattern::Distinct { inner }
            | GraphPattern::Reduced { inner } => self.outermost(inner),
            GraphPattern::Project { inner, .. } => self.pattern(inner),
            other => self.pattern(other),
        }
    }

    fn pattern(&mut self, pattern: &mut GraphPattern) -> Result<(), Refused> {
        match pattern {
            GraphPattern::Bgp { patterns } => {
                self.size.patterns += patterns.len();
                let has_variable = patterns.iter().any(|triple| {
                    is_open(&triple.subject)
                        || matches!(triple.predicate, NamedNodePattern::Variable(_))
                        || is_open(&triple.object)
                });
                if !has_variable {
                    self.mark(pattern);
                }
            }
            GraphPattern::Path { subject, object, .. } => {
                self.size.patterns += 1;
                if !is_open(subject) && !is_open(object) {
                    self.mark(pattern);
                }
            }
            GraphPattern::Values { variables, bindings } => {
                self.size.values += bindings.len() * variables.len().max(1);
                if bindings.iter().any(|row| row.iter().all(Option::is_none)) {
                    self.mark(pattern);
                }
            }
            GraphPattern::Join { left, right }
            | GraphPattern::Lateral { left, right }
            | GraphPattern::Union { left, right }
            | GraphPattern::Minus { left, right } => {
                self.pattern(left)?;
                self.pattern(right)?;
            }
            GraphPattern::LeftJoin { left, right, expression } => {
                self.pattern(left)?;
                self.pattern(right)?;
                if let Some(expression) = expression {
                    self.expression(expression)?;
                }
            }
            GraphPattern::Filter { expr, inner } => {
                self.pattern(inner)?;
                self.expression(expr)?;
            }
            GraphPattern::Extend { inner, expression, .. } => {
                self.pattern(inner)?;
                self.expression(expression)?;
            }
            GraphPattern::OrderBy { inner, expression } => {
                self.pattern(inner)?;
                for order in expression {
                    let (OrderExpression::Asc(e) | OrderExpression::Desc(e)) = order;
                    self.expression(e)?;
                }
            }
            GraphPattern::Graph { inner, .. }
            | GraphPattern::Distinct { inner }
            | GraphPattern::Reduced { inner }
            | GraphPattern::Slice { inner, .. } => self.pattern(inner)?,
            GraphPattern::Project { inner, .. } => {
                self.pattern(inner)?;
                // A sub-select may show nothing that is bound.
                self.mark(pattern);
            }
            GraphPattern::Group { inner, aggregates, .. } => {
                self.pattern(inner)?;
                for (_, aggregate) in aggregates {
                    if let AggregateExpression::FunctionCall { name, expr, distinct } = aggregate {
                        self.expression(expr)?;
                        // The evaluator keeps a language that all texts share;
                        // the result is a simple literal (SPARQL 1.1 §18.5.1.7).
                        if matches!(name, AggregateFunction::GroupConcat { .. }) && !*distinct {
                            let inner =
                                std::mem::replace(expr, Expression::Literal(Literal::from(true)));
                            *expr = Expression::FunctionCall(Function::Str, vec![inner]);
                        }
                    }
                }
            }
            GraphPattern::Service { name, silent, .. } => {
                if !*silent {
                    return Err(Refused::Service(name.to_string()));
                }
            }
        }
        Ok(())
    }

    /// Makes each solution of the pattern bind a variable of its own.
    fn mark(&mut self, pattern: &mut GraphPattern) {
        self.fresh += 1;
        let inner = std::mem::replace(pattern, GraphPattern::Bgp { patterns: Vec::new() });
        *pattern = GraphPattern::Extend {
            inner: Box::new(inner),
            // No query can name it: a variable cannot hold a space.
            variable: Variable::new_unchecked(format!("guard {}", self.fresh)),
            expression: Expression::Literal(Literal::from(true)),
        };
    }

    fn expression(&mut self, expression: &mut Expression) -> Result<(), Refused> {
        for child in children_mut(expression) {
            self.expression(child)?;
        }
        match expression {
            Expression::In(_, list) => self.size.values += list.len(),
            Expression::Exists(pattern) => self.pattern(pattern)?,
            Expression::FunctionCall(function, arguments) => {
                match function {
                    Function::Replace if arguments.len() >= 3 => {
                        let replacement = arguments[2].clone();
                        wrap(&mut arguments[0], Some(replacement));
                    }
                    // Short chains of CONCAT on stored text cannot grow far.
                    Function::Concat if arguments.iter().any(makes_text) => {
                        for argument in arguments {
                            wrap(argument, None);
                        }
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Whether a place in a pattern makes a solution bind something: a variable, or
/// a blank node, which is one.
fn is_open(term: &TermPattern) -> bool {
    matches!(term, TermPattern::Variable(_) | TermPattern::BlankNode(_))
}

/// Whether an argument may be longer than anything stored.
fn makes_text(argument: &Expression) -> bool {
    !matches!(argument, Expression::Literal(_) | Expression::NamedNode(_))
}

fn wrap(argument: &mut Expression, with: Option<Expression>) {
    let inner = std::mem::replace(argument, Expression::Literal(Literal::from(true)));
    let mut arguments = vec![inner];
    arguments.extend(with);
    *argument =
        Expression::FunctionCall(Function::Custom(NamedNode::new_unchecked(GUARD)), arguments);
}
