//! The saved queries, as an API and as pages.

use crate::commit::Snapshot;
use crate::graph::Budget;
use crate::http::error::Problem;
use crate::http::history::seen;
use crate::http::record_page::facts::Facts;
use crate::http::search_page::encode;
use crate::http::site::layout;
use crate::http::sparql::{accept, asked, pairs, take};
use crate::http::stream::{Text, answer};
use crate::http::{Shared, State};
use crate::pages;
use crate::query::{ParameterType, SavedQuery, with_hits};
use crate::rdf::Term;
use axum::Json;
use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Parameters of the protocol that are not the query's.
const RESERVED: [&str; 6] =
    ["timeout", "format", "default-graph-uri", "named-graph-uri", "revision", "at"];
/// Rows shown on a page.
const ROWS: usize = 500;

fn plain(term: &Term) -> Value {
    match term {
        Term::NamedNode(iri) => iri.as_str().into(),
        Term::Literal(literal) => literal.value().into(),
        Term::BlankNode(_) | Term::Triple(_) => term.to_string().into(),
    }
}

fn described(query: &SavedQuery) -> Value {
    let takes: Vec<Value> = query
        .takes
        .iter()
        .map(|p| {
            json!({
                "name": p.name, "type": p.type_.name(), "required": p.required,
                "default": p.default.as_ref().map(plain),
                "example": p.example.as_ref().or(p.default.as_ref()).map(plain),
                "says": p.says,
            })
        })
        .collect();
    let gives: Vec<Value> =
        query.gives.iter().map(|(name, says)| json!({ "name": name, "says": says })).collect();
    json!({
        "name": query.name, "title": query.title, "says": query.says, "gives": gives,
        "takes": takes, "url": format!("/api/queries/{}", query.name),
    })
}

/// `/api/queries`.
pub(super) async fn list_queries(Shared(state): Shared<State>) -> Result<Response, Problem> {
    let app = state.app()?;
    let queries: Vec<Value> = app.queries.all().iter().map(described).collect();
    Ok(Json(queries).into_response())
}

fn saved<'a>(state: &'a State, name: &str) -> Result<&'a SavedQuery, Problem> {
    state.app()?.queries.get(name).ok_or_else(|| {
        Problem::not_found(format!("there is no saved query {name}"))
            .with_hint("/api/queries lists them")
    })
}

/// `/api/queries/{name}`.
pub(super) async fn run_query(
    Shared(state): Shared<State>,
    Path(name): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let saved = saved(&state, &name)?;
    let mut parameters = pairs(query.as_deref().unwrap_or_default())?;
    let values: Vec<(String, String)> =
        parameters.iter().filter(|(n, _)| !RESERVED.contains(&n.as_str())).cloned().collect();
    let ready = saved.with(&values)?;
    let format = take(&mut parameters, "format").pop().filter(|f| !f.is_empty());
    // JSON unless the client names a result format.
    let accept = accept(&headers).filter(|a| !a.contains("text/html"));
    let asked = asked(&state, Text::Ready(Box::new(ready)), &mut parameters, accept, format)?;
    let app = state.app()?;
    let snapshot = seen(&state, &mut parameters).await?;
    let response = answer(app, &snapshot, asked).await?;
    Ok(super::at_revision(response, snapshot.revision))
}

/// `/queries`.
pub(super) async fn queries_page(Shared(state): Shared<State>) -> Result<Response, Problem> {
    let app = state.app()?;
    let mut layout = layout(&state, "Questions the graph answers");
    layout.part = "/queries";
    let page = pages::queries(&pages::QueriesPage {
        layout,
        queries: app
            .queries
            .all()
            .iter()
            .map(|q| (pages::Link::new(&q.title, &format!("/queries/{}", q.name)), q.says.clone()))
            .collect(),
    });
    Ok(([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response())
}

/// Most values that a form offers to choose from.
const CHOICES: usize = 400;

/// Records of the same kind as this one, to choose from; none if there are too
/// many for a list.
fn alike(state: &State, snapshot: &Snapshot, iri: &str) -> Vec<(String, String)> {
    let facts = Facts { snapshot, names: &state.config.names };
    let Some((kind, _)) = state.config.names.kind_and_slug(iri) else { return Vec::new() };
    let mut choices: Vec<(String, String)> = super::explore::of_kind(&facts, kind)
        .into_iter()
        .filter_map(|id| Some((snapshot.graph.text(id)?, facts.label(id))))
        .collect();
    if choices.len() > CHOICES {
        return Vec::new();
    }
    choices.sort_by(|a, b| a.1.cmp(&b.1));
    choices
}

/// `/queries/{name}`: explanation, form and rows.
pub(super) async fn query_page(
    Shared(state): Shared<State>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let saved = saved(&state, &name)?;
    let mut parameters = pairs(query.as_deref().unwrap_or_default())?;
    let snapshot = seen(&state, &mut parameters).await?;
    let (ready, error) = match saved.with(&parameters) {
        Ok(ready) => (Some(ready), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let app = state.app()?;
    let revision = snapshot.revision;
    let labels = std::sync::Arc::clone(&snapshot);
    let (table, error) = match ready {
        None => (None, error),
        Some(ready) => {
            let scope =
                crate::graph::Scope { default: app.config.default_graph, ..Default::default() };
            let limits = &app.config.limits;
            let budget = Budget::new(limits.time, limits.memory);
            let (sender, receiver) = tokio::sync::oneshot::channel();
            app.runner
                .submit(move || {
                    let run = || -> Result<_, crate::query::Error> {
                        let ready =
                            with_hits(ready, &snapshot.graph, &snapshot.text, &scope, &budget)?;
                        Ok(snapshot.graph.solutions(&ready, &scope, &budget, ROWS)?)
                    };
                    // The page may be gone before its rows are there.
                    let _ = sender.send(run());
                })
                .map_err(crate::query::Error::from)?;
            let rows = receiver.await.map_err(|e| Problem::internal(&e))?;
            match rows {
                Ok(solutions) => (Some(super::workbench::table(&state, &labels, &solutions)), None),
                Err(error) => (None, Some(error.to_string())),
            }
        }
    };
    let given = |name: &str| parameters.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    let mut layout = layout(&state, &saved.title);
    layout.part = "/queries";
    saved.says.clone_into(&mut layout.description);
    let choices = |p: &crate::query::Parameter| -> Vec<(String, String)> {
        let example = p.default.as_ref().or(p.example.as_ref());
        match (p.type_, example) {
            (ParameterType::Iri, Some(Term::NamedNode(iri))) => {
                alike(&state, &labels, iri.as_str())
            }
            _ => Vec::new(),
        }
    };
    let picture = table.as_ref().and_then(|table| {
        super::workbench::picture(&format!("{}, as a picture", saved.title), table)
    });
    let page = pages::query(&pages::QueryPage {
        layout,
        title: saved.title.clone(),
        says: saved.says.clone(),
        name: saved.name.clone(),
        fields: saved
            .takes
            .iter()
            .map(|p| pages::Field {
                name: p.name.clone(),
                says: p.says.clone(),
                type_: match p.type_ {
                    ParameterType::Date => "date",
                    ParameterType::Integer | ParameterType::Decimal => "number",
                    _ => "text",
                },
                example: p
                    .example
                    .as_ref()
                    .and_then(|t| plain(t).as_str().map(str::to_owned))
                    .unwrap_or_default(),
                choices: choices(p),
                value: given(&p.name)
                    .or_else(|| {
                        p.default.as_ref().and_then(|t| plain(t).as_str().map(str::to_owned))
                    })
                    .unwrap_or_default(),
                required: p.required,
            })
            .collect(),
        gives: saved.gives.clone(),
        text: saved.text.clone(),
        table,
        picture,
        error,
        workbench: format!("/sparql?query={}", encode(&super::workbench::with_values(saved))),
        search: query.unwrap_or_default(),
    });
    let response = ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response();
    Ok(super::at_revision(response, revision))
}
