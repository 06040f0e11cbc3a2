//! What we write is read alike by an independent, older reader.

use crate::support::Service;
use rio_api::parser::{QuadsParser, TriplesParser};
use rio_turtle::{NQuadsParser, NTriplesParser, TurtleError, TurtleParser};
use std::collections::BTreeSet;

fn triples<P: TriplesParser<Error = TurtleError>>(mut parser: P) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    parser
        .parse_all(&mut |triple| -> Result<(), TurtleError> {
            found.insert(triple.to_string());
            Ok(())
        })
        .expect("readable");
    found
}

#[tokio::test]
async fn turtle_and_n_triples_mean_the_same_to_rio() {
    let service = Service::seeded();
    // No blank nodes in records, so lines compare as they are.
    for record in [
        "lesson/lesson-insites-local-partners",
        "case-study/deep-medical-mse",
        "organisation/mid-and-south-essex-nhs-ft",
        "programme/nhs-insites",
    ] {
        let turtle = service.get(&format!("/{record}.ttl"), "").await;
        let lines = service.get(&format!("/{record}.nt"), "").await;
        let from_turtle = triples(TurtleParser::new(&turtle.body[..], None));
        let from_lines = triples(NTriplesParser::new(&lines.body[..]));
        assert!(from_turtle.len() > 5, "{record}");
        assert_eq!(from_turtle, from_lines, "{record}");
    }
    let construct = "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }";
    let turtle = service.query(construct, "text/turtle").await;
    let lines = service.query(construct, "application/n-triples").await;
    let without_blank = |set: BTreeSet<String>| -> BTreeSet<String> {
        set.into_iter().filter(|line| !line.contains("_:")).collect()
    };
    let from_turtle = without_blank(triples(TurtleParser::new(&turtle.body[..], None)));
    assert!(from_turtle.len() > 10_000);
    assert_eq!(from_turtle, without_blank(triples(NTriplesParser::new(&lines.body[..]))));
}

#[tokio::test]
async fn the_export_means_the_same_to_rio() {
    let service = Service::seeded();
    let export = service.get("/export", "").await;
    let mut count = 0;
    NQuadsParser::new(&export.body[..])
        .parse_all(&mut |_| -> Result<(), TurtleError> {
            count += 1;
            Ok(())
        })
        .expect("readable");
    assert_eq!(count, service.app.reader.snapshot().graph.len());
}
