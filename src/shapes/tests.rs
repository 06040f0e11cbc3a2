//! What the W3C suite does not look at: messages, refusals, and that judging
//! only what a change touches finds all that judging everything finds.

use super::*;
use oxigraph::io::{RdfFormat, RdfParser};
use oxigraph::model::{Graph, Triple, TripleRef};
use std::collections::HashSet;
use std::fmt::Write;

const PREFIXES: &str = "PREFIX sh: <http://www.w3.org/ns/shacl#>
    PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
    PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
    PREFIX ex: <http://example.org/> ";

fn read(text: &str) -> Vec<Triple> {
    RdfParser::from_format(RdfFormat::Turtle)
        .for_slice(&format!("{PREFIXES}{text}"))
        .map(|quad| quad.map(Triple::from))
        .collect::<Result<_, _>>()
        .expect("valid Turtle")
}

fn shapes(text: &str) -> Shapes {
    Shapes::parse(read(text)).expect("well-formed shapes")
}

fn graph(text: &str) -> Triples {
    read(text).into_iter().collect()
}

#[test]
fn messages_speak_of_the_property_and_of_what_is_there() {
    let shapes = shapes(
        "ex:S a sh:NodeShape ; sh:targetClass ex:Site ;
         sh:property [ sh:path ex:title ; sh:name \"title\"@en ; sh:minCount 1 ; sh:maxCount 1 ] ;
         sh:property [ sh:path ex:opened ; sh:datatype xsd:date ] ;
         sh:property [ sh:path ex:role ; sh:in ( ex:lead ex:sponsor ) ; sh:message \"choose a role\" ] .",
    );
    let data = graph(
        "ex:a a ex:Site ; ex:title \"A\" , \"B\" ; ex:opened \"soon\" ; ex:role ex:other .
         ex:b a ex:Site .",
    );
    let report = validate(&shapes, &data, Focus::All);
    let mut messages: Vec<String> =
        report.results.iter().map(|r| r.messages[0].value().to_owned()).collect();
    messages.sort();
    assert_eq!(
        messages,
        [
            "choose a role",
            "may have at most 1 value of title, has 2",
            "needs at least 1 value of title",
            "opened: “soon” is not a date like 2026-11-24 (xsd:date)",
        ]
    );
    assert_eq!(report.violations().count(), 4);
}

#[test]
fn ill_formed_shapes_are_refused_with_what_is_wrong() {
    for (text, part) in [
        ("ex:S a sh:NodeShape ; sh:minCount 1 .", "needs a property shape"),
        ("ex:S a sh:PropertyShape .", "needs sh:path"),
        ("ex:S sh:path ex:p ; sh:minCount -1 .", "a whole number of at least 0"),
        ("ex:S sh:path ex:p ; sh:pattern \"(\" .", "the pattern"),
        ("ex:S a sh:PropertyShape ; sh:path ( ex:p ) .", "at least two members"),
        ("ex:S sh:path ex:p ; sh:datatype xsd:date , xsd:time .", "only one value"),
    ] {
        let error = Shapes::parse(read(text)).expect_err(text).to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn recursive_shapes_end() {
    let shapes = shapes(
        "ex:S a sh:NodeShape ; sh:targetClass ex:Site ;
         sh:property [ sh:path ex:partner ; sh:node ex:S ; sh:minCount 1 ] .",
    );
    let ring = graph("ex:a a ex:Site ; ex:partner ex:b . ex:b ex:partner ex:a .");
    assert!(validate(&shapes, &ring, Focus::All).conforms());
    let mut chain = String::from("ex:n0 a ex:Site .");
    for n in 0..100_000 {
        let _ = writeln!(chain, "ex:n{n} ex:partner ex:n{} .", n + 1);
    }
    let _ = validate(&shapes, &graph(&chain), Focus::All);
}

#[test]
fn judging_what_a_change_touches_finds_what_judging_everything_finds() {
    let shapes = shapes(
        "ex:Lesson a sh:NodeShape ; sh:targetClass ex:Lesson ;
           sh:property [ sh:path ex:evidence ; sh:minCount 1 ; sh:class ex:Evidence ] ;
           sh:property [ sh:path ( ex:evidence ex:site ) ; sh:maxCount 2 ] ;
           sh:property [ sh:path [ sh:inversePath ex:draws ] ; sh:node [
             sh:property [ sh:path ex:title ; sh:minCount 1 ] ] ] ;
           sh:property [ sh:path [ sh:zeroOrMorePath ex:broader ] ; sh:nodeKind sh:IRI ;
             sh:not [ sh:class ex:Evidence ] ] ;
           sh:property [ sh:path ex:from ; sh:lessThan ex:until ] .
         ex:Pair a sh:NodeShape ; sh:targetSubjectsOf ex:draws ; sh:closed true ;
           sh:ignoredProperties ( ex:draws ex:title ) .
         ex:Ends a sh:NodeShape ; sh:targetObjectsOf ex:broader ;
           sh:property [ sh:path [ sh:alternativePath ( ex:title ex:evidence ) ] ; sh:maxCount 3 ] .",
    );
    let predicates = ["evidence", "site", "draws", "title", "broader", "from", "until"]
        .map(|name| NamedNode::new_unchecked(format!("http://example.org/{name}")));
    let type_ = oxigraph::model::vocab::rdf::TYPE.into_owned();
    let node = |n: u64| NamedNode::new_unchecked(format!("http://example.org/n{n}"));
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut data = Graph::new();
    let mut after = Triples::default();
    let mut found = 0;
    for _ in 0..3_000 {
        let mut changed = Vec::new();
        let before = after;
        for _ in 0..=random(2) {
            let subject = node(random(8));
            let triple = match random(9) {
                0 => Triple::new(
                    subject,
                    type_.clone(),
                    NamedNode::new_unchecked(
                        ["http://example.org/Lesson", "http://example.org/Evidence"]
                            [usize::from(random(2) == 0)],
                    ),
                ),
                n => Triple::new(
                    subject,
                    predicates[usize::try_from(n - 1).expect("small") % 7].clone(),
                    node(random(8)),
                ),
            };
            if data.contains(&triple) {
                data.remove(&triple);
            } else if data.len() < 30 {
                data.insert(&triple);
            } else {
                continue;
            }
            changed.push(triple);
        }
        after = before.with(data.iter().map(TripleRef::into_owned));
        let (came, went): (Vec<&Triple>, Vec<_>) = changed.iter().partition(|t| data.contains(*t));
        // Of terms that are new in this step and gone again, nothing is said.
        let number = |term: Term| after.node(term.as_ref());
        let numbers =
            changed.iter().cloned().filter_map(|Triple { subject, predicate, object }| {
                Some([number(subject.into())?, number(predicate.into())?, number(object)?])
            });
        let states: &[&dyn DataGraph] = match (&went[..], &came[..]) {
            ([], _) => &[&after],
            (_, []) => &[&before],
            _ => &[&before, &after],
        };
        let Affected::Nodes(nodes) = affected(&shapes, states, &numbers.collect::<Vec<_>>()) else {
            panic!("the hierarchy did not change")
        };
        let of = |report: &Report| -> HashSet<String> {
            report
                .results
                .iter()
                .map(|r| format!("{} {} {:?}", r.focus_node, r.component, r.value))
                .collect()
        };
        let was = of(&validate(&shapes, &before, Focus::All));
        let is = of(&validate(&shapes, &after, Focus::All));
        let near = of(&validate(&shapes, &after, Focus::Nodes(&nodes)));
        assert!(near.is_subset(&is));
        for new in is.difference(&was) {
            assert!(near.contains(new), "{new} after {changed:?}, judged {nodes:?}");
            found += 1;
        }
    }
    assert!(found > 100, "only {found} results came up");
}
