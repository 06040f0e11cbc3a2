//! The page of a record: its sections, everything recorded of it, how to cite
//! it, and what is around it.

mod answers;
pub(super) mod facts;
pub(super) mod sections;
pub(super) mod strength;

use crate::access::Role;
use crate::commit::Snapshot;
use crate::graph::GraphPattern;
use crate::http::State;
use crate::http::record_page::facts::{Facts, host, iri, shorten};
use crate::http::site::layout;
use crate::pages;
use crate::rdf::NamedNode;
use crate::rdf::Term;
use crate::rdf::TermId;
use crate::rdf::vocabulary::{DCTERMS, TYPE};
use crate::search::{kind_label, label, status};
use std::collections::BTreeMap;

/// Links shown of one kind of incoming relation.
const INCOMING: usize = 50;
/// Neighbours of one kind of relation in the picture of a record.
const NEIGHBOURS: usize = 12;

/// A record that is there.
pub(super) struct Found {
    pub(super) id: TermId,
    pub(super) iri: String,
    pub(super) kind: String,
    pub(super) slug: String,
}

impl Found {
    fn url(&self) -> String {
        format!("/{}/{}", self.kind, self.slug)
    }
}

/// What people call a property: its label, or its local name in words.
pub(super) fn property_label(graph: &crate::graph::Snapshot, iri: &str) -> String {
    let named = graph.iri_id(iri).map(|id| label(graph, id)).unwrap_or_default();
    if !named.is_empty() {
        return named;
    }
    let local = iri.rsplit(['#', '/']).next().unwrap_or(iri);
    let mut words = String::new();
    for c in local.chars() {
        if c.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
    words.trim().to_owned()
}

/// How to cite a record.
pub(super) fn citation(state: &State, snapshot: &Snapshot, found: &Found) -> pages::Citation {
    let facts = Facts { snapshot, names: &state.config.names };
    let mut authors = facts.texts(found.id, "dct:creator");
    authors.extend(facts.texts(found.id, "insites:attributedTo"));
    let date = facts
        .texts(found.id, "dct:issued")
        .into_iter()
        .chain(facts.texts(found.id, "dct:date"))
        .next()
        .unwrap_or_default();
    let mut title = facts.label(found.id);
    if title == found.iri {
        title.clone_from(&found.slug);
    }
    pages::Citation {
        key: format!("{}-{}", found.kind, found.slug),
        title,
        authors,
        container: state.config.service_name.clone(),
        date,
        url: found.iri.clone(),
        genre: kind_label(&found.kind, false),
        status: status(&snapshot.graph, found.id),
    }
}

/// Where whoever asks may change a case study: curators each, contributors
/// those of their own site.
fn change(state: &State, facts: &Facts, found: &Found) -> Option<String> {
    let own = || {
        let site = state.caller.site.as_ref()?;
        let site = facts.snapshot.graph.iri_id(&facts.names.record("organisation", site))?;
        let places = ["insites:atOrganisation", "insites:atSite"];
        places.iter().any(|at| facts.objects(found.id, at).contains(&site)).then_some(())
    };
    let may = match state.caller.role {
        Role::Curator | Role::Administrator => true,
        Role::Contributor => own().is_some(),
        Role::Member | Role::Public => false,
    };
    (may && found.kind == "case-study").then(|| format!("/capture/case-study/{}", found.slug))
}

/// The page of a record; `past` says that it is a state of the past,
/// `withdrawn` that it was withdrawn, `thanked` that feedback on it was kept.
pub(super) fn page(
    state: &State,
    snapshot: &Snapshot,
    found: &Found,
    formats: &[(&'static str, &'static str)],
    past: bool,
    withdrawn: bool,
    thanked: bool,
) -> String {
    let facts = Facts { snapshot, names: &state.config.names };
    let shown = sections::of(&facts, found.id, &found.kind, &found.slug);
    let citation = citation(state, snapshot, found);
    let title = citation.title.clone();
    let mut layout = layout(state, &title);
    layout.part = part(&found.kind);
    layout.description = shown.lead.first().map(|text| shorten(text, 160)).unwrap_or_default();
    layout.links = formats
        .iter()
        .map(|(ending, media_type)| ("alternate", format!("{}{ending}", found.url()), *media_type))
        .collect();
    layout.canonical = Some(found.iri.clone());
    layout.citation = vec![("citation_title", title.clone())];
    layout.citation.extend(citation.authors.iter().map(|a| ("citation_author", a.clone())));
    if !citation.date.is_empty() {
        layout.citation.push(("citation_publication_date", citation.date.replace('-', "/")));
    }
    layout.citation.push(("citation_public_url", found.iri.clone()));
    layout.json_ld = json_ld(&facts, found, &citation, &shown.lead);
    let (sources, dates) = sources(&facts, found.id);
    pages::record(&pages::RecordPage {
        change: (!past && !withdrawn).then(|| change(state, &facts, found)).flatten(),
        layout,
        list: if crate::index::KINDS.contains(&found.kind.as_str()) {
            pages::Link::new(&kind_label(&found.kind, true), &format!("/{}", found.kind))
        } else {
            pages::Link::new("Explore", "/explore")
        },
        url: found.url(),
        title,
        kind_label: kind_label(&found.kind, false),
        iri: found.iri.clone(),
        status: citation.status.clone(),
        withdrawn: withdrawn.then(|| facts.text(found.id, "insites:withdrawalReason")),
        past: past.then_some(snapshot.revision),
        lead: shown.lead,
        facts_at_top: shown.facts,
        sections: shown.sections,
        facts: everything(&facts, found.id),
        sources,
        dates,
        incoming: incoming(&facts, found.id, &shown.incoming),
        formats: formats
            .iter()
            .map(|(ending, _)| {
                let name = match *ending {
                    ".ttl" => "Turtle",
                    ".jsonld" => "JSON-LD",
                    ".nt" => "N-Triples",
                    ".rdf" => "RDF/XML",
                    _ => "JSON",
                };
                (format!("{}{ending}", found.url()), name.to_owned())
            })
            .collect(),
        citation,
        feedback: (found.kind == "lesson" && !past && !withdrawn)
            .then(|| feedback(state, &facts, found, thanked)),
    })
}

/// The form by which people say whether a lesson fitted.
fn feedback(state: &State, facts: &Facts, found: &Found, kept: bool) -> pages::Feedback {
    let scheme = facts.names.record("scheme", "person-roles");
    let roles = facts.snapshot.graph.iri_id(&scheme).into_iter();
    let mut roles: Vec<(String, String)> = roles
        .flat_map(|scheme| facts.subjects("skos:inScheme", scheme))
        .filter_map(|role| {
            let iri = facts.snapshot.graph.text(role)?;
            Some((facts.names.kind_and_slug(&iri)?.1.to_owned(), facts.label(role)))
        })
        .collect();
    roles.sort_by(|a, b| a.1.cmp(&b.1));
    pages::Feedback {
        action: format!("{}/feedback", found.url()),
        form_secret: state.caller.form_secret.clone(),
        roles,
        kept,
        waiting: strength::waiting(facts, found.id).into_iter().map(|id| facts.link(id)).collect(),
    }
}

/// The part of the navigation that a kind belongs to.
pub(super) fn part(kind: &str) -> &'static str {
    match kind {
        "lesson" => "/lesson",
        "case-study" => "/case-study",
        "organisation" => "/organisation",
        _ => "/explore",
    }
}

/// Everything that is said of a record, by property.
fn everything(facts: &Facts, id: TermId) -> Vec<pages::Fact> {
    let graph = &facts.snapshot.graph;
    let mut all: Vec<pages::Fact> = Vec::new();
    let mut last = None;
    for [s, p, o, g] in graph.quads().matching(Some(id), None, None, GraphPattern::Any) {
        if last.replace([s, p, o]) == Some([s, p, o]) {
            continue;
        }
        let (Some(property), Some(object)) = (graph.text(p), graph.term(o)) else { continue };
        let value = match &object {
            Term::NamedNode(_) => pages::Value::Link(facts.link(o)),
            Term::Literal(literal) => pages::Value::Text {
                text: literal.value().to_owned(),
                language: literal.language().map(str::to_owned),
            },
            Term::BlankNode(_) => pages::Value::text("(without a name)"),
            Term::Triple(triple) => pages::Value::text(&triple.to_string()),
        };
        match all.last_mut().filter(|fact| fact.iri == property) {
            Some(fact) => fact.values.push(value),
            None => all.push(pages::Fact {
                label: property_label(&facts.snapshot.graph, &property),
                iri: property,
                graph: graph.text(g).unwrap_or_else(|| "default graph".to_owned()),
                values: vec![value],
            }),
        }
    }
    all.sort_by(|a, b| a.label.cmp(&b.label));
    all
}

/// Sources as links, the primary one first, and what their dates mean.
fn sources(facts: &Facts, id: TermId) -> (Vec<pages::Link>, Vec<String>) {
    let primary = facts.texts(id, "prov:hadPrimarySource");
    let mut addresses = facts.texts(id, "dct:source");
    addresses.sort_by_key(|address| !primary.contains(address));
    let links = addresses
        .iter()
        .map(|address| pages::Link::new(&format!("{}: {address}", host(address)), address))
        .collect();
    let read = facts.only_read(id);
    let which =
        if primary.is_empty() || addresses.len() < 2 { "The source" } else { "The first source" };
    let dates = if addresses.is_empty() { Vec::new() } else { facts.texts(id, "dct:date") }
        .iter()
        .map(|date| {
            if read {
                format!("{which} prints no date; it was read on {}.", pages::day(date))
            } else {
                format!("{which} is of {}.", pages::day(date))
            }
        })
        .collect();
    (links, dates)
}

/// Records that point to a term, by property: how many, and the first.
fn pointing(facts: &Facts, id: TermId, most: usize) -> Vec<(String, usize, Vec<TermId>)> {
    let graph = &facts.snapshot.graph;
    let mut counts: BTreeMap<TermId, (usize, Vec<TermId>)> = BTreeMap::new();
    let mut last = None;
    for [s, p, o, _] in graph.quads().matching(None, None, Some(id), GraphPattern::Any) {
        if last.replace([s, p, o]) == Some([s, p, o]) {
            continue;
        }
        let (count, first) = counts.entry(p).or_default();
        *count += 1;
        if first.len() < most {
            first.push(s);
        }
    }
    counts
        .into_iter()
        .filter_map(|(p, (count, first))| Some((graph.text(p)?, count, first)))
        .collect()
}

fn incoming(facts: &Facts, id: TermId, shown: &[&str]) -> Vec<pages::Incoming> {
    let shown: Vec<String> = shown.iter().map(|name| iri(name)).collect();
    let mut groups: Vec<pages::Incoming> = pointing(facts, id, INCOMING)
        .into_iter()
        .filter(|(property, ..)| !shown.contains(property) && property != TYPE)
        .map(|(property, total, first)| {
            let mut links: Vec<pages::Link> = first
                .into_iter()
                .filter(|s| matches!(facts.snapshot.graph.term(*s), Some(Term::NamedNode(_))))
                .map(|s| facts.link(s))
                .collect();
            links.sort_by(|a, b| a.text.cmp(&b.text));
            pages::Incoming {
                label: property_label(&facts.snapshot.graph, &property),
                total,
                links,
            }
        })
        .filter(|group| !group.links.is_empty())
        .collect();
    groups.sort_by(|a, b| a.label.cmp(&b.label));
    groups
}

/// What is around a record: records that it names and records that name it.
pub(super) fn neighbours(state: &State, snapshot: &Snapshot, found: &Found) -> pages::Neighbours {
    let facts = Facts { snapshot, names: &state.config.names };
    let graph = &snapshot.graph;
    let neighbour = |id: TermId| -> Option<pages::Neighbour> {
        let Some(Term::NamedNode(iri)) = graph.term(id) else { return None };
        let (kind, slug) = state.config.names.kind_and_slug(iri.as_str())?;
        Some(pages::Neighbour {
            link: facts.link(id),
            kind: kind_label(kind, false),
            graph: format!("/{kind}/{slug}/graph"),
        })
    };
    let mut groups: Vec<(String, Vec<pages::Neighbour>)> = Vec::new();
    let mut seen = vec![found.id];
    let mut last = None;
    let mut outgoing: BTreeMap<TermId, Vec<TermId>> = BTreeMap::new();
    for [s, p, o, _] in graph.quads().matching(Some(found.id), None, None, GraphPattern::Any) {
        if last.replace([s, p, o]) != Some([s, p, o]) {
            outgoing.entry(p).or_default().push(o);
        }
    }
    let out = outgoing.into_iter().filter_map(|(p, ids)| {
        let name = property_label(graph, &graph.text(p)?);
        Some((name, ids))
    });
    let into = pointing(&facts, found.id, NEIGHBOURS * 4).into_iter().map(|(property, _, ids)| {
        (format!("{} (of what names it)", property_label(graph, &property)), ids)
    });
    for (name, ids) in out.chain(into) {
        let mut list = Vec::new();
        for id in ids {
            if list.len() < NEIGHBOURS
                && !seen.contains(&id)
                && let Some(one) = neighbour(id)
            {
                seen.push(id);
                list.push(one);
            }
        }
        if !list.is_empty() {
            groups.push((name, list));
        }
    }
    pages::Neighbours {
        centre: facts.link(found.id),
        groups,
        data: format!("{}/graph", found.url()),
    }
}

/// A schema.org block for crawlers.
fn json_ld(facts: &Facts, found: &Found, citation: &pages::Citation, lead: &[String]) -> String {
    let type_ = match found.kind.as_str() {
        "organisation" => "Organization",
        "case-study" => "Article",
        "lesson" => "Claim",
        "report" => "Report",
        "document" => "CreativeWork",
        "programme" => "Project",
        "theme" | "dimension" | "outcome" => "DefinedTerm",
        "result" => "QuantitativeValue",
        _ => "Thing",
    };
    let mut value = serde_json::json!({
        "@context": "https://schema.org/",
        "@id": found.iri,
        "@type": type_,
        "name": citation.title,
        "url": found.iri,
    });
    if let Some(text) = lead.first() {
        value["description"] = text.as_str().into();
    }
    let creative = matches!(type_, "Article" | "Claim" | "Report" | "CreativeWork");
    if creative {
        value["license"] = "https://creativecommons.org/licenses/by/4.0/".into();
        value["isBasedOn"] = facts.texts(found.id, "dct:source").into();
        value["creditText"] = citation.plain().into();
        let about: Vec<serde_json::Value> = facts
            .objects(found.id, "dct:subject")
            .into_iter()
            .map(|id| serde_json::json!({ "@id": facts.snapshot.graph.text(id), "name": facts.label(id) }))
            .collect();
        value["about"] = about.into();
    }
    if type_ == "Organization"
        && let Some(point) = sections::point(facts, found.id)
    {
        value["location"] = serde_json::json!({
            "@type": "Place",
            "address": point.place,
            "geo": { "@type": "GeoCoordinates", "latitude": point.latitude, "longitude": point.longitude },
        });
    }
    // A closing tag inside a string would end the block.
    value.to_string().replace('<', "\\u003c")
}

/// All records, for the sitemap.
pub(super) fn all_records(state: &State, snapshot: &Snapshot) -> Vec<String> {
    let documents = crate::commit::Documents::new(&snapshot.graph, &state.config.names);
    documents
        .subjects()
        .into_iter()
        .filter_map(|id| snapshot.graph.text(id))
        .filter(|iri| NamedNode::new(iri).is_ok())
        .filter_map(|iri| {
            let (kind, slug) = state.config.names.kind_and_slug(&iri)?;
            Some(format!("/{kind}/{slug}"))
        })
        .collect()
}

/// The description of a record, for lists.
pub(super) fn described(snapshot: &Snapshot, id: TermId) -> String {
    snapshot
        .graph
        .objects(id, &format!("{DCTERMS}description"))
        .first()
        .and_then(|id| snapshot.graph.text(*id))
        .map(|text| shorten(&text, 220))
        .unwrap_or_default()
}
