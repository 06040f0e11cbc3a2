//! `/sparql` for people: a form that works without script, and its result as a
//! table and, where it can be drawn, as a picture.

use crate::commit::Snapshot;
use crate::graph::{Budget, QueryForm, ReadQuery, Solutions};
use crate::http::State;
use crate::http::error::Problem;
use crate::http::history::seen;
use crate::http::network::network;
use crate::http::record_page::facts::Facts;
use crate::http::search_page::encode;
use crate::http::site::layout;
use crate::http::sparql::asked;
use crate::http::stream::Text;
use crate::pages;
use crate::query::{Error, SavedQuery, check_size, check_text, with_hits};
use crate::rdf::Term;
use crate::rdf::vocabulary::INSITES;
use crate::search::label;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

/// Rows shown; the data formats give all.
const ROWS: usize = 1000;

/// What stands in the form before anything is asked.
const BEGINNING: &str = "PREFIX insites: <https://w3id.org/insites/ontology#>
PREFIX dct: <http://purl.org/dc/terms/>

SELECT ?lesson ?title ?status
WHERE {
  ?lesson a insites:Lesson ; dct:title ?title ; insites:status ?status .
}
ORDER BY ?title
LIMIT 25
";

/// A graph to begin with: saved queries answer with tables alone.
const THREAD: &str = "PREFIX insites: <https://w3id.org/insites/ontology#>
PREFIX prov: <http://www.w3.org/ns/prov#>

CONSTRUCT {
  ?lesson insites:supportedBy ?evidence .
  ?evidence prov:wasGeneratedBy ?activity .
  ?activity insites:atSite ?site .
}
WHERE {
  ?lesson a insites:Lesson ; insites:supportedBy ?evidence .
  ?evidence prov:wasGeneratedBy ?activity .
  ?activity insites:atSite ?site .
}
";

/// The text of a saved query with its defaults or examples, so that it runs as
/// it stands.
pub(super) fn with_values(query: &SavedQuery) -> String {
    let values: Vec<String> = query
        .takes
        .iter()
        .filter_map(|parameter| {
            let value = parameter.default.as_ref().or(parameter.example.as_ref())?;
            Some(format!("  VALUES ?{} {{ {value} }}", parameter.name))
        })
        .collect();
    if values.is_empty() {
        return query.text.clone();
    }
    // After the first brace of the pattern: the values hold for all of it.
    let at = query
        .text
        .find("WHERE")
        .and_then(|from| query.text[from..].find('{').map(|brace| from + brace + 1));
    match at {
        Some(at) => format!("{}\n{}{}", &query.text[..at], values.join("\n"), &query.text[at..]),
        None => query.text.clone(),
    }
}

/// A picture of an answer: a map where it has coordinates, a scale where it
/// has beginnings and ends, bars where its last column is a number.
pub(super) fn picture(caption: &str, table: &pages::Table) -> Option<pages::Block> {
    let column = |name: &str| table.columns.iter().position(|c| c.eq_ignore_ascii_case(name));
    let text = |row: &[Option<pages::Value>], at: Option<usize>| -> String {
        at.and_then(|at| row.get(at)?.as_ref()).map(|v| v.plain().to_owned()).unwrap_or_default()
    };
    let link = |row: &[Option<pages::Value>]| {
        row.iter().flatten().find_map(|value| match value {
            pages::Value::Link(link) => Some(link.clone()),
            pages::Value::Text { .. } => None,
        })
    };
    if let (Some(latitude), Some(longitude)) = (column("latitude"), column("longitude")) {
        let points: Vec<pages::Point> = table
            .rows
            .iter()
            .filter_map(|row| {
                Some(pages::Point {
                    link: link(row)?,
                    latitude: text(row, Some(latitude)).parse().ok()?,
                    longitude: text(row, Some(longitude)).parse().ok()?,
                    place: text(row, column("place")),
                    kind: text(row, column("kind")),
                })
            })
            .collect();
        let caption = caption.to_owned();
        return (!points.is_empty())
            .then_some(pages::Block::Map(pages::MapPicture { caption, points }));
    }
    if let (Some(start), Some(end)) = (column("start"), column("end")) {
        let spans: Vec<pages::Span> = table
            .rows
            .iter()
            .filter_map(|row| {
                Some(pages::Span {
                    link: link(row)?,
                    start: text(row, Some(start)),
                    end: text(row, Some(end)),
                    note: text(row, column("owner")),
                })
            })
            .collect();
        let caption = caption.to_owned();
        return (!spans.is_empty())
            .then_some(pages::Block::Timeline(pages::Timeline { caption, spans }));
    }
    let last = table.columns.len().checked_sub(1)?;
    if last == 0 || !(2..=60).contains(&table.rows.len()) {
        return None;
    }
    let bars: Option<Vec<pages::Bar>> = table
        .rows
        .iter()
        .map(|row| {
            let number = text(row, Some(last));
            let value: f64 = number.parse().ok().filter(|n: &f64| n.is_finite() && *n >= 0.0)?;
            let labels =
                row[..last].iter().map(|cell| cell.clone().into_iter().collect()).collect();
            Some(pages::Bar { labels, value, text: number })
        })
        .collect();
    Some(pages::Block::Bars(pages::Bars {
        caption: caption.to_owned(),
        columns: table.columns[..last].to_vec(),
        number: table.columns[last].clone(),
        full: 0.0,
        bars: bars?,
    }))
}

/// The form with a query and its answer.
pub(super) async fn with_query(
    state: &State,
    text: String,
    mut parameters: Vec<(String, String)>,
) -> Result<Response, Problem> {
    let app = state.app()?;
    let chosen: Vec<(String, String)> = parameters
        .iter()
        .filter(|(name, _)| ["revision", "at"].contains(&name.as_str()))
        .cloned()
        .collect();
    let snapshot = seen(state, &mut parameters).await?;
    let asked = asked(state, Text::Raw(text.clone()), &mut parameters, None, None)?;
    let budget = Budget::new(asked.time, app.config.limits.memory);
    let limits = app.config.limits.clone();
    let base = app.config.names.base().to_owned();
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let begun = Instant::now();
    let reading = Arc::clone(&snapshot);
    let asked_text = text.clone();
    app.runner
        .submit(move || {
            let run = || -> Result<(QueryForm, Solutions), Error> {
                check_text(&asked_text, &limits)?;
                let query = ReadQuery::parse(&asked_text, Some(&base))?;
                check_size(&query, &limits)?;
                let query = with_hits(query, &reading.graph, &reading.text, &asked.scope, &budget)?;
                let solutions = reading.graph.solutions(&query, &asked.scope, &budget, ROWS)?;
                Ok((query.form(), solutions))
            };
            // The page may be gone before its rows are there.
            let _ = sender.send(run());
        })
        .map_err(Error::from)?;
    let result = receiver.await.map_err(|e| Problem::internal(&e))?;
    let mut page = page(state, &text);
    let mut status = StatusCode::OK;
    match result {
        Ok((form, solutions)) => {
            let table = table(state, &snapshot, &solutions);
            let facts = Facts { snapshot: &snapshot, names: &state.config.names };
            page.picture = network(&facts, "Answer as a graph", &solutions)
                .map(pages::Block::Network)
                .or_else(|| picture("Answer as a picture", &table));
            page.table = Some(table);
            let formats = if matches!(form, QueryForm::Construct | QueryForm::Describe) {
                [("Turtle", "ttl"), ("JSON-LD", "jsonld"), ("N-Triples", "nt"), ("RDF/XML", "rdf")]
            } else {
                [("CSV", "csv"), ("JSON", "json"), ("TSV", "tsv"), ("XML", "xml")]
            };
            page.downloads = formats
                .into_iter()
                .map(|(name, format)| {
                    let mut url = format!("/sparql?format={format}&query={}", encode(&text));
                    for (name, value) in &chosen {
                        let _ = write!(url, "&{name}={}", encode(value));
                    }
                    pages::Link::new(name, &url)
                })
                .collect();
            page.milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        }
        Err(error) => {
            let problem = Problem::from(error);
            status = crate::http::error::status(problem.kind);
            page.error = Some(pages::QueryError {
                title: crate::http::error::explanation(problem.kind).0.to_owned(),
                detail: problem.detail,
                hint: problem.hint,
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
    let mut layout = layout(state, "SPARQL");
    layout.part = "/sparql";
    layout.editor = true;
    pages::WorkbenchPage {
        layout,
        text: if text.is_empty() { BEGINNING.to_owned() } else { text.to_owned() },
        seconds: limits.time.as_secs_f64(),
        union: state.config.default_graph == crate::graph::DefaultGraphs::Union,
        examples: {
            let example = |title: &str, text: &str, says: &str| {
                let url = format!("/sparql?query={}", encode(text));
                (pages::Link::new(title, &url), says.to_owned())
            };
            let thread = example(
                "From lesson to site, drawn as a graph",
                THREAD,
                "Which evidence, activities and sites stand behind which lessons? CONSTRUCT and DESCRIBE answer with a graph, which is drawn.",
            );
            let saved = state.app.get().map_or(&[][..], |app| app.queries.all());
            let saved = saved.iter().map(|q| example(&q.title, &with_values(q), &q.says));
            std::iter::once(thread).chain(saved).collect()
        },
        table: None,
        picture: None,
        downloads: Vec::new(),
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
        Term::BlankNode(_) | Term::Triple(_) => {
            pages::Value::Text { text: term.to_string(), language: None }
        }
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
