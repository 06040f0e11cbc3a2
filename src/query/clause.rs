//! Runs the search clauses of a query, over the same revision and for the same
//! reader as the query itself, and hands their hits to it as tables.

use crate::graph::{
    Budget, Column, EvaluationError, ReadQuery, Scope, SearchCell, SearchClause, SearchTable,
    Snapshot, look_at_budget, within_budget,
};
use crate::query::Error;
use crate::rdf::Literal;
use crate::search::{ClauseHit, Wanted, search_clause};

/// A query whose search clauses have their hits.
pub fn with_hits(
    query: ReadQuery,
    graph: &Snapshot,
    text: &crate::search::Index,
    scope: &Scope,
    budget: &Budget,
) -> Result<ReadQuery, Error> {
    if query.searches().is_empty() {
        return Ok(query);
    }
    let tables = within_budget(budget, || tables(&query, graph, text, scope))
        .map_err(EvaluationError::Stopped)??;
    Ok(query.with_tables(tables))
}

fn tables(
    query: &ReadQuery,
    graph: &Snapshot,
    text: &crate::search::Index,
    scope: &Scope,
) -> Result<Vec<SearchTable>, crate::search::Error> {
    let graphs = graph.dataset_graphs(query, scope);
    let table = |clause: &SearchClause| {
        look_at_budget();
        let columns: Vec<Column> = clause.columns.iter().map(|(column, _)| *column).collect();
        let wanted = Wanted {
            text: &clause.text,
            plain: clause.plain,
            properties: &clause.properties,
            mode: clause.mode.as_deref(),
            classes: &clause.kinds,
            limit: clause.limit,
            graphs: graphs.as_deref(),
            only: clause.only.as_ref(),
            columns: &columns,
        };
        let hits = search_clause(graph, text, &wanted)?;
        let column = |column: &Column| hits.iter().map(|hit| cell(*column, hit)).collect();
        Ok(SearchTable { len: hits.len(), columns: columns.iter().map(column).collect() })
    };
    query.searches().iter().map(table).collect()
}

/// What a hit has in a column.
fn cell(column: Column, hit: &ClauseHit) -> Option<SearchCell> {
    match column {
        Column::Hit => Some(SearchCell::Stored(hit.record)),
        Column::Score => Some(SearchCell::Made(Literal::from(hit.score).into())),
        Column::Snippet => {
            let text = hit.snippet.clone().map(Literal::new_simple_literal);
            text.map(|text| SearchCell::Made(text.into()))
        }
        Column::Literal => hit.literal.clone().map(SearchCell::Made),
        Column::Property => hit.property.clone().map(SearchCell::Made),
        Column::Kind => hit.class.clone().map(SearchCell::Made),
    }
}
