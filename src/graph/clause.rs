//! Search inside SPARQL: finds the search clauses of a query, in the three
//! spellings that people know, and puts a table in their place that is filled
//! with hits before the query runs. Not for searching.
//!
//! | spelling | clause |
//! | --- | --- |
//! | ours | `SERVICE insites:search { ?hit insites:query "words" ; insites:score ?s }` |
//! | Jena | `(?hit ?score ?literal) text:query (property "words" limit)` |
//! | RDF4J | `?hit search:matches [ search:query "words" ; search:score ?s ]` |

use crate::rdf::TermId;
use crate::rdf::vocabulary::{INSITES, TYPE};
use oxigraph::model::{NamedNode, Term, Variable};
use spargebra::Query;
use spargebra::algebra::{Expression, GraphPattern};
use spargebra::term::{GroundTerm, NamedNodePattern, TermPattern, TriplePattern};

const TEXT_QUERY: &str = "http://jena.apache.org/text#query";
const SEARCH: &str = "http://www.openrdf.org/contrib/lucenesail#";
const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
/// Hits of Jena's and RDF4J's clauses unless limited.
const MANY: usize = 10_000;
/// Hits of our clause unless limited.
const SOME: usize = 100;
/// The most hits that a clause may ask for.
const MOST: usize = 1_000_000;
/// No query can name a variable with a space in it.
const MARK: &str = "search ";

/// What a clause looks for, and what it tells of each hit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SearchClause {
    /// The words, as typed.
    pub text: String,
    /// Words as they are written, joined by OR, as Jena and RDF4J do; else as
    /// the search of this service.
    pub plain: bool,
    /// Properties whose values are searched; all if empty.
    pub properties: Vec<NamedNode>,
    /// `hybrid`, `words` or `meaning`.
    pub mode: Option<String>,
    /// Classes of which a hit must be one; any if empty.
    pub kinds: Vec<NamedNode>,
    /// Most hits.
    pub limit: usize,
    /// The record, if the query names one.
    pub only: Option<Term>,
    /// The columns of the table, in order.
    pub columns: Vec<(Column, Variable)>,
}

/// What a column of the table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// The record.
    Hit,
    /// Its score, an `xsd:float`.
    Score,
    /// The passage that fits best: HTML, escaped but for `<mark>`.
    Snippet,
    /// The literal that matched.
    Literal,
    /// The property of that literal.
    Property,
    /// Its class.
    Kind,
}

/// What stands in a row of the table.
#[derive(Debug, Clone)]
pub enum SearchCell {
    /// A term of the data, by its number: hits are many, and need not be read.
    Stored(TermId),
    /// Any other term.
    Made(Term),
}

/// The hits of a clause.
#[derive(Debug, Clone, Default)]
pub struct SearchTable {
    /// How many rows it has.
    pub len: usize,
    /// Its columns, those of the clause in their order: a cell a row.
    pub columns: Vec<Vec<Option<SearchCell>>>,
}

/// Takes the clauses out of a query.
pub(super) fn extract(query: &mut Query) -> Result<Vec<SearchClause>, String> {
    let mut found = Vec::new();
    let (Query::Select { pattern, .. }
    | Query::Construct { pattern, .. }
    | Query::Describe { pattern, .. }
    | Query::Ask { pattern, .. }) = query;
    walk(pattern, &mut found)?;
    Ok(found)
}

/// Fills the tables of a query with terms.
pub(super) fn fill(query: &mut Query, tables: &[SearchTable], term: &impl Fn(TermId) -> Term) {
    let (Query::Select { pattern, .. }
    | Query::Construct { pattern, .. }
    | Query::Describe { pattern, .. }
    | Query::Ask { pattern, .. }) = query;
    put(pattern, tables, term);
}

/// The number of the table that these variables of a VALUES stand for.
pub(super) fn number_of(variables: &[Variable]) -> Option<usize> {
    variables.first()?.as_str().strip_prefix(MARK)?.parse().ok()
}

/// A table still to be filled.
fn table(number: usize, clause: &SearchClause) -> GraphPattern {
    let mut variables = vec![Variable::new_unchecked(format!("{MARK}{number}"))];
    variables.extend(clause.columns.iter().map(|(_, variable)| variable.clone()));
    GraphPattern::Values { variables, bindings: Vec::new() }
}

fn children<'a>(pattern: &'a mut GraphPattern) -> Vec<&'a mut GraphPattern> {
    match pattern {
        GraphPattern::Bgp { .. } | GraphPattern::Path { .. } | GraphPattern::Values { .. } => {
            Vec::new()
        }
        GraphPattern::Join { left, right }
        | GraphPattern::Lateral { left, right }
        | GraphPattern::Union { left, right }
        | GraphPattern::Minus { left, right } => vec![left, right],
        GraphPattern::LeftJoin { left, right, expression } => {
            let mut all: Vec<&'a mut GraphPattern> = vec![left, right];
            if let Some(expression) = expression {
                inside(expression, &mut all);
            }
            all
        }
        GraphPattern::Filter { expr, inner } => {
            let mut all: Vec<&'a mut GraphPattern> = vec![inner];
            inside(expr, &mut all);
            all
        }
        GraphPattern::Extend { inner, .. }
        | GraphPattern::OrderBy { inner, .. }
        | GraphPattern::Graph { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Slice { inner, .. }
        | GraphPattern::Project { inner, .. }
        | GraphPattern::Group { inner, .. }
        | GraphPattern::Service { inner, .. } => vec![inner],
    }
}

/// The patterns of EXISTS in an expression.
fn inside<'a>(expression: &'a mut Expression, found: &mut Vec<&'a mut GraphPattern>) {
    match expression {
        Expression::Exists(pattern) => found.push(pattern),
        Expression::Not(inner) => inside(inner, found),
        Expression::And(left, right) | Expression::Or(left, right) => {
            inside(left, found);
            inside(right, found);
        }
        _ => {}
    }
}

fn walk(pattern: &mut GraphPattern, found: &mut Vec<SearchClause>) -> Result<(), String> {
    if let GraphPattern::Service { name: NamedNodePattern::NamedNode(name), inner, .. } = pattern
        && name.as_str().strip_prefix(INSITES) == Some("search")
    {
        let GraphPattern::Bgp { patterns } = &**inner else {
            return Err("the search clause holds triple patterns and nothing else".to_owned());
        };
        let clause = ours(patterns)?;
        *pattern = table(found.len(), &clause);
        found.push(clause);
        return Ok(());
    }
    if let GraphPattern::Bgp { patterns } = pattern {
        let mut rest = std::mem::take(patterns);
        let mut tables = Vec::new();
        while let Some(at) = rest.iter().position(is_clause) {
            let triple = rest.remove(at);
            let clause = theirs(triple, &mut rest)?;
            tables.push(table(found.len(), &clause));
            found.push(clause);
        }
        // Hits drive the rest of the pattern; a second clause is joined to what
        // comes out.
        let mut all = GraphPattern::Bgp { patterns: rest };
        for (number, table) in tables.into_iter().enumerate() {
            let empty = matches!(&all, GraphPattern::Bgp { patterns } if patterns.is_empty());
            all = if empty {
                table
            } else if number == 0 {
                GraphPattern::Lateral { left: Box::new(table), right: Box::new(all) }
            } else {
                GraphPattern::Join { left: Box::new(all), right: Box::new(table) }
            };
        }
        *pattern = all;
        return Ok(());
    }
    for child in children(pattern) {
        walk(child, found)?;
    }
    // Hits of our clause drive what they are joined with.
    if let GraphPattern::Join { left, right } = pattern {
        let is_table = |side: &GraphPattern| {
            matches!(side, GraphPattern::Values { variables, .. }
                if variables.first().is_some_and(|v| v.as_str().starts_with(MARK)))
        };
        let nothing = || Box::new(GraphPattern::Bgp { patterns: Vec::new() });
        if is_table(left) && means_the_same_per_row(right) {
            let (left, right) =
                (std::mem::replace(left, nothing()), std::mem::replace(right, nothing()));
            *pattern = GraphPattern::Lateral { left, right };
        } else if is_table(right) && means_the_same_per_row(left) {
            let (left, right) =
                (std::mem::replace(left, nothing()), std::mem::replace(right, nothing()));
            *pattern = GraphPattern::Lateral { left: right, right: left };
        }
    }
    Ok(())
}

/// Whether a pattern evaluated for each row of a table, with the row's values
/// in place (SEP-0006), gives what it gives joined to the table. That is not so
/// where it counts, limits, or asks whether a variable is bound.
fn means_the_same_per_row(pattern: &GraphPattern) -> bool {
    match pattern {
        GraphPattern::Bgp { .. } | GraphPattern::Path { .. } | GraphPattern::Values { .. } => true,
        GraphPattern::Join { left, right }
        | GraphPattern::Lateral { left, right }
        | GraphPattern::Union { left, right } => {
            means_the_same_per_row(left) && means_the_same_per_row(right)
        }
        GraphPattern::Graph { inner, .. } => means_the_same_per_row(inner),
        _ => false,
    }
}

fn put(pattern: &mut GraphPattern, tables: &[SearchTable], term: &impl Fn(TermId) -> Term) {
    if let GraphPattern::Values { variables, bindings } = pattern
        && let Some(number) = number_of(variables)
    {
        let value = |cell: &SearchCell| match cell {
            SearchCell::Stored(id) => ground(term(*id)),
            SearchCell::Made(term) => ground(term.clone()),
        };
        variables.remove(0);
        let row = |table: &SearchTable, row: usize| {
            let cells = table.columns.iter().map(|column| column[row].as_ref());
            cells.map(|cell| cell.and_then(value)).collect()
        };
        if let Some(table) = tables.get(number) {
            *bindings = (0..table.len).map(|at| row(table, at)).collect();
        }
        return;
    }
    for child in children(pattern) {
        put(child, tables, term);
    }
}

fn ground(term: Term) -> Option<GroundTerm> {
    match term {
        Term::NamedNode(iri) => Some(GroundTerm::NamedNode(iri)),
        Term::Literal(literal) => Some(GroundTerm::Literal(literal)),
        // A triple term may hold a blank node, which no table can name.
        Term::BlankNode(_) | Term::Triple(_) => None,
    }
}

fn predicate(triple: &TriplePattern) -> Option<&str> {
    match &triple.predicate {
        NamedNodePattern::NamedNode(iri) => Some(iri.as_str()),
        NamedNodePattern::Variable(_) => None,
    }
}

fn is_clause(triple: &TriplePattern) -> bool {
    predicate(triple).is_some_and(|p| {
        p == TEXT_QUERY || p.strip_prefix(SEARCH).is_some_and(|name| name == "matches")
    })
}

/// The subject: a variable, or a record.
fn hit(clause: &mut SearchClause, term: &TermPattern) -> Result<(), String> {
    match term {
        TermPattern::Variable(variable) => {
            clause.columns.push((Column::Hit, variable.clone()));
        }
        TermPattern::NamedNode(iri) => clause.only = Some(iri.clone().into()),
        TermPattern::BlankNode(_) | TermPattern::Literal(_) | TermPattern::Triple(_) => {
            return Err("a search finds records: its subject is a variable or an IRI".to_owned());
        }
    }
    Ok(())
}

fn output(clause: &mut SearchClause, column: Column, term: &TermPattern) -> Result<(), String> {
    match term {
        TermPattern::Variable(variable) => {
            clause.columns.push((column, variable.clone()));
            Ok(())
        }
        other => Err(format!("{other} stands where a search gives a value: use a variable")),
    }
}

fn text(term: &TermPattern, what: &str) -> Result<String, String> {
    match term {
        TermPattern::Literal(literal) => Ok(literal.value().to_owned()),
        other => Err(format!("{what} must be a literal, not {other}")),
    }
}

fn number(term: &TermPattern) -> Result<usize, String> {
    let told = text(term, "the limit")?;
    let parsed: Option<i64> = told.parse().ok();
    match parsed {
        // Jena: a negative limit is none.
        Some(n) if n < 0 => Ok(MOST),
        Some(n) => Ok(usize::try_from(n).unwrap_or(MOST).min(MOST)),
        None => Err(format!("the limit {told:?} is not a whole number")),
    }
}

fn iri(term: &TermPattern, what: &str) -> Result<NamedNode, String> {
    match term {
        TermPattern::NamedNode(iri) => Ok(iri.clone()),
        other => Err(format!("{what} must be an IRI, not {other}")),
    }
}

/// Our clause: settings may have any subject.
fn ours(patterns: &[TriplePattern]) -> Result<SearchClause, String> {
    let mut clause = SearchClause { limit: SOME, ..SearchClause::default() };
    let mut asked = false;
    for triple in patterns {
        let name = predicate(triple).and_then(|p| p.strip_prefix(INSITES));
        let object = &triple.object;
        match name {
            Some("query") => {
                clause.text = text(object, "insites:query")?;
                hit(&mut clause, &triple.subject)?;
                asked = true;
            }
            Some("score") => output(&mut clause, Column::Score, object)?,
            Some("snippet") => output(&mut clause, Column::Snippet, object)?,
            Some("mode") => {
                let mode = text(object, "insites:mode")?;
                if !matches!(mode.as_str(), "hybrid" | "words" | "meaning") {
                    return Err(format!("insites:mode is hybrid, words or meaning, not {mode:?}"));
                }
                clause.mode = Some(mode);
            }
            Some("kind") => match object {
                TermPattern::Variable(_) => output(&mut clause, Column::Kind, object)?,
                other => clause.kinds.push(iri(other, "insites:kind")?),
            },
            Some("property") => clause.properties.push(iri(object, "insites:property")?),
            Some("limit") => clause.limit = number(object)?,
            _ => {
                return Err(format!(
                    "{} is not known in a search clause: there are insites:query, score, snippet, \
                     kind, mode, property and limit",
                    triple.predicate
                ));
            }
        }
    }
    if asked { Ok(clause) } else { Err("the search clause has no insites:query".to_owned()) }
}

/// Jena's or RDF4J's clause, whose other triples are taken from the rest.
fn theirs(triple: TriplePattern, rest: &mut Vec<TriplePattern>) -> Result<SearchClause, String> {
    let mut clause = SearchClause { limit: MANY, plain: true, ..SearchClause::default() };
    if predicate(&triple) == Some(TEXT_QUERY) {
        let subjects = list(triple.subject, rest);
        let arguments = list(triple.object, rest);
        let columns = [Column::Hit, Column::Score, Column::Literal, Column::Kind, Column::Property];
        for (term, column) in subjects.iter().zip(columns) {
            match column {
                Column::Hit => hit(&mut clause, term)?,
                // The fourth is the graph of the literal, which is not told.
                Column::Kind => {}
                column => output(&mut clause, column, term)?,
            }
        }
        let mut asked = false;
        for argument in &arguments {
            match argument {
                TermPattern::NamedNode(property) => clause.properties.push(property.clone()),
                TermPattern::Literal(literal) if !asked => {
                    literal.value().clone_into(&mut clause.text);
                    asked = true;
                }
                TermPattern::Literal(literal)
                    if literal.value().starts_with("lang:")
                        || literal.value().starts_with("highlight:") => {}
                other => clause.limit = number(other)?,
            }
        }
        return if asked { Ok(clause) } else { Err("text:query has no words".to_owned()) };
    }
    hit(&mut clause, &triple.subject)?;
    let mut asked = false;
    let (settings, others): (Vec<_>, Vec<_>) =
        std::mem::take(rest).into_iter().partition(|other| other.subject == triple.object);
    *rest = others;
    for setting in settings {
        // `a search:LuceneQuery` says what the clause is.
        if predicate(&setting) == Some(TYPE) {
            continue;
        }
        match predicate(&setting).and_then(|p| p.strip_prefix(SEARCH)) {
            Some("query") => {
                clause.text = text(&setting.object, "search:query")?;
                asked = true;
            }
            Some("property") => clause.properties.push(iri(&setting.object, "search:property")?),
            Some("score") => output(&mut clause, Column::Score, &setting.object)?,
            Some("snippet") => output(&mut clause, Column::Snippet, &setting.object)?,
            Some("numDocs") => clause.limit = number(&setting.object)?,
            _ => {
                return Err(format!("{} is not known in search:matches", setting.predicate));
            }
        }
    }
    if asked { Ok(clause) } else { Err("search:matches has no search:query".to_owned()) }
}

/// The members of a list, taken out of the triples; a term alone is itself.
fn list(head: TermPattern, rest: &mut Vec<TriplePattern>) -> Vec<TermPattern> {
    let mut members = Vec::new();
    let mut at = head.clone();
    loop {
        let mut take = |name: &str| {
            let wanted = format!("{RDF}{name}");
            let found = rest
                .iter()
                .position(|t| t.subject == at && predicate(t) == Some(wanted.as_str()))?;
            Some(rest.remove(found).object)
        };
        let Some(first) = take("first") else { break };
        members.push(first);
        let Some(next) = take("rest") else { break };
        at = next;
    }
    if members.is_empty() { vec![head] } else { members }
}

#[cfg(test)]
mod tests {
    use crate::graph::{Column, ReadQuery};

    fn clause(text: &str) -> crate::graph::SearchClause {
        let prefixes = "PREFIX insites: <https://w3id.org/insites/ontology#> \
                        PREFIX text: <http://jena.apache.org/text#> \
                        PREFIX search: <http://www.openrdf.org/contrib/lucenesail#> \
                        PREFIX dct: <http://purl.org/dc/terms/> ";
        let query = ReadQuery::parse(&format!("{prefixes}{text}"), None).expect("a query");
        assert_eq!(query.searches().len(), 1);
        query.searches()[0].clone()
    }

    #[test]
    fn our_clause_is_read_with_its_settings() {
        let found = clause(
            "SELECT * { SERVICE insites:search { ?hit insites:query \"missed\" ; insites:score ?s . \
             [] insites:mode \"words\" ; insites:kind insites:Lesson ; insites:limit 20 } \
             ?hit a insites:Lesson }",
        );
        assert_eq!((found.text.as_str(), found.limit, found.plain), ("missed", 20, false));
        assert_eq!(found.mode.as_deref(), Some("words"));
        assert_eq!(found.kinds.len(), 1);
        let columns: Vec<Column> = found.columns.iter().map(|(column, _)| *column).collect();
        assert_eq!(columns, [Column::Hit, Column::Score]);
    }

    #[test]
    fn the_clause_of_jena_is_read_in_all_its_forms() {
        let found = clause("SELECT * { ?s text:query \"a b\" . ?s dct:title ?t }");
        assert_eq!((found.text.as_str(), found.limit, found.plain), ("a b", 10_000, true));
        let found =
            clause("SELECT * { (?s ?score ?lit) text:query (dct:title \"word\" 7 \"lang:en\") . }");
        assert_eq!((found.limit, found.properties.len()), (7, 1));
        let columns: Vec<Column> = found.columns.iter().map(|(column, _)| *column).collect();
        assert_eq!(columns, [Column::Hit, Column::Score, Column::Literal]);
    }

    #[test]
    fn the_clause_of_rdf4j_is_read() {
        let found = clause(
            "SELECT * { ?s search:matches [ search:query \"w\" ; search:score ?x ; \
             search:snippet ?t ; search:property dct:title ] ; dct:subject ?theme }",
        );
        assert_eq!((found.text.as_str(), found.columns.len()), ("w", 3));
    }

    #[test]
    fn a_clause_that_is_not_whole_is_an_error_that_says_so() {
        for (text, told) in [
            (
                "SELECT * { SERVICE <https://w3id.org/insites/ontology#search> { ?h <https://w3id.org/insites/ontology#score> ?s } }",
                "no insites:query",
            ),
            ("SELECT * { ?s <http://jena.apache.org/text#query> ?words }", "limit"),
            (
                "SELECT * { SERVICE <https://w3id.org/insites/ontology#search> { ?h <https://w3id.org/insites/ontology#query> \"x\" ; <http://x/y> ?s } }",
                "is not known",
            ),
        ] {
            let error = ReadQuery::parse(text, None).expect_err("refused").to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
