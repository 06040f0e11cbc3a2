//! `/ontology`: the terms for people as a page, for programs as RDF.

use crate::graph::GraphPattern;
use crate::http::error::Problem;
use crate::http::negotiate::choose;
use crate::http::records::entity_tag;
use crate::http::site::{html, layout};
use crate::http::sparql::accept;
use crate::http::{Shared, State, description};
use crate::pages;
use crate::problem::Kind;
use crate::rdf::vocabulary::{DCTERMS, INSITES, RDFS, SKOS, TYPE};
use crate::rdf::{GraphFormat, Revision, Term, TermId, Triple, Visibility};
use crate::search::label;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// What the page shows, gathered from a whole graph.
#[derive(Default)]
struct Terms {
    groups: Vec<(String, Vec<pages::OntologyTerm>)>,
    edges: Vec<pages::OntologyEdge>,
}

/// The terms of the latest revision, for each group of readers.
#[derive(Default)]
pub(super) struct Gathered(Mutex<HashMap<Visibility, (Revision, Arc<Terms>)>>);

impl Gathered {
    /// The terms of a revision, gathered once.
    fn of(
        &self,
        who: Visibility,
        revision: Revision,
        gather: impl FnOnce() -> Terms,
    ) -> Arc<Terms> {
        let kept = |all: &HashMap<_, (Revision, Arc<Terms>)>| {
            all.get(&who).filter(|(of, _)| *of == revision).map(|(_, terms)| Arc::clone(terms))
        };
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(terms) = kept(&all) {
            return terms;
        }
        drop(all);
        let terms = Arc::new(gather());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(who, (revision, Arc::clone(&terms)));
        terms
    }
}

/// `/ontology`: terms for people, RDF for programs.
pub(super) async fn ontology(
    Shared(state): Shared<State>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let app = state.app()?;
    let snapshot = state.snapshot()?;
    let chosen = choose(
        accept(&headers).as_deref(),
        &[
            &["text/html", "application/xhtml+xml"],
            &["text/turtle", "application/x-turtle", "text/n3"],
            &["application/rdf+xml"],
            &["application/n-triples"],
            &["application/ld+json", "application/json"],
        ],
    );
    let format = match chosen {
        Some(0) => None,
        Some(1) => Some(GraphFormat::Turtle),
        Some(2) => Some(GraphFormat::RdfXml),
        Some(3) => Some(GraphFormat::NTriples),
        Some(4) => Some(GraphFormat::JsonLd),
        _ => {
            return Err(Problem::new(
                Kind::NotAcceptable,
                "the ontology exists as HTML, Turtle, RDF/XML, N-Triples and JSON-LD",
            ));
        }
    };
    let graph = &snapshot.graph;
    let ontology = app.config.names.graph("ontology");
    let own = graph.iri_id(ontology.as_str());
    if let Some(format) = format {
        let triples: Vec<Triple> = own.map_or_else(Vec::new, |own| {
            graph
                .quads()
                .matching(None, None, None, GraphPattern::Only(own))
                .filter_map(|q| graph.quad(q))
                .map(Into::into)
                .collect()
        });
        let body = description::write_graph(triples.iter(), format)?;
        let tag = entity_tag(&body);
        let mut response = Response::new(Body::from(body));
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
        response.headers_mut().insert(header::ETAG, tag);
        response
            .headers_mut()
            .insert(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
        return Ok(super::at_revision(response, snapshot.revision));
    }
    let sees = state.caller.role.sees();
    let terms = state.ontology.of(sees, snapshot.revision, || gather(graph));
    let page = pages::ontology(&pages::OntologyPage {
        layout: layout(&state, "Ontology"),
        edges: terms.edges.clone(),
        groups: terms.groups.clone(),
    });
    let mut response = html(page);
    response
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    Ok(super::at_revision(response, snapshot.revision))
}

/// Reads the terms and how they are used.
fn gather(graph: &crate::graph::Snapshot) -> Terms {
    let mut groups = Vec::new();
    for (title, class) in [
        ("Classes", "http://www.w3.org/2002/07/owl#Class"),
        ("Properties that link records", "http://www.w3.org/2002/07/owl#ObjectProperty"),
        ("Properties with values", "http://www.w3.org/2002/07/owl#DatatypeProperty"),
        ("Concept schemes", "http://www.w3.org/2004/02/skos/core#ConceptScheme"),
    ] {
        let Some(class) = graph.iri_id(class) else { continue };
        let mut terms: Vec<pages::OntologyTerm> = graph
            .subjects(TYPE, class)
            .into_iter()
            .filter_map(|id| {
                let iri = graph.text(id)?;
                let text = |namespace: &str, name: &str| {
                    graph
                        .objects(id, &format!("{namespace}{name}"))
                        .into_iter()
                        .filter_map(|o| match graph.term(o)? {
                            Term::Literal(literal) => Some(literal.value().to_owned()),
                            Term::NamedNode(iri) => Some(iri.into_string()),
                            Term::BlankNode(_) | Term::Triple(_) => None,
                        })
                        .collect::<Vec<String>>()
                };
                let mut above = text(RDFS, "subClassOf");
                above.extend(text(RDFS, "subPropertyOf"));
                Some(pages::OntologyTerm {
                    name: iri
                        .strip_prefix(INSITES)
                        .unwrap_or(&iri)
                        .rsplit('/')
                        .next()
                        .unwrap_or_default()
                        .to_owned(),
                    label: label(graph, id),
                    definition: text(SKOS, "definition")
                        .into_iter()
                        .chain(text(RDFS, "comment"))
                        .chain(text(DCTERMS, "description"))
                        .next()
                        .unwrap_or_default(),
                    above,
                    source: text(DCTERMS, "source"),
                    uses: uses(graph, id, title),
                    iri,
                })
            })
            .collect();
        terms.sort_by(|a, b| a.name.cmp(&b.name));
        groups.push((title.to_owned(), terms));
    }
    Terms { groups, edges: edges(graph) }
}

/// How many records a class has; other terms are not counted.
fn uses(graph: &crate::graph::Snapshot, id: TermId, group: &str) -> Option<usize> {
    (group == "Classes").then(|| graph.subjects(TYPE, id).len())
}

/// Records of a class that are looked at for the diagram.
const LOOKED_AT: usize = 200;

/// How records of our classes lead to each other, as the data has it.
fn edges(graph: &crate::graph::Snapshot) -> Vec<pages::OntologyEdge> {
    let Some(owl_class) = graph.iri_id("http://www.w3.org/2002/07/owl#Class") else {
        return Vec::new();
    };
    let ours: HashSet<TermId> = graph
        .subjects(TYPE, owl_class)
        .into_iter()
        .filter(|id| graph.text(*id).is_some_and(|iri| iri.starts_with(INSITES)))
        .collect();
    // Most objects occur many times: vocabulary, organisations, statuses.
    let mut classes: HashMap<TermId, Option<TermId>> = HashMap::new();
    let mut class_of = |id: TermId| {
        *classes.entry(id).or_insert_with(|| {
            graph.objects(id, TYPE).into_iter().find(|class| ours.contains(class))
        })
    };
    let mut counts: BTreeMap<(TermId, TermId, TermId), usize> = BTreeMap::new();
    for class in &ours {
        for record in graph.subjects(TYPE, *class).into_iter().take(LOOKED_AT) {
            if class_of(record) != Some(*class) {
                continue;
            }
            for quad in graph.quads().matching(Some(record), None, None, GraphPattern::Any) {
                if let Some(to) = class_of(quad[2]) {
                    *counts.entry((*class, quad[1], to)).or_default() += 1;
                }
            }
        }
    }
    let name = |id: TermId| {
        let name = label(graph, id);
        if name.is_empty() { graph.text(id).unwrap_or_default() } else { name }
    };
    let hidden = ["status", "visibility", "kind of source date"];
    let mut edges: Vec<pages::OntologyEdge> = counts
        .into_iter()
        .map(|((from, property, to), count)| pages::OntologyEdge {
            from: name(from),
            property: crate::http::record_page::property_label(
                graph,
                &graph.text(property).unwrap_or_default(),
            ),
            to: name(to),
            count,
        })
        .filter(|edge| !hidden.contains(&edge.to.as_str()))
        .collect();
    edges.sort_by(|a, b| (&a.from, &a.to, &a.property).cmp(&(&b.from, &b.to, &b.property)));
    edges
}
