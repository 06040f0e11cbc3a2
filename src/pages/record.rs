//! The page of one record: what is said of it, by whom, and what links here.

use crate::pages::layout::{Layout, Link, Value, page, scrolling};
use maud::{PreEscaped, html};

/// Values of one property.
#[derive(Debug, Clone)]
pub struct Fact {
    /// The property's name for people.
    pub label: String,
    /// The property.
    pub iri: String,
    /// The graph that says so.
    pub graph: String,
    /// The values.
    pub values: Vec<Value>,
}

/// Records that point here by one property.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The property's name for people.
    pub label: String,
    /// How many there are.
    pub total: usize,
    /// The first of them.
    pub links: Vec<Link>,
}

/// A record.
#[derive(Debug, Clone)]
pub struct RecordPage {
    /// What is around it.
    pub layout: Layout,
    /// Its title.
    pub title: String,
    /// Its kind as in its address.
    pub kind: String,
    /// Its kind for people.
    pub kind_label: String,
    /// Its identifier.
    pub iri: String,
    /// `Sourced`, `Unverified`, `Illustrative`, or empty.
    pub status: String,
    /// What is said of it.
    pub facts: Vec<Fact>,
    /// Where that was found.
    pub sources: Vec<String>,
    /// Dates of the sources.
    pub dates: Vec<String>,
    /// What links here.
    pub incoming: Vec<Incoming>,
    /// Address and media type of its data.
    pub formats: Vec<(String, String)>,
    /// How to cite it.
    pub cite: String,
    /// The revision that was read.
    pub revision: u64,
    /// schema.org block; `<` must be escaped in it.
    pub json_ld: String,
}

/// The page of a record.
#[must_use]
pub fn record(data: &RecordPage) -> String {
    let content = html! {
        nav aria-label="Breadcrumb" {
            ol class="crumbs" {
                li { a href="/" { "Home" } }
                li { a href={ "/" (data.kind) } { (data.kind_label) } }
            }
        }
        p class="kind" { (data.kind_label) }
        h1 { (data.title) }
        @match data.status.as_str() {
            "Sourced" => { p class="status" { strong { "Sourced. " } "A public source says what stands here; it is named below." } }
            "Unverified" => { p class="status status-unverified" { strong { "Unverified. " } "This comes from general knowledge or is inferred. Check it before you use it." } }
            "Illustrative" => { p class="status status-illustrative" { strong { "Illustrative record. " } "Made up to show how evidence is linked; it is not about a real organisation." } }
            _ => {}
        }
        section aria-labelledby="facts" {
            h2 id="facts" { "What is recorded" }
            (scrolling("What is recorded", &html! {
                table {
                    caption class="hidden" { "Properties and values of this record" }
                    thead { tr { th scope="col" { "Property" } th scope="col" { "Value" } } }
                    tbody {
                        @for fact in &data.facts {
                            tr {
                                th scope="row" { (fact.label) }
                                td {
                                    @if fact.values.len() == 1 {
                                        @for value in &fact.values { (value.show()) }
                                    } @else {
                                        ul { @for value in &fact.values { li { (value.show()) } } }
                                    }
                                }
                            }
                        }
                    }
                }
            }))
        }
        @if !data.sources.is_empty() {
            section aria-labelledby="sources" {
                h2 id="sources" { "Sources" }
                ul { @for source in &data.sources { li { (Link::new(source, source).show()) } } }
                @if !data.dates.is_empty() {
                    p { "Date of the source or of reading it: " (data.dates.join(", ")) }
                }
            }
        }
        @if !data.incoming.is_empty() {
            section aria-labelledby="incoming" {
                h2 id="incoming" { "What links here" }
                @for group in &data.incoming {
                    h3 { (group.label) " (" (group.total) ")" }
                    ul { @for link in &group.links { li { (link.show()) } } }
                    @if group.total > group.links.len() {
                        p { "The first " (group.links.len()) " of " (group.total) " are shown; SPARQL gives all." }
                    }
                }
            }
        }
        section aria-labelledby="use" {
            h2 id="use" { "Link to it, cite it, take its data" }
            p { "Permanent address: " code { (data.iri) } }
            p { "Cite as: " (data.cite) }
            ul {
                @for (url, media_type) in &data.formats {
                    li { a href=(url) { (media_type) } }
                }
            }
        }
        script type="application/ld+json" { (PreEscaped(&data.json_ld)) }
    };
    page(&data.layout, &content)
}
