//! What changed: the feed, single changes, undoing one, the history of a
//! record, and states as of an earlier revision (Memento, RFC 7089).

use crate::access::Role;
use crate::commit::{ChangeRecord, Edit, Rules, Snapshot};
use crate::http::error::Problem;
use crate::http::negotiate::choose;
use crate::http::site::layout;
use crate::http::sparql::{accept, pairs, take};
use crate::http::update::change;
use crate::http::{Shared, State, at_revision};
use crate::pages;
use crate::problem::Kind;
use crate::rdf::Provenance;
use crate::rdf::QuadIds;
use crate::rdf::Revision;
use crate::rdf::TermId;
use crate::search::label;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Most changes in one answer of the feed.
const CHANGES_LIMIT: usize = 1000;
/// Subjects and quads named of one change.
const NAMED: usize = 100;
/// Changes on one page of the feed for replicas. A page with as many is closed
/// and never changes.
const FRAGMENT: u64 = 100;

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, crate::commit::LedgerError> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Problem::internal(&error))?
        .map_err(|error| Problem::internal(&error))
}

/// A change as its reader may see it: quads of graphs that are hidden from
/// them are left out.
struct Seen {
    record: ChangeRecord,
    removed: Vec<QuadIds>,
    added: Vec<QuadIds>,
}

impl Seen {
    /// `None` if there is nothing to see. Of a change that is hidden in part,
    /// what its author wrote about it is hidden too.
    fn of(
        mut record: ChangeRecord,
        mut removed: Vec<QuadIds>,
        mut added: Vec<QuadIds>,
        hidden: &[TermId],
    ) -> Option<Self> {
        if !hidden.is_empty() {
            let all = removed.len() + added.len();
            let shown = |quad: &QuadIds| {
                hidden.binary_search(&quad[3]).is_err() && hidden.binary_search(&quad[0]).is_err()
            };
            removed.retain(shown);
            added.retain(shown);
            if removed.len() + added.len() < all {
                record.reason = String::new();
                record.source = String::new();
            }
        }
        (!removed.is_empty() || !added.is_empty()).then_some(Self { record, removed, added })
    }
}

/// The changes after a revision with their quads, as this caller sees them;
/// one with nothing to see is left out. Also the last revision looked at.
async fn changes_after(
    state: &State,
    since: Revision,
    limit: usize,
) -> Result<(Vec<Seen>, Revision), Problem> {
    let app = state.app()?.clone();
    let hidden = app.reader.hidden_from(state.caller.role.sees());
    let now = state.snapshot()?.revision;
    blocking(move || {
        let mut seen = Vec::new();
        let mut last = since;
        for record in app.history.changes(since, limit)? {
            if record.revision > now {
                break;
            }
            last = record.revision;
            let (removed, added) = app.history.change_quads(record.revision)?;
            seen.extend(Seen::of(record, removed, added, &hidden));
        }
        Ok((seen, last))
    })
    .await
}

fn subjects(snapshot: &Snapshot, seen: &Seen) -> Vec<String> {
    let mut ids: Vec<TermId> = seen.removed.iter().chain(&seen.added).map(|q| q[0]).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter()
        .filter_map(|id| match snapshot.graph.term(id)? {
            crate::rdf::Term::NamedNode(iri) => Some(iri.into_string()),
            _ => None,
        })
        .take(NAMED)
        .collect()
}

fn entry(snapshot: &Snapshot, seen: &Seen) -> Value {
    json!({
        "revision": seen.record.revision,
        "time": seen.record.time,
        "author": seen.record.author,
        "reason": seen.record.reason,
        "source": seen.record.source,
        "added": seen.added.len(),
        "removed": seen.removed.len(),
        "subjects": subjects(snapshot, seen),
        "url": format!("/changes/{}", seen.record.revision),
    })
}

fn number(
    parameters: &mut Vec<(String, String)>,
    name: &str,
    default: u64,
) -> Result<u64, Problem> {
    match take(parameters, name).pop() {
        None => Ok(default),
        Some(text) => text
            .parse()
            .map_err(|_| Problem::parameter(format!("{name}={text} is not a whole number"))),
    }
}

/// `/changes?since=N&limit=M`: the changes after a revision, oldest first.
pub(super) async fn feed(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let mut parameters = pairs(query.as_deref().unwrap_or_default())?;
    let since = number(&mut parameters, "since", 0)?;
    let limit = usize::try_from(number(&mut parameters, "limit", 100)?).unwrap_or(usize::MAX);
    let limit = limit.clamp(1, CHANGES_LIMIT);
    let snapshot = state.snapshot()?;
    let (seen, last) = changes_after(&state, since, limit).await?;
    let changes: Vec<Value> = seen.iter().map(|seen| entry(&snapshot, seen)).collect();
    let next = (last < snapshot.revision && last > since)
        .then(|| format!("/changes?since={last}&limit={limit}"));
    let response = Json(json!({ "changes": changes, "next": next })).into_response();
    Ok(at_revision(response, snapshot.revision))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// `/changes.atom`: the last changes, newest first (RFC 4287).
pub(super) async fn atom(Shared(state): Shared<State>) -> Result<Response, Problem> {
    let snapshot = state.snapshot()?;
    let since = snapshot.revision.saturating_sub(50);
    let (mut seen, _) = changes_after(&state, since, 50).await?;
    seen.reverse();
    let base = state.config.names.base();
    let updated = seen.first().map_or("1970-01-01T00:00:00Z", |seen| &seen.record.time);
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\
         <title>{} – changes</title><id>{base}changes</id><updated>{updated}</updated>\
         <link rel=\"self\" href=\"/changes.atom\"/>",
        escaped(&state.config.service_name)
    );
    for seen in &seen {
        let record = &seen.record;
        let names: Vec<String> = subjects(&snapshot, seen)
            .iter()
            .take(10)
            .filter_map(|iri| Some(label(&snapshot.graph, snapshot.graph.iri_id(iri)?)))
            .collect();
        let title = if record.reason.is_empty() { "Change" } else { &record.reason };
        // Writing to a string cannot fail.
        let _ = write!(
            xml,
            "<entry><id>{base}changes/{0}</id><title>{1} (revision {0})</title>\
             <updated>{2}</updated><author><name>{3}</name></author>\
             <link href=\"/changes/{0}\"/><summary>{4} quads added, {5} removed: {6}</summary></entry>",
            record.revision,
            escaped(title),
            record.time,
            escaped(if record.author.is_empty() { "unknown" } else { &record.author }),
            seen.added.len(),
            seen.removed.len(),
            escaped(&names.join("; ")),
        );
    }
    xml.push_str("</feed>\n");
    let fields = [(header::CONTENT_TYPE, "application/atom+xml; charset=utf-8")];
    Ok(at_revision((fields, xml).into_response(), snapshot.revision))
}

/// `/changes/{revision}`: one change with its quads, as N-Quads.
pub(super) async fn one(
    Shared(state): Shared<State>,
    Path(revision): Path<String>,
) -> Result<Response, Problem> {
    let missing = || Problem::not_found(format!("there is no change {revision}"));
    let wanted: Revision = revision.parse().map_err(|_| missing())?;
    let before = wanted.checked_sub(1).ok_or_else(missing)?;
    let snapshot = state.snapshot()?;
    let (seen, _) = changes_after(&state, before, 1).await?;
    let seen = seen.into_iter().find(|seen| seen.record.revision == wanted);
    let seen = seen.ok_or_else(missing)?;
    let spell = |quads: &[QuadIds]| -> Vec<String> {
        quads.iter().filter_map(|q| Some(format!("{} .", snapshot.graph.quad(*q)?))).collect()
    };
    let mut body = entry(&snapshot, &seen);
    body["removedQuads"] = spell(&seen.removed).into();
    body["addedQuads"] = spell(&seen.added).into();
    let mut response = Json(body).into_response();
    // What happened does not change any more; who may see it can.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(at_revision(response, snapshot.revision))
}

/// `/changes/ldes` and its pages: a Linked Data Event Stream (TREE) for replicas.
pub(super) async fn stream(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let mut parameters = pairs(query.as_deref().unwrap_or_default())?;
    let page = number(&mut parameters, "page", 1)?.max(1);
    let snapshot = state.snapshot()?;
    let since = (page - 1).saturating_mul(FRAGMENT);
    if since > snapshot.revision {
        return Err(Problem::not_found(format!("there is no page {page} yet")));
    }
    let limit = usize::try_from(FRAGMENT).unwrap_or(100);
    let (seen, _) = changes_after(&state, since, limit).await?;
    let base = state.config.names.base();
    let mut turtle = format!(
        "@prefix ldes: <https://w3id.org/ldes#> .\n@prefix tree: <https://w3id.org/tree#> .\n\
         @prefix prov: <http://www.w3.org/ns/prov#> .\n@prefix dct: <http://purl.org/dc/terms/> .\n\
         @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n\
         @prefix insites: <https://w3id.org/insites/ontology#> .\n\n\
         <{base}changes/ldes> a ldes:EventStream ;\n  ldes:timestampPath prov:endedAtTime ;\n  \
         tree:view <{base}changes/ldes?page=1> .\n\n<{base}changes/ldes?page={page}> a tree:Node"
    );
    let closed = since + FRAGMENT <= snapshot.revision;
    if closed {
        let _ = write!(
            turtle,
            " ;\n  tree:relation [ a tree:Relation ; tree:node <{base}changes/ldes?page={}> ]",
            page + 1
        );
    }
    turtle.push_str(" .\n");
    for seen in &seen {
        let record = &seen.record;
        let spell = |quads: &[QuadIds]| -> String {
            quads
                .iter()
                .filter_map(|quad| Some(format!("{} .\n", snapshot.graph.quad(*quad)?)))
                .collect()
        };
        let literal = |text: &str| oxigraph::model::Literal::from(text).to_string();
        let _ = write!(
            turtle,
            "\n<{base}changes/ldes> tree:member <{base}changes/{0}> .\n<{base}changes/{0}> a \
             prov:Activity ;\n  prov:endedAtTime {1}^^xsd:dateTime ;\n  dct:description {2} ;\n  \
             insites:removedQuads {3} ;\n  insites:addedQuads {4} .\n",
            record.revision,
            literal(&record.time),
            literal(&record.reason),
            literal(&spell(&seen.removed)),
            literal(&spell(&seen.added)),
        );
    }
    let mut response =
        ([(header::CONTENT_TYPE, "text/turtle; charset=utf-8")], turtle).into_response();
    let cache = if closed { "max-age=604800, immutable" } else { "no-cache" };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    Ok(at_revision(response, snapshot.revision))
}

/// POST `/changes/{revision}/revert`: a new change that undoes one. What was
/// changed again since stays as it is now.
pub(super) async fn revert(
    Shared(state): Shared<State>,
    Path(revision): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    state.needs(Role::Curator)?;
    let mut form = super::lifecycle::form(&body)?;
    super::identity::check_form(&state, &mut form)?;
    let reason = take(&mut form, "reason").pop();
    let missing = || Problem::not_found(format!("there is no change {revision}"));
    let wanted: Revision = revision.parse().map_err(|_| missing())?;
    let app = state.app()?.clone();
    if wanted == 0 || wanted > state.snapshot()?.revision {
        return Err(missing());
    }
    let (removed, added) = blocking(move || app.history.change_quads(wanted)).await?;
    let provenance = Provenance {
        author: state.caller.name.clone(),
        reason: reason.unwrap_or_else(|| format!("Undo change {wanted}")),
        source: format!("revert of {wanted}"),
    };
    let may_write = super::update::may_write(&state);
    let tombs = state.config.names.lifecycle();
    let undone = Arc::new(AtomicUsize::new(0));
    let left = Arc::clone(&undone);
    let committed = change(&state, provenance, Rules::Refuse, move |edit: &mut Edit| {
        let now = edit.state();
        for quad in removed.iter().chain(&added) {
            let graph = now.quad(*quad).map(|quad| quad.graph_name);
            // Who may withdraw and merge may also take it back.
            let is_fate = |graph: &crate::rdf::GraphName| {
                tombs.iter().any(|tomb| *graph == crate::rdf::GraphName::from(tomb.clone()))
            };
            if graph.is_some_and(|graph| !is_fate(&graph) && !may_write(graph.as_ref())) {
                return Err(Problem::new(
                    Kind::Forbidden,
                    "the change touched a graph that is for administrators",
                ));
            }
        }
        left.store(edit.undo(&removed, &added), Ordering::Relaxed);
        Ok(())
    })
    .await?;
    Ok(super::update::answer_with(&committed, |body| {
        body["superseded"] = undone.load(Ordering::Relaxed).into();
    }))
}

/// The state that `revision=` or `at=` asks for, else the present one.
pub(super) async fn seen(
    state: &State,
    parameters: &mut Vec<(String, String)>,
) -> Result<Arc<Snapshot>, Problem> {
    match as_of(state, parameters).await? {
        Some(past) => Ok(past),
        None => state.snapshot(),
    }
}

/// The state that `revision=` or `at=` asks for; `None` if neither is there.
pub(super) async fn as_of(
    state: &State,
    parameters: &mut Vec<(String, String)>,
) -> Result<Option<Arc<Snapshot>>, Problem> {
    let revision = take(parameters, "revision").pop();
    let at = take(parameters, "at").pop();
    let now = state.snapshot()?;
    let wanted = match (revision, at) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            return Err(Problem::parameter("revision or at, not both"));
        }
        (Some(text), None) => text
            .parse::<Revision>()
            .map_err(|_| Problem::parameter(format!("revision={text} is not a whole number")))?,
        (None, Some(text)) => {
            let time = instant(&text).ok_or_else(|| {
                Problem::parameter(format!("at={text} is not a time like 2026-11-01T00:00:00Z"))
            })?;
            let app = state.app()?.clone();
            blocking(move || app.history.revision_at(&time)).await?
        }
    };
    if wanted > now.revision {
        return Err(Problem::not_found(format!("there is no revision {wanted} yet"))
            .with_hint(format!("the last one is {}", now.revision)));
    }
    if wanted == now.revision {
        return Ok(Some(now));
    }
    let app = state.app()?.clone();
    let sees = state.caller.role.sees();
    let found = blocking(move || {
        let time = match wanted.checked_sub(1) {
            Some(before) => app.history.changes(before, 1)?.pop(),
            None => None,
        };
        Ok(app
            .past
            .at(wanted, sees)?
            .map(|graph| (graph, time.map(|c| c.time).unwrap_or_default())))
    })
    .await?;
    let (graph, time) =
        found.ok_or_else(|| Problem::not_found(format!("there is no revision {wanted} yet")))?;
    Ok(Some(Arc::new(Snapshot { revision: wanted, time, graph, text: now.text.clone() })))
}

/// A time in UTC, as changes are recorded: from `2026-11-01`,
/// `2026-11-01T10:00:00Z` or with another offset.
fn instant(text: &str) -> Option<String> {
    let text = text.trim().replace(' ', "+");
    let text = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text };
    let text = if text.ends_with('Z') || text.get(19..).is_some_and(|t| t.contains(['+', '-'])) {
        text
    } else {
        format!("{text}Z")
    };
    let time: oxsdatatypes::DateTime = text.parse().ok()?;
    let utc = time.adjust(Some(oxsdatatypes::TimezoneOffset::UTC))?;
    Some(utc.to_string())
}

/// `Accept-Datetime` (RFC 7089 §2.1.1.1) as the revision of that time.
pub(super) async fn revision_for(
    state: &State,
    headers: &HeaderMap,
) -> Result<Option<Revision>, Problem> {
    let Some(given) = headers.get("accept-datetime").and_then(|v| v.to_str().ok()) else {
        return Ok(None);
    };
    let time = httpdate::parse_http_date(given)
        .map_err(|_| Problem::parameter(format!("Accept-Datetime: {given} is not an HTTP date")))?;
    let since = time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let time = crate::rdf::timestamp(since.as_secs());
    let app = state.app()?.clone();
    blocking(move || app.history.revision_at(&time)).await.map(Some)
}

/// The changes of a record that the caller may see, newest first.
async fn of_record(state: &State, subject: TermId) -> Result<Vec<Seen>, Problem> {
    let app = state.app()?.clone();
    let hidden = app.reader.hidden_from(state.caller.role.sees());
    let now = state.snapshot()?.revision;
    blocking(move || {
        let mut seen = Vec::new();
        for record in app.history.of_subject(subject, CHANGES_LIMIT)? {
            let (removed, added) = app.history.change_quads(record.revision)?;
            let Some(mut change) = Seen::of(record, removed, added, &hidden) else { continue };
            change.removed.retain(|quad| quad[0] == subject);
            change.added.retain(|quad| quad[0] == subject);
            if change.record.revision <= now
                && (!change.removed.is_empty() || !change.added.is_empty())
            {
                seen.push(change);
            }
        }
        Ok(seen)
    })
    .await
}

/// GET `/{kind}/{slug}/history` and `/{kind}/{slug}/timemap`.
pub(super) async fn record(
    Shared(state): Shared<State>,
    Path((kind, slug, what)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if what == "graph" {
        return super::records::graph(&state, &kind, &slug, &headers);
    }
    if what != "history" && what != "timemap" {
        return Err(Problem::not_found("there is nothing at this address"));
    }
    let snapshot = state.snapshot()?;
    let iri = state.config.names.record(&kind, &slug);
    let missing = || Problem::not_found(format!("there is no record {kind}/{slug}"));
    let subject = snapshot.graph.iri_id(&iri).ok_or_else(missing)?;
    let seen = of_record(&state, subject).await?;
    if seen.is_empty() {
        return Err(missing());
    }
    let response = if what == "timemap" {
        timemap(&kind, &slug, &seen)
    } else {
        history(&state, &snapshot, subject, (&kind, &slug), &seen, &headers)?
    };
    Ok(at_revision(response, snapshot.revision))
}

fn http_date(time: &str) -> String {
    let seconds = (|| {
        let time: oxsdatatypes::DateTime = time.parse().ok()?;
        let epoch: oxsdatatypes::DateTime = "1970-01-01T00:00:00Z".parse().ok()?;
        let since = time.checked_sub(epoch)?;
        let seconds: i64 = since.seconds().to_string().split('.').next()?.parse().ok()?;
        let all = since.days() * 86_400 + since.hours() * 3600 + since.minutes() * 60 + seconds;
        u64::try_from(all).ok()
    })()
    .unwrap_or(0);
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds))
}

/// Marks an answer as a state of the past.
pub(super) fn memento(response: &mut Response, time: &str, original: &str) {
    let fields = response.headers_mut();
    if let Ok(date) = HeaderValue::from_str(&http_date(time)) {
        fields.insert("memento-datetime", date);
    }
    let link = format!(
        "<{original}>; rel=\"original timegate\", <{original}/timemap>; rel=\"timemap\"; \
         type=\"application/link-format\""
    );
    if let Ok(link) = HeaderValue::from_str(&link) {
        fields.append(header::LINK, link);
    }
}

/// RFC 7089 §5.
fn timemap(kind: &str, slug: &str, seen: &[Seen]) -> Response {
    let original = format!("/{kind}/{slug}");
    let mut text = format!(
        "<{original}>; rel=\"original timegate\",\n<{original}/timemap>; rel=\"self\"; \
         type=\"application/link-format\""
    );
    let count = seen.len();
    for (number, seen) in seen.iter().rev().enumerate() {
        let rel = match (number == 0, number + 1 == count) {
            (true, true) => "first last memento",
            (true, false) => "first memento",
            (false, true) => "last memento",
            (false, false) => "memento",
        };
        let _ = write!(
            text,
            ",\n<{original}?revision={}>; rel=\"{rel}\"; datetime=\"{}\"",
            seen.record.revision,
            http_date(&seen.record.time)
        );
    }
    text.push('\n');
    ([(header::CONTENT_TYPE, "application/link-format")], text).into_response()
}

fn history(
    state: &State,
    snapshot: &Snapshot,
    subject: TermId,
    (kind, slug): (&str, &str),
    seen: &[Seen],
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let title = label(&snapshot.graph, subject);
    let fact = |quad: &QuadIds| -> (String, String) {
        let text = |id| match snapshot.graph.term(id) {
            Some(crate::rdf::Term::Literal(literal)) => literal.value().to_owned(),
            Some(crate::rdf::Term::NamedNode(_)) => label(&snapshot.graph, id),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        (label(&snapshot.graph, quad[1]), text(quad[2]))
    };
    let offers: [&[&str]; 2] = [&["text/html", "application/xhtml+xml"], &["application/json"]];
    match choose(accept(headers).as_deref(), &offers) {
        Some(1) => {
            let spell = |quads: &[QuadIds]| -> Vec<String> {
                quads
                    .iter()
                    .filter_map(|quad| Some(format!("{} .", snapshot.graph.quad(*quad)?)))
                    .collect()
            };
            let changes: Vec<Value> = seen
                .iter()
                .map(|seen| {
                    json!({
                        "revision": seen.record.revision, "time": seen.record.time,
                        "author": seen.record.author, "reason": seen.record.reason,
                        "source": seen.record.source,
                        "removed": spell(&seen.removed), "added": spell(&seen.added),
                    })
                })
                .collect();
            let body = json!({ "id": state.config.names.record(kind, slug), "changes": changes });
            Ok(Json(body).into_response())
        }
        Some(_) => {
            let entries = seen
                .iter()
                .map(|seen| pages::HistoryEntry {
                    revision: seen.record.revision,
                    time: seen.record.time.clone(),
                    author: seen.record.author.clone(),
                    reason: seen.record.reason.clone(),
                    source: seen.record.source.clone(),
                    removed: seen.removed.iter().map(fact).collect(),
                    added: seen.added.iter().map(fact).collect(),
                })
                .collect();
            let page = pages::history(&pages::HistoryPage {
                layout: layout(state, &format!("History of {title}")),
                title,
                url: format!("/{kind}/{slug}"),
                entries,
            });
            let fields = [
                (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                (header::VARY, "Accept, Accept-Encoding"),
            ];
            Ok((StatusCode::OK, fields, page).into_response())
        }
        None => Err(Problem::new(Kind::NotAcceptable, "a history exists as page and as JSON")),
    }
}
