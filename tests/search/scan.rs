//! The index against a scan of the graph, at every revision of a history of
//! random changes: hits, facets and similar records.

use super::{encoded, of_hits};
use crate::support::Service;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use insites::access::Role;
use insites::index::{Encoder, Vector, Workspace, words_of};
use std::collections::{BTreeMap, BTreeSet};

const BASE: &str = "https://w3id.org/insites/id/";
/// Records of drafts need not keep to the shapes, which say more than words.
const DRAFTS: &str = "https://w3id.org/insites/graph/draft/scan";
const WORDS: [&str; 16] = [
    "ward",
    "nurses",
    "missed",
    "appointment",
    "funding",
    "culture",
    "patients",
    "board",
    "pilot",
    "spreading",
    "digital",
    "clinic",
    "partners",
    "learning",
    "budget",
    "evidence",
];

/// A small generator (xorshift), so that a failure can be had again.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % most as u64).expect("small")
    }

    fn words(&mut self, count: usize) -> String {
        (0..count).map(|_| WORDS[self.below(WORDS.len())]).collect::<Vec<_>>().join(" ")
    }
}

/// A record as the graph tells it.
#[derive(Debug, Default)]
struct Scanned {
    kind: String,
    title: String,
    description: String,
    themes: BTreeSet<String>,
}

async fn update(service: &Service, text: &str) {
    let text = format!(
        "PREFIX o: <https://w3id.org/insites/ontology#> PREFIX dct: <http://purl.org/dc/terms/>
         PREFIX skos: <http://www.w3.org/2004/02/skos/core#> {text}"
    );
    let request = Request::post("/update").header("content-type", "application/sparql-update");
    let answer = service.send(request.body(Body::from(text)).expect("a request")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

async fn scan(service: &Service) -> BTreeMap<String, Scanned> {
    let text = "PREFIX o: <https://w3id.org/insites/ontology#>
         PREFIX dct: <http://purl.org/dc/terms/> PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
         SELECT ?record ?class ?title ?description ?theme {
           VALUES ?class { o:Lesson o:CaseStudy } ?record a ?class ; dct:title ?title ;
           dct:description ?description . OPTIONAL { ?record dct:subject/skos:broader* ?theme } }";
    let rows = service.query(text, "text/csv").await.text();
    let mut records: BTreeMap<String, Scanned> = BTreeMap::new();
    for row in rows.lines().skip(1) {
        let cells: Vec<&str> = row.trim_end().split(',').collect();
        let [record, class, title, description, theme] = cells.as_slice() else {
            panic!("{row}");
        };
        let scanned = records.entry((*record).to_owned()).or_default();
        let kind = if class.ends_with("Lesson") { "lesson" } else { "case-study" };
        kind.clone_into(&mut scanned.kind);
        (*title).clone_into(&mut scanned.title);
        (*description).clone_into(&mut scanned.description);
        if !theme.is_empty() {
            scanned.themes.insert(theme.rsplit('/').next().unwrap_or_default().to_owned());
        }
    }
    records
}

fn stems(text: &str) -> Vec<String> {
    words_of(text).into_iter().map(|(stem, _)| stem).collect()
}

/// Whether a record has one of the words.
fn has_any(record: &Scanned, words: &str) -> bool {
    let all = [stems(&record.title), stems(&record.description)].concat();
    stems(words).iter().any(|stem| all.contains(stem))
}

fn has_phrase(record: &Scanned, phrase: &str) -> bool {
    let wanted = stems(phrase);
    [&record.title, &record.description]
        .iter()
        .any(|text| stems(text).windows(wanted.len()).any(|window| window == wanted))
}

fn vector(record: &Scanned) -> Vector {
    let text = format!("{}. {}", record.title, record.description);
    Encoder::built_in().vector(&text, &mut Workspace::default())
}

#[tokio::test]
async fn hits_facets_and_similar_records_are_those_of_a_scan_at_every_revision() {
    let service = Service::with(&[], &[("embedding-threads", "1")]).with_role(Role::Administrator);
    update(
        &service,
        &format!(
            "INSERT DATA {{ <{BASE}scheme/themes> a skos:ConceptScheme ; skos:prefLabel \"Themes\"@en .
               <{BASE}theme/a> a skos:Concept, o:Theme ; skos:inScheme <{BASE}scheme/themes> ; skos:prefLabel \"Aa\"@en .
               <{BASE}theme/b> a skos:Concept, o:Theme ; skos:inScheme <{BASE}scheme/themes> ; skos:prefLabel \"Bb\"@en ; skos:broader <{BASE}theme/a> .
               <{BASE}theme/c> a skos:Concept, o:Theme ; skos:inScheme <{BASE}scheme/themes> ; skos:prefLabel \"Cc\"@en }}"
        ),
    )
    .await;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut records = 0;
    for round in 0..40 {
        let number = random.below(24);
        let (kind, class) = if number.is_multiple_of(3) {
            ("case-study", "CaseStudy")
        } else {
            ("lesson", "Lesson")
        };
        let iri = format!("{BASE}{kind}/r{number}");
        let delete = format!("DELETE WHERE {{ GRAPH <{DRAFTS}> {{ <{iri}> ?p ?o }} }}");
        let theme = ["a", "b", "c"][random.below(3)];
        let (title, description) = (random.words(2), random.words(6));
        let insert = format!(
            "INSERT DATA {{ GRAPH <{DRAFTS}> {{ <{iri}> a o:{class} ; dct:title \"{title}\" ; dct:description \"{description}\" ;
               o:status o:Illustrative ; dct:subject <{BASE}theme/{theme}> }} }}"
        );
        let change = match random.below(4) {
            0 => delete,
            1 => format!(
                "WITH <{DRAFTS}> DELETE {{ <{iri}> dct:title ?t }} INSERT {{ <{iri}> dct:title \"{title}\" }}
                 WHERE {{ <{iri}> dct:title ?t }}"
            ),
            _ => format!("{delete} ; {insert}"),
        };
        update(&service, &change).await;
        let scanned = scan(&service).await;
        records = scanned.len();

        // Hits and facets by words.
        let words = random.words(2);
        for (typed, fits) in [
            (words.clone(), (&|r: &Scanned| has_any(r, &words)) as &dyn Fn(&Scanned) -> bool),
            (format!("\"{words}\""), &|r: &Scanned| has_phrase(r, &words)),
        ] {
            let path = format!("/api/search?mode=words&limit=100&q={}", encoded(&typed));
            let answer = service.get(&path, "").await.json();
            let expected: BTreeSet<&String> =
                scanned.iter().filter(|(_, r)| fits(r)).map(|(iri, _)| iri).collect();
            let found = of_hits(&answer, "id");
            assert_eq!(
                found.iter().collect::<BTreeSet<_>>(),
                expected,
                "{round}: {typed}: {answer}\n{scanned:?}"
            );
            assert_eq!(answer["total"].as_u64(), Some(expected.len() as u64), "{round}: {typed}");
            for facet in ["kind", "theme"] {
                let mut counts: BTreeMap<String, u64> = BTreeMap::new();
                for record in expected.iter().map(|iri| &scanned[*iri]) {
                    let values: Vec<&String> = match facet {
                        "kind" => vec![&record.kind],
                        _ => record.themes.iter().collect(),
                    };
                    for value in values {
                        *counts.entry(value.clone()).or_default() += 1;
                    }
                }
                let told: BTreeMap<String, u64> = answer["facets"][facet]
                    .as_array()
                    .expect("values")
                    .iter()
                    .map(|v| {
                        (
                            v["value"].as_str().expect("text").to_owned(),
                            v["count"].as_u64().expect("a count"),
                        )
                    })
                    .collect();
                assert_eq!(told, counts, "{round}: {facet} of {typed}");
            }
        }

        // Meaning: the nearest of all, by vectors made anew from the graph.
        service.all_embedded().await;
        let Some((iri, record)) = scanned.iter().nth(random.below(records.max(1))) else {
            continue;
        };
        let own = vector(record);
        let mut near: Vec<f32> = scanned
            .iter()
            .filter(|(other, _)| *other != iri)
            .map(|(_, other)| own.cosine(&vector(other)))
            .collect();
        near.sort_by(|a, b| b.total_cmp(a));
        near.truncate(5);
        let path = format!("/api/similar?limit=8&id={}", encoded(iri));
        let answer = service.get(&path, "").await.json();
        // Themes are documents as well; they are left out of the comparison.
        let told: Vec<f64> = answer["hits"]
            .as_array()
            .expect("hits")
            .iter()
            .filter(|hit| hit["kind"] != "theme")
            .map(|hit| hit["score"].as_f64().expect("a cosine"))
            .take(5)
            .collect();
        assert_eq!(told.len(), near.len().min(5), "{round}: {answer}");
        for (told, expected) in told.iter().zip(&near) {
            assert!((told - f64::from(*expected)).abs() < 1e-4, "{round}: {told} {expected}");
        }
    }
    assert!(records > 5, "{records} records were compared at the end");
}
