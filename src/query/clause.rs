//! Runs the search clauses of a query, over the same revision and for the same
//! reader as the query itself, and hands their hits to it as tables.

use crate::graph::{Column, ReadQuery, Scope, SearchClause, SearchRow, Snapshot};
use crate::rdf::Term;
use crate::search::{ClauseHit, Wanted, search_clause};

/// A query whose search clauses have their hits.
pub fn with_hits(
    query: ReadQuery,
    graph: &Snapshot,
    text: &crate::search::Index,
    scope: &Scope,
) -> Result<ReadQuery, crate::search::Error> {
    if query.searches().is_empty() {
        return Ok(query);
    }
    let graphs = graph.dataset_graphs(&query, scope);
    let mut tables = Vec::new();
    for clause in query.searches() {
        let wanted = Wanted {
            text: &clause.text,
            plain: clause.plain,
            properties: &clause.properties,
            mode: clause.mode.as_deref(),
            classes: &clause.kinds,
            limit: clause.limit,
            graphs: graphs.as_deref(),
            literal: clause.columns.iter().any(|(column, _)| {
                matches!(column, Column::Literal | Column::Property | Column::Snippet)
            }),
        };
        let hits = search_clause(graph, text, &wanted)?;
        tables.push(hits.iter().filter_map(|hit| row(clause, hit)).collect());
    }
    Ok(query.with_tables(&tables))
}

fn row(clause: &SearchClause, hit: &ClauseHit) -> Option<SearchRow> {
    if clause.only.as_ref().is_some_and(|only| *only != hit.record) {
        return None;
    }
    let cell = |column: Column| match column {
        Column::Hit => Some(hit.record.clone()),
        Column::Score => Some(Term::from(crate::rdf::Literal::from(hit.score))),
        Column::Snippet => {
            hit.snippet.clone().map(|s| Term::from(crate::rdf::Literal::new_simple_literal(s)))
        }
        Column::Literal => hit.literal.clone(),
        Column::Property => hit.property.clone(),
        Column::Kind => hit.class.clone(),
    };
    Some(clause.columns.iter().map(|(column, _)| cell(*column)).collect())
}
