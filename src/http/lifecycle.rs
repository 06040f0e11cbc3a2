//! The life of a record: draft, in review, published, withdrawn or merged. What
//! became of an address is kept in `{base}graph/lifecycle`, so that it answers
//! for ever.

use crate::access::{Caller, Role};
use crate::capture::{self, Refused, ReviewState};
use crate::commit::{Edit, Rules, Snapshot, hidden_from};
use crate::graph::GraphPattern;
use crate::http::error::Problem;
use crate::http::identity::check_form;
use crate::http::sparql::{pairs, take};
use crate::http::update::{answer, change};
use crate::http::{Shared, State};
use crate::rdf::Literal;
use crate::rdf::NamedNode;
use crate::rdf::Names;
use crate::rdf::Provenance;
use crate::rdf::Quad;
use crate::rdf::Term;
use crate::rdf::TermId;
use crate::rdf::Triple;
use crate::rdf::Visibility;
use crate::rdf::now;
use crate::rdf::vocabulary::{DCTERMS, INSITES, TYPE};
use crate::search::label;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Leads from an interview to its passages.
const GENERATED: &str = "http://www.w3.org/ns/prov#generated";
/// What a passage that is no more is called: not by its words.
const PASSAGE: &str = "Passage of an interview";

/// What became of a record that is no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It was withdrawn: its address answers 410 with a tombstone.
    Withdrawn,
    /// It was merged into another one, or renamed: 301 to that.
    Merged(String),
}

fn iri(namespace: &str, name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("{namespace}{name}"))
}

/// What became of a record; `None` while it lives.
pub(super) fn fate(snapshot: &Snapshot, names: &Names, record: &str) -> Option<Fate> {
    let graph = &snapshot.graph;
    let id = graph.iri_id(record)?;
    let value = |name: &str| {
        let property = graph.iri_id(name)?;
        names.lifecycle().iter().find_map(|name| {
            let lifecycle = GraphPattern::Only(graph.iri_id(name.as_str())?);
            graph.quads().matching(Some(id), Some(property), None, lifecycle).next().map(|q| q[2])
        })
    };
    let class = graph.text(value(TYPE)?)?;
    if class.strip_prefix(INSITES) == Some("Withdrawn") {
        return Some(Fate::Withdrawn);
    }
    let survivor = graph.text(value(&format!("{DCTERMS}isReplacedBy"))?)?;
    // The survivor may have been merged in turn.
    match fate(snapshot, names, &survivor) {
        Some(Fate::Merged(further)) => Some(Fate::Merged(further)),
        _ => Some(Fate::Merged(survivor)),
    }
}

/// A permanent redirect to where a merged record is now, with the same ending.
pub(super) fn moved(names: &Names, survivor: &str, identifier: bool, ending: &str) -> Response {
    let Some((kind, slug)) = names.kind_and_slug(survivor) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let location =
        if identifier { format!("/id/{kind}/{slug}") } else { format!("/{kind}/{slug}{ending}") };
    let mut response = StatusCode::MOVED_PERMANENTLY.into_response();
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// The fields of a form, or the members of a JSON object.
pub(super) fn form(body: &Bytes) -> Result<Vec<(String, String)>, Problem> {
    let text =
        std::str::from_utf8(body).map_err(|_| Problem::parameter("the body is not UTF-8"))?;
    if !text.trim_start().starts_with('{') {
        return pairs(text);
    }
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text)
        .map_err(|error| Problem::parameter(format!("the body is no JSON object: {error}")))?;
    object
        .into_iter()
        .map(|(name, value)| match value {
            serde_json::Value::String(text) => Ok((name, text)),
            serde_json::Value::Null => Ok((name, String::new())),
            other => Err(Problem::parameter(format!("{name}={other} is not text"))),
        })
        .collect()
}

/// POST `/{kind}/{slug}/{action}`: submit, return, publish, withdraw, merge.
pub(super) async fn act(
    Shared(state): Shared<State>,
    Path((kind, slug, action)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let role = match action.as_str() {
        "submit" => Role::Contributor,
        "return" | "publish" | "withdraw" | "merge" => Role::Curator,
        _ => return Err(Problem::not_found("there is nothing at this address")),
    };
    state.needs(role)?;
    let mut form = form(&body)?;
    check_form(&state, &mut form)?;
    let mut field = |name: &str| take(&mut form, name).pop().unwrap_or_default().trim().to_owned();
    let (comment, reason) = (field("comment"), field("reason"));
    let (replacement, into) = (field("replacement"), field("into"));
    let names = state.config.names.clone();
    let record = names.record(&kind, &slug);
    let why = if reason.is_empty() { &comment } else { &reason };
    let provenance = Provenance {
        author: state.caller.name.clone(),
        reason: if why.is_empty() { action.clone() } else { format!("{action}: {why}") },
        source: "lifecycle".to_owned(),
    };
    if matches!(action.as_str(), "withdraw" | "merge") && reason.is_empty() {
        return Err(Problem::parameter("a reason is needed: readers of the address will see it"));
    }
    if matches!(action.as_str(), "submit" | "publish") {
        crate::http::capture::refuse_unfinished(&state, &kind, &slug)?;
    }
    let caller = state.caller.clone();
    let next = match action.as_str() {
        "publish" => format!("/{kind}/{slug}"),
        "submit" | "return" => "/capture".to_owned(),
        _ => "/".to_owned(),
    };
    let committed = change(&state, provenance, Rules::Refuse, move |edit| {
        let steps =
            Steps { names: &names, caller: &caller, record: &record, kind: &kind, slug: &slug };
        match action.as_str() {
            "withdraw" => steps.withdraw(edit, &reason, &replacement),
            "merge" => steps.merge(edit, &into, &reason),
            "publish" => steps.publish(edit),
            "submit" => steps.mark(edit, ReviewState::Draft, ReviewState::InReview, &comment),
            _ => steps.mark(edit, ReviewState::InReview, ReviewState::Draft, &comment),
        }
    })
    .await?;
    if headers
        .get(header::ACCEPT)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|a| a.contains("text/html"))
    {
        let location = [(header::LOCATION, next)];
        return Ok((StatusCode::SEE_OTHER, location).into_response());
    }
    Ok(answer(&committed))
}

/// Makes a draft's facts those of the record, in one change.
pub(super) fn publish(
    edit: &mut Edit,
    names: &Names,
    caller: &Caller,
    (kind, slug): (&str, &str),
) -> Result<(), Problem> {
    Steps { names, caller, record: &names.record(kind, slug), kind, slug }.publish(edit)
}

struct Steps<'a> {
    names: &'a Names,
    caller: &'a Caller,
    record: &'a str,
    kind: &'a str,
    slug: &'a str,
}

impl Steps<'_> {
    /// The record's number, if it is there and lives.
    fn living(&self, graph: &crate::graph::Snapshot, record: &str) -> Result<TermId, Problem> {
        let missing = || Problem::not_found(format!("there is no record {record}"));
        let id = graph.iri_id(record).ok_or_else(missing)?;
        let lifecycle: Vec<TermId> =
            self.names.lifecycle().iter().filter_map(|name| graph.iri_id(name.as_str())).collect();
        let all: Vec<_> = graph.quads().matching(Some(id), None, None, GraphPattern::Any).collect();
        let type_ = graph.iri_id(TYPE);
        if all.iter().any(|q| lifecycle.contains(&q[3]) && Some(q[1]) == type_) {
            return Err(Problem::parameter(format!("{record} is withdrawn or merged already")));
        }
        if all.is_empty() { Err(missing()) } else { Ok(id) }
    }

    /// A record named by identifier or by `kind/slug`.
    fn named(&self, given: &str) -> String {
        match given.trim_start_matches('/').split_once('/') {
            Some((kind, slug)) if !given.contains("://") && !slug.contains('/') => {
                self.names.record(kind, slug)
            }
            _ => given.to_owned(),
        }
    }

    /// Who sees the record now, at the least: what became of it is told to
    /// nobody else.
    fn seen_by(&self, graph: &crate::graph::Snapshot, id: TermId) -> Visibility {
        let sees = |visibility: &Visibility| {
            let hidden = hidden_from(graph, self.names, *visibility);
            let mut quads = graph.quads().matching(Some(id), None, None, GraphPattern::Any);
            quads.any(|quad| !hidden.contains(&quad[3]))
        };
        Visibility::ALL.into_iter().find(sees).unwrap_or(Visibility::Curators)
    }

    /// The graph that tells what became of records that these see.
    fn tombs(&self, edit: &mut Edit, seen_by: Visibility) -> NamedNode {
        let [_, members, curators] = self.names.lifecycle();
        let tombs = match seen_by {
            Visibility::Public => return self.names.graph("lifecycle"),
            Visibility::Members => members,
            Visibility::Curators => curators,
        };
        let visible_to = iri(INSITES, "visibleTo");
        let who = iri(INSITES, seen_by.name());
        edit.add(&Quad::new(tombs.clone(), visible_to, who, self.names.graph("catalogue")));
        tombs
    }

    fn withdraw(&self, edit: &mut Edit, reason: &str, replacement: &str) -> Result<(), Problem> {
        let graph = edit.state();
        let id = self.living(&graph, self.record)?;
        let title = label(&graph, id);
        let tombs = self.bury(edit, &graph, id, &title, reason);
        if !replacement.is_empty() {
            let replacement = self.named(replacement);
            self.living(&graph, &replacement)?;
            let record = NamedNode::new_unchecked(self.record);
            let replaced = iri(DCTERMS, "isReplacedBy");
            edit.add(&Quad::new(record, replaced, NamedNode::new_unchecked(replacement), tombs));
        }
        // What was said in an interview goes with it.
        for passage in graph.objects(id, GENERATED) {
            self.bury_passage(edit, &graph, passage, reason);
        }
        Ok(())
    }

    /// Puts a tombstone in the place of all that is said of a record. Gives the
    /// graph of the tombstone.
    fn bury(
        &self,
        edit: &mut Edit,
        graph: &crate::graph::Snapshot,
        id: TermId,
        title: &str,
        reason: &str,
    ) -> NamedNode {
        let tombs = self.tombs(edit, self.seen_by(graph, id));
        if let Some(record) = graph.text(id) {
            let mut say = |property: NamedNode, value: Term| {
                let record = NamedNode::new_unchecked(&record);
                edit.add(&Quad::new(record, property, value, tombs.clone()));
            };
            let english = |text: &str| Literal::new_language_tagged_literal_unchecked(text, "en");
            say(iri("", TYPE), iri(INSITES, "Withdrawn").into());
            say(iri(DCTERMS, "title"), english(title).into());
            say(iri(INSITES, "withdrawalReason"), english(reason).into());
            let time = Literal::new_typed_literal(now(), oxigraph::model::vocab::xsd::DATE_TIME);
            say(iri(INSITES, "withdrawnAt"), time.into());
        }
        for quad in graph.quads().matching(Some(id), None, None, GraphPattern::Any) {
            edit.remove_ids(quad);
        }
        tombs
    }

    /// A passage goes without a word of it, and so do links to it.
    fn bury_passage(
        &self,
        edit: &mut Edit,
        graph: &crate::graph::Snapshot,
        id: TermId,
        reason: &str,
    ) {
        self.bury(edit, graph, id, PASSAGE, reason);
        for quad in graph.quads().matching(None, None, Some(id), GraphPattern::Any) {
            edit.remove_ids(quad);
        }
    }

    /// The record's own facts go, links to it are turned to the survivor.
    fn merge(&self, edit: &mut Edit, into: &str, reason: &str) -> Result<(), Problem> {
        if into.is_empty() {
            return Err(Problem::parameter("into is needed: the record that stays"));
        }
        let survivor = self.named(into);
        if survivor == self.record {
            return Err(Problem::parameter("a record cannot be merged into itself"));
        }
        let graph = edit.state();
        let id = self.living(&graph, self.record)?;
        let stays = self.living(&graph, &survivor)?;
        let tombs = self.tombs(edit, self.seen_by(&graph, id));
        for quad in graph.quads().matching(Some(id), None, None, GraphPattern::Any) {
            edit.remove_ids(quad);
        }
        for [s, p, o, g] in graph.quads().matching(None, None, Some(id), GraphPattern::Any) {
            edit.remove_ids([s, p, o, g]);
            if s != stays && s != id {
                edit.add_ids([s, p, stays, g]);
            }
        }
        let mut say = |subject: &str, property: NamedNode, value: Term| {
            let subject = NamedNode::new_unchecked(subject);
            edit.add(&Quad::new(subject, property, value, tombs.clone()));
        };
        let english = Literal::new_language_tagged_literal_unchecked(reason, "en");
        say(self.record, iri("", TYPE), iri(INSITES, "Merged").into());
        say(self.record, iri(DCTERMS, "isReplacedBy"), NamedNode::new_unchecked(&survivor).into());
        say(self.record, iri(INSITES, "withdrawalReason"), english.into());
        let replaced = NamedNode::new_unchecked(self.record);
        say(&survivor, iri(DCTERMS, "replaces"), replaced.into());
        Ok(())
    }

    /// The draft's facts become those of the record, in one change.
    fn publish(&self, edit: &mut Edit) -> Result<(), Problem> {
        let address = (self.kind, self.slug);
        let graph = edit.state();
        let passages = |triples: &[Triple]| -> Vec<Term> {
            let all = triples.iter().filter(|triple| triple.predicate.as_str() == GENERATED);
            all.map(|triple| triple.object.clone()).collect()
        };
        let before = passages(&capture::published(&graph, self.names, self.record));
        let draft = capture::read(&graph, self.names, self.caller, self.kind, self.slug);
        let after = draft.map(|draft| passages(&draft.triples)).unwrap_or_default();
        capture::publish(edit, self.names, self.caller, address)?;
        // Words that were taken out of an interview are not at their address
        // any more, nor in its tombstone.
        for passage in before.into_iter().filter(|passage| !after.contains(passage)) {
            if let Some(id) = graph.id(passage.as_ref()) {
                self.bury_passage(edit, &graph, id, "The text of the interview was changed.");
            }
        }
        Ok(())
    }

    /// Moves a draft from one state to another, with what is said of it. A
    /// contributor may only for the own site.
    fn mark(
        &self,
        edit: &mut Edit,
        from: ReviewState,
        to: ReviewState,
        comment: &str,
    ) -> Result<(), Problem> {
        let graph = edit.state();
        let address = (self.kind, self.slug);
        let draft = capture::read(&graph, self.names, self.caller, self.kind, self.slug)
            .ok_or_else(|| Refused::Missing(format!("{}/{}", self.kind, self.slug)))?;
        if draft.state != from {
            let (is, needed) = (draft.state.name(), from.name());
            return Err(Problem::parameter(format!("the draft is {is}, not {needed}")));
        }
        capture::set_state(edit, self.names, address, to);
        capture::comment(edit, self.names, self.caller, address, comment);
        Ok(())
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let problem = Self::new(refused.kind(), refused.to_string());
        match refused {
            Refused::Changed { .. } => {
                problem.with_hint("load it again, and bring your changes into what is there now")
            }
            _ => problem,
        }
    }
}
