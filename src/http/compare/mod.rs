//! `/compare` and `/api/compare`: what is common and what varies, as a page, as
//! JSON and as CSV, with the SPARQL that gives the same counts.

mod data;
mod page;
mod parts;
mod request;

use crate::access::Role;
use crate::commit::Snapshot;
use crate::compare::suppression::{Restricted, told};
use crate::compare::{
    Behind, Concepts, Figures, Findings, Gathered, Queries, Table, behind, count, figures, find,
};
use crate::http::error::Problem;
use crate::http::negotiate::choose;
use crate::http::record_page::facts::Facts;
use crate::http::site::html;
use crate::http::sparql::{accept, pairs, take};
use crate::http::{Shared, State};
use crate::problem::Kind;
use crate::rdf::Visibility;
use axum::extract::RawQuery;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use request::{Request, Words};
use std::sync::Arc;

/// A comparison, ready to be shown.
struct Comparison<'a> {
    request: &'a Request,
    facts: Facts<'a>,
    words: Words<'a>,
    /// Counts that are told as they are.
    table: Table,
    /// What restricted evidence adds: cells with a total at the end of each
    /// row, and a row of what the columns are out of.
    restricted: Vec<Restricted>,
    /// Records of restricted evidence.
    restricted_records: Restricted,
    findings: Findings,
    figures: Figures,
    behind: Option<Behind>,
    /// Units by row and column, and by column.
    queries: [String; 2],
}

impl Comparison<'_> {
    /// What restricted evidence adds to a cell; `None` for a row or a column is
    /// its total.
    fn restricted(&self, row: Option<usize>, column: Option<usize>) -> Restricted {
        let width = self.table.columns.len() + 1;
        let row = row.unwrap_or(self.table.rows.len());
        let column = column.unwrap_or(width - 1);
        self.restricted.get(row * width + column).copied().unwrap_or_default()
    }
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Page,
    Json,
    Csv,
}

fn form(
    headers: &HeaderMap,
    parameters: &mut Vec<(String, String)>,
    page: bool,
) -> Result<Form, Problem> {
    match take(parameters, "format").pop().as_deref() {
        Some("html") if page => return Ok(Form::Page),
        Some("json") => return Ok(Form::Json),
        Some("csv") => return Ok(Form::Csv),
        None | Some("") => {}
        Some(other) => {
            return Err(Problem::parameter(format!("format={other} is not known"))
                .with_hint("json or csv; without it, what Accept asks for"));
        }
    }
    let offers: [&[&str]; 3] =
        [&["text/html", "application/xhtml+xml"], &["application/json"], &["text/csv"]];
    let forms = [Form::Page, Form::Json, Form::Csv];
    let from = usize::from(!page);
    // A browser that opens the API gets what it shows best.
    let accept = accept(headers).filter(|accept| page || !accept.contains("text/html"));
    choose(accept.as_deref(), &offers[from..])
        .map(|at| forms[from + at])
        .ok_or_else(|| Problem::new(Kind::NotAcceptable, "a comparison exists as JSON and as CSV"))
}

/// GET `/compare`.
pub(super) async fn compare_page(
    shared: Shared<State>,
    headers: HeaderMap,
    query: RawQuery,
) -> Result<Response, Problem> {
    answer(shared, headers, query, true).await
}

/// GET `/api/compare`.
pub(super) async fn compare_api(
    shared: Shared<State>,
    headers: HeaderMap,
    query: RawQuery,
) -> Result<Response, Problem> {
    answer(shared, headers, query, false).await
}

async fn answer(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    page: bool,
) -> Result<Response, Problem> {
    let mut parameters = pairs(query.as_deref().unwrap_or_default())?;
    let form = form(&headers, &mut parameters, page)?;
    // Counting takes milliseconds: off the threads that serve everyone.
    tokio::task::spawn_blocking(move || respond(&state, form, &mut parameters))
        .await
        .map_err(|error| Problem::internal(&error))?
}

/// What those see who see this much, gathered.
fn gathered(state: &State, snapshot: &Snapshot, visibility: Visibility) -> Arc<Gathered> {
    let names = &state.config.names;
    state.compared.gathered(visibility, snapshot.revision, &snapshot.graph, names)
}

fn respond(
    state: &State,
    form: Form,
    parameters: &mut Vec<(String, String)>,
) -> Result<Response, Problem> {
    let app = state.app()?;
    let snapshot = state.snapshot()?;
    let names = &state.config.names;
    let sees = state.caller.role.sees();
    let own = gathered(state, &snapshot, sees);
    let words = Words { graph: &snapshot.graph, names };
    let request = Request::parse(state, words, &own, parameters)?;
    let public = if sees == Visibility::Public || request.exact {
        Arc::clone(&own)
    } else {
        let public = app.reader.seen_by(Visibility::Public);
        // A change in between: what is seen is asked for again.
        if public.revision == snapshot.revision {
            gathered(state, &public, Visibility::Public)
        } else {
            Arc::new(Gathered::new(&snapshot.seen_by(Visibility::Public, names).graph, names))
        }
    };
    let comparison = compared(&request, &snapshot, words, &own, &public);
    let mut response = match form {
        Form::Page => html(page::page(state, &comparison)),
        Form::Json => axum::Json(data::json(&comparison)).into_response(),
        Form::Csv => {
            let fields = [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"compare.csv\""),
            ];
            (fields, data::csv(&comparison)).into_response()
        }
    };
    response
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    if state.caller.role != Role::Public {
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
    Ok(super::at_revision(response, snapshot.revision))
}

/// Counts and finds.
fn compared<'a>(
    request: &'a Request,
    snapshot: &'a Snapshot,
    words: Words<'a>,
    own: &Arc<Gathered>,
    public: &Arc<Gathered>,
) -> Comparison<'a> {
    let asked = &request.asked;
    let whole = count(own, asked, None);
    let (table, restricted, restricted_records) = if Arc::ptr_eq(own, public) {
        (whole, Vec::new(), Restricted::Nothing)
    } else {
        apart(&whole, public, asked)
    };
    let graph = &snapshot.graph;
    let outcome = |slug: &str| graph.iri_id(&words.names.record("outcome", slug));
    let concepts = Concepts {
        worked: outcome("worked"),
        mixed: outcome("mixed"),
        stopped: outcome("stopped"),
        other: graph.iri_id(&words.names.record("organisation-kind", "other")),
    };
    let behind = request.cell.map(|(row, column)| behind(public, asked, row, column));
    let (findings, figures) = if behind.is_some() {
        (Findings::default(), Figures::default())
    } else {
        (find(public, asked, concepts), figures(graph, public, asked))
    };
    let filters = words.filters(asked);
    let queries = Queries { asked, filters: &filters, names: words.names, drafts: own.drafts };
    Comparison {
        request,
        facts: Facts { snapshot, names: words.names },
        words,
        queries: [queries.cells(), queries.columns()],
        table,
        restricted,
        restricted_records,
        findings,
        figures,
        behind,
    }
}

/// Public counts, and what restricted evidence adds to them.
fn apart(
    whole: &Table,
    public: &Gathered,
    asked: &crate::compare::Asked,
) -> (Table, Vec<Restricted>, Restricted) {
    let rows: Vec<u32> = whole.rows.iter().map(|head| head.value).collect();
    let columns: Vec<u32> = whole.columns.iter().map(|head| head.value).collect();
    let table = count(public, asked, Some((&rows, &columns)));
    let mut parts = Vec::with_capacity((rows.len() + 1) * (columns.len() + 1));
    for (row, (all, seen)) in whole.rows.iter().zip(&table.rows).enumerate() {
        for column in 0..columns.len() {
            let seen = table.cell(row, column).units;
            parts.push(whole.cell(row, column).units.saturating_sub(seen));
        }
        parts.push(all.units.saturating_sub(seen.units));
    }
    for (all, seen) in whole.columns.iter().zip(&table.columns) {
        parts.push(all.units.saturating_sub(seen.units));
    }
    parts.push(whole.units.saturating_sub(table.units));
    let restricted = told(&parts, columns.len() + 1);
    let records = told(&[whole.records.saturating_sub(table.records)], 1)[0];
    let more = Table { more_rows: whole.more_rows, more_columns: whole.more_columns, ..table };
    (more, restricted, records)
}
