//! The search page.

use crate::pages::layout::{Layout, Link, day, mark, page, pagination};
use maud::{Markup, PreEscaped, html};

/// A facet value as a link that adds or removes it.
#[derive(Debug, Clone)]
pub struct FacetLink {
    /// What to filter by.
    pub value: String,
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
    /// The parameter.
    pub name: &'static str,
    /// What people call it.
    pub label: String,
    /// Its values.
    pub values: Vec<FacetLink>,
}

/// Results of a year, as a link to them alone.
#[derive(Debug, Clone)]
pub struct YearLink {
    /// The year.
    pub year: String,
    /// How many there are.
    pub count: u64,
    /// Out of a hundred, against the year with most.
    pub share: u64,
    /// The same search within this year.
    pub url: String,
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
    /// Whether that is when its source was read, which prints none.
    pub read: bool,
    /// Where it happened.
    pub places: Vec<String>,
    /// Why it was found, in words.
    pub why: String,
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
    /// Parameters that the filter form keeps.
    pub kept: Vec<(String, String)>,
    /// Earliest and latest date, as asked.
    pub from_to: (String, String),
    /// Results in all.
    pub total: usize,
    /// This page.
    pub page: usize,
    /// Pages in all.
    pub pages: usize,
    /// The number of the first result on this page.
    pub first: usize,
    /// The results of this page.
    pub hits: Vec<SearchHit>,
    /// The facets.
    pub facets: Vec<FacetGroup>,
    /// Chosen filters; each link removes its own.
    pub chips: Vec<Link>,
    /// The same search without filters.
    pub clear: String,
    /// Name, address and whether it is the present order.
    pub sorts: Vec<(&'static str, String, bool)>,
    /// Words that were corrected, as typed and as searched.
    pub corrections: Vec<(String, String)>,
    /// The words with corrections, and the search for exactly what was typed.
    pub corrected: Option<(String, String)>,
    /// Words that were widened, as typed and as searched too.
    pub synonyms: Vec<(String, String)>,
    /// Words that were left out.
    pub dropped: Vec<String>,
    /// Searches that find something, with their number of results, 0 where it
    /// is not known.
    pub instead: Vec<(Link, u64)>,
    /// The same search with corrections, where they were refused.
    pub loosely: Option<String>,
    /// Records whose meaning is known so far, and all, while that is being
    /// worked out.
    pub coverage: Option<(u64, u64)>,
    /// Results by year.
    pub years: Vec<YearLink>,
    /// The page before.
    pub previous: Option<String>,
    /// The page after.
    pub next: Option<String>,
    /// The same as JSON, CSV and Atom, and the SPARQL behind it.
    pub others: Vec<Link>,
}

/// The search page.
#[must_use]
pub fn search(data: &SearchPage) -> String {
    let hidden = html! { @for (name, value) in &data.hidden { input type="hidden" name=(name) value=(value); } };
    let content = html! {
        h1 class="nhsuk-heading-l" { "Search" }
        (super::layout::search_box("What are you looking for?", "Words, a question, or \"a phrase\"", &data.query, &hidden))
        (chips(data))
        div class="app-results-page" {
            div class="app-results" {
                h2 class="nhsuk-heading-m app-count" id="results" tabindex="-1" {
                    (data.total) @if data.total == 1 { " result" } @else { " results" }
                    @if !data.query.is_empty() { " for “" (data.query) "”" }
                    @if data.pages > 1 { span class="app-small" { " page " (data.page) " of " (data.pages) } }
                }
                (said(data))
                @if data.total == 0 { (nothing(data)) }
                @if data.total > 1 { (orders(data)) }
                ol class="app-hits" start=(data.first) {
                    @for hit in &data.hits { li class="app-hit" { (show(hit)) } }
                }
                (pagination(data.previous.as_deref(), data.next.as_deref(), (data.page, data.pages)))
                @if data.total > 0 {
                    section aria-labelledby="take" {
                        h2 class="nhsuk-heading-s" id="take" { "Take this list with you" }
                        ul class="app-inline" { @for link in &data.others { li { (link.show()) } } }
                    }
                }
            }
            (facets(data))
        }
    };
    page(&data.layout, &content)
}

fn chips(data: &SearchPage) -> Markup {
    html! {
        @if !data.chips.is_empty() {
            section class="app-chips" aria-label="Chosen filters" {
                ul {
                    @for chip in &data.chips {
                        li { a class="app-chip" href=(chip.url) {
                            span class="nhsuk-u-visually-hidden" { "Remove the filter " } (chip.text) span aria-hidden="true" { " ✕" }
                        } }
                    }
                    li { a href=(data.clear) { "Clear all filters" } }
                }
            }
        }
    }
}

/// What was done with the words before they were searched.
fn said(data: &SearchPage) -> Markup {
    html! {
        @if let Some((words, exactly)) = &data.corrected {
            p class="app-said" {
                "Showing results for " strong { (words) } ". "
                a href=(exactly) { "Search instead for “" (data.query) "”" }
            }
        }
        @if let Some(url) = &data.loosely {
            p class="app-said" { "Every word as it was typed. " a href=(url) { "Search with corrections and other word forms" } }
        }
        @if !data.synonyms.is_empty() {
            p class="app-said" {
                "Also searched: "
                @for (index, (from, to)) in data.synonyms.iter().enumerate() {
                    @if index > 0 { "; " }
                    em { (to) } " for " em { (from) }
                }
                "."
            }
        }
        @if !data.dropped.is_empty() { p class="app-said" { "Left out, since too common: " (data.dropped.join(", ")) ". Put them in quotation marks to keep them." } }
        @if let Some((known, all)) = data.coverage {
            p class="app-said" { "The meaning of " (known) " of " (all) " records is known so far; the others are found by their words." }
        }
    }
}

fn nothing(data: &SearchPage) -> Markup {
    html! {
        div class="nhsuk-inset-text" {
            p { "Nothing was found." @if !data.chips.is_empty() { " A filter may be in the way." } }
            @if !data.instead.is_empty() {
                p { "These find something:" }
                ul { @for (link, count) in &data.instead { li { a href=(link.url) { (link.text) } @if *count > 0 { " (" (count) ")" } } } }
            }
            p { "You can also:" }
            ul {
                li { "use fewer or other words; word endings and common abbreviations do not matter" }
                li { a href="/explore" { "browse by theme, dimension, region or A to Z" } }
                li { a href="/queries" { "start from a question that the graph answers" } }
            }
        }
    }
}

fn orders(data: &SearchPage) -> Markup {
    html! {
        nav class="app-orders" aria-label="Order of results" {
            span { "Order: " }
            ul class="app-inline" {
                @for (name, url, current) in &data.sorts {
                    li { @if *current { strong { (name) } span class="nhsuk-u-visually-hidden" { " (present order)" } } @else { a href=(url) { (name) } } }
                }
            }
        }
    }
}

fn show(hit: &SearchHit) -> Markup {
    html! {
        h3 class="app-hit__title" {
            @if hit.link.is_safe() { a href=(hit.link.url) { (hit.link.text) } } @else { (hit.link.text) }
        }
        p class="app-meta" {
            (hit.kind)
            @for place in &hit.places { span class="app-dot" aria-hidden="true" { " · " } span { (place) } }
            @if let Some(date) = &hit.date { span class="app-dot" aria-hidden="true" { " · " } @if hit.read { "source read " } time datetime=(date) { (day(date)) } }
            (mark(&hit.link.status))
        }
        @if !hit.snippet.is_empty() { p class="app-hit__text" { (PreEscaped(&hit.snippet)) } }
        @if !hit.why.is_empty() { p class="app-small" { (hit.why) } }
    }
}

fn facets(data: &SearchPage) -> Markup {
    html! {
        div class="app-facets" {
            h2 class="nhsuk-heading-m" { "Narrow down" }
            form action="/search" method="get" data-filters {
                @for (name, value) in &data.kept { input type="hidden" name=(name) value=(value); }
                @for group in &data.facets {
                    details class="app-facet" open[group.values.iter().any(|v| v.selected) || matches!(group.name, "kind" | "status" | "theme")] {
                        summary { (group.label) }
                        fieldset class="nhsuk-fieldset" {
                            legend class="nhsuk-u-visually-hidden" { (group.label) }
                            @for (index, value) in group.values.iter().enumerate() {
                                @let id = format!("{}-{index}", group.name);
                                div class="app-check" {
                                    input type="checkbox" id=(id) name=(group.name) value=(value.value) checked[value.selected];
                                    label for=(id) { (value.label) " " span class="app-small" { "(" (value.count) ")" } }
                                    a class="app-check__only" href=(value.url) {
                                        @if value.selected { "remove" } @else { "add" }
                                        span class="nhsuk-u-visually-hidden" { " the filter " (group.label) ": " (value.label) }
                                    }
                                }
                            }
                        }
                    }
                }
                details class="app-facet" open[!data.from_to.0.is_empty() || !data.from_to.1.is_empty()] {
                    summary { "Date" }
                    @if data.years.len() > 1 {
                        ol class="app-years" {
                            @for year in &data.years {
                                li {
                                    a href=(year.url) { (year.year) }
                                    svg class="app-years__bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false" { rect width=(year.share) height="10" {} }
                                    span class="app-small" { (year.count) span class="nhsuk-u-visually-hidden" { " results" } }
                                }
                            }
                        }
                    }
                    label class="nhsuk-label" for="from" { "From" }
                    input class="nhsuk-input nhsuk-input--width-10" id="from" name="from" type="text" value=(data.from_to.0) inputmode="numeric" placeholder="2023 or 2023-04";
                    label class="nhsuk-label" for="to" { "To" }
                    input class="nhsuk-input nhsuk-input--width-10" id="to" name="to" type="text" value=(data.from_to.1) inputmode="numeric" placeholder="2026";
                }
                button class="nhsuk-button nhsuk-button--secondary" type="submit" { "Apply filters" }
            }
        }
    }
}
