//! Home, lists, and the ways to explore.

use crate::pages::blocks::{Block, Card, Section, cards_of};
use crate::pages::layout::{Layout, Link, breadcrumb, page, page_with, pagination, search_box};
use crate::pages::pictures::Neighbours;
use maud::{Markup, html};

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
    pub newest: Vec<Card>,
}

/// A list of records of one kind.
#[derive(Debug, Clone)]
pub struct BrowsePage {
    /// What is around it.
    pub layout: Layout,
    /// The kind in the plural.
    pub title: String,
    /// What this kind is.
    pub lead: String,
    /// How many there are in this list.
    pub total: usize,
    /// Letters with their address and whether it is the chosen one.
    pub letters: Vec<(String, Option<String>, bool)>,
    /// Those of this page.
    pub items: Vec<Card>,
    /// Other ways to the same records.
    pub ways: Vec<Link>,
    /// The page before.
    pub previous: Option<String>,
    /// The page after.
    pub next: Option<String>,
    /// This page and the number of pages.
    pub place: (usize, usize),
}

/// A page of ways into the data.
#[derive(Debug, Clone)]
pub struct ExplorePage {
    /// What is around it.
    pub layout: Layout,
    /// Its heading.
    pub title: String,
    /// What it is.
    pub lead: String,
    /// The pages above it.
    pub above: Vec<Link>,
    /// Its parts.
    pub sections: Vec<Section>,
}

/// A record among its neighbours.
#[derive(Debug, Clone)]
pub struct GraphPage {
    /// What is around it.
    pub layout: Layout,
    /// The record's title.
    pub title: String,
    /// The record and its neighbours.
    pub neighbours: Neighbours,
}

/// The first page.
#[must_use]
pub fn home(data: &HomePage) -> String {
    let counted = |title: &str, id: &str, links: &[(Link, u64)], more: Option<Link>| -> Markup {
        html! {
            @if !links.is_empty() {
                section class="app-section" aria-labelledby=(id) {
                    h2 class="nhsuk-heading-m" id=(id) { (title) }
                    ul class="app-tiles" {
                        @for (link, count) in links {
                            li { a href=(link.url) { (link.text) } " " span class="app-count-of" { (count) span class="nhsuk-u-visually-hidden" { " records" } } }
                        }
                    }
                    @if let Some(link) = more { p { a href=(link.url) { (link.text) } } }
                }
            }
        }
    };
    let content = html! {
        div class="app-hero" {
        h1 class="nhsuk-heading-xl app-home__title" { "What the NHS Innovation Sites and others have learnt" }
        p class="nhsuk-body-l" { "Lessons and case studies on how NHS organisations take up and spread innovation, each with the evidence behind it. Search in your own words, follow the links, or ask the graph." }
        (search_box("Search lessons, case studies and organisations", "For example: missed appointments, or what gets in the way of digital tools", "", &html! {}))
        }
        div class="app-sure" {
            section aria-labelledby="statuses" {
                h2 class="nhsuk-heading-m" id="statuses" { "How sure is it?" }
                ul class="app-sure__list" {
                    @for (link, count) in &data.statuses {
                        li {
                            a class="app-sure__number" href=(link.url) { (count) " " (link.text) }
                            p { @match link.text.as_str() {
                                "Sourced" => "name a public source and its date.",
                                "Unverified" => "come from general knowledge; check them before use.",
                                "Illustrative" => "are made up to show how evidence is linked, and say so wherever they appear.",
                                _ => "",
                            } }
                        }
                    }
                }
                @if let Some(sites) = &data.stated_sites {
                    p { "The programme is stated to have " (sites) " sites. Their list is not public in the sources found, so only roles with a source are shown as such." }
                }
            }
        }
        (counted("What is here", "kinds", &data.kinds, None))
        div class="app-halves" {
            (counted("Themes", "themes", &data.themes, None))
            (counted("Dimensions", "dimensions", &data.dimensions, None))
        }
        @if !data.newest.is_empty() {
            section class="app-section" aria-labelledby="newest" {
                h2 class="nhsuk-heading-m" id="newest" { "Newest lessons and case studies" }
                (cards_of(&data.newest, 3))
            }
        }
        section class="app-section" aria-labelledby="ways" {
            h2 class="nhsuk-heading-m" id="ways" { "Ways in" }
            div class="app-ways" {
                (way("/outcomes", "What worked, and what did not", "Case studies by how they ended, with what stood in the way."))
                (way("/compare", "What is common, and what varies", "How many of how many, who is missing, and what differs by region, kind of organisation or outcome."))
                (way("/explore", "Explore", "By theme, dimension, region, A to Z, on a map, over time."))
                (way("/queries", "Questions with their answers", "Saved queries to run, change and take as CSV."))
                (way("/sparql", "SPARQL", "For researchers: ask anything of the graph."))
                (way("/api/queries", "For other tools", "Records, search and questions as data: here is the list of questions as JSON."))
                (way("/export", "All data", "Every quad of the graph as N-Quads."))
            }
        }
    };
    page(&data.layout, &content)
}

fn way(url: &str, title: &str, text: &str) -> Markup {
    html! { div class="app-way" { h3 class="app-card__title" { a href=(url) { (title) } } p { (text) } } }
}

/// A list of records.
#[must_use]
pub fn browse(data: &BrowsePage) -> String {
    let content = html! {
        h1 class="nhsuk-heading-l" { (data.title) }
        @if !data.lead.is_empty() { p class="nhsuk-body-l" { (data.lead) } }
        @if !data.letters.is_empty() {
            nav class="app-letters" aria-label="By first letter" {
                ul {
                    @for (letter, url, current) in &data.letters {
                        li {
                            @match url {
                                Some(url) => a href=(url) aria-current=[current.then_some("true")] { (letter) },
                                None => span { (letter) },
                            }
                        }
                    }
                }
            }
        }
        @if !data.ways.is_empty() {
            ul class="app-inline" { @for link in &data.ways { li { (link.show()) } } }
        }
        p class="app-count" role="status" { (data.total) @if data.total == 1 { " record" } @else { " records" } }
        @if data.items.is_empty() {
            div class="nhsuk-inset-text" { p { "There is nothing here yet." } p { a href="/search" { "Search everything" } " or " a href="/explore" { "explore" } "." } }
        }
        (cards_of(&data.items, 2))
        (pagination(data.previous.as_deref(), data.next.as_deref(), data.place))
    };
    page_with(
        &data.layout,
        &breadcrumb(&[Link::new("Home", "/"), Link::new("Explore", "/explore")]),
        &content,
    )
}

/// A page of ways into the data.
#[must_use]
pub fn explore(data: &ExplorePage) -> String {
    let content = html! {
        h1 class="nhsuk-heading-l" { (data.title) }
        p class="nhsuk-body-l" { (data.lead) }
        @if data.sections.len() > 2 {
            nav aria-label="On this page" {
                ul class="app-inline" { @for section in &data.sections { li { a href={ "#" (section.id) } { (section.heading) } } } }
            }
        }
        @for section in &data.sections { (section.show()) }
        @if data.sections.is_empty() { (Block::Note("There is nothing here yet.".to_owned()).show()) }
    };
    page_with(&data.layout, &breadcrumb(&data.above), &content)
}

/// A record among its neighbours.
#[must_use]
pub fn graph(data: &GraphPage) -> String {
    let content = html! {
        h1 class="nhsuk-heading-l" { "Around " (data.title) }
        p { a href=(data.neighbours.centre.url) { "The record itself" } }
        (data.neighbours.show())
    };
    let above = [Link::new("Home", "/"), Link::new(&data.title, &data.neighbours.centre.url)];
    page_with(&data.layout, &breadcrumb(&above), &content)
}
