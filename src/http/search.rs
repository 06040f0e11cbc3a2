//! `/api/search` and `/search`.

use crate::http::error::Problem;
use crate::http::negotiate::choose;
use crate::http::search_page;
use crate::http::sparql::{accept, pairs, take};
use crate::http::{Shared, State};
use crate::index::Facet;
use crate::problem::Kind;
use crate::search::{Answer, Mode, PAGE_DEFAULT, PAGE_LIMIT, Query, Sort, similar, suggest};
use axum::Json;
use axum::extract::RawQuery;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

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
        let loosened = match search_page::loosened(&asked) {
            Some(query) if answer.total == 0 => run(&state, &query).await?.total,
            _ => 0,
        };
        let page = search_page::page(&state, &parameters, &asked, &answer, loosened);
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

/// Pages of a list that are put together for a download.
const DOWNLOAD_PAGES: usize = 10;

/// This service as the client names it.
fn own_address(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or("localhost");
    let host: String =
        host.chars().filter(|c| c.is_ascii_alphanumeric() || ".:-[]".contains(*c)).collect();
    format!("http://{host}")
}

/// `/search.csv`: the list as CSV, its first thousand rows.
pub(super) async fn search_csv(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let parameters = pairs(query.as_deref().unwrap_or_default())?;
    let mut asked = Query { page: 1, limit: PAGE_LIMIT, ..read(&parameters)? };
    let mut answers = vec![run(&state, &asked).await?];
    let revision = answers[0].revision;
    let pages = answers[0].pages.min(DOWNLOAD_PAGES);
    while answers.len() < pages {
        asked.page += 1;
        answers.push(run(&state, &asked).await?);
    }
    let fields = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"search.csv\""),
    ];
    let body = search_page::csv(&answers, &own_address(&headers));
    Ok(super::at_revision((fields, body).into_response(), revision))
}

/// `/search.atom`: the newest of the list as a feed.
pub(super) async fn search_atom(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let parameters = pairs(query.as_deref().unwrap_or_default())?;
    let asked = Query { page: 1, limit: 50, sort: Sort::Newest, ..read(&parameters)? };
    let answer = run(&state, &asked).await?;
    let body = search_page::atom(&state, &parameters, &answer, &own_address(&headers))?;
    let fields = [(header::CONTENT_TYPE, "application/atom+xml; charset=utf-8")];
    Ok(super::at_revision((fields, body).into_response(), answer.revision))
}

async fn run(state: &State, query: &Query) -> Result<Answer, Problem> {
    let snapshot = state.snapshot()?;
    let (names, query) = (state.config.names.clone(), query.clone());
    // To wake a thread takes as long as many a search by words.
    let at_once = query.mode == Mode::Words;
    let search = move || {
        let (graph, text) = (&snapshot.graph, &snapshot.text);
        crate::search::search(snapshot.revision, graph, text, &names, &query)
    };
    if at_once {
        return Ok(search()?);
    }
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
