//! `/api/search` and `/search`.

use crate::http::error::Problem;
use crate::http::negotiate::choose;
use crate::http::site::layout;
use crate::http::sparql::{accept, pairs, take};
use crate::http::{Shared, State};
use crate::index::Facet;
use crate::pages;
use crate::problem::Kind;
use crate::search::{Answer, Mode, PAGE_DEFAULT, PAGE_LIMIT, Query, Sort, similar, suggest};
use axum::Json;
use axum::extract::RawQuery;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Similar records unless asked otherwise.
const SIMILAR: usize = 10;

/// `/api/search`: always JSON.
pub(super) async fn search_api(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let parameters = pairs(query.as_deref().unwrap_or_default())?;
    let answer = run(&state, &read(&parameters)?).await?;
    let revision = answer.revision;
    Ok(super::at_revision(Json(answer).into_response(), revision))
}

/// `/search`: a page, or JSON by `Accept`.
pub(super) async fn search_page(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let parameters = pairs(query.as_deref().unwrap_or_default())?;
    let asked = read(&parameters)?;
    let answer = run(&state, &asked).await?;
    let revision = answer.revision;
    let json =
        choose(accept(&headers).as_deref(), &[&["text/html"], &["application/json"]]) == Some(1);
    let mut response = if json {
        Json(answer).into_response()
    } else {
        let page = page(&state, &parameters, &asked, &answer);
        ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
    };
    response
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    Ok(super::at_revision(response, revision))
}

/// `/api/suggest`: what a person may mean while still typing.
pub(super) async fn suggest_api(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let parameters = pairs(query.as_deref().unwrap_or_default())?;
    let typed = parameters.into_iter().find(|(name, _)| name == "q").unwrap_or_default().1;
    let snapshot = state.snapshot()?;
    let (names, revision) = (state.config.names.clone(), snapshot.revision);
    let work = move || suggest(&snapshot.graph, &snapshot.text, &names, &typed);
    let suggestions =
        tokio::task::spawn_blocking(work).await.map_err(|e| Problem::internal(&e))??;
    let body = serde_json::json!({ "suggestions": suggestions });
    Ok(super::at_revision(Json(body).into_response(), revision))
}

/// `/api/similar`: records whose texts mean nearly the same as one's.
pub(super) async fn similar_api(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let mut parameters = pairs(query.as_deref().unwrap_or_default())?;
    let ids = take(&mut parameters, "id");
    let [id] = ids.as_slice() else {
        return Err(Problem::parameter("id must be given once: the IRI of a record"));
    };
    let limit = match take(&mut parameters, "limit").pop() {
        None => SIMILAR,
        Some(text) => text
            .parse()
            .ok()
            .filter(|n| (1..=PAGE_LIMIT).contains(n))
            .ok_or_else(|| Problem::parameter("limit must be a number from 1 to 100"))?,
    };
    let snapshot = state.snapshot()?;
    // A record that is hidden answers as one that never was.
    let subject = snapshot
        .graph
        .iri_id(id)
        .filter(|subject| snapshot.text.row_of(*subject).is_some())
        .ok_or_else(|| Problem::new(Kind::NotFound, format!("there is no record {id}")))?;
    let (names, revision) = (state.config.names.clone(), snapshot.revision);
    let work = move || similar(&snapshot.graph, &snapshot.text, &names, subject, limit);
    let hits = tokio::task::spawn_blocking(work).await.map_err(|e| Problem::internal(&e))??;
    Ok(super::at_revision(Json(serde_json::json!({ "hits": hits })).into_response(), revision))
}

async fn run(state: &State, query: &Query) -> Result<Answer, Problem> {
    let app = state.app()?.clone();
    let query = query.clone();
    let snapshot = state.snapshot()?;
    let search = move || {
        crate::search::search(
            snapshot.revision,
            &snapshot.graph,
            &snapshot.text,
            &app.config.names,
            &query,
        )
    };
    Ok(tokio::task::spawn_blocking(search).await.map_err(|e| Problem::internal(&e))??)
}

/// Reads the parameters. What a person types as words is never an error; a
/// parameter that a program gets wrong is.
fn read(parameters: &[(String, String)]) -> Result<Query, Problem> {
    let mut query = Query { page: 1, limit: PAGE_DEFAULT, ..Query::default() };
    for (name, value) in parameters {
        let wrong = |expected: &str| Problem::parameter(format!("{name}={value}: {expected}"));
        match name.as_str() {
            "q" => query.text.clone_from(value),
            "mode" if !value.is_empty() => {
                query.mode = Mode::ALL
                    .into_iter()
                    .find(|mode| mode.name() == value)
                    .ok_or_else(|| wrong("the modes are hybrid, words and meaning"))?;
            }
            "match" => {
                query.exact = match value.as_str() {
                    "exact" => true,
                    "" | "any" => false,
                    _ => return Err(wrong("only match=exact is known")),
                }
            }
            "sort" => {
                query.sort = if value.is_empty() {
                    Sort::Relevance
                } else {
                    Sort::ALL.into_iter().find(|sort| sort.name() == value).ok_or_else(|| {
                        wrong("the orders are relevance, newest, oldest and title")
                    })?
                };
            }
            "page" => {
                query.page = value
                    .parse()
                    .ok()
                    .filter(|n| *n > 0)
                    .ok_or_else(|| wrong("pages are numbered from 1"))?;
            }
            "limit" => {
                query.limit = value
                    .parse()
                    .ok()
                    .filter(|n| (1..=PAGE_LIMIT).contains(n))
                    .ok_or_else(|| wrong("must be a number from 1 to 100"))?;
            }
            "from" if !value.is_empty() => {
                query.from = Some(
                    day(value, true)
                        .ok_or_else(|| wrong("must be a date: 2024, 2024-03 or 2024-03-22"))?,
                );
            }
            "to" if !value.is_empty() => {
                query.to = Some(
                    day(value, false)
                        .ok_or_else(|| wrong("must be a date: 2024, 2024-03 or 2024-03-22"))?,
                );
            }
            _ => {
                if let Some(facet) = Facet::ALL.into_iter().find(|facet| facet.name() == name)
                    && !value.is_empty()
                {
                    query.filters.push((facet, value.clone()));
                }
            }
        }
    }
    Ok(query)
}

/// A date as `yyyymmdd`; what is left out is the first or the last of its time.
fn day(text: &str, first: bool) -> Option<u64> {
    let mut parts = text.splitn(3, '-');
    let year: u64 = parts.next()?.parse().ok().filter(|y| (1..=9999).contains(y))?;
    let fill = |most: u64| if first { 0 } else { most };
    let month = match parts.next() {
        None => fill(99),
        Some(month) => month.parse().ok().filter(|m| (1..=12).contains(m))?,
    };
    let day = match parts.next() {
        None => fill(99),
        Some(day) => day.parse().ok().filter(|d| (1..=31).contains(d))?,
    };
    Some(year * 10_000 + month * 100 + day)
}

fn page(state: &State, parameters: &[(String, String)], asked: &Query, answer: &Answer) -> String {
    let without_page: Vec<(String, String)> = parameters
        .iter()
        .filter(|(name, value)| name != "page" && !value.is_empty())
        .cloned()
        .collect();
    let with = |more: &[(&str, &str)], less: &[(&str, &str)]| {
        let mut all: Vec<(&str, &str)> = without_page
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|pair| !less.contains(pair))
            .collect();
        all.extend(more);
        address(&all)
    };
    let facets = Facet::ALL
        .into_iter()
        .filter_map(|facet| {
            let values = answer.facets.get(facet.name())?;
            let values: Vec<pages::FacetLink> = values
                .iter()
                .take(12)
                .map(|value| {
                    let selected =
                        asked.filters.iter().any(|(f, v)| *f == facet && *v == value.value);
                    let pair = (facet.name(), value.value.as_str());
                    let url = if selected { with(&[], &[pair]) } else { with(&[pair], &[]) };
                    pages::FacetLink {
                        label: value.label.clone(),
                        count: value.count,
                        selected,
                        url,
                    }
                })
                .collect();
            (!values.is_empty()).then(|| pages::FacetGroup {
                label: crate::search::kind_label(facet.name(), false),
                values,
            })
        })
        .collect();
    let chips = asked
        .filters
        .iter()
        .map(|(facet, value)| {
            let label = answer
                .facets
                .get(facet.name())
                .and_then(|values| values.iter().find(|v| v.value == *value))
                .map_or(value.clone(), |v| v.label.clone());
            pages::Link::new(&label, &with(&[], &[(facet.name(), value.as_str())]))
        })
        .collect();
    let sorts = Sort::ALL
        .into_iter()
        .map(|sort| {
            let old = asked.sort.name();
            (sort.name(), with(&[("sort", sort.name())], &[("sort", old)]), sort == asked.sort)
        })
        .collect();
    let step = |page: usize| with(&[("page", &page.to_string())], &[]);
    pages::search(&pages::SearchPage {
        layout: layout(state, if asked.text.is_empty() { "Search" } else { &asked.text }),
        query: asked.text.clone(),
        hidden: without_page.iter().filter(|(name, _)| name != "q").cloned().collect(),
        total: answer.total,
        page: answer.page,
        pages: answer.pages,
        hits: answer
            .hits
            .iter()
            .map(|hit| pages::SearchHit {
                link: pages::Link::new(&hit.title, &hit.url).with_status(&hit.status),
                kind: crate::search::kind_label(&hit.kind, false),
                snippet: hit.snippet.clone(),
                date: hit.date.clone(),
                words: hit.why.words.clone(),
            })
            .collect(),
        facets,
        chips,
        sorts,
        dropped: answer.dropped.clone(),
        previous: (answer.page > 1).then(|| step(answer.page - 1)),
        next: (answer.page < answer.pages).then(|| step(answer.page + 1)),
        json: with(&[], &[]).replacen("/search", "/api/search", 1),
    })
}

/// `/search?…` with these parameters.
fn address(parameters: &[(&str, &str)]) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let query: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    if query.is_empty() { "/search".to_owned() } else { format!("/search?{}", query.join("&")) }
}
