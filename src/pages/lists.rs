//! Home, lists, the ontology, explanations and errors.

use crate::pages::layout::{Layout, Link, page, scrolling};
use maud::html;

/// The first page.
#[derive(Debug, Clone)]
pub struct HomePage {
    /// What is around it.
    pub layout: Layout,
    /// Kinds with their number of records.
    pub kinds: Vec<(Link, u64)>,
    /// Themes with their number of records.
    pub themes: Vec<(Link, u64)>,
    /// Dimensions with their number of records.
    pub dimensions: Vec<(Link, u64)>,
    /// Statuses with their number of records.
    pub statuses: Vec<(Link, u64)>,
    /// The number of sites that a source states.
    pub stated_sites: Option<String>,
    /// Newest lessons and case studies.
    pub newest: Vec<Link>,
}

/// A list of records of one kind.
#[derive(Debug, Clone)]
pub struct BrowsePage {
    /// What is around it.
    pub layout: Layout,
    /// The kind in the plural.
    pub title: String,
    /// How many there are.
    pub total: usize,
    /// Those of this page.
    pub items: Vec<Link>,
    /// The page before.
    pub previous: Option<String>,
    /// The page after.
    pub next: Option<String>,
}

/// A term of the ontology.
#[derive(Debug, Clone)]
pub struct OntologyTerm {
    /// Local name, also the fragment.
    pub name: String,
    /// Its IRI.
    pub iri: String,
    /// What people call it.
    pub label: String,
    /// What it means.
    pub definition: String,
    /// Classes or properties above it.
    pub above: Vec<String>,
    /// Where it comes from.
    pub source: Vec<String>,
}

/// The ontology.
#[derive(Debug, Clone)]
pub struct OntologyPage {
    /// What is around it.
    pub layout: Layout,
    /// Groups of terms.
    pub groups: Vec<(String, Vec<OntologyTerm>)>,
}

/// A failure.
#[derive(Debug, Clone)]
pub struct ProblemPage {
    /// What is around it.
    pub layout: Layout,
    /// The status.
    pub status: u16,
    /// What went wrong.
    pub details: String,
    /// What to do.
    pub hint: Option<String>,
    /// Line and column in a query.
    pub position: Option<(u64, u64)>,
    /// Address and media type of what exists.
    pub variants: Vec<(String, String)>,
    /// The request's id.
    pub request: String,
}

/// The first page.
#[must_use]
pub fn home(data: &HomePage) -> String {
    let counted = |title: &str, id: &str, links: &[(Link, u64)]| {
        html! {
            @if !links.is_empty() {
                section aria-labelledby=(id) {
                    h2 id=(id) { (title) }
                    ul { @for (link, count) in links { li { (link.show()) " (" (count) ")" } } }
                }
            }
        }
    };
    let content = html! {
        h1 { "What the NHS Innovation Sites and others have learnt" }
        p { "Lessons and case studies on how NHS organisations take up and spread innovation, each with the evidence behind it. Search in your own words, follow the links, or ask the graph." }
        form action="/search" method="get" role="search" class="search" {
            label for="q" { "Search lessons, case studies and organisations" }
            input type="search" id="q" name="q" autocomplete="off";
            button type="submit" { "Search" }
        }
        (counted("How sure is it?", "statuses", &data.statuses))
        p { "Sourced records name a public source. Illustrative records are made up to show how evidence is linked, and say so wherever they appear." }
        @if let Some(sites) = &data.stated_sites {
            p { "The programme is stated to have " (sites) " sites. Their list is not public in the sources found, so only roles with a source are shown as such." }
        }
        (counted("What is here", "kinds", &data.kinds))
        (counted("Themes", "themes", &data.themes))
        (counted("Dimensions", "dimensions", &data.dimensions))
        @if !data.newest.is_empty() {
            section aria-labelledby="newest" {
                h2 id="newest" { "Newest lessons and case studies" }
                ul { @for link in &data.newest { li { (link.show()) } } }
            }
        }
        section aria-labelledby="ways" {
            h2 id="ways" { "For researchers and for tools" }
            ul {
                li { a href="/queries" { "Questions with their answers" } ": saved queries to run and change" }
                li { a href="/sparql" { "SPARQL" } ": ask anything of the graph" }
                li { a href="/api/search?q=culture" { "Search as JSON" } }
                li { a href="/export" { "All data as N-Quads" } }
                li { a href="/.well-known/void" { "Dataset description" } " and " a href="/ontology" { "ontology" } }
            }
        }
    };
    page(&data.layout, &content)
}

/// A list of records.
#[must_use]
pub fn browse(data: &BrowsePage) -> String {
    let content = html! {
        h1 { (data.title) }
        p role="status" { (data.total) @if data.total == 1 { " record" } @else { " records" } }
        ul { @for link in &data.items { li { (link.show()) } } }
        @if data.previous.is_some() || data.next.is_some() {
            nav aria-label="Pages" {
                ul class="inline" {
                    @if let Some(url) = &data.previous { li { a rel="prev" href=(url) { "Previous page" } } }
                    @if let Some(url) = &data.next { li { a rel="next" href=(url) { "Next page" } } }
                }
            }
        }
    };
    page(&data.layout, &content)
}

/// The ontology.
#[must_use]
pub fn ontology(data: &OntologyPage) -> String {
    let content = html! {
        h1 { "Ontology" }
        p { "The classes and properties of the graph. Ask this address for text/turtle, application/rdf+xml or application/ld+json to get it as data." }
        nav aria-label="On this page" {
            ul { @for (index, (title, terms)) in data.groups.iter().enumerate() {
                li { a href={ "#group-" (index) } { (title) " (" (terms.len()) ")" } }
            } }
        }
        @for (index, (title, terms)) in data.groups.iter().enumerate() {
            section aria-labelledby={ "group-" (index) } {
                h2 id={ "group-" (index) } { (title) }
                (scrolling(title, &html! {
                    table {
                        caption class="hidden" { (title) }
                        thead { tr { th scope="col" { "Term" } th scope="col" { "Meaning" } th scope="col" { "Narrower than" } } }
                        tbody {
                            @for term in terms {
                                tr id=(term.name) {
                                    th scope="row" { (term.label) br; code { (term.name) } }
                                    td { (term.definition) }
                                    td { @for above in &term.above { (Link::new(above, above).show()) " " } }
                                }
                            }
                        }
                    }
                }))
            }
        }
    };
    page(&data.layout, &content)
}

/// A failure, as a page.
#[must_use]
pub fn problem(data: &ProblemPage) -> String {
    let content = html! {
        h1 { (data.layout.title) }
        p { (data.details) }
        @if let Some((line, column)) = data.position { p { "Line " (line) ", column " (column) } }
        @if let Some(hint) = &data.hint { p { "What to do: " (hint) } }
        @if !data.variants.is_empty() {
            h2 { "What there is" }
            ul { @for (url, media_type) in &data.variants { li { a href=(url) { (media_type) } } } }
        }
        form action="/search" method="get" role="search" class="search" {
            label for="q" { "Search" }
            input type="search" id="q" name="q" autocomplete="off";
            button type="submit" { "Search" }
        }
        p class="why" { "Status " (data.status) ", request " (data.request) }
    };
    page(&data.layout, &content)
}

/// What a problem type means.
#[must_use]
pub fn problem_type(layout: &Layout, title: &str, meaning: &str, status: u16, iri: &str) -> String {
    let content = html! {
        h1 { (title) }
        p { (meaning) }
        p { "Problem type " code { (iri) } ", HTTP status " (status) "." }
    };
    page(layout, &content)
}

/// About the data.
#[must_use]
pub fn about(layout: &Layout) -> String {
    let content = html! {
        h1 { "About the data" }
        h2 { "How sure it is" }
        ul {
            li { "Sourced: a public source says so; the record names it, with its date." }
            li { "Unverified: general knowledge or an inference; check it before use." }
            li { "Illustrative: made up to show how evidence is linked; never about a real organisation." }
        }
        p { "Real and illustrative records live in different graphs. Figures that disagree stand side by side, each with its source; forecasts and claims are marked as such. People appear as roles." }
        p { "That the programme has 18 sites is a stated number. Their list was not found in public sources, so no organisation is shown as a site unless a source says so. Themes and dimensions are assigned by the editors of this graph." }
        h2 { "Licences" }
        p { "Our own words are under " a href="https://creativecommons.org/licenses/by/4.0/" { "CC BY 4.0" } ". Facts and figures belong to nobody; each names its source. Names, codes and places of NHS trusts come from RCPCH NHS Organisations, copyright 2024 The Royal College of Paediatrics and Child Health, MIT licence; names of support programmes from the NHS Innovation Service, Open Government Licence v3.0." }
        h2 { "Who runs this" }
        p { "This service is not run by the NHS and does not speak for it." }
    };
    page(layout, &content)
}
