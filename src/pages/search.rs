//! The search page.

use crate::pages::layout::{Layout, Link, page};
use maud::{PreEscaped, html};

/// A facet value as a link that adds or removes it.
#[derive(Debug, Clone)]
pub struct FacetLink {
    /// What people call it.
    pub label: String,
    /// Results with it.
    pub count: u64,
    /// Whether it is chosen.
    pub selected: bool,
    /// The same search with it added or removed.
    pub url: String,
}

/// A facet.
#[derive(Debug, Clone)]
pub struct FacetGroup {
    /// What people call it.
    pub label: String,
    /// Its values.
    pub values: Vec<FacetLink>,
}

/// A result.
#[derive(Debug, Clone)]
pub struct SearchHit {
    /// The record.
    pub link: Link,
    /// Its kind for people.
    pub kind: String,
    /// HTML, escaped but for `<mark>`.
    pub snippet: String,
    /// Its date.
    pub date: Option<String>,
    /// The words that matched.
    pub words: Vec<String>,
}

/// A search and its results.
#[derive(Debug, Clone)]
pub struct SearchPage {
    /// What is around it.
    pub layout: Layout,
    /// The words as typed.
    pub query: String,
    /// Parameters that a new search keeps.
    pub hidden: Vec<(String, String)>,
    /// Results in all.
    pub total: usize,
    /// This page.
    pub page: usize,
    /// Pages in all.
    pub pages: usize,
    /// The results of this page.
    pub hits: Vec<SearchHit>,
    /// The facets.
    pub facets: Vec<FacetGroup>,
    /// Chosen filters; each link removes its own.
    pub chips: Vec<Link>,
    /// Name, address and whether it is the present order.
    pub sorts: Vec<(&'static str, String, bool)>,
    /// Words that were left out.
    pub dropped: Vec<String>,
    /// The page before.
    pub previous: Option<String>,
    /// The page after.
    pub next: Option<String>,
    /// The same as JSON.
    pub json: String,
}

/// The search page.
#[must_use]
pub fn search(data: &SearchPage) -> String {
    let content = html! {
        h1 { "Search" }
        form action="/search" method="get" role="search" class="search" {
            label for="q" { "Words, a question, or \"a phrase\"" }
            input type="search" id="q" name="q" value=(data.query) autocomplete="off";
            @for (name, value) in &data.hidden { input type="hidden" name=(name) value=(value); }
            button type="submit" { "Search" }
        }
        @if !data.chips.is_empty() {
            section aria-label="Chosen filters" {
                ul class="chips" {
                    @for chip in &data.chips {
                        li { a href=(chip.url) { "Remove " (chip.text) } }
                    }
                }
            }
        }
        p role="status" { (data.total) @if data.total == 1 { " result" } @else { " results" }
            @if data.pages > 1 { ", page " (data.page) " of " (data.pages) } }
        @if !data.dropped.is_empty() { p { "Left out: " (data.dropped.join(", ")) } }
        @if data.total == 0 {
            p { "Nothing was found. Try fewer or other words, or remove a filter." }
        }
        div class="columns" {
            div class="results" {
                @if data.total > 1 {
                    nav aria-label="Order" {
                        ul class="inline" {
                            @for (name, url, current) in &data.sorts {
                                li { @if *current { strong { (name) } } @else { a href=(url) { (name) } } }
                            }
                        }
                    }
                }
                ol class="hits" start=((data.page - 1) * data.hits.len() + 1) {
                    @for hit in &data.hits {
                        li {
                            h2 { (hit.link.show()) }
                            p class="kind" { (hit.kind) @if let Some(date) = &hit.date { ", " (date) } }
                            @if !hit.snippet.is_empty() { p { (PreEscaped(&hit.snippet)) } }
                            @if !hit.words.is_empty() { p class="why" { "Matched: " (hit.words.join(", ")) } }
                        }
                    }
                }
                @if data.previous.is_some() || data.next.is_some() {
                    nav aria-label="Pages" {
                        ul class="inline" {
                            @if let Some(url) = &data.previous { li { a rel="prev" href=(url) { "Previous page" } } }
                            @if let Some(url) = &data.next { li { a rel="next" href=(url) { "Next page" } } }
                        }
                    }
                }
                p { a href=(data.json) { "These results as JSON" } }
            }
            div class="facets" {
                h2 { "Narrow down" }
                @for group in &data.facets {
                    h3 { (group.label) }
                    ul {
                        @for value in &group.values {
                            li {
                                @if value.selected {
                                    a href=(value.url) aria-current="true" { "✓ " (value.label) " (" (value.count) ")" }
                                } @else {
                                    a href=(value.url) { (value.label) " (" (value.count) ")" }
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    page(&data.layout, &content)
}
