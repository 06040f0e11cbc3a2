//! What the specification says where the evaluator says something else.

use crate::graph::engine::{Engine, plan};
use crate::graph::{Dictionary, Quads, ReadQuery, Scope, Snapshot};
use spargebra::Query;
use std::ops::ControlFlow;

fn rows(data: &str, query: &str) -> Vec<String> {
    let data = format!("@prefix : <x:> . {data}");
    let parsed =
        oxigraph::io::RdfParser::from_format(oxigraph::io::RdfFormat::TriG).for_slice(&data);
    let empty = Snapshot::default();
    let mut dictionary = Dictionary::default();
    let ids: Vec<_> =
        parsed.map(|quad| empty.number(&mut dictionary, &quad.expect("well-formed"))).collect();
    let snapshot = Snapshot::new(dictionary, Quads::from_quads(&ids));
    let query = ReadQuery::parse(&format!("PREFIX : <x:> {query}"), None).expect("a query");
    let variables = query.answer_variables().expect("a SELECT");
    let Query::Select { pattern, .. } = &query.parsed else { panic!("a SELECT") };
    let dataset = snapshot.dataset_of(None, &Scope::default());
    let plan = plan(pattern, &variables, &dataset, &[]).expect("covered");
    let engine = Engine::new(&snapshot, &dataset, &plan, &query.parsed, false);
    let mut rows = Vec::new();
    engine
        .run(&plan, &mut |batch| {
            for row in 0..batch.len {
                let cells: Vec<String> = plan
                    .answer
                    .iter()
                    .map(|slot| match batch.get(*slot, row) {
                        0 => "-".to_owned(),
                        id => dataset
                            .term(id)
                            .to_string()
                            .replace("http://www.w3.org/2001/XMLSchema#", "xsd:"),
                    })
                    .collect();
                rows.push(cells.join(" "));
            }
            ControlFlow::Continue(())
        })
        .expect("covered");
    rows.sort();
    rows
}

#[test]
fn literals_stay_as_they_are_written() {
    let data = ":a :p 1 , 01 , 1.0 .";
    assert_eq!(rows(data, "SELECT DISTINCT ?v { :a :p ?v }").len(), 3);
    assert_eq!(rows(data, "SELECT ?v { :a :p ?v FILTER(?v = 1) }").len(), 3);
    assert_eq!(rows(data, "SELECT ?v { :a :p ?v FILTER(sameTerm(?v, 01)) }").len(), 1);
    assert_eq!(
        rows(data, "SELECT (COUNT(DISTINCT ?v) AS ?n) { :a :p ?v }"),
        ["\"3\"^^<xsd:integer>"]
    );
}

#[test]
fn a_path_of_no_length_holds_for_a_term_of_the_query() {
    assert_eq!(rows(":a :p :b .", "SELECT ?x { :none :p* ?x }"), ["<x:none>"]);
    assert_eq!(rows(":a :p :b .", "SELECT ?x { ?x :p? :none }"), ["<x:none>"]);
    // A value that was joined is a node only if the graph has it.
    let from_elsewhere = "SELECT ?y { VALUES ?x { :none :a } ?x :p* ?y }";
    assert_eq!(rows(":a :p :b .", from_elsewhere), ["<x:a>", "<x:b>"]);
}

#[test]
fn an_alternative_is_a_union() {
    assert_eq!(rows(":a :p :b ; :q :b .", "SELECT ?x { :a :p|:q ?x }"), ["<x:b>", "<x:b>"]);
    assert_eq!(rows(":a :p :b ; :q :b .", "SELECT ?x { :a (:p|:q)+ ?x }"), ["<x:b>"]);
}

#[test]
fn repetitions_of_repetitions_are_sets() {
    let data = ":a :q :b . :b :r :c . :c :q :a . :c :s :d . :a :p :d .";
    for path in ["((!:p)+)?", "((:q|:r|:s)*)*", "((:q|:r|:s)+)*", "(((!:p)?)+)?"] {
        let all = rows(data, &format!("SELECT ?x ?y {{ ?x {path} ?y }}"));
        // Each of three reaches four nodes, the fourth itself.
        assert_eq!(all.len(), 13, "{path}: {all:?}");
        let from = rows(data, &format!("SELECT ?x ?y {{ ?x :q|:r|:s ?z . ?x {path} ?y }}"));
        assert_eq!(from.len(), 16, "{path}: {from:?}");
        let to = rows(data, &format!("SELECT ?x ?y {{ ?z :p ?y . ?x {path} ?y }}"));
        assert_eq!(to.len(), 4, "{path}: {to:?}");
    }
}

#[test]
fn a_hub_is_a_node_of_a_path_from_both_sides() {
    let data = ":a :q :b . :c :q :b . :b :q :d .";
    assert_eq!(rows(data, "SELECT ?x { ?x :q+ :d }"), ["<x:a>", "<x:b>", "<x:c>"]);
    assert_eq!(rows(data, "SELECT ?x { ?x ^:q+ :a }"), ["<x:b>", "<x:d>"]);
}

#[test]
fn filters_see_what_a_path_of_no_length_binds() {
    let data = ":a :p \"2024-02-01Z\"^^<http://www.w3.org/2001/XMLSchema#date> .";
    let query = "SELECT ?z ?e { ?z :s? ?e . ?z :q* ?b OPTIONAL { ?c ?p ?a } FILTER(!(\"2024-02-01Z\"^^<http://www.w3.org/2001/XMLSchema#date> = ?e)) }";
    assert_eq!(rows(data, query), ["<x:a> <x:a>"]);
}

#[test]
fn exists_in_an_inner_group_does_not_see_the_outer_one() {
    let data = ":a :p :b . :c :q :d .";
    let query = "SELECT ?x { ?y :p :b . { ?x :q :d . FILTER EXISTS { ?y :q ?z } } }";
    assert_eq!(rows(data, query), ["<x:c>"]);
    let query = "SELECT ?x { ?y :p :b . ?x :q :d . FILTER EXISTS { ?y :q ?z } }";
    assert!(rows(data, query).is_empty());
}

#[test]
fn a_graph_is_the_scope_of_what_stands_in_it() {
    let data = ":g { :a :p :b . :b :p :c } :h { :a :p :b }";
    assert_eq!(
        rows(data, "SELECT ?g (COUNT(?x) AS ?n) { GRAPH ?g { ?x :p ?y } } GROUP BY ?g"),
        ["<x:g> \"2\"^^<xsd:integer>", "<x:h> \"1\"^^<xsd:integer>"]
    );
    assert_eq!(rows(data, "SELECT ?x { GRAPH :h { ?x :p ?y } }"), ["<x:a>"]);
    assert_eq!(rows(data, "SELECT ?x ?y { ?x :p ?y }").len(), 2, "a triple of two graphs is one");
    assert_eq!(rows(data, "SELECT ?g { GRAPH ?g { :a :p+ :c } }"), ["<x:g>"]);
}

#[test]
fn an_exists_inside_an_expression_is_asked_for_each_row() {
    let data = ":a :p :b ; :n 1 . :c :n 2 . :d :p :b ; :n 3 . :e :n 4 .";
    let ask = |filter: &str| rows(data, &format!("SELECT ?x {{ ?x :n ?n FILTER({filter}) }}"));
    assert_eq!(ask("EXISTS { ?x :p ?y } || ?n = 2"), ["<x:a>", "<x:c>", "<x:d>"]);
    assert_eq!(ask("!EXISTS { ?x :p ?y } || ?n = 3"), ["<x:c>", "<x:d>", "<x:e>"]);
    assert_eq!(ask("NOT EXISTS { ?x :p ?y } || ?n = 3"), ["<x:c>", "<x:d>", "<x:e>"]);
    assert_eq!(ask("!EXISTS { ?x :p ?y } || isIRI(:e)").len(), 4);
    assert_eq!(ask("IF(EXISTS { ?x :p ?y }, ?n > 1, ?n > 3)"), ["<x:d>", "<x:e>"]);
    assert_eq!(ask("EXISTS { ?y :n ?m FILTER(?m = ?n + 1) }"), ["<x:a>", "<x:c>", "<x:d>"]);
    assert_eq!(ask("NOT EXISTS { ?y :n ?m FILTER(?m > ?n) }"), ["<x:e>"]);
    assert_eq!(
        ask("EXISTS { ?y :p ?z FILTER NOT EXISTS { ?w :n ?m FILTER(?m = ?n - 1) } }"),
        ["<x:a>"]
    );
    let query = "SELECT ?x ?has { ?x :n ?n BIND(EXISTS { ?x :p ?y } AS ?has) }";
    let truth = |value: bool| format!("\"{value}\"^^<xsd:boolean>");
    let expected = [("a", true), ("c", false), ("d", true), ("e", false)];
    let expected = expected.map(|(x, has)| format!("<x:{x}> {}", truth(has)));
    assert_eq!(rows(data, query), expected);
}

#[test]
fn a_query_has_one_time() {
    let data = ":a :n 1 . :b :n 2 .";
    let query = "SELECT (COUNT(DISTINCT ?now) AS ?n) { ?x :n ?n BIND(STR(NOW()) AS ?now) }";
    assert_eq!(rows(data, query), ["\"1\"^^<xsd:integer>"]);
    let query = "SELECT ?x { ?x :n ?n FILTER(NOW() > \"2020-01-01T00:00:00Z\"^^<http://www.w3.org/2001/XMLSchema#dateTime>) }";
    assert_eq!(rows(data, query).len(), 2);
}

#[test]
fn counts_by_a_key_are_added_up_over_graphs() {
    let data = ":g { :a :p :b , :c . :b :p :c } :h { :a :p :b . :d :p :b . :b :q :h }";
    let count = |what: &str, key: &str| {
        let query = format!(
            "SELECT {key} (COUNT({what}) AS ?n) {{ GRAPH ?g {{ ?x :p ?y }} }} GROUP BY {key}"
        );
        rows(data, &query)
            .into_iter()
            .map(|row| row.replace("^^<xsd:integer>", ""))
            .collect::<Vec<_>>()
    };
    assert_eq!(count("?x", "?y"), ["<x:b> \"3\"", "<x:c> \"2\""]);
    assert_eq!(count("*", "?x"), ["<x:a> \"3\"", "<x:b> \"1\"", "<x:d> \"1\""]);
    assert_eq!(count("DISTINCT ?x", "?y"), ["<x:b> \"2\"", "<x:c> \"2\""]);
    assert_eq!(count("?x", "?g"), ["<x:g> \"3\"", "<x:h> \"2\""]);
    let query = "SELECT ?x (COUNT(?g) AS ?n) { GRAPH ?g { ?x :q ?g } } GROUP BY ?x";
    assert_eq!(rows(data, query), ["<x:b> \"1\"^^<xsd:integer>"]);
}

#[test]
fn a_path_of_no_length_stays_in_its_graph() {
    let data = ":g { :a :q :b . :a :p :b } :h { :c :p :d }";
    let query = "SELECT ?z ?e { ?z :p ?y . GRAPH ?g { ?z :q* ?e . ?a :q ?b } }";
    assert_eq!(rows(data, query), ["<x:a> <x:a>", "<x:a> <x:b>"]);
    let query = "SELECT ?z ?g { ?z :p ?y . GRAPH ?g { ?z :q* ?z } }";
    assert_eq!(rows(data, query), ["<x:a> <x:g>", "<x:c> <x:h>"]);
}
