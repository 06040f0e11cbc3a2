//! The page of one record: its sections, how sure it is, its sources, and how
//! to cite it and take its data.

use crate::pages::blocks::Section;
use crate::pages::cite::Citation;
use crate::pages::layout::{Layout, Link, Value, breadcrumb, mark, page_with, scrolling, several};
use maud::{Markup, html};

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
    /// The list that it belongs to.
    pub list: Link,
    /// Its address: `/kind/slug`.
    pub url: String,
    /// Its kind for people.
    pub kind_label: String,
    /// Its identifier.
    pub iri: String,
    /// `Sourced`, `Unverified`, `Illustrative`, or empty.
    pub status: String,
    /// Why it can no longer be used, if it was withdrawn.
    pub withdrawn: Option<String>,
    /// The revision of the past that is shown, if it is one.
    pub past: Option<u64>,
    /// What it says in one paragraph.
    pub lead: Vec<String>,
    /// Short facts at the top.
    pub facts_at_top: Vec<(String, Vec<Value>)>,
    /// The parts of the page.
    pub sections: Vec<Section>,
    /// Everything that is said of it.
    pub facts: Vec<Fact>,
    /// Where that was found.
    pub sources: Vec<Link>,
    /// Dates of the sources, with what sort of date it is.
    pub dates: Vec<String>,
    /// What links here.
    pub incoming: Vec<Incoming>,
    /// Address and media type of its data.
    pub formats: Vec<(String, String)>,
    /// How to cite it.
    pub citation: Citation,
    /// Where whoever reads it may change it.
    pub change: Option<String>,
    /// Where people say whether it fitted; of lessons.
    pub feedback: Option<Feedback>,
}

/// The form for feedback on a lesson.
#[derive(Debug, Clone, Default)]
pub struct Feedback {
    /// Where it is sent.
    pub action: String,
    /// What the form sends back; none if nobody is signed in.
    pub form_secret: Option<String>,
    /// Slug and name of roles of people.
    pub roles: Vec<(String, String)>,
    /// Whether feedback was just kept.
    pub kept: bool,
    /// Feedback that waits for a curator.
    pub waiting: Vec<Link>,
}

/// What a status means, in a sentence.
fn status_box(status: &str) -> Markup {
    html! {
        @match status {
            "Sourced" => div class="app-status app-status--sourced" {
                p { (mark(status)) " A public source says what stands here. It is named below, with its date." }
            },
            "Unverified" => div class="app-status app-status--unverified" {
                p { (mark(status)) " This comes from general knowledge or is inferred. Check it before you use it." }
            },
            "Illustrative" => div class="app-status app-status--illustrative" {
                p { (mark(status)) strong { " Illustrative record." } " Made up to show how evidence is linked; it is not about a real organisation." }
            },
            _ => {},
        }
    }
}

/// The page of a record.
#[must_use]
pub fn record(data: &RecordPage) -> String {
    let before = breadcrumb(&[Link::new("Home", "/"), data.list.clone()]);
    let content = html! {
        article class="app-record" {
            p class="nhsuk-caption-l app-record__kind" { (data.kind_label) }
            h1 class="nhsuk-heading-l" { (data.title) }
            @if let Some(revision) = data.past {
                div class="nhsuk-inset-text" {
                    p { "This is how the record stood at revision " (revision) ". " a href=(data.url) { "See it as it is now" } "." }
                }
            }
            @if let Some(reason) = &data.withdrawn {
                div class="nhsuk-warning-callout" {
                    h2 class="nhsuk-warning-callout__label" { "Withdrawn" }
                    p { "This record was withdrawn" @if !reason.is_empty() { ": " (reason) } ". Its address stays, so that links to it still explain themselves." }
                }
            }
            (status_box(&data.status))
            @for text in &data.lead { p class="nhsuk-body-l" { (text) } }
            div class="app-with-side" {
                div class="app-with-side__main" {
                    @if data.facts_at_top.iter().any(|(_, values)| !values.is_empty()) {
                        (super::blocks::summary(&data.facts_at_top))
                    }
                    @for section in &data.sections { (section.show()) }
                    @if let Some(form) = &data.feedback { (feedback(form)) }
                    (sources(data))
                    (incoming(data))
                    (everything(data))
                }
                aside class="app-with-side__side" aria-label="Use this record" {
                    (use_it(data))
                }
            }
        }
    };
    page_with(&data.layout, &before, &content)
}

fn feedback(form: &Feedback) -> Markup {
    html! {
        section class="app-section" aria-labelledby="feedback" {
            h2 class="nhsuk-heading-m" id="feedback" { "Did it fit?" }
            @if form.kept {
                div class="nhsuk-inset-text" role="status" { p { "Thank you. A curator reads it before anyone else sees it." } }
            }
            @if !form.waiting.is_empty() {
                p { "Feedback that waits for a curator:" }
                ul class="nhsuk-list nhsuk-list--bullet" { @for link in &form.waiting { li { (link.show()) } } }
            }
            @match &form.form_secret {
                None => p { a href="/sign-in" { "Sign in" } " to say that you used this lesson, or why it did not fit. It counts as evidence once a curator has published it." },
                Some(secret) => form method="post" action=(form.action) {
                    input type="hidden" name="form-secret" value=(secret);
                    div class="nhsuk-form-group" { fieldset class="nhsuk-fieldset" {
                        legend class="nhsuk-fieldset__legend" { "What came of it" }
                        div class="nhsuk-radios" {
                            @for (value, label) in [("used", "We used it"), ("did-not-fit", "It did not fit")] {
                                div class="nhsuk-radios__item" {
                                    input class="nhsuk-radios__input" type="radio" id={ "verdict-" (value) } name="verdict" value=(value) required;
                                    label class="nhsuk-label nhsuk-radios__label" for={ "verdict-" (value) } { (label) }
                                }
                            }
                        }
                    } }
                    div class="nhsuk-form-group" {
                        label class="nhsuk-label" for="feedback-comment" { "How, or why not" }
                        div class="nhsuk-hint" id="feedback-hint" { "Needed if it did not fit. Roles, not names; nothing about patients. A curator reads it before anyone else sees it." }
                        textarea class="nhsuk-textarea" id="feedback-comment" name="comment" rows="4" maxlength="2000" aria-describedby="feedback-hint" {}
                    }
                    @if !form.roles.is_empty() {
                        div class="nhsuk-form-group" {
                            label class="nhsuk-label" for="feedback-role" { "Your role (if you want to say)" }
                            select class="nhsuk-select" id="feedback-role" name="role" {
                                option value="" { "Not said" }
                                @for (slug, name) in &form.roles { option value=(slug) { (name) } }
                            }
                        }
                    }
                    button class="nhsuk-button nhsuk-button--secondary" type="submit" { "Send feedback" }
                },
            }
        }
    }
}

fn sources(data: &RecordPage) -> Markup {
    html! {
        @if !data.sources.is_empty() {
            section class="app-section" aria-labelledby="sources" {
                h2 class="nhsuk-heading-m" id="sources" { "Sources" }
                ul class="nhsuk-list nhsuk-list--bullet" { @for source in &data.sources { li { (source.show()) } } }
                @for date in &data.dates { p class="app-small" { (date) } }
            }
        }
    }
}

fn incoming(data: &RecordPage) -> Markup {
    html! {
        @if !data.incoming.is_empty() {
            section class="app-section" aria-labelledby="incoming" {
                h2 class="nhsuk-heading-m" id="incoming" { "What links here" }
                @for group in &data.incoming {
                    details class="nhsuk-details" open[group.total <= 5] {
                        summary class="nhsuk-details__summary" {
                            span class="nhsuk-details__summary-text" { (group.label) " (" (group.total) ")" }
                        }
                        div class="nhsuk-details__text" {
                            ul class="nhsuk-list nhsuk-list--bullet" { @for link in &group.links { li { (link.show()) } } }
                            @if group.total > group.links.len() {
                                p { "The first " (group.links.len()) " of " (group.total) " are shown; SPARQL gives all." }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn everything(data: &RecordPage) -> Markup {
    html! {
        section class="app-section" aria-labelledby="facts" {
            h2 class="nhsuk-heading-m" id="facts" { "Everything recorded" }
            details class="nhsuk-details" {
                summary class="nhsuk-details__summary" {
                    span class="nhsuk-details__summary-text" { "All properties and values, as the graph holds them" }
                }
                div class="nhsuk-details__text" {
                    (scrolling("Properties and values of this record", &html! {
                        table class="nhsuk-table" {
                            caption class="nhsuk-u-visually-hidden" { "Properties and values of this record" }
                            thead class="nhsuk-table__head" { tr { th scope="col" { "Property" } th scope="col" { "Value" } } }
                            tbody class="nhsuk-table__body" {
                                @for fact in &data.facts {
                                    tr {
                                        th scope="row" { (fact.label) }
                                        td { (several(&fact.values)) }
                                    }
                                }
                            }
                        }
                    }))
                }
            }
        }
    }
}

fn use_it(data: &RecordPage) -> Markup {
    html! {
        section aria-labelledby="use" {
            h2 class="nhsuk-heading-s" id="use" { "Link to it" }
            p class="app-small" { "Permanent address, which stays when pages move:" }
            p class="app-permanent" { code id="permanent" { (data.iri) } }
            p { button class="nhsuk-button nhsuk-button--secondary nhsuk-button--small" type="button" data-copy="permanent" hidden { "Copy the address" } }
        }
        section aria-labelledby="cite" {
            h2 class="nhsuk-heading-s" id="cite" { "Cite it" }
            p class="app-cite" id="citation" { (data.citation.plain()) }
            p { button class="nhsuk-button nhsuk-button--secondary nhsuk-button--small" type="button" data-copy="citation" hidden { "Copy the citation" } }
            ul class="app-inline" {
                li { a href={ (data.url) ".bib" } { "BibTeX" } }
                li { a href={ (data.url) ".ris" } { "RIS" } }
                li { a href={ (data.url) ".csl.json" } { "CSL-JSON" } }
            }
        }
        section aria-labelledby="data" {
            h2 class="nhsuk-heading-s" id="data" { "Take its data" }
            ul class="app-inline" {
                @for (url, name) in &data.formats { li { a href=(url) { (name) } } }
            }
        }
        section aria-labelledby="more" {
            h2 class="nhsuk-heading-s" id="more" { "See more" }
            ul class="nhsuk-list" {
                li { a href={ (data.url) "/graph" } { "What is around it" } }
                li { a href={ (data.url) "/history" } { "History of changes" } }
                @if let Some(change) = &data.change { li { a href=(change) { "Change this record" } } }
            }
        }
    }
}
