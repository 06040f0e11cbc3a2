use super::*;

const HOSTILE: &str = "<script>alert(1)</script>\"'&";

fn choosable() -> Choosable {
    Choosable { value: HOSTILE.to_owned(), label: HOSTILE.to_owned(), chosen: true }
}

fn layout() -> Layout {
    Layout { title: HOSTILE.to_owned(), service_name: HOSTILE.to_owned(), ..Layout::default() }
}

fn link() -> Link {
    Link::new(HOSTILE, &format!("/x\"{HOSTILE}")).with_status(HOSTILE)
}

fn value() -> Value {
    Value::Text { text: HOSTILE.to_owned(), language: Some(HOSTILE.to_owned()) }
}

fn card() -> Card {
    Card { link: link(), facts: vec![HOSTILE.to_owned()], text: HOSTILE.to_owned() }
}

fn blocks() -> Vec<Block> {
    let text = || HOSTILE.to_owned();
    let step = Step { relation: text(), link: link(), kind: text(), text: text(), steps: vec![] };
    vec![
        Block::Prose(vec![text()]),
        Block::Note(text()),
        Block::Summary(vec![(text(), vec![value(), Value::Link(link())])]),
        Block::Links(vec![link()]),
        Block::More(link()),
        Block::Cards(vec![card()]),
        Block::Grid(Grid {
            caption: text(),
            columns: vec![text()],
            rows: vec![vec![vec![value()]]],
        }),
        Block::Figures(vec![
            Figure { metric: text(), value: text(), sources: vec![link()], ..Figure::default() },
            Figure { metric: text(), value: "2".to_owned(), note: text(), ..Figure::default() },
        ]),
        Block::Chain(vec![Step { steps: vec![step.clone()], ..step }]),
        Block::Bars(Bars {
            caption: text(),
            columns: vec![text()],
            number: text(),
            full: 0.0,
            bars: vec![Bar { labels: vec![vec![value()]], value: 1.0, text: text() }],
        }),
        Block::Map(MapPicture {
            caption: text(),
            points: vec![Point { link: link(), place: text(), kind: text(), ..Point::default() }],
        }),
        Block::Timeline(Timeline {
            caption: text(),
            spans: vec![Span { link: link(), start: text(), end: text(), note: text() }],
        }),
        Block::Network(Network {
            caption: text(),
            nodes: [link(), Link::new(HOSTILE, "javascript:alert(1)")]
                .map(|link| NetworkNode {
                    link,
                    kind: text(),
                    facts: vec![(text(), vec![value(), Value::Link(super::tests::link())])],
                })
                .to_vec(),
            links: vec![NetworkLink { from: 0, label: text(), to: 1 }],
        }),
    ]
}

fn all_pages() -> Vec<String> {
    let text = || HOSTILE.to_owned();
    let section = || Section::new("part", HOSTILE, blocks()).into_iter().collect::<Vec<_>>();
    vec![
        home(&HomePage {
            layout: Layout { searches: true, ..layout() },
            kinds: vec![(link(), 1)],
            themes: vec![(link(), 1)],
            dimensions: vec![(link(), 1)],
            statuses: vec![(link(), 1)],
            stated_sites: Some(text()),
            newest: vec![card()],
        }),
        browse(&BrowsePage {
            layout: layout(),
            title: text(),
            lead: text(),
            total: 1,
            letters: vec![(text(), Some(text()), true)],
            items: vec![card()],
            ways: vec![link()],
            previous: Some(text()),
            next: Some(text()),
            place: (1, 2),
        }),
        explore(&ExplorePage {
            layout: layout(),
            title: text(),
            lead: text(),
            above: vec![link()],
            sections: section(),
        }),
        graph(&GraphPage {
            layout: layout(),
            title: text(),
            neighbours: Neighbours {
                centre: link(),
                groups: vec![(
                    text(),
                    vec![Neighbour { link: link(), kind: text(), graph: text() }],
                )],
                data: text(),
            },
        }),
        history(&HistoryPage {
            layout: layout(),
            title: text(),
            url: text(),
            entries: vec![HistoryEntry {
                revision: 1,
                time: text(),
                reason: text(),
                added: vec![(text(), text())],
                ..HistoryEntry::default()
            }],
        }),
        sign_in(&layout(), HOSTILE),
        accessibility(&layout()),
        ontology(&OntologyPage {
            layout: layout(),
            edges: vec![OntologyEdge {
                from: text(),
                property: text(),
                to: "x".to_owned(),
                count: 1,
            }],
            groups: vec![(
                text(),
                vec![OntologyTerm {
                    name: text(),
                    iri: text(),
                    label: text(),
                    definition: text(),
                    above: vec![text()],
                    source: vec![],
                    uses: Some(1),
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
            change: None,
            layout: layout(),
            title: text(),
            list: link(),
            url: text(),
            kind_label: text(),
            iri: text(),
            status: "Illustrative".to_owned(),
            withdrawn: Some(text()),
            past: Some(1),
            lead: vec![text()],
            facts_at_top: vec![(text(), vec![value()])],
            sections: section(),
            facts: vec![Fact {
                label: text(),
                iri: text(),
                graph: text(),
                values: vec![value(), Value::Link(link())],
            }],
            sources: vec![link(), Link::new(HOSTILE, "javascript:alert(1)")],
            dates: vec![text()],
            incoming: vec![Incoming { label: text(), total: 9, links: vec![link()] }],
            formats: vec![(text(), text())],
            citation: Citation { title: text(), ..Citation::default() },
            feedback: Some(Feedback {
                action: text(),
                form_secret: Some(text()),
                roles: vec![(text(), text())],
                kept: true,
                waiting: vec![link()],
            }),
        }),
        compare(&ComparePage {
            layout: layout(),
            title: text(),
            lead: text(),
            illustrative: true,
            back: None,
            others: vec![link()],
            choices: vec![ChooseOne { name: "rows", label: "Compare", values: vec![choosable()] }],
            sources: vec![choosable()],
            narrowed: vec![Narrowed { text: text(), parameter: (text(), text()), without: text() }],
            instead: link(),
            headlines: vec![text()],
            table: Some(CompareTable {
                caption: text(),
                corner: text(),
                columns: vec![CompareHead { link: link(), note: text() }],
                rows: vec![(
                    CompareHead { link: link(), note: text() },
                    vec![CompareCell {
                        text: text(),
                        restricted: text(),
                        url: text(),
                        share: f64::NAN,
                    }],
                )],
                more: text(),
            }),
            sections: section(),
        }),
        search(&SearchPage {
            layout: Layout { searches: true, ..layout() },
            query: text(),
            hidden: vec![(text(), text())],
            kept: vec![(text(), text())],
            from_to: (text(), text()),
            total: 9,
            page: 1,
            pages: 2,
            first: 1,
            hits: vec![SearchHit {
                link: link(),
                kind: text(),
                snippet: "<mark>a</mark>".to_owned(),
                date: Some(text()),
                read: true,
                places: vec![text()],
                why: text(),
            }],
            facets: vec![FacetGroup {
                name: "theme",
                label: text(),
                values: vec![FacetLink {
                    value: text(),
                    label: text(),
                    count: 1,
                    selected: true,
                    url: text(),
                }],
            }],
            chips: vec![link()],
            clear: text(),
            sorts: vec![("newest", text(), false)],
            corrections: vec![(text(), text())],
            corrected: Some((text(), text())),
            synonyms: vec![(text(), text())],
            dropped: vec![text()],
            instead: vec![(link(), 1)],
            loosely: Some(text()),
            coverage: Some((1, 2)),
            years: ["2025", "2026"]
                .map(|year| YearLink { year: year.to_owned(), count: 1, share: 50, url: text() })
                .into(),
            previous: Some(text()),
            next: Some(text()),
            others: vec![link()],
        }),
        workbench(&WorkbenchPage {
            layout: Layout { editor: true, ..layout() },
            text: text(),
            seconds: 10.0,
            union: true,
            examples: vec![(link(), text())],
            table: Some(Table {
                columns: vec![text()],
                rows: vec![vec![Some(value()), None]],
                truncated: true,
            }),
            picture: None,
            milliseconds: 1,
            downloads: vec![link()],
            error: Some(QueryError {
                title: text(),
                detail: text(),
                hint: Some(text()),
                position: Some((1, 2)),
            }),
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
                example: text(),
                choices: vec![],
                required: true,
            }],
            gives: vec![(text(), text())],
            text: text(),
            table: None,
            picture: None,
            error: Some(text()),
            search: text(),
            workbench: text(),
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

#[test]
fn dates_are_written_as_people_write_them() {
    assert_eq!(day("2024-03-02"), "2 March 2024");
    assert_eq!(day("2024-03"), "March 2024");
    for other in ["2024", "", "2021-2024", "2024-13-01", "early 2023-04"] {
        assert_eq!(day(other), other);
    }
}
