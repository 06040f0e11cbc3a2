//! The page that tells what changed of a record.

use crate::pages::layout::{Layout, Link, breadcrumb, page_with};
use maud::{Markup, html};

/// A change of one record.
#[derive(Debug, Clone, Default)]
pub struct HistoryEntry {
    /// Its revision.
    pub revision: u64,
    /// When (RFC 3339).
    pub time: String,
    /// Who.
    pub author: String,
    /// Why.
    pub reason: String,
    /// Whence.
    pub source: String,
    /// Property and value of what no longer holds.
    pub removed: Vec<(String, String)>,
    /// Property and value of what holds since.
    pub added: Vec<(String, String)>,
}

/// The history of a record.
#[derive(Debug, Clone, Default)]
pub struct HistoryPage {
    /// What is around it.
    pub layout: Layout,
    /// The record's title.
    pub title: String,
    /// The record's page.
    pub url: String,
    /// Its changes, newest first.
    pub entries: Vec<HistoryEntry>,
}

/// The history of a record, newest change first.
#[must_use]
pub fn history(history: &HistoryPage) -> String {
    let facts = |heading: &str, facts: &[(String, String)]| -> Markup {
        html! {
            @if !facts.is_empty() {
                h3 class="nhsuk-heading-xs" { (heading) }
                dl class="app-facts" {
                    @for (property, value) in facts {
                        div { dt { (property) } dd { (value) } }
                    }
                }
            }
        }
    };
    let count = history.entries.len();
    let content = html! {
        h1 class="nhsuk-heading-l" { "History of " (history.title) }
        p { a href=(history.url) { "The record as it is now" } }
        p class="app-count" { (count) @if count == 1 { " change" } @else { " changes" } ", newest first" }
        @for entry in &history.entries {
            section class="app-change" aria-labelledby={ "revision-" (entry.revision) } {
                h2 class="nhsuk-heading-s" id={ "revision-" (entry.revision) } {
                    a href={ (history.url) "?revision=" (entry.revision) } { "Revision " (entry.revision) }
                    ", " time datetime=(entry.time) { (entry.time.replace('T', " ").replace('Z', " UTC")) }
                }
                p {
                    @if !entry.reason.is_empty() { (entry.reason) ". " }
                    @if !entry.author.is_empty() { "By " (entry.author) ". " }
                    @if !entry.source.is_empty() { "From " (entry.source) "." }
                }
                (facts("Removed", &entry.removed))
                (facts("Added", &entry.added))
            }
        }
    };
    let above = [Link::new("Home", "/"), Link::new(&history.title, &history.url)];
    page_with(&history.layout, &breadcrumb(&above), &content)
}
