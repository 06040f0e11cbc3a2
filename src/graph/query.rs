//! A SPARQL query that has been read: only the parser that refuses updates
//! makes one. Not for running it.

use crate::graph::clause::{SearchClause, SearchTable, extract, fill};
use crate::graph::dataset::QueryDataset as Dataset;
use crate::graph::guard::{Refused, Size, guard};
use crate::graph::tokens::star_order;
use crate::rdf::Term;
use oxigraph::model::Variable;
use spargebra::algebra::{GraphPattern, QueryDataset};
use spargebra::term::{GroundTerm, NamedNodePattern, TermPattern};
use spargebra::{Query, SparqlParser};
use std::borrow::Cow;
use std::sync::Arc;

/// What a query answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryForm {
    /// Solutions.
    Select,
    /// True or false.
    Ask,
    /// A graph, made by a template.
    Construct,
    /// A graph that describes resources.
    Describe,
}

/// A query ready to run.
#[derive(Debug, Clone)]
pub struct ReadQuery {
    pub(super) parsed: Query,
    pub(super) dataset: Option<QueryDataset>,
    size: Size,
    searches: Vec<SearchClause>,
    tables: Arc<[SearchTable]>,
}

/// Why a text is not a query.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ParseError {
    /// It breaks the grammar of SPARQL 1.1.
    #[error("{message}")]
    Syntax {
        /// What was expected.
        message: String,
        /// Line, from 1.
        line: Option<u64>,
        /// Column in characters, from 1.
        column: Option<u64>,
    },
    /// It asks another host.
    #[error("SERVICE {0} would ask another host, which this service does not do")]
    Service(String),
}

impl ReadQuery {
    /// Reads a query. Prefixes of [`crate::rdf::prefixes`] are not assumed: a query
    /// must declare what it uses, so that it works elsewhere as well.
    pub fn parse(text: &str, base: Option<&str>) -> Result<Self, ParseError> {
        let mut parser = SparqlParser::new();
        if let Some(base) = base {
            parser = parser.with_base_iri(base).map_err(|e| ParseError::Syntax {
                message: format!("the base IRI is invalid: {e}"),
                line: None,
                column: None,
            })?;
        }
        let mut parsed = parser.parse_query(text).map_err(|e| syntax_error(&e.to_string()))?;
        let (Query::Select { dataset, .. }
        | Query::Construct { dataset, .. }
        | Query::Describe { dataset, .. }
        | Query::Ask { dataset, .. }) = &mut parsed;
        let dataset = dataset.take();
        if let Query::Select { pattern, .. } = &mut parsed
            && let Some(order) = star_order(text)
            && let Some(variables) = projected(pattern)
        {
            variables.sort_by_key(|v| order.get(v.as_str()).copied().unwrap_or(usize::MAX));
        }
        let searches = extract(&mut parsed).map_err(|message| ParseError::Syntax {
            message,
            line: None,
            column: None,
        })?;
        let size =
            guard(&mut parsed).map_err(|Refused::Service(name)| ParseError::Service(name))?;
        Ok(Self { parsed, dataset, size, searches, tables: Arc::default() })
    }

    /// What the query answers with.
    #[must_use]
    pub fn form(&self) -> QueryForm {
        match self.parsed {
            Query::Select { .. } => QueryForm::Select,
            Query::Ask { .. } => QueryForm::Ask,
            Query::Construct { .. } => QueryForm::Construct,
            Query::Describe { .. } => QueryForm::Describe,
        }
    }

    /// What the query asks for.
    pub(super) fn pattern(&self) -> &GraphPattern {
        let (Query::Select { pattern, .. }
        | Query::Ask { pattern, .. }
        | Query::Construct { pattern, .. }
        | Query::Describe { pattern, .. }) = &self.parsed;
        pattern
    }

    /// The variables that the answer is made of: those of a SELECT or DESCRIBE, in
    /// order, none of an ASK, those of a CONSTRUCT's template; `None` if a triple
    /// term is made.
    pub(super) fn answer_variables(&self) -> Option<Vec<Variable>> {
        match &self.parsed {
            Query::Select { pattern, .. } | Query::Describe { pattern, .. } => {
                shown(pattern).cloned()
            }
            Query::Ask { .. } => Some(Vec::new()),
            Query::Construct { template, .. } => {
                let mut variables = Vec::new();
                for triple in template {
                    for term in [&triple.subject, &triple.object] {
                        match term {
                            TermPattern::Variable(variable) => variables.push(variable.clone()),
                            TermPattern::Triple(_) => return None,
                            _ => {}
                        }
                    }
                    if let NamedNodePattern::Variable(variable) = &triple.predicate {
                        variables.push(variable.clone());
                    }
                }
                variables.sort_unstable();
                variables.dedup();
                Some(variables)
            }
        }
    }

    /// How much the query asks for.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// The search clauses, for which [`Self::with_tables`] wants hits.
    #[must_use]
    pub fn searches(&self) -> &[SearchClause] {
        &self.searches
    }

    /// Gives each search clause its hits, in their order.
    #[must_use]
    pub fn with_tables(mut self, tables: Vec<SearchTable>) -> Self {
        self.tables = tables.into();
        self.searches.clear();
        self
    }

    /// The hits of each search clause.
    pub(super) fn tables(&self) -> &[SearchTable] {
        &self.tables
    }

    /// The query with its hits as terms, as the evaluator takes them.
    pub(super) fn filled(&self, dataset: &Dataset) -> Cow<'_, Query> {
        if self.tables.is_empty() {
            return Cow::Borrowed(&self.parsed);
        }
        let mut query = self.parsed.clone();
        fill(&mut query, &self.tables, &|id| dataset.term(id));
        Cow::Owned(query)
    }

    /// Binds a variable to a term, as `VALUES (?name) { (term) }` at the start
    /// of the outermost WHERE would. Blank nodes cannot be bound: they have no
    /// name that a query could share with the data; nor can triple terms, which
    /// no parameter can write.
    #[must_use]
    pub fn bind(mut self, name: &str, term: Term) -> Self {
        let ground = match term {
            Term::NamedNode(iri) => GroundTerm::NamedNode(iri),
            Term::Literal(literal) => GroundTerm::Literal(literal),
            Term::BlankNode(_) | Term::Triple(_) => return self,
        };
        let (Query::Select { pattern, .. }
        | Query::Construct { pattern, .. }
        | Query::Describe { pattern, .. }
        | Query::Ask { pattern, .. }) = &mut self.parsed;
        let place = innermost(pattern);
        let inner = std::mem::replace(place, GraphPattern::Bgp { patterns: Vec::new() });
        let values = GraphPattern::Values {
            variables: vec![Variable::new_unchecked(name)],
            bindings: vec![vec![Some(ground)]],
        };
        *place = GraphPattern::Join { left: Box::new(values), right: Box::new(inner) };
        self
    }
}

/// The variables of the outermost projection.
fn projected(pattern: &mut GraphPattern) -> Option<&mut Vec<Variable>> {
    match pattern {
        GraphPattern::Slice { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner } => projected(inner),
        GraphPattern::Project { variables, .. } => Some(variables),
        _ => None,
    }
}

fn shown(pattern: &GraphPattern) -> Option<&Vec<Variable>> {
    match pattern {
        GraphPattern::Slice { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner } => shown(inner),
        GraphPattern::Project { variables, .. } => Some(variables),
        _ => None,
    }
}

/// The first operand of the outermost WHERE.
fn innermost(pattern: &mut GraphPattern) -> &mut GraphPattern {
    match pattern {
        GraphPattern::Slice { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Project { inner, .. }
        | GraphPattern::OrderBy { inner, .. }
        | GraphPattern::Group { inner, .. }
        | GraphPattern::Extend { inner, .. }
        | GraphPattern::Filter { inner, .. } => innermost(inner),
        GraphPattern::LeftJoin { left, .. }
        | GraphPattern::Minus { left, .. }
        | GraphPattern::Lateral { left, .. } => innermost(left),
        other => other,
    }
}

/// The parser says `error at LINE:COLUMN: expected …`.
pub(super) fn syntax_error(message: &str) -> ParseError {
    let position = message.strip_prefix("error at ").and_then(|rest| {
        let (place, text) = rest.split_once(": ")?;
        let (line, column) = place.split_once(':')?;
        Some((line.parse().ok()?, column.parse().ok()?, text.to_owned()))
    });
    match position {
        Some((line, column, text)) => {
            ParseError::Syntax { message: text, line: Some(line), column: Some(column) }
        }
        None => ParseError::Syntax { message: message.to_owned(), line: None, column: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_syntax_error_has_its_place() {
        let Err(ParseError::Syntax { line, column, message }) =
            ReadQuery::parse("SELECT *\nWHERE { ?s ?p }", None)
        else {
            panic!("that is no query")
        };
        assert_eq!((line, column), (Some(2), Some(16)));
        assert!(message.contains("expected"), "{message}");
    }

    #[test]
    fn an_update_is_not_a_query() {
        assert!(ReadQuery::parse("DROP ALL", None).is_err());
    }

    #[test]
    fn other_hosts_are_refused_also_inside() {
        let text = "SELECT * { { OPTIONAL { SERVICE <http://elsewhere/> { ?s ?p ?o } } } }";
        assert!(matches!(ReadQuery::parse(text, None), Err(ParseError::Service(_))));
    }
}
