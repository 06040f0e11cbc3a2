//! SPARQL 1.1 Protocol, Graph Store Protocol and Service Description: exchanges
//! of HTTP as the manifests write them down.

use super::solutions::canonical;
use super::{Case, Manifest, Outcomes, Suite, mf};
use crate::support::{Answer, Service};
use axum::body::Body;
use axum::http::Request;
use oxigraph::io::{RdfFormat, RdfParser};
use oxigraph::model::{NamedNode, NamedOrBlankNode, Term, Triple};
use std::collections::BTreeSet;

/// Tests we do not pass, with the reason.
const PROTOCOL_EXCEPTIONS: &[(&str, &str)] = &[];
const GRAPH_STORE_EXCEPTIONS: &[(&str, &str)] = &[];

const UT: &str = "http://www.w3.org/2009/sparql/tests/test-update#";

fn ht(name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("http://www.w3.org/2011/http#{name}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn sparql_1_1_protocol_suite() {
    let Some(suite) = Suite::sparql() else { return };
    let service = Service::with(&[], &[("default-graph", "strict")]).administrator();
    let mut outcomes = Outcomes::default();
    let manifest = suite.manifest("protocol");
    for case in manifest.cases(&suite) {
        service.replace(&manifest.dataset(&suite, &case.node, UT));
        let outcome = exchange(&manifest, &case, &service, |path, update| {
            let query = path.split_once('?').map_or(String::new(), |(_, q)| format!("?{q}"));
            format!("{}{query}", if update { "/update" } else { "/sparql" })
        })
        .await;
        outcomes.add(&case, outcome);
    }
    assert_eq!(outcomes.passed.len() + outcomes.failed.len(), 34);
    outcomes.judge("W3C SPARQL 1.1 Protocol", PROTOCOL_EXCEPTIONS);
}

#[tokio::test(flavor = "multi_thread")]
async fn graph_store_protocol_suite() {
    let Some(suite) = Suite::sparql() else { return };
    let service = Service::with(&[], &[("default-graph", "strict")]).administrator();
    let mut outcomes = Outcomes::default();
    for file in ["manifest-direct.ttl", "manifest-indirect.ttl"] {
        let address = format!("{}graph-store-protocol/{file}", suite.base);
        let quads = suite.quads(&address);
        let manifest = Manifest { graph: quads.into_iter().map(Triple::from).collect() };
        for case in manifest.cases(&suite) {
            service.replace(&[]);
            let outcome =
                exchange(&manifest, &case, &service, |path, _| path.replacen("/gsp", "/graphs", 1))
                    .await;
            outcomes.add(&case, outcome);
        }
    }
    assert!(outcomes.passed.len() + outcomes.failed.len() > 12, "the suite is cut short");
    outcomes.judge("W3C SPARQL 1.1 Graph Store Protocol", GRAPH_STORE_EXCEPTIONS);
}

/// The three tests of the manifest are sentences; these are they.
#[tokio::test]
async fn service_description_suite() {
    let service = Service::seeded();
    let request = Request::get("/sparql").header("host", "data.example");
    let answer = service.send(request.body(Body::empty()).expect("a request")).await;
    assert!(answer.header("content-type").starts_with("text/turtle"), "returns-rdf");
    let graph = triples(&answer.text(), "").expect("returns-rdf");
    let sd = |name: &str| format!("<http://www.w3.org/ns/sparql-service-description#{name}>");
    let objects = |property: &str| -> Vec<String> {
        let property = sd(property);
        let with = graph.iter().filter(|t| t.predicate.to_string() == property);
        with.map(|t| t.object.to_string()).collect()
    };
    assert_eq!(objects("endpoint"), ["<http://data.example/sparql>"], "has-endpoint-triple");
    let instances: Vec<&Triple> =
        graph.iter().filter(|t| t.object.to_string() == sd("Service")).collect();
    assert_eq!(instances.len(), 1, "conforms-to-schema");
    let service_node = instances[0].subject.to_string();
    for property in ["supportedLanguage", "resultFormat", "defaultDataset", "endpoint"] {
        let of_service = graph.iter().any(|t| {
            t.predicate.to_string() == sd(property) && t.subject.to_string() == service_node
        });
        assert!(of_service, "conforms-to-schema: {property}");
    }
}

/// The requests of a test, in their order. `place` puts a path of the manifest
/// where we serve it, told whether the request is an update.
async fn exchange(
    manifest: &Manifest,
    case: &Case,
    service: &Service,
    place: impl Fn(&str, bool) -> String,
) -> Result<(), String> {
    let action = manifest.node(&case.node, &mf("action")).expect("an action");
    let requests = manifest.object(&action, &ht("requests")).expect("requests");
    // Variables of `mf:expectedLocation` and what they stand for.
    let mut known: Vec<(String, String)> = Vec::new();
    let fill = |text: &str, known: &[(String, String)]| {
        known.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    };
    for (number, request) in (1..).zip(manifest.list(requests)) {
        let request = NamedOrBlankNode::try_from(request).expect("a request");
        let method = manifest.text(&request, &ht("methodName")).expect("a method");
        let path = manifest.text(&request, &ht("absolutePath")).expect("a path");
        let fields = fields(manifest, &request);
        let body = body(manifest, &request).map(|text| fill(&text, &known)).unwrap_or_default();
        let is_update = path.contains("update=")
            || path.contains("using-")
            || body.starts_with("update=")
            || body.contains("&update=")
            || fields.iter().any(|(_, v)| v.starts_with("application/sparql-update"))
            || (case.id.contains("bad_update") && !body.starts_with("query="));
        let target = known.iter().find(|(name, _)| *name == path).map(|(_, value)| value.clone());
        let target = target.unwrap_or_else(|| place(&fill(&path, &known), is_update));
        let mut sent = Request::builder().method(method.as_str()).uri(&target);
        sent = sent.header("host", "www.example");
        let utf_16 = fields.iter().any(|(_, v)| v.to_ascii_uppercase().contains("UTF-16"));
        for (name, value) in &fields {
            sent = sent.header(name, value);
        }
        let bytes = if utf_16 {
            body.encode_utf16().flat_map(u16::to_le_bytes).collect()
        } else {
            body.into_bytes()
        };
        let answer = service.send(sent.body(Body::from(bytes)).expect("a request")).await;
        let expected = manifest.node(&request, &ht("resp")).expect("a response");
        judge(manifest, &expected, &answer)
            .map_err(|wrong| format!("request {number} ({method} {target}): {wrong}"))?;
        if let Some(variable) = manifest.text(&expected, &mf("expectedLocation")) {
            let location = answer.header("location");
            if location.is_empty() {
                return Err(format!("request {number}: no Location"));
            }
            known.push((variable, location.to_owned()));
        }
    }
    Ok(())
}

fn judge(manifest: &Manifest, expected: &NamedOrBlankNode, answer: &Answer) -> Result<(), String> {
    let status = answer.status.as_u16();
    let statuses = manifest.objects(expected, &mf("expectedStatus"));
    let fits = |wanted: &Term| match wanted.to_string().rsplit('#').next().unwrap_or_default() {
        "StatusCode2xx>" => status / 100 == 2,
        "StatusCode3xx>" => status / 100 == 3,
        "StatusCode4xx>" => status / 100 == 4,
        "OK>" => status == 200,
        "Created>" => status == 201,
        "NoContent>" => status == 204,
        "NotFound>" => status == 404,
        other => panic!("unknown status {other}"),
    };
    if !statuses.is_empty() && !statuses.iter().any(fits) {
        return Err(format!("{status} instead of {statuses:?}: {}", answer.text()));
    }
    if let Some(value) = manifest.text(expected, &mf("expectedBoolean")) {
        let got = answer.json()["boolean"].to_string();
        if got != value {
            return Err(format!("{got} instead of {value}"));
        }
    }
    let media_type = answer.header("content-type").split(';').next().unwrap_or_default();
    if let Some(format) = manifest.text(expected, &mf("expectedFormat")) {
        let fits = match format.as_str() {
            "boolean" | "tabular" => media_type.starts_with("application/sparql-results"),
            "RDF" => matches!(media_type, "text/turtle" | "application/rdf+xml"),
            other => panic!("unknown format {other}"),
        };
        if !fits {
            return Err(format!("{media_type} instead of {format}"));
        }
    }
    if let Some(wanted) = body(manifest, expected) {
        let got = triples(&answer.text(), "http://www.example/")?;
        let wanted = triples(&wanted, "http://www.example/")?;
        let (got, wanted): (BTreeSet<_>, BTreeSet<_>) = (canonical(got), canonical(wanted));
        if got != wanted {
            return Err(format!("{got:#?} instead of {wanted:#?}"));
        }
    }
    Ok(())
}

fn triples(turtle: &str, base: &str) -> Result<Vec<Triple>, String> {
    let mut parser = RdfParser::from_format(RdfFormat::Turtle);
    if !base.is_empty() {
        parser = parser.with_base_iri(base).expect("an IRI");
    }
    parser
        .for_slice(turtle)
        .map(|quad| quad.map(Triple::from).map_err(|error| error.to_string()))
        .collect()
}

fn fields(manifest: &Manifest, node: &NamedOrBlankNode) -> Vec<(String, String)> {
    let Some(list) = manifest.object(node, &ht("headers")) else { return Vec::new() };
    manifest
        .list(list)
        .into_iter()
        .map(|field| {
            let field = NamedOrBlankNode::try_from(field).expect("a field");
            let text = |name: &str| manifest.text(&field, &ht(name)).expect("a text");
            (text("fieldName"), text("fieldValue"))
        })
        .collect()
}

fn body(manifest: &Manifest, node: &NamedOrBlankNode) -> Option<String> {
    let body = manifest.node(node, &ht("body"))?;
    manifest.text(&body, &NamedNode::new_unchecked("http://www.w3.org/2011/content#chars"))
}
