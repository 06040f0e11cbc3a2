//! What supports and what disputes a lesson, read for the rule of
//! `compare::strength`, and the verdict as a section and as JSON.

use crate::compare::strength::{Grade, Piece, Strength, judge};
use crate::graph::GraphPattern;
use crate::http::record_page::facts::{Facts, iri};
use crate::pages::{Block, Grid, Link, Section, Value};
use crate::rdf::TermId;
use crate::rdf::vocabulary::TYPE;
use crate::search::status;

/// Where the rule is told.
pub(crate) const RULE: &str = "/about#strength";

/// Whether a record stands in drafts alone.
pub(super) fn is_draft(facts: &Facts, id: TermId) -> bool {
    let graph = &facts.snapshot.graph;
    let draft = facts.names.graph("draft/").into_string();
    let Some(type_) = graph.iri_id(TYPE) else { return false };
    let mut classes =
        graph.quads().matching(Some(id), Some(type_), None, GraphPattern::Any).peekable();
    classes.peek().is_some()
        && classes.all(|quad| graph.text(quad[3]).is_some_and(|name| name.starts_with(&draft)))
}

fn sorted(mut ids: Vec<TermId>) -> Vec<TermId> {
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Evidence for a lesson, published or not.
pub(super) fn supporting(facts: &Facts, lesson: TermId) -> Vec<TermId> {
    let mut ids = facts.objects(lesson, "insites:supportedBy");
    ids.extend(facts.subjects("cito:supports", lesson));
    sorted(ids)
}

/// Evidence against it, published or not.
pub(super) fn disputing(facts: &Facts, lesson: TermId) -> Vec<TermId> {
    let mut ids = facts.objects(lesson, "insites:contradictedBy");
    ids.extend(facts.objects(lesson, "cito:isDisputedBy"));
    ids.extend(facts.subjects("cito:disputes", lesson));
    sorted(ids)
}

/// A piece of support; `None` for what does not count.
fn piece(facts: &Facts, real: bool, id: TermId) -> Option<Piece> {
    let made_up = status(&facts.snapshot.graph, id) == "Illustrative";
    if (real && made_up) || is_draft(facts, id) {
        return None;
    }
    let all = |properties: &[&str]| -> Vec<TermId> {
        sorted(properties.iter().flat_map(|property| facts.objects(id, property)).collect())
    };
    let slug = |concept: TermId| {
        let iri = facts.snapshot.graph.text(concept)?;
        facts.names.kind_and_slug(&iri).map(|(_, slug)| slug.to_owned())
    };
    let organisations =
        all(&["insites:atOrganisation", "insites:atSite", "insites:aboutOrganisation"]);
    let mut sources = all(&["prov:wasGeneratedBy", "dct:source"]);
    let (kind, measured) = if facts.is_a(id, "insites:Evidence") {
        let kind = facts.objects(id, "insites:evidenceKind").first().copied().and_then(slug);
        let kind = kind.unwrap_or_else(|| "evidence".to_owned());
        let measured = kind == "evaluation";
        (kind, measured)
    } else if facts.is_a(id, "insites:CaseStudy") {
        let mut results = facts.objects(id, "insites:hasResult");
        results.extend(facts.subjects("insites:ofCaseStudy", id));
        let measured = |result: &TermId| {
            let kinds = facts.objects(*result, "insites:resultKind");
            kinds.into_iter().any(|kind| slug(kind).as_deref() == Some("measured"))
        };
        ("case-study".to_owned(), results.iter().any(measured))
    } else {
        // The document itself is a source, whatever else it names.
        sources.push(id);
        sources.extend(all(&["dct:publisher"]));
        ("document".to_owned(), false)
    };
    Some(Piece { record: id, kind, measured, organisations, sources })
}

/// How strong the support of a lesson is.
pub(crate) fn strength(facts: &Facts, lesson: TermId) -> Strength {
    let real = status(&facts.snapshot.graph, lesson) != "Illustrative";
    let mut supports = supporting(facts, lesson);
    for property in ["insites:fromCaseStudy", "insites:document", "prov:wasDerivedFrom"] {
        supports.extend(facts.objects(lesson, property));
    }
    let against = disputing(facts, lesson);
    // What was drawn from evidence against it is no support.
    let supports = sorted(supports).into_iter().filter(|id| !against.contains(id));
    let supports: Vec<Piece> = supports.filter_map(|id| piece(facts, real, id)).collect();
    let against: Vec<Piece> = against.into_iter().filter_map(|id| piece(facts, real, id)).collect();
    judge(&supports, &against)
}

/// The verdict in a few words.
pub(super) fn verdict(strength: &Strength) -> String {
    match strength.grade {
        Grade::None => Grade::None.words().to_owned(),
        grade => format!("{}, {} of {} points", grade.words(), strength.points, strength.of),
    }
}

/// The verdict with its workings.
pub(super) fn section(strength: &Strength) -> Option<Section> {
    let points = |points: i32| match points {
        0 => "0".to_owned(),
        points => format!("{points:+}").replace('-', "\u{2212}"),
    };
    let rows = strength
        .workings
        .iter()
        .map(|step| {
            [step.what, &step.found, &points(step.points)]
                .map(|text| vec![Value::text(text)])
                .to_vec()
        })
        .collect();
    Section::new(
        "strength",
        "How strong the support is",
        vec![
            Block::Prose(vec![format!(
                "Computed from what is recorded here: {}. It says how much stands behind the lesson, not whether it is right for you.",
                verdict(strength)
            )]),
            Block::Grid(Grid {
                caption: "How that was worked out".to_owned(),
                columns: ["What is looked at", "What was found", "Points"]
                    .map(str::to_owned)
                    .to_vec(),
                rows,
            }),
            Block::More(Link::new("The rule", RULE)),
        ],
    )
}

/// The verdict as JSON.
pub(crate) fn json(facts: &Facts, lesson: TermId) -> serde_json::Value {
    let mut value = serde_json::to_value(strength(facts, lesson)).unwrap_or_default();
    value["rule"] = RULE.into();
    value
}

/// Feedback on a lesson that waits for a curator; only those see it who see
/// drafts.
pub(super) fn waiting(facts: &Facts, lesson: TermId) -> Vec<TermId> {
    let feedback = facts.names.record("evidence-kind", "feedback");
    let Some(feedback) = facts.snapshot.graph.iri_id(&feedback) else { return Vec::new() };
    let property = iri("insites:evidenceKind");
    let mut found = supporting(facts, lesson);
    found.extend(disputing(facts, lesson));
    found.retain(|id| {
        facts.snapshot.graph.objects(*id, &property).contains(&feedback) && is_draft(facts, *id)
    });
    found
}
