//! Counting and finding on a small graph.

use super::*;
use crate::graph::{Dictionary, Quads, Snapshot};
use crate::rdf::Names;

/// Four trusts in two regions; cases on two themes; one draft.
const DATA: &str = r#"
PREFIX : <https://w3id.org/insites/id/>
PREFIX i: <https://w3id.org/insites/ontology#>
PREFIX d: <http://purl.org/dc/terms/>
GRAPH <https://w3id.org/insites/graph/seed> {
  <https://w3id.org/insites/id/organisation/a> i:region <https://w3id.org/insites/id/region/north> .
  <https://w3id.org/insites/id/organisation/b> i:region <https://w3id.org/insites/id/region/north> .
  <https://w3id.org/insites/id/organisation/c> i:region <https://w3id.org/insites/id/region/south> .
  <https://w3id.org/insites/id/case-study/one> a i:CaseStudy ; i:status i:Sourced ;
    i:atOrganisation <https://w3id.org/insites/id/organisation/a> , <https://w3id.org/insites/id/organisation/b> ;
    d:subject <https://w3id.org/insites/id/theme/x> ; i:period "2021-2024" .
  <https://w3id.org/insites/id/case-study/two> a i:CaseStudy ; i:status i:Sourced ;
    i:atOrganisation <https://w3id.org/insites/id/organisation/a> ;
    d:subject <https://w3id.org/insites/id/theme/x> , <https://w3id.org/insites/id/theme/y> .
  <https://w3id.org/insites/id/case-study/three> a i:CaseStudy ; i:status i:Sourced ;
    i:atOrganisation <https://w3id.org/insites/id/organisation/c> ;
    d:subject <https://w3id.org/insites/id/theme/y> .
  <https://w3id.org/insites/id/case-study/made-up> a i:CaseStudy ; i:status i:Illustrative ;
    i:atOrganisation <https://w3id.org/insites/id/organisation/c> ;
    d:subject <https://w3id.org/insites/id/theme/x> .
  <https://w3id.org/insites/id/lesson/nowhere> a i:Lesson ; i:status i:Sourced ;
    d:subject <https://w3id.org/insites/id/theme/x> .
}
GRAPH <https://w3id.org/insites/graph/draft/case-study/four> {
  <https://w3id.org/insites/id/case-study/four> a i:CaseStudy ; i:status i:Sourced ;
    i:atOrganisation <https://w3id.org/insites/id/organisation/c> ;
    d:subject <https://w3id.org/insites/id/theme/x> .
}
"#;

fn snapshot() -> Snapshot {
    let empty = Snapshot::default();
    let mut dictionary = Dictionary::default();
    let quads: Vec<_> = oxigraph::io::RdfParser::from_format(oxigraph::io::RdfFormat::TriG)
        .for_slice(DATA.as_bytes())
        .map(|quad| empty.number(&mut dictionary, &quad.expect("TriG")))
        .collect();
    dictionary.settle();
    Snapshot::new(dictionary, Quads::from_quads(&quads))
}

fn asked(rows: Axis, columns: Axis, unit: Unit) -> Asked {
    Asked {
        rows,
        columns,
        unit,
        sources: Source::USUAL.to_vec(),
        illustrative: false,
        filters: Vec::new(),
        limit: 50,
    }
}

#[test]
fn cells_count_organisations_of_those_in_the_column() {
    let graph = snapshot();
    let gathered = Gathered::new(&graph, &Names::default());
    assert!(gathered.drafts);
    let id = |kind: &str, slug: &str| {
        graph.iri_id(&Names::default().record(kind, slug)).expect("a known term")
    };
    let asked = asked(Axis::Theme, Axis::Region, Unit::Organisations);
    let table = count(&gathered, &asked, None);
    let at = |theme: &str, region: &str| {
        let row = table.rows.iter().position(|head| head.value == id("theme", theme));
        let column = table.columns.iter().position(|head| head.value == id("region", region));
        let (row, column) = row.zip(column).expect("both there");
        (table.share(row, column), table.cell(row, column).records)
    };
    assert_eq!(at("x", "north"), (statistics::Share::new(2, 2), 2));
    assert_eq!(at("y", "north"), (statistics::Share::new(1, 2), 1));
    assert_eq!(at("x", "south").0, statistics::Share::new(0, 1), "neither made up nor a draft");
    assert_eq!((table.units, table.records, table.without_organisation), (3, 3, 1));
    let behind = behind(&gathered, &asked, Some(id("theme", "y")), Some(id("region", "north")));
    assert_eq!(behind.records, [id("case-study", "two")]);
    assert_eq!(behind.missing, [id("organisation", "b")]);
}

#[test]
fn records_are_counted_once_however_many_organisations_they_have() {
    let graph = snapshot();
    let gathered = Gathered::new(&graph, &Names::default());
    let table = count(&gathered, &asked(Axis::Theme, Axis::Region, Unit::Records), None);
    let north = table.columns.iter().find(|head| head.units == 2).expect("two of the north");
    assert_eq!(north.records, 2);
    assert_eq!((table.units, table.without_column), (4, 1), "the lesson is nowhere");
    let made_up = Asked { illustrative: true, ..asked(Axis::Theme, Axis::Region, Unit::Records) };
    assert_eq!(count(&gathered, &made_up, None).records, 1, "apart from what is real");
    let years = count(&gathered, &asked(Axis::Theme, Axis::Period, Unit::Records), None);
    assert_eq!(years.columns.iter().map(|head| head.value).collect::<Vec<_>>(), [2021]);
}

#[test]
fn filters_keep_what_fits_all_of_them() {
    let graph = snapshot();
    let gathered = Gathered::new(&graph, &Names::default());
    let south = graph.iri_id("https://w3id.org/insites/id/region/south").expect("known");
    let mut asked = asked(Axis::Theme, Axis::Organisation, Unit::Records);
    asked.filters = vec![(Axis::Region, vec![south])];
    let table = count(&gathered, &asked, None);
    assert_eq!((table.records, table.rows.len()), (1, 1));
    assert!(gathered.has(Axis::Region, south) && !gathered.has(Axis::Theme, south));
    let given = count(&gathered, &asked, Some((&[7], &[south])));
    assert_eq!(given.cells, [Cell::default()], "rows and columns that are given stay");
}

#[test]
fn findings_name_who_is_missing() {
    let graph = snapshot();
    let gathered = Gathered::new(&graph, &Names::default());
    let asked = asked(Axis::Theme, Axis::Region, Unit::Organisations);
    let found = find(&gathered, &asked, Concepts::default());
    let shares: Vec<_> = found.common.iter().map(|one| (one.share.count, one.share.of)).collect();
    assert_eq!(shares, [(2, 3), (2, 3)]);
    assert_eq!(found.common.iter().map(|one| one.missing.len()).collect::<Vec<_>>(), [1, 1]);
    assert!(found.varies.is_empty() && found.contrasts.is_empty(), "too few to compare");
    let numbers = figures(&graph, &gathered, &asked);
    assert_eq!((numbers.records.n, numbers.records.median), (3, Some(1.0)));
    assert_eq!(numbers.records.lower, None, "three carry no quartiles");
}
