//! `/update`: the SPARQL 1.1 Protocol's update operation, and how any handler
//! makes a change. Not for reading.

use crate::access::Role;
use crate::commit::{Committed, Declined, Edit, Rules, Wanted};
use crate::graph::{Budget, ReadUpdate, Scope, UpdateError};
use crate::http::error::Problem;
use crate::http::sparql::{graph_parameters, pairs, take, timeout};
use crate::http::{Shared, State};
use crate::problem::Kind;
use crate::query::{check_update_size, check_update_text};
use crate::rdf::GraphNameRef;
use crate::rdf::Provenance;
use axum::Json;
use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};

/// POST `/update`.
pub(super) async fn update(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, Problem> {
    state.needs(Role::Curator)?;
    let mut parameters = pairs(query.as_deref().unwrap_or_default())?;
    let declared = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    let declared = declared.to_ascii_lowercase();
    let media_type = declared.split(';').next().unwrap_or_default().trim();
    let charset = declared.split("charset=").nth(1).map(|charset| charset.trim_matches('"'));
    if charset.is_some_and(|charset| !charset.starts_with("utf-8")) {
        return Err(Problem::new(
            Kind::UnsupportedMediaType,
            "an update must be UTF-8 (SPARQL 1.1 Protocol §2.2)",
        ));
    }
    let body =
        std::str::from_utf8(&body).map_err(|_| Problem::parameter("the update is not UTF-8"))?;
    let mut texts = match media_type {
        "application/sparql-update" => vec![body.to_owned()],
        "application/x-www-form-urlencoded" => {
            let mut form = pairs(body)?;
            let texts = take(&mut form, "update");
            parameters.extend(form);
            texts
        }
        other => {
            return Err(Problem::new(
                Kind::UnsupportedMediaType,
                format!(
                    "{} is not understood here",
                    if other.is_empty() { "a body without Content-Type" } else { other }
                ),
            )
            .with_hint(
                "send application/sparql-update, or a form (application/x-www-form-urlencoded) \
                 with the parameter update",
            ));
        }
    };
    let text = match texts.len() {
        1 => texts.remove(0),
        0 => return Err(Problem::parameter("the parameter update is missing")),
        _ => return Err(Problem::parameter("there is more than one update")),
    };
    let config = Arc::clone(&state.config);
    check_update_text(&text, &config.limits)?;
    let parsed =
        ReadUpdate::parse(&text, Some(config.names.base())).map_err(crate::query::Error::from)?;
    check_update_size(parsed.size(), &config.limits)?;
    let scope = Scope {
        default: config.default_graph,
        default_graph_uris: graph_parameters(&mut parameters, "using-graph-uri")?,
        named_graph_uris: graph_parameters(&mut parameters, "using-named-graph-uri")?,
    };
    let by_protocol = !scope.default_graph_uris.is_empty() || !scope.named_graph_uris.is_empty();
    if by_protocol && parsed.names_dataset() {
        return Err(Problem::parameter(
            "the update names its dataset with USING or WITH, and the request with \
             using-graph-uri (SPARQL 1.1 Protocol §2.2.3)",
        ));
    }
    let time = match take(&mut parameters, "timeout").pop() {
        Some(text) => timeout(&text)?.min(config.limits.time),
        None => config.limits.time,
    };
    let reason = take(&mut parameters, "reason").pop().unwrap_or_default();
    let provenance = Provenance {
        author: state.caller.name.clone(),
        reason,
        source: "SPARQL Update".to_owned(),
    };
    let may_write = may_write(&state);
    let memory = config.limits.memory;
    let committed = change(&state, provenance, Rules::Refuse, move |edit| {
        edit.restrict(may_write);
        parsed.run(&scope, &Budget::new(time, memory), edit).map_err(Problem::from)
    })
    .await?;
    Ok(answer(&committed))
}

/// What a caller is told of a change.
pub(super) fn answer(committed: &Committed) -> Response {
    answer_with(committed, |_| {})
}

/// The same with members of its own.
pub(super) fn answer_with(
    committed: &Committed,
    more: impl FnOnce(&mut serde_json::Value),
) -> Response {
    let warnings: Vec<_> =
        committed.report.results.iter().map(crate::http::error::violation).collect();
    let mut body = json!({
        "revision": committed.revision, "removed": committed.removed, "added": committed.added,
        "warnings": warnings,
    });
    more(&mut body);
    super::at_revision(Json(body).into_response(), committed.revision)
}

/// Which graphs the caller may write to: who may see what, and the ontology,
/// are for administrators.
pub(super) fn may_write(state: &State) -> Box<dyn Fn(GraphNameRef<'_>) -> bool + Send> {
    let administrator = state.caller.role == Role::Administrator;
    let names = &state.config.names;
    let mut kept: Vec<_> =
        ["catalogue", "catalogue-drafts", "ontology"].map(|name| names.graph(name)).into();
    kept.extend(names.lifecycle());
    Box::new(move |graph| match graph {
        GraphNameRef::NamedNode(iri) => {
            administrator || !kept.iter().any(|kept| kept.as_str() == iri.as_str())
        }
        _ => true,
    })
}

/// Makes a change through the one door and waits for it.
pub(super) async fn change(
    state: &State,
    provenance: Provenance,
    rules: Rules,
    prepare: impl FnOnce(&mut Edit) -> Result<(), Problem> + Send + 'static,
) -> Result<Committed, Problem> {
    let app = state.app()?;
    let reason: Arc<Mutex<Option<Problem>>> = Arc::default();
    let slot = Arc::clone(&reason);
    let prepare = Box::new(move |edit: &mut Edit| {
        prepare(edit).map_err(|problem| {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(problem);
            Declined
        })
    });
    let (sender, receiver) = tokio::sync::oneshot::channel();
    app.writer
        .submit(Wanted { prepare, provenance, rules }, move |result| {
            // The client may have gone; the change is made all the same.
            let _ = sender.send(result);
        })
        .map_err(|crowded| Problem::new(Kind::Busy, crowded.to_string()))?;
    match receiver.await {
        Ok(Ok(committed)) => Ok(committed),
        Ok(Err(error)) => {
            let declined = reason.lock().unwrap_or_else(PoisonError::into_inner).take();
            Err(declined.unwrap_or_else(|| Problem::from(error)))
        }
        Err(_) => Err(Problem::internal(&"the writer ended early")),
    }
}

impl From<UpdateError> for Problem {
    fn from(error: UpdateError) -> Self {
        let text = error.to_string();
        match error {
            UpdateError::Evaluation(error) => crate::query::Error::from(error).into(),
            UpdateError::Exists(_) | UpdateError::Missing(_) => {
                Self::parameter(text).with_hint("with SILENT it is no error")
            }
            UpdateError::TooDeep => Self::new(Kind::QueryTooComplex, text),
            UpdateError::Load(_) => Self::new(Kind::Forbidden, text)
                .with_hint("fetch it yourself and PUT it to /graphs?graph=IRI"),
            UpdateError::Forbidden(_) => {
                Self::new(Kind::Forbidden, text).with_hint("this graph is for administrators")
            }
        }
    }
}

impl From<crate::commit::Error> for Problem {
    fn from(error: crate::commit::Error) -> Self {
        match error {
            crate::commit::Error::Shapes(report) => Self {
                report: Some(Arc::new(report)),
                ..Self::new(
                    Kind::ShapesViolated,
                    "the change was refused: it would leave records that break the rules",
                )
                .with_hint("each violation names the record, the property and what it needs")
            },
            crate::commit::Error::Retired(_) => Self::new(Kind::ShapesViolated, error.to_string()),
            crate::commit::Error::Crowded => Self::new(Kind::Busy, error.to_string()),
            other if other.kind() == Kind::StorageFull => Self::new(
                Kind::StorageFull,
                "the disk is full: nothing was changed, and what was acknowledged is safe",
            )
            .with_hint("make room and send the change again; no restart is needed"),
            other => Self::internal(&other),
        }
    }
}
