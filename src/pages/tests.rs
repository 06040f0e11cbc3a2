use super::*;

const HOSTILE: &str = "<script>alert(1)</script>\"'&";

fn layout() -> Layout {
    Layout { title: HOSTILE.to_owned(), service_name: HOSTILE.to_owned(), ..Layout::default() }
}

fn link() -> Link {
    Link::new(HOSTILE, &format!("/x\"{HOSTILE}")).with_status(HOSTILE)
}

fn value() -> Value {
    Value::Text { text: HOSTILE.to_owned(), language: Some(HOSTILE.to_owned()) }
}

fn all_pages() -> Vec<String> {
    let text = || HOSTILE.to_owned();
    vec![
        home(&HomePage {
            layout: layout(),
            kinds: vec![(link(), 1)],
            themes: vec![(link(), 1)],
            dimensions: vec![(link(), 1)],
            statuses: vec![(link(), 1)],
            stated_sites: Some(text()),
            newest: vec![link()],
        }),
        browse(&BrowsePage {
            layout: layout(),
            title: text(),
            total: 1,
            items: vec![link()],
            previous: Some(text()),
            next: Some(text()),
        }),
        ontology(&OntologyPage {
            layout: layout(),
            groups: vec![(
                text(),
                vec![OntologyTerm {
                    name: text(),
                    iri: text(),
                    label: text(),
                    definition: text(),
                    above: vec![text()],
                    source: vec![],
                }],
            )],
        }),
        problem(&ProblemPage {
            layout: layout(),
            status: 404,
            details: text(),
            hint: Some(text()),
            position: Some((1, 2)),
            variants: vec![(text(), text())],
            request: text(),
        }),
        problem_type(&layout(), HOSTILE, HOSTILE, 400, HOSTILE),
        about(&layout()),
        record(&RecordPage {
            layout: layout(),
            title: text(),
            kind: text(),
            kind_label: text(),
            iri: text(),
            status: "Illustrative".to_owned(),
            facts: vec![Fact {
                label: text(),
                iri: text(),
                graph: text(),
                values: vec![value(), Value::Link(link())],
            }],
            sources: vec![text(), "javascript:alert(1)".to_owned()],
            dates: vec![text()],
            incoming: vec![Incoming { label: text(), total: 9, links: vec![link()] }],
            formats: vec![(text(), text())],
            cite: text(),
            revision: 1,
            json_ld: "{}".to_owned(),
        }),
        search(&SearchPage {
            layout: layout(),
            query: text(),
            hidden: vec![(text(), text())],
            total: 9,
            page: 1,
            pages: 2,
            hits: vec![SearchHit {
                link: link(),
                kind: text(),
                snippet: "<mark>a</mark>".to_owned(),
                date: Some(text()),
                words: vec![text()],
            }],
            facets: vec![FacetGroup {
                label: text(),
                values: vec![FacetLink { label: text(), count: 1, selected: true, url: text() }],
            }],
            chips: vec![link()],
            sorts: vec![("newest", text(), false)],
            dropped: vec![text()],
            previous: Some(text()),
            next: Some(text()),
            json: text(),
        }),
        workbench(&WorkbenchPage {
            layout: layout(),
            text: text(),
            seconds: 10.0,
            union: true,
            examples: vec![link()],
            table: Some(Table {
                columns: vec![text()],
                rows: vec![vec![Some(value()), None]],
                truncated: true,
            }),
            milliseconds: 1,
            error: Some(QueryError { title: text(), detail: text(), position: Some((1, 2)) }),
        }),
        queries(&QueriesPage { layout: layout(), queries: vec![(link(), text())] }),
        query(&QueryPage {
            layout: layout(),
            title: text(),
            says: text(),
            name: text(),
            fields: vec![Field {
                name: text(),
                says: text(),
                type_: "text",
                value: text(),
                required: true,
            }],
            gives: vec![(text(), text())],
            text: text(),
            table: None,
            error: Some(text()),
            search: text(),
        }),
    ]
}

#[test]
fn nothing_typed_becomes_markup() {
    for page in all_pages() {
        assert!(!page.contains("<script>alert"), "{page}");
        assert!(!page.contains("href=\"javascript:"), "{page}");
    }
}

#[test]
fn pages_have_one_heading_one_main_and_no_inline_code() {
    for page in all_pages() {
        assert_eq!(page.matches("<h1").count(), 1, "{page}");
        assert_eq!(page.matches("<main").count(), 1, "{page}");
        assert!(!page.contains(" style=") && !page.contains(" onclick="), "{page}");
        let mut ids: Vec<&str> =
            page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "every id once: {page}");
    }
}
