//! `/sparql` for people: a form that works without script, and its result as a
//! table.

use crate::commit::Snapshot;
use crate::graph::{Budget, ReadQuery, Solutions};
use crate::http::State;
use crate::http::error::Problem;
use crate::http::site::layout;
use crate::http::sparql::asked;
use crate::http::stream::Text;
use crate::pages;
use crate::query::{Error, check_size, check_text, with_hits};
use crate::rdf::Term;
use crate::rdf::vocabulary::INSITES;
use crate::search::label;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::time::Instant;

/// Rows shown; the data formats give all.
const ROWS: usize = 1000;

/// The form with a query and its answer.
pub(super) async fn with_query(
    state: &State,
    text: String,
    mut parameters: Vec<(String, String)>,
) -> Result<Response, Problem> {
    let app = state.app()?;
    let asked = asked(state, Text::Raw(text.clone()), &mut parameters, None, None)?;
    let snapshot = state.snapshot()?;
    let budget = Budget::new(asked.time, app.config.limits.memory);
    let limits = app.config.limits.clone();
    let base = app.config.names.base().to_owned();
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let begun = Instant::now();
    let reading = Arc::clone(&snapshot);
    let asked_text = text.clone();
    app.runner
        .submit(move || {
            let run = || -> Result<Solutions, Error> {
                check_text(&asked_text, &limits)?;
                let query = ReadQuery::parse(&asked_text, Some(&base))?;
                check_size(&query, &limits)?;
                let query = with_hits(query, &reading.graph, &reading.text, &asked.scope, &budget)?;
                Ok(reading.graph.solutions(&query, &asked.scope, &budget, ROWS)?)
            };
            // The page may be gone before its rows are there.
            let _ = sender.send(run());
        })
        .map_err(Error::from)?;
    let result = receiver.await.map_err(|e| Problem::internal(&e))?;
    let mut page = page(state, &text);
    let mut status = StatusCode::OK;
    match result {
        Ok(solutions) => {
            page.table = Some(table(state, &snapshot, &solutions));
            page.milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        }
        Err(error) => {
            let problem = Problem::from(error);
            status = crate::http::error::status(problem.kind);
            page.error = Some(pages::QueryError {
                title: crate::http::error::explanation(problem.kind).0.to_owned(),
                detail: problem.detail,
                position: problem.position,
            });
        }
    }
    let html = pages::workbench(&page);
    let response = (
        status,
        [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::VARY, "Accept, Accept-Encoding"),
        ],
        html,
    )
        .into_response();
    Ok(super::at_revision(response, snapshot.revision))
}

/// The form with a text and no answer yet.
pub(super) fn page(state: &State, text: &str) -> pages::WorkbenchPage {
    let limits = &state.config.limits;
    pages::WorkbenchPage {
        layout: layout(state, "SPARQL"),
        text: text.to_owned(),
        seconds: limits.time.as_secs_f64(),
        union: state.config.default_graph == crate::graph::DefaultGraphs::Union,
        examples: state.app.get().map_or_else(Vec::new, |app| {
            app.queries
                .all()
                .iter()
                .map(|q| pages::Link::new(&q.title, &format!("/queries/{}", q.name)))
                .collect()
        }),
        table: None,
        milliseconds: 0,
        error: None,
    }
}

/// Rows as a page shows them: links where there are pages.
pub(super) fn table(state: &State, snapshot: &Snapshot, solutions: &Solutions) -> pages::Table {
    let names = &state.config.names;
    let cell = |term: &Term| match term {
        Term::NamedNode(iri) => {
            let iri = iri.as_str();
            let name =
                snapshot.graph.iri_id(iri).map(|id| label(&snapshot.graph, id)).unwrap_or_default();
            let url = names.kind_and_slug(iri).map(|(kind, slug)| format!("/{kind}/{slug}"));
            let url = url.or_else(|| iri.strip_prefix(INSITES).map(|n| format!("/ontology#{n}")));
            let url = url.unwrap_or_else(|| iri.to_owned());
            pages::Value::Link(pages::Link::new(if name.is_empty() { iri } else { &name }, &url))
        }
        Term::Literal(literal) => pages::Value::Text {
            text: literal.value().to_owned(),
            language: literal.language().map(str::to_owned),
        },
        Term::BlankNode(node) => pages::Value::Text { text: node.to_string(), language: None },
    };
    pages::Table {
        columns: solutions.variables.clone(),
        rows: solutions
            .rows
            .iter()
            .map(|row| row.iter().map(|term| term.as_ref().map(cell)).collect())
            .collect(),
        truncated: solutions.truncated,
    }
}
