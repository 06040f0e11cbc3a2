//! What the page of each kind of record shows, and in which order.

use crate::http::record_page::answers::{answers, position};
use crate::http::record_page::facts::{Facts, host};
use crate::http::record_page::strength;
use crate::pages::{Block, Figure, Grid, Link, MapPicture, Point, Said, Section, Step, Value, day};
use crate::rdf::TermId;
use crate::search::status;

/// Records shown of one sort; the rest is a search away.
const SHOWN: usize = 12;

/// What a page shows besides what all records have in common.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) lead: Vec<String>,
    pub(super) facts: Vec<(String, Vec<Value>)>,
    pub(super) sections: Vec<Section>,
    /// Properties by which records point here that the sections have shown.
    pub(super) incoming: Vec<&'static str>,
}

/// The sections of a record of this kind.
pub(super) fn of(facts: &Facts, id: TermId, kind: &str, slug: &str) -> Shown {
    match kind {
        "case-study" => case_study(facts, id),
        "lesson" => lesson(facts, id),
        "organisation" => organisation(facts, id, slug),
        "programme" => programme(facts, id, slug),
        "document" | "report" => document(facts, id),
        "evidence" => evidence(facts, id),
        "interview" | "workshop" | "tool-answer" => activity(facts, id),
        "questionnaire" => questionnaire(facts, id),
        "result" => result(facts, id),
        "membership" | "partnership" => statement(facts, id),
        _ => concept(facts, id, kind, slug),
    }
}

fn prose(facts: &Facts, id: TermId, property: &str) -> Block {
    Block::Prose(facts.texts(id, property))
}

fn notes(facts: &Facts, id: TermId) -> Option<Section> {
    Section::new("notes", "Notes", vec![prose(facts, id, "skos:note")])
}

fn case_study(facts: &Facts, id: TermId) -> Shown {
    let mut at = facts.values(id, "insites:atOrganisation");
    at.dedup_by(|a, b| a.plain() == b.plain());
    let mut results = facts.objects(id, "insites:hasResult");
    results.extend(facts.subjects("insites:ofCaseStudy", id));
    results.sort_unstable();
    results.dedup();
    let mut figures: Vec<Figure> = results.into_iter().map(|id| figure(facts, id)).collect();
    figures.sort_by(|a, b| a.link.url.cmp(&b.link.url));
    let mut lessons = facts.subjects("insites:fromCaseStudy", id);
    lessons.extend(facts.subjects("prov:wasDerivedFrom", id));
    Shown {
        lead: facts.texts(id, "dct:description"),
        facts: vec![
            facts.row(id, "How it ended", "insites:outcomeStatus"),
            ("Where".to_owned(), at),
            facts.row(id, "With whom", "insites:withPartner"),
            facts.row(id, "Programme", "insites:inProgramme"),
            facts.row(id, "When", "insites:period"),
            facts.row(id, "Care setting", "insites:careSetting"),
            ("Themes".to_owned(), themes(facts, id)),
            facts.row(id, "Dimensions", "insites:dimension"),
        ],
        sections: [
            Section::new("problem", "The problem", vec![prose(facts, id, "insites:problem")]),
            Section::new("done", "What was done", vec![prose(facts, id, "insites:action")]),
            Section::new(
                "results",
                "What came of it",
                vec![prose(facts, id, "insites:resultText"), Block::Figures(figures)],
            ),
            Section::new(
                "barriers",
                "What stood in the way",
                vec![prose(facts, id, "insites:barrier")],
            ),
            Section::new(
                "learned",
                "What those who took part learned",
                vec![prose(facts, id, "insites:lessonLearned")],
            ),
            Section::new(
                "lessons",
                "Lessons drawn from it",
                vec![Block::Cards(facts.cards(lessons, SHOWN))],
            ),
            Section::new(
                "related",
                "Related case studies",
                vec![Block::Cards(related(facts, id, "case-study"))],
            ),
            notes(facts, id),
        ]
        .into_iter()
        .flatten()
        .collect(),
        incoming: vec!["insites:ofCaseStudy", "insites:fromCaseStudy", "prov:wasDerivedFrom"],
    }
}

/// Themes without the dimensions, which are subjects too.
fn themes(facts: &Facts, id: TermId) -> Vec<Value> {
    let dimensions = facts.objects(id, "insites:dimension");
    let mut values: Vec<Value> = facts
        .objects(id, "dct:subject")
        .into_iter()
        .filter(|theme| !dimensions.contains(theme))
        .filter_map(|theme| facts.value(theme))
        .collect();
    values.sort_by(|a, b| a.plain().cmp(b.plain()));
    values
}

fn figure(facts: &Facts, id: TermId) -> Figure {
    let mut claimed_by = facts.values(id, "insites:claimedByOrganisation");
    for name in facts.values(id, "insites:claimedBy") {
        if !claimed_by.iter().any(|known| known.plain() == name.plain()) {
            claimed_by.push(name);
        }
    }
    Figure {
        metric: facts.label(id),
        link: facts.link(id),
        value: grouped(&facts.text(id, "insites:value")),
        unit: facts.text(id, "insites:unit"),
        period: facts.text(id, "insites:period"),
        kind: facts
            .objects(id, "insites:resultKind")
            .first()
            .map(|kind| facts.label(*kind))
            .unwrap_or_default(),
        claimed_by,
        sources: facts.sources(id),
        date: facts.text(id, "dct:date"),
        note: facts.texts(id, "skos:note").join(" "),
    }
}

/// `21000000` as `21,000,000`; anything but a whole number stays as it is.
fn grouped(text: &str) -> String {
    if text.len() < 5 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return text.to_owned();
    }
    let mut out = String::new();
    for (index, digit) in text.chars().enumerate() {
        if index > 0 && (text.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn lesson(facts: &Facts, id: TermId) -> Shown {
    let stated = facts.text(id, "insites:strength");
    let computed = strength::strength(facts, id);
    let own = facts.snapshot.graph.text(id).unwrap_or_default();
    let strength_url = format!("{}#strength", facts.url(&own));
    let mut steps: Vec<Step> = Vec::new();
    // What waits to be published is shown apart, to those who see drafts.
    let published = |ids: Vec<TermId>| -> Vec<TermId> {
        ids.into_iter().filter(|id| !strength::is_draft(facts, *id)).collect()
    };
    let evidence = published(strength::supporting(facts, id));
    steps.extend(evidence.into_iter().map(|e| from_evidence(facts, e, "supported by")));
    let against = published(strength::disputing(facts, id));
    steps.extend(against.into_iter().map(|e| from_evidence(facts, e, "contradicted by")));
    steps.extend(facts.objects(id, "insites:fromCaseStudy").into_iter().map(|case| Step {
        text: facts.text(case, "insites:resultText"),
        steps: places(facts, case),
        ..step(facts, case, "drawn from")
    }));
    steps.extend(facts.objects(id, "insites:document").into_iter().map(|document| Step {
        text: facts.text(document, "dct:bibliographicCitation"),
        ..step(facts, document, "stated in")
    }));
    let lead = facts.texts(id, "dct:description");
    Shown {
        lead,
        facts: vec![
            facts.row(id, "Attributed to", "insites:attributedTo"),
            facts.row(id, "About", "insites:aboutOrganisation"),
            facts.row(id, "Kind of evidence", "insites:evidenceKind"),
            (
                "Strength of support".to_owned(),
                vec![Value::Link(Link::new(&strength::verdict(&computed), &strength_url))],
            ),
            (
                "Strength as its author states it".to_owned(),
                if stated.is_empty() {
                    Vec::new()
                } else {
                    vec![Value::text(&format!("{stated} of 5 (not computed)"))]
                },
            ),
            facts.row(id, "Who it is for", "dct:audience"),
            facts.row(id, "Owner", "insites:owner"),
            (
                "To be reviewed".to_owned(),
                facts
                    .texts(id, "insites:reviewDate")
                    .iter()
                    .map(|d| Value::text(&day(d)))
                    .collect(),
            ),
            ("Themes".to_owned(), themes(facts, id)),
            facts.row(id, "Dimensions", "insites:dimension"),
        ],
        sections: [
            Section::new("why", "Why it matters", vec![prose(facts, id, "insites:whyItMatters")]),
            Section::new("how", "How to apply it", vec![prose(facts, id, "insites:howToApply")]),
            Section::new("evidence", "What stands behind it", vec![Block::Chain(steps)]),
            strength::section(&computed),
            Section::new(
                "related",
                "Related lessons",
                vec![Block::Cards(related(facts, id, "lesson"))],
            ),
            notes(facts, id),
        ]
        .into_iter()
        .flatten()
        .collect(),
        incoming: vec!["cito:supports", "cito:disputes"],
    }
}

fn step(facts: &Facts, id: TermId, relation: &str) -> Step {
    Step {
        relation: relation.to_owned(),
        link: facts.link(id),
        kind: facts.kind(id),
        ..Step::default()
    }
}

/// Evidence back to the activity it came from, and to the site.
fn from_evidence(facts: &Facts, id: TermId, relation: &str) -> Step {
    let mut steps: Vec<Step> = facts
        .objects(id, "prov:wasGeneratedBy")
        .into_iter()
        .map(|activity| Step {
            text: day(&facts.text(activity, "dct:date")),
            steps: places(facts, activity),
            ..step(facts, activity, "comes from")
        })
        .collect();
    if steps.is_empty() {
        steps = places(facts, id);
    }
    Step { text: facts.text(id, "dct:description"), steps, ..step(facts, id, relation) }
}

/// The sites, or else the organisations, where something happened.
fn places(facts: &Facts, id: TermId) -> Vec<Step> {
    let mut places = facts.objects(id, "insites:atSite");
    if places.is_empty() {
        places = facts.objects(id, "insites:atOrganisation");
    }
    places.into_iter().map(|place| step(facts, place, "at")).collect()
}

/// Nearness in meaning from which a record counts as related, as a cosine.
const RELATED: f32 = 0.45;

/// Records of the same kind that are near in meaning, nearest first; before
/// that is worked out, those of the same case study, document or theme. What is
/// made up never stands beside what is real.
fn related(facts: &Facts, id: TermId, kind: &str) -> Vec<crate::pages::Card> {
    const SHOWN: usize = 6;
    let graph = &facts.snapshot.graph;
    let made_up = |id: TermId| status(graph, id) == "Illustrative";
    let own = made_up(id);
    let near = crate::search::nearest_of_kind(
        graph,
        &facts.snapshot.text,
        id,
        kind,
        &facts.objects(id, "dct:subject"),
        4 * SHOWN,
    );
    let mut found: Vec<TermId> =
        near.into_iter().filter(|(_, cosine)| *cosine >= RELATED).map(|(id, _)| id).collect();
    if found.is_empty() {
        let class = if kind == "lesson" { "insites:Lesson" } else { "insites:CaseStudy" };
        for property in ["insites:fromCaseStudy", "insites:document", "dct:subject"] {
            for from in facts.objects(id, property) {
                let others = facts.subjects(property, from).into_iter().take(100);
                found.extend(others.filter(|other| facts.is_a(*other, class)));
            }
            if found.len() > SHOWN {
                break;
            }
        }
    }
    let mut seen = Vec::new();
    for other in found {
        if seen.len() < SHOWN && other != id && !seen.contains(&other) && made_up(other) == own {
            seen.push(other);
        }
    }
    seen.into_iter().map(|id| facts.card(id)).collect()
}

/// The two dates of a statement.
fn dates(facts: &Facts, id: TermId) -> [Vec<Value>; 2] {
    ["insites:start", "insites:end"].map(|property| {
        facts.texts(id, property).iter().map(|date| Value::text(&day(date))).collect()
    })
}

/// Sources of a statement, with the date and the mark if it is not sourced.
fn evidence_of(facts: &Facts, id: TermId) -> Vec<Value> {
    let mut values: Vec<Value> = facts.sources(id).into_iter().map(Value::Link).collect();
    let date = facts.text(id, "dct:date");
    if !date.is_empty() {
        values.push(Value::text(&day(&date)));
    }
    let status = status(&facts.snapshot.graph, id);
    if status != "Sourced" {
        let iri = facts.snapshot.graph.text(id).unwrap_or_default();
        values.push(Value::Link(Link::new("statement", &facts.url(&iri)).with_status(&status)));
    }
    values
}

/// Dated, sourced roles: by the property that names this record and the one
/// that names the other.
fn roles(facts: &Facts, id: TermId, own: &str, other: &str, caption: &str, column: &str) -> Grid {
    let mut rows: Vec<Vec<Vec<Value>>> = facts
        .subjects(own, id)
        .into_iter()
        .filter(|m| facts.is_a(*m, "insites:Membership"))
        .take(200)
        .map(|membership| {
            let [start, end] = dates(facts, membership);
            let mut role = facts.values(membership, "org:role");
            role.extend(facts.values(membership, "skos:note"));
            vec![role, facts.values(membership, other), start, end, evidence_of(facts, membership)]
        })
        .collect();
    rows.sort_by_key(|row| {
        row.iter().take(2).flatten().map(|v| v.plain().to_owned()).collect::<Vec<_>>()
    });
    Grid {
        caption: caption.to_owned(),
        columns: ["Role", column, "From", "To", "Source"].map(str::to_owned).to_vec(),
        rows,
    }
}

fn partnerships(facts: &Facts, id: TermId) -> Grid {
    let mut rows: Vec<Vec<Vec<Value>>> = facts
        .subjects("insites:partner", id)
        .into_iter()
        .filter(|p| facts.is_a(*p, "insites:Partnership"))
        .take(200)
        .map(|partnership| {
            let [start, end] = dates(facts, partnership);
            let from = facts.values(partnership, "insites:subject");
            let mut relation = facts.values(partnership, "insites:relation");
            relation.extend(facts.values(partnership, "skos:note"));
            vec![
                from,
                relation,
                facts.values(partnership, "insites:object"),
                start,
                end,
                evidence_of(facts, partnership),
            ]
        })
        .collect();
    rows.sort_by_key(|row| {
        row.iter().take(3).flatten().map(|v| v.plain().to_owned()).collect::<Vec<_>>()
    });
    Grid {
        caption: "Partnerships, with their sources".to_owned(),
        columns: ["Who", "Relation", "With", "From", "To", "Source"].map(str::to_owned).to_vec(),
        rows,
    }
}

/// The place of a record, if it has one.
pub(crate) fn point(facts: &Facts, id: TermId) -> Option<Point> {
    Some(Point {
        link: facts.link(id),
        latitude: facts.text(id, "wgs84:lat").parse().ok()?,
        longitude: facts.text(id, "wgs84:long").parse().ok()?,
        place: facts.text(id, "insites:place"),
        kind: facts
            .objects(id, "insites:organisationKind")
            .first()
            .map(|kind| facts.label(*kind))
            .unwrap_or_default(),
    })
}

fn organisation(facts: &Facts, id: TermId, slug: &str) -> Shown {
    let mut cases: Vec<TermId> = Vec::new();
    for property in ["insites:atOrganisation", "insites:atSite", "insites:withPartner"] {
        cases.extend(
            facts
                .subjects(property, id)
                .into_iter()
                .take(500)
                .filter(|case| facts.is_a(*case, "insites:CaseStudy")),
        );
    }
    cases.sort_unstable();
    cases.dedup();
    let lessons = facts.subjects("insites:aboutOrganisation", id);
    let more = |count: usize, kind: &str, what: &str| {
        Block::More(if count > SHOWN {
            Link::new(
                &format!("All {count} {what}"),
                &format!("/search?kind={kind}&organisation={slug}"),
            )
        } else {
            Link::default()
        })
    };
    let (case_count, lesson_count) = (cases.len(), lessons.len());
    let mut roles_now = Vec::new();
    if facts.is_a(id, "insites:Site") {
        roles_now.push(Value::Link(Link::new("Innovation Site", "/ontology#Site")));
    }
    if facts.is_a(id, "insites:Partner") {
        roles_now.push(Value::Link(Link::new("Partner", "/ontology#Partner")));
    }
    let website = facts
        .texts(id, "foaf:homepage")
        .iter()
        .map(|url| Value::Link(Link::new(&host(url), url)))
        .collect();
    Shown {
        lead: facts.texts(id, "dct:description"),
        facts: vec![
            facts.row(id, "Also known as", "skos:altLabel"),
            facts.row(id, "Kind", "insites:organisationKind"),
            ("Here as".to_owned(), roles_now),
            facts.row(id, "Region", "insites:region"),
            facts.row(id, "Place", "insites:place"),
            facts.row(id, "ODS code", "insites:odsCode"),
            ("Website".to_owned(), website),
            facts.row(id, "Linked with", "org:linkedTo"),
        ],
        sections: [
            notes(facts, id),
            Section::new(
                "roles",
                "Roles, with their dates and sources",
                vec![
                    Block::Grid(roles(
                        facts,
                        id,
                        "org:member",
                        "org:organization",
                        "Roles elsewhere",
                        "In",
                    )),
                    Block::Grid(roles(
                        facts,
                        id,
                        "org:organization",
                        "org:member",
                        "Roles of others here",
                        "Who",
                    )),
                ],
            ),
            Section::new("partners", "Partners", vec![Block::Grid(partnerships(facts, id))]),
            Section::new(
                "cases",
                "Case studies",
                vec![
                    Block::Cards(facts.cards(cases, SHOWN)),
                    more(case_count, "case-study", "case studies"),
                ],
            ),
            Section::new(
                "lessons",
                "Lessons about it",
                vec![
                    Block::Cards(facts.cards(lessons, SHOWN)),
                    more(lesson_count, "lesson", "lessons"),
                ],
            ),
            Section::new(
                "programmes",
                "Programmes it answers for",
                vec![Block::Cards(facts.cards(facts.subjects("insites:owner", id), SHOWN))],
            ),
            Section::new(
                "map",
                "Where it is",
                vec![Block::Map(MapPicture {
                    caption: "Where it is".to_owned(),
                    points: point(facts, id).into_iter().collect(),
                })],
            ),
        ]
        .into_iter()
        .flatten()
        .collect(),
        incoming: vec![
            "org:member",
            "org:organization",
            "insites:partner",
            "insites:subject",
            "insites:object",
            "insites:atOrganisation",
            "insites:withPartner",
            "insites:aboutOrganisation",
            "insites:owner",
        ],
    }
}

fn programme(facts: &Facts, id: TermId, slug: &str) -> Shown {
    let cases = facts.subjects("insites:inProgramme", id);
    let count = cases.len();
    let website = facts
        .texts(id, "foaf:homepage")
        .iter()
        .map(|url| Value::Link(Link::new(&host(url), url)))
        .collect();
    let stated = facts.texts(id, "insites:statedNumberOfSites");
    Shown {
        lead: facts.texts(id, "dct:description"),
        facts: vec![
            facts.row(id, "Also known as", "skos:altLabel"),
            facts.row(id, "Kind", "insites:programmeKind"),
            facts.row(id, "Who answers for it", "insites:owner"),
            facts.row(id, "Began", "insites:start"),
            facts.row(id, "Ended", "insites:end"),
            facts.row(id, "Money", "insites:amount"),
            (
                "Sites, as stated".to_owned(),
                stated
                    .iter()
                    .map(|n| {
                        Value::text(&format!("{n} (a stated number; it is not a list of names)"))
                    })
                    .collect(),
            ),
            ("Website".to_owned(), website),
        ],
        sections: [
            notes(facts, id),
            Section::new(
                "roles",
                "Who takes part, with dates and sources",
                vec![Block::Grid(roles(
                    facts,
                    id,
                    "org:organization",
                    "org:member",
                    "Roles in this programme",
                    "Who",
                ))],
            ),
            Section::new(
                "part-of",
                "Part of",
                vec![Block::Grid(roles(
                    facts,
                    id,
                    "org:member",
                    "org:organization",
                    "Roles of this programme elsewhere",
                    "In",
                ))],
            ),
            Section::new(
                "cases",
                "Case studies",
                vec![
                    Block::Cards(facts.cards(cases, SHOWN)),
                    Block::More(if count > SHOWN {
                        Link::new(
                            &format!("All {count} case studies"),
                            &format!("/search?kind=case-study&programme={slug}"),
                        )
                    } else {
                        Link::default()
                    }),
                ],
            ),
        ]
        .into_iter()
        .flatten()
        .collect(),
        incoming: vec!["org:organization", "org:member", "insites:inProgramme", "dct:isPartOf"],
    }
}

fn document(facts: &Facts, id: TermId) -> Shown {
    let homepage = facts
        .texts(id, "foaf:homepage")
        .iter()
        .map(|url| Value::Link(Link::new(url, url)))
        .collect();
    let mut lessons = facts.subjects("insites:document", id);
    lessons.extend(facts.subjects("prov:wasDerivedFrom", id));
    Shown {
        lead: facts.texts(id, "dct:description"),
        facts: vec![
            facts.row(id, "Authors", "dct:creator"),
            facts.row(id, "Published by", "dct:publisher"),
            facts.row(id, "Year", "dct:issued"),
            facts.row(id, "Type", "insites:documentType"),
            facts.row(id, "Identifiers", "dct:identifier"),
            ("Where to read it".to_owned(), homepage),
            facts.row(id, "Licence", "dct:license"),
            facts.row(id, "As cited", "dct:bibliographicCitation"),
        ],
        sections: [
            notes(facts, id),
            Section::new(
                "lessons",
                "Lessons stated in it",
                vec![Block::Cards(facts.cards(lessons, 24))],
            ),
        ]
        .into_iter()
        .flatten()
        .collect(),
        incoming: vec!["insites:document", "prov:wasDerivedFrom"],
    }
}

fn evidence(facts: &Facts, id: TermId) -> Shown {
    let chain = from_evidence(facts, id, "").steps;
    let mut supports = facts.objects(id, "cito:supports");
    supports.extend(facts.subjects("insites:supportedBy", id));
    let mut disputes = facts.objects(id, "cito:disputes");
    disputes.extend(facts.subjects("insites:contradictedBy", id));
    Shown {
        lead: facts.texts(id, "dct:description"),
        facts: vec![
            facts.row(id, "Kind of evidence", "insites:evidenceKind"),
            facts.row(id, "Role of who said it", "prov:wasAttributedTo"),
            facts.row(id, "At site", "insites:atSite"),
            ("Themes".to_owned(), themes(facts, id)),
            facts.row(id, "Dimensions", "insites:dimension"),
        ],
        sections: [
            Section::new("from", "Where it comes from", vec![Block::Chain(chain)]),
            Section::new(
                "supports",
                "Lessons it supports",
                vec![Block::Cards(facts.cards(supports, 24))],
            ),
            Section::new(
                "contradicts",
                "Lessons it contradicts",
                vec![Block::Cards(facts.cards(disputes, 24))],
            ),
            notes(facts, id),
        ]
        .into_iter()
        .flatten()
        .collect(),
        incoming: vec![
            "insites:supportedBy",
            "insites:contradictedBy",
            "cito:citesAsEvidence",
            "cito:obtainsSupportFrom",
            "prov:generated",
        ],
    }
}

/// The passages of an interview in their order, and the other evidence that
/// came from it.
fn passages(facts: &Facts, id: TermId) -> (Vec<Said>, Vec<TermId>) {
    let mut placed: Vec<(u64, TermId)> = Vec::new();
    let mut others = Vec::new();
    for evidence in facts.subjects("prov:wasGeneratedBy", id) {
        match facts.text(evidence, "schema:position").parse() {
            Ok(place) => placed.push((place, evidence)),
            Err(_) => others.push(evidence),
        }
    }
    placed.sort_unstable();
    placed.dedup();
    let links = |ids: Vec<TermId>| -> Vec<Link> {
        let mut links: Vec<Link> = ids.into_iter().map(|id| facts.bare_link(id)).collect();
        links.sort_by(|a, b| a.text.cmp(&b.text));
        links
    };
    let said = placed
        .into_iter()
        .map(|(place, passage)| {
            let iri = facts.snapshot.graph.text(passage).unwrap_or_default();
            let text = facts.text(passage, "dct:description");
            // The number in its address stays when others come before it.
            let number = iri.rsplit_once("-p").and_then(|(_, number)| number.parse().ok());
            let codes = [
                ("Themes", "dct:subject"),
                ("Dimensions", "insites:dimension"),
                ("Supports", "cito:supports"),
                ("Contradicts", "cito:disputes"),
            ]
            .map(|(name, property)| (name.to_owned(), links(facts.objects(passage, property))));
            Said {
                link: Link::new(&format!("Passage {}", number.unwrap_or(place)), &facts.url(&iri)),
                question: crate::capture::passages::is_question(&text),
                text,
                codes: codes.into_iter().filter(|(_, links)| !links.is_empty()).collect(),
            }
        })
        .collect();
    (said, others)
}

fn activity(facts: &Facts, id: TermId) -> Shown {
    let (said, evidence) = passages(facts, id);
    let consent = facts.texts(id, "insites:consentFor").into_iter().map(|scope| {
        Value::text(&format!("{scope} ({})", day(&facts.text(id, "insites:consentDate"))))
    });
    let when = facts.texts(id, "dct:date").iter().map(|date| Value::text(&day(date))).collect();
    Shown {
        lead: facts.texts(id, "dct:description"),
        facts: vec![
            ("When".to_owned(), when),
            facts.row(id, "At site", "insites:atSite"),
            facts.row(id, "With", "insites:withRole"),
            facts.row(id, "Questionnaire", "insites:questionnaire"),
            facts.row(id, "Dimensions", "insites:dimension"),
            ("Consent".to_owned(), consent.collect()),
            facts.row(id, "Who may see it", "insites:audience"),
        ],
        sections: [
            Section::new(
                "said",
                "What was said",
                vec![prose(facts, id, "insites:answerText"), Block::Said(said)],
            ),
            Section::new("answers", "Answers", vec![answers(facts, id)]),
            Section::new(
                "evidence",
                "Evidence taken from it",
                vec![Block::Cards(facts.cards(evidence, 24))],
            ),
            notes(facts, id),
        ]
        .into_iter()
        .flatten()
        .collect(),
        incoming: vec!["prov:wasGeneratedBy"],
    }
}

fn questionnaire(facts: &Facts, id: TermId) -> Shown {
    let mut questions: Vec<(u64, TermId)> =
        facts.objects(id, "dct:hasPart").into_iter().map(|q| (position(facts, q), q)).collect();
    questions.sort_unstable();
    let rows = questions
        .into_iter()
        .map(|(_, question)| {
            let mut text = facts.values(question, "dct:title");
            for property in
                ["schema:text", "schema:name", "dct:description", "rdfs:label", "skos:prefLabel"]
            {
                if text.is_empty() {
                    text = facts.values(question, property);
                }
            }
            vec![text, facts.values(question, "insites:dimension")]
        })
        .collect();
    Shown {
        lead: facts.texts(id, "dct:description"),
        facts: vec![facts.row(id, "Dimensions", "insites:dimension")],
        sections: [
            Section::new(
                "questions",
                "Questions",
                vec![Block::Grid(Grid {
                    caption: "Questions and their dimensions".to_owned(),
                    columns: vec!["Question".to_owned(), "Dimension".to_owned()],
                    rows,
                })],
            ),
            Section::new(
                "answers",
                "Where it was used",
                vec![Block::Cards(facts.cards(facts.subjects("insites:questionnaire", id), 24))],
            ),
            notes(facts, id),
        ]
        .into_iter()
        .flatten()
        .collect(),
        incoming: vec!["insites:questionnaire"],
    }
}

fn result(facts: &Facts, id: TermId) -> Shown {
    // The figure among the others of its case study, since it may be disputed.
    let mut siblings: Vec<TermId> = facts
        .objects(id, "insites:ofCaseStudy")
        .into_iter()
        .flat_map(|case| facts.subjects("insites:ofCaseStudy", case))
        .filter(|other| facts.label(*other) == facts.label(id))
        .collect();
    if siblings.is_empty() {
        siblings.push(id);
    }
    Shown {
        lead: Vec::new(),
        facts: vec![facts.row(id, "Case study", "insites:ofCaseStudy")],
        sections: [Section::new(
            "figures",
            "The figure, with any other for the same",
            vec![Block::Figures(siblings.into_iter().map(|id| figure(facts, id)).collect())],
        )]
        .into_iter()
        .flatten()
        .collect(),
        incoming: vec!["insites:hasResult"],
    }
}

fn statement(facts: &Facts, id: TermId) -> Shown {
    Shown {
        lead: Vec::new(),
        facts: vec![
            facts.row(id, "Who", "org:member"),
            facts.row(id, "Role", "org:role"),
            facts.row(id, "In", "org:organization"),
            facts.row(id, "Who", "insites:subject"),
            facts.row(id, "Relation", "insites:relation"),
            facts.row(id, "With", "insites:object"),
            facts.row(id, "From", "insites:start"),
            facts.row(id, "To", "insites:end"),
        ],
        sections: notes(facts, id).into_iter().collect(),
        incoming: Vec::new(),
    }
}

/// A theme, dimension, region, outcome or another concept: what it means, and
/// what is said under it.
fn concept(facts: &Facts, id: TermId, kind: &str, slug: &str) -> Shown {
    let graph = &facts.snapshot.graph;
    let mut under: Vec<TermId> = Vec::new();
    let property = match kind {
        "dimension" => "insites:dimension",
        "region" => "insites:region",
        "outcome" => "insites:outcomeStatus",
        "organisation-kind" => "insites:organisationKind",
        "programme-kind" => "insites:programmeKind",
        "document-type" => "insites:documentType",
        "evidence-kind" => "insites:evidenceKind",
        "result-kind" => "insites:resultKind",
        "role" => "org:role",
        "relation" => "insites:relation",
        _ => "dct:subject",
    };
    under.extend(facts.subjects(property, id));
    let class = |name: &str| graph.iri_id(&crate::http::record_page::facts::iri(name));
    let of_class = |name: &str| -> Vec<TermId> {
        let Some(class) = class(name) else { return Vec::new() };
        under
            .iter()
            .copied()
            .filter(|id| graph.objects(*id, crate::rdf::vocabulary::TYPE).contains(&class))
            .collect()
    };
    let lessons = of_class("insites:Lesson");
    let cases = of_class("insites:CaseStudy");
    let organisations = of_class("insites:Organisation");
    let evidence = of_class("insites:Evidence");
    let programmes = of_class("insites:Programme");
    let documents = of_class("insites:Document");
    // Where these case studies happened, by number of cases.
    let mut sites: Vec<(usize, TermId)> = Vec::new();
    for case in cases.iter().take(500) {
        for organisation in facts.objects(*case, "insites:atOrganisation") {
            match sites.iter_mut().find(|(_, known)| *known == organisation) {
                Some((count, _)) => *count += 1,
                None => sites.push((1, organisation)),
            }
        }
    }
    sites.sort_by(|a, b| b.0.cmp(&a.0).then(facts.label(a.1).cmp(&facts.label(b.1))));
    sites.truncate(25);
    let searchable = matches!(kind, "theme" | "dimension" | "region" | "outcome");
    let section = |id: &'static str, title: &str, kind_: &str, records: Vec<TermId>| {
        let count = records.len();
        let all = format!("/search?kind={kind_}&{kind}={slug}");
        Section::new(
            id,
            &format!("{title} ({count})"),
            vec![
                Block::Cards(facts.cards(records, SHOWN)),
                Block::More(if count > SHOWN && searchable {
                    Link::new(&format!("All {count}, to filter and sort"), &all)
                } else {
                    Link::default()
                }),
            ],
        )
    };
    let mut sections: Vec<Section> = [
        section("lessons", "Lessons", "lesson", lessons),
        section("cases", "Case studies", "case-study", cases),
        section("evidence", "Evidence", "evidence", evidence),
        Section::new(
            "sites",
            "Where these case studies happened",
            vec![Block::Grid(Grid {
                caption: "Organisations by number of case studies".to_owned(),
                columns: vec!["Organisation".to_owned(), "Case studies".to_owned()],
                rows: sites
                    .into_iter()
                    .map(|(count, id)| {
                        vec![
                            vec![Value::Link(facts.link(id))],
                            vec![Value::text(&count.to_string())],
                        ]
                    })
                    .collect(),
            })],
        ),
        section("organisations", "Organisations", "organisation", organisations.clone()),
        section("programmes", "Programmes", "programme", programmes),
        section("documents", "Documents", "document", documents),
        (kind == "region")
            .then(|| {
                Section::new(
                    "map",
                    "On the map",
                    vec![Block::Map(MapPicture {
                        caption: "Organisations of this region with a place".to_owned(),
                        points: organisations
                            .iter()
                            .take(300)
                            .filter_map(|id| point(facts, *id))
                            .collect(),
                    })],
                )
            })
            .flatten(),
        notes(facts, id),
    ]
    .into_iter()
    .flatten()
    .collect();
    if searchable && !sections.is_empty() {
        let data = Section::new(
            "take",
            "Take these with you",
            vec![Block::Links(vec![
                Link::new("All records as CSV", &format!("/search.csv?{kind}={slug}")),
                Link::new("Follow new ones (Atom)", &format!("/search.atom?{kind}={slug}")),
                Link::new("Search among them", &format!("/search?{kind}={slug}")),
            ])],
        );
        sections.extend(data);
    }
    let mut lead = facts.texts(id, "skos:definition");
    lead.extend(facts.texts(id, "dct:description"));
    Shown {
        lead,
        facts: vec![
            facts.row(id, "Also called", "skos:altLabel"),
            facts.row(id, "Scope", "skos:scopeNote"),
            facts.row(id, "Code", "skos:notation"),
            facts.row(id, "Narrower than", "skos:broader"),
            facts.row(id, "Related", "skos:related"),
            facts.row(id, "Near in meaning", "skos:relatedMatch"),
            facts.row(id, "Of the list", "skos:inScheme"),
        ],
        sections,
        incoming: vec![
            "dct:subject",
            "insites:dimension",
            "insites:region",
            "insites:outcomeStatus",
            property,
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_grouped() {
        assert_eq!(grouped("21000000"), "21,000,000");
        assert_eq!(grouped("1000"), "1000");
        assert_eq!(grouped("10000"), "10,000");
        assert_eq!(grouped("4-10"), "4-10");
        assert_eq!(grouped("12345.6"), "12345.6");
    }
}
