//! What the endpoint says of itself: SPARQL 1.1 Service Description and `VoID`.

use crate::graph::GraphPattern;
use crate::http::State;
use crate::http::error::Problem;
use crate::rdf::GraphFormat;
use crate::rdf::Literal;
use crate::rdf::NamedNode;
use crate::rdf::NamedOrBlankNode;
use crate::rdf::Term;
use crate::rdf::Triple;
use crate::rdf::vocabulary::TYPE;
use oxigraph::io::RdfSerializer;
use oxigraph::model::BlankNode;
use std::collections::BTreeMap;

const SD: &str = "http://www.w3.org/ns/sparql-service-description#";
const VOID: &str = "http://rdfs.org/ns/void#";
const FORMATS: &str = "http://www.w3.org/ns/formats/";

#[derive(Default)]
struct Graph {
    triples: Vec<Triple>,
    nodes: u32,
}

impl Graph {
    /// A node that is named alike each time, so that the same description is
    /// the same bytes.
    fn node(&mut self) -> BlankNode {
        self.nodes += 1;
        BlankNode::new_unchecked(format!("n{}", self.nodes))
    }

    fn add(
        &mut self,
        subject: impl Into<NamedOrBlankNode>,
        predicate: String,
        object: impl Into<Term>,
    ) {
        self.triples.push(Triple::new(subject, NamedNode::new_unchecked(predicate), object));
    }

    fn write(self, format: GraphFormat) -> Result<Vec<u8>, Problem> {
        write_graph(self.triples.iter(), format)
    }
}

/// Triples in a format. The same triples give the same bytes, so that a hash
/// of them is a validator: prefixes are sorted, and only those in use appear.
pub(super) fn write_graph<'a>(
    triples: impl Iterator<Item = &'a Triple>,
    format: GraphFormat,
) -> Result<Vec<u8>, Problem> {
    let mut serializer = RdfSerializer::from_format(format.rdf_format());
    let turtle = format == GraphFormat::Turtle;
    if turtle {
        for (prefix, iri) in crate::rdf::prefixes() {
            serializer =
                serializer.with_prefix(*prefix, *iri).map_err(|e| Problem::internal(&e))?;
        }
    }
    let mut writer = serializer.for_writer(Vec::new());
    for triple in triples {
        if format == GraphFormat::JsonLd && triple.object.is_triple() {
            return Err(Problem::no_triple_terms());
        }
        writer.serialize_triple(triple).map_err(|e| Problem::internal(&e))?;
    }
    let written = writer.finish().map_err(|e| Problem::internal(&e))?;
    Ok(if turtle { tidy_prefixes(written) } else { written })
}

/// The serialiser writes all prefixes, in any order.
fn tidy_prefixes(turtle: Vec<u8>) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(&turtle) else { return turtle };
    let body = text
        .lines()
        .take_while(|line| line.starts_with("@prefix"))
        .map(|line| line.len() + 1)
        .sum();
    let (head, body) = text.split_at(usize::min(body, text.len()));
    let mut lines: Vec<&str> = head
        .lines()
        .filter(|line| {
            // A name that only looks like a use keeps its prefix, harmlessly.
            let name = line.split_whitespace().nth(1).unwrap_or_default();
            body.contains(name)
        })
        .collect();
    lines.sort_unstable();
    let mut tidy = lines.join("\n");
    tidy.push_str(if lines.is_empty() { "" } else { "\n\n" });
    tidy.push_str(body);
    tidy.into_bytes()
}

fn iri(text: impl Into<String>) -> NamedNode {
    NamedNode::new_unchecked(text)
}

/// The service description.
pub(super) fn service(state: &State, host: &str, format: GraphFormat) -> Result<Vec<u8>, Problem> {
    let app = state.app()?;
    let snapshot = state.snapshot()?;
    let mut graph = Graph::default();
    let service = graph.node();
    let safe: String =
        host.chars().filter(|c| c.is_ascii_alphanumeric() || ".:-[]".contains(*c)).collect();
    let endpoint = iri(format!("http://{safe}/sparql"));
    graph.add(service.clone(), TYPE.to_owned(), iri(format!("{SD}Service")));
    graph.add(service.clone(), format!("{SD}endpoint"), endpoint);
    graph.add(service.clone(), format!("{SD}supportedLanguage"), iri(format!("{SD}SPARQL11Query")));
    for name in [
        "SPARQL_Results_JSON",
        "SPARQL_Results_XML",
        "SPARQL_Results_CSV",
        "SPARQL_Results_TSV",
        "Turtle",
        "N-Triples",
        "N-Quads",
        "TriG",
        "RDF_XML",
        "JSON-LD",
    ] {
        graph.add(service.clone(), format!("{SD}resultFormat"), iri(format!("{FORMATS}{name}")));
    }
    let union = app.config.default_graph == crate::graph::DefaultGraphs::Union;
    if union {
        graph.add(service.clone(), format!("{SD}feature"), iri(format!("{SD}UnionDefaultGraph")));
    }
    let dataset = graph.node();
    graph.add(service.clone(), format!("{SD}defaultDataset"), dataset.clone());
    graph.add(dataset.clone(), TYPE.to_owned(), iri(format!("{SD}Dataset")));
    let default = graph.node();
    graph.add(dataset.clone(), format!("{SD}defaultGraph"), default.clone());
    graph.add(default.clone(), TYPE.to_owned(), iri(format!("{SD}Graph")));
    graph.add(default, format!("{VOID}triples"), Literal::from(snapshot.graph.len() as u64));
    for name in snapshot.graph.named_graph_iris() {
        let named = graph.node();
        graph.add(dataset.clone(), format!("{SD}namedGraph"), named.clone());
        graph.add(named.clone(), TYPE.to_owned(), iri(format!("{SD}NamedGraph")));
        graph.add(named, format!("{SD}name"), name);
    }
    graph.write(format)
}

/// The `VoID` description: sizes, classes and properties with their counts.
pub(super) fn void(state: &State, host: &str, format: GraphFormat) -> Result<Vec<u8>, Problem> {
    let app = state.app()?;
    let snapshot = state.snapshot()?;
    let names = &app.config.names;
    let safe: String =
        host.chars().filter(|c| c.is_ascii_alphanumeric() || ".:-[]".contains(*c)).collect();
    let dataset = iri(format!("{}dataset", names.base()));
    let mut graph = Graph::default();
    graph.add(dataset.clone(), TYPE.to_owned(), iri(format!("{VOID}Dataset")));
    graph.add(
        dataset.clone(),
        "http://purl.org/dc/terms/title".to_owned(),
        Literal::new_language_tagged_literal_unchecked(app.config.service_name.clone(), "en"),
    );
    graph.add(
        dataset.clone(),
        "http://purl.org/dc/terms/license".to_owned(),
        iri("https://creativecommons.org/licenses/by/4.0/"),
    );
    graph.add(
        dataset.clone(),
        format!("{VOID}sparqlEndpoint"),
        iri(format!("http://{safe}/sparql")),
    );
    graph.add(
        dataset.clone(),
        format!("{VOID}uriSpace"),
        Literal::new_simple_literal(names.base()),
    );
    graph.add(
        dataset.clone(),
        format!("{VOID}triples"),
        Literal::from(snapshot.graph.len() as u64),
    );
    let mut classes: BTreeMap<u32, u64> = BTreeMap::new();
    let mut properties: BTreeMap<u32, u64> = BTreeMap::new();
    let type_ = snapshot.graph.iri_id(TYPE);
    for [_, p, o, _] in snapshot.graph.quads().matching(None, None, None, GraphPattern::Any) {
        *properties.entry(p).or_default() += 1;
        if Some(p) == type_ {
            *classes.entry(o).or_default() += 1;
        }
    }
    let mut partition = |counts: BTreeMap<u32, u64>, link: &str, what: &str, count: &str| {
        for (id, number) in counts {
            let Some(Term::NamedNode(name)) = snapshot.graph.term(id) else { continue };
            let part = graph.node();
            graph.add(dataset.clone(), format!("{VOID}{link}"), part.clone());
            graph.add(part.clone(), format!("{VOID}{what}"), name);
            graph.add(part, format!("{VOID}{count}"), Literal::from(number));
        }
    };
    partition(classes, "classPartition", "class", "entities");
    partition(properties, "propertyPartition", "property", "triples");
    graph.write(format)
}
