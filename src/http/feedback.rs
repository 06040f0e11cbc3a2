//! POST `/lesson/{slug}/feedback`: "used it", or "did not fit because …". Kept
//! as evidence in a draft that curators alone see, until one of them publishes
//! it. Not for publishing: that is a step in the life of any draft.

use crate::access::Role;
use crate::capture::{self, personal};
use crate::commit::{Edit, Rules};
use crate::http::error::Problem;
use crate::http::identity::check_form;
use crate::http::lifecycle::form;
use crate::http::record_page::facts::{Facts, iri};
use crate::http::records::find;
use crate::http::sparql::take;
use crate::http::update::{answer_with, change};
use crate::http::{Shared, State};
use crate::problem::Kind;
use crate::rdf::vocabulary::{INSITES, TYPE};
use crate::rdf::{Literal, NamedNode, Provenance, Term, Triple, now};
use crate::search::status;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Characters of a comment.
const LONGEST: usize = 2000;

/// What somebody says of a lesson.
struct Feedback {
    fits: bool,
    comment: String,
    role: Option<String>,
}

impl Feedback {
    /// Reads a form or a JSON object.
    fn parse(state: &State, fields: &mut Vec<(String, String)>) -> Result<Self, Problem> {
        let mut field = |name: &str| take(fields, name).pop().unwrap_or_default().trim().to_owned();
        let fits = match field("verdict").as_str() {
            "used" => true,
            "did-not-fit" => false,
            other => {
                return Err(Problem::parameter(format!("verdict={other} is not known"))
                    .with_hint("used or did-not-fit"));
            }
        };
        let comment = field("comment");
        if !fits && comment.is_empty() {
            return Err(Problem::parameter("comment is needed: why the lesson did not fit")
                .with_hint("a sentence is enough; do not name people"));
        }
        if comment.chars().count() > LONGEST {
            return Err(Problem::parameter(format!("comment is longer than {LONGEST} characters")));
        }
        let finds = personal::find(&comment);
        if !finds.is_empty() {
            return Err(personal_data(&finds));
        }
        let role = Some(field("role")).filter(|role| !role.is_empty());
        if let Some(role) = &role {
            let snapshot = state.snapshot()?;
            let known = snapshot.graph.iri_id(&state.config.names.record("person-role", role));
            let scheme = |id| snapshot.graph.objects(id, &iri("skos:inScheme"));
            if known.is_none_or(|id| scheme(id).is_empty()) {
                return Err(Problem::parameter(format!("role={role} is no role of people"))
                    .with_hint("/person-role lists them"));
            }
        }
        Ok(Self { fits, comment, role })
    }
}

/// What a comment says of people: it goes back to whoever wrote it, unsaved.
fn personal_data(finds: &[personal::Find]) -> Problem {
    let finds: Vec<_> =
        finds.iter().map(|find| json!({ "kind": find.sort.name(), "text": find.text })).collect();
    let detail = format!("{} finds look like personal data; nothing was saved", finds.len());
    Problem::new(Kind::PersonalData, detail)
        .with_member("finds", finds)
        .with_hint("go back and say it without names, numbers and addresses of people")
}

/// The handler.
pub(super) async fn give(
    Shared(state): Shared<State>,
    Path(slug): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    state.needs(Role::Member)?;
    let mut fields = form(&body)?;
    check_form(&state, &mut fields)?;
    let snapshot = state.snapshot()?;
    let names = state.config.names.clone();
    let lesson = find(state.app()?, &snapshot, "lesson", &slug)?;
    let facts = Facts { snapshot: &snapshot, names: &names };
    if !facts.is_a(lesson.id, "insites:Lesson") {
        return Err(Problem::not_found(format!("there is no lesson {slug}")));
    }
    let feedback = Feedback::parse(&state, &mut fields)?;
    let random = crate::access::secret().map_err(|error| Problem::internal(&error))?;
    let own = format!("feedback-{slug}-{}", random.get(..8).unwrap_or_default());
    let record = names.record("evidence", &own);
    let title = facts.label(lesson.id);
    let made_up = status(&snapshot.graph, lesson.id) == "Illustrative";
    let site = state.caller.site.as_ref().map(|site| names.record("organisation", site));
    let site = site.filter(|site| snapshot.graph.iri_id(site).is_some());
    let is_site =
        |site: &str| snapshot.graph.iri_id(site).is_some_and(|id| facts.is_a(id, "insites:Site"));
    let at = site.as_ref().map(|site| {
        let property = if is_site(site) { "insites:atSite" } else { "insites:atOrganisation" };
        (property, site.clone())
    });
    let said = |text: &str| Literal::new_language_tagged_literal_unchecked(text, "en").into();
    let node = |iri: String| -> Term { NamedNode::new_unchecked(iri).into() };
    let words = match (feedback.fits, feedback.comment.as_str()) {
        (true, "") => "Used it.".to_owned(),
        (true, comment) => format!("Used it: {comment}"),
        (false, comment) => format!("Did not fit: {comment}"),
    };
    let mut triples: Vec<(String, Term)> = vec![
        (TYPE.to_owned(), node(format!("{INSITES}Evidence"))),
        (iri("dct:title"), said(&format!("Feedback on “{title}”"))),
        (iri("dct:description"), said(&words)),
        (iri("insites:evidenceKind"), node(names.record("evidence-kind", "feedback"))),
        (
            iri(if feedback.fits { "cito:supports" } else { "cito:disputes" }),
            node(lesson.iri.clone()),
        ),
        (
            iri("insites:status"),
            node(format!("{INSITES}{}", if made_up { "Illustrative" } else { "Unverified" })),
        ),
        (
            iri("dct:date"),
            Literal::new_typed_literal(
                now().get(..10).unwrap_or_default(),
                oxigraph::model::vocab::xsd::DATE,
            )
            .into(),
        ),
    ];
    triples.extend(at.map(|(property, site)| (iri(property), node(site))));
    triples.extend(
        feedback
            .role
            .map(|role| (iri("prov:wasAttributedTo"), node(names.record("person-role", &role)))),
    );
    let provenance = Provenance {
        author: state.caller.name.clone(),
        reason: format!("feedback on lesson/{slug}"),
        source: "feedback".to_owned(),
    };
    let identifier = record.clone();
    let author = state.caller.name.clone();
    let committed = change(&state, provenance, Rules::Refuse, move |edit: &mut Edit| {
        let triple = |(property, value)| {
            let subject = NamedNode::new_unchecked(&record);
            Triple::new(subject, NamedNode::new_unchecked(property), value)
        };
        let triples: Vec<Triple> = triples.into_iter().map(triple).collect();
        capture::hand_in(edit, &names, &author, ("evidence", &own), site.as_deref(), &triples)
            .map_err(Problem::from)
    })
    .await?;
    let wants_page = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    if wants_page {
        let location = format!("/lesson/{slug}?feedback=kept#feedback");
        return Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response());
    }
    Ok(answer_with(&committed, |body| {
        *body = json!({
            "id": identifier, "state": "InReview", "revision": committed.revision,
            "visibleTo": "Curators",
        });
    }))
}
