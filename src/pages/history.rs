//! The page that tells what changed of a record.

use crate::pages::layout::{Layout, page};
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
                h3 { (heading) }
                dl {
                    @for (property, value) in facts {
                        dt { (property) }
                        dd { (value) }
                    }
                }
            }
        }
    };
    page(
        &history.layout,
        &html! {
            h1 { "History of " (history.title) }
            p { a href=(history.url) { "The record as it is now" } }
            @for entry in &history.entries {
                section {
                    h2 {
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
        },
    )
}
