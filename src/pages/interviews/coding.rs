//! The page on which the passages of an interview are coded.

use crate::pages::interviews::parts::{
    Choosable, Fault, error_message, error_summary, fault_of, secret,
};
use crate::pages::layout::{Layout, Link, Value, breadcrumb, page_with};
use maud::{Markup, html};

/// A passage with what is said of it.
#[derive(Debug, Clone, Default)]
pub struct CodedPassage {
    /// Its number.
    pub number: u32,
    /// Its words.
    pub text: String,
    /// Whether it is a question, which is not coded.
    pub question: bool,
    /// Themes of the code book.
    pub themes: Vec<Choosable>,
    /// Dimensions.
    pub dimensions: Vec<Choosable>,
    /// Lessons that it supports.
    pub supports: Vec<Choosable>,
    /// Lessons that it contradicts.
    pub disputes: Vec<Choosable>,
    /// What the codes were when the page was made.
    pub was: String,
    /// What was typed to find a lesson, where none was found.
    pub typed: [String; 2],
}

impl CodedPassage {
    fn is_coded(&self) -> bool {
        [&self.themes, &self.dimensions, &self.supports, &self.disputes]
            .iter()
            .any(|codes| codes.iter().any(|code| code.chosen))
    }
}

/// How a draft is handed on.
#[derive(Debug, Clone, Default)]
pub struct Handover {
    /// Where it is sent.
    pub action: String,
    /// What may be done: action, what people read.
    pub actions: Vec<(String, String)>,
    /// Why something may not be done.
    pub note: String,
}

/// The page.
#[derive(Debug, Clone, Default)]
pub struct CodingPage {
    /// What is around it.
    pub layout: Layout,
    /// What stands above it.
    pub heading: String,
    /// Where a passage is sent.
    pub action: String,
    /// What is wrong with what was sent.
    pub faults: Vec<Fault>,
    /// What is known of the interview.
    pub about: Vec<(String, Vec<Value>)>,
    /// What it changes of what is published.
    pub compared: String,
    /// Where its text is edited.
    pub edit: String,
    /// Its passages.
    pub passages: Vec<CodedPassage>,
    /// All lessons, for the boxes in which one is looked for.
    pub lessons: Vec<String>,
    /// The passage that was just saved.
    pub saved: Option<u32>,
    /// What a coder should know, such as codes carried over.
    pub notice: String,
    /// How it is handed on.
    pub handover: Option<Handover>,
}

/// The page on which passages are coded.
#[must_use]
pub fn coding(data: &CodingPage) -> String {
    let answers: Vec<&CodedPassage> = data.passages.iter().filter(|p| !p.question).collect();
    let coded = answers.iter().filter(|passage| passage.is_coded()).count();
    let next = answers.iter().find(|passage| !passage.is_coded());
    let content = html! {
        (error_summary(&data.faults))
        h1 class="nhsuk-heading-l" { (data.heading) }
        (super::super::blocks::summary(&data.about))
        @if !data.compared.is_empty() { p { (data.compared) } }
        @if !data.notice.is_empty() { div class="nhsuk-inset-text" { p { (data.notice) } } }
        p { a href=(data.edit) { "Change the interview or its text" } " · " a href="/capture/codes" { "Code book" } }
        p class="app-progress" id="progress" {
            (coded) " of " (answers.len()) " passages are coded. "
            @if let Some(next) = next { a href={ "#p" (next.number) } { "Go to the first that is not" } }
        }
        datalist id="lessons" { @for lesson in &data.lessons { option value=(lesson) {} } }
        ol class="app-passages" {
            @for passage in &data.passages { (show(data, passage)) }
        }
        @if let Some(handover) = &data.handover { (hand_over(data, handover)) }
    };
    let back = [Link::new("Home", "/"), Link::new("Contribute", "/capture")];
    page_with(&data.layout, &breadcrumb(&back), &content)
}

fn show(data: &CodingPage, passage: &CodedPassage) -> Markup {
    let id = format!("p{}", passage.number);
    html! {
        li class=(if passage.question { "app-passage app-passage--question" } else { "app-passage" }) id=(id) tabindex="-1" {
            @if passage.question {
                p class="app-passage__text" { (passage.text) }
            } @else {
                h2 class="nhsuk-heading-s app-passage__number" {
                    "Passage " (passage.number) " "
                    @if passage.is_coded() { strong class="nhsuk-tag nhsuk-tag--green" { "Coded" } }
                    @else { strong class="nhsuk-tag nhsuk-tag--grey" { "Not coded" } }
                }
                @if data.saved == Some(passage.number) { p class="app-saved" role="status" { "Saved." } }
                blockquote class="app-passage__text" { p { (passage.text) } }
                form method="post" action={ (data.action) "#" (id) } class="app-passage__codes" {
                    (secret(&data.layout))
                    input type="hidden" name="passage" value=(passage.number);
                    input type="hidden" name="was" value=(passage.was);
                    (boxes(&id, "theme", "Themes", &passage.themes))
                    (boxes(&id, "dimension", "Dimensions", &passage.dimensions))
                    (lessons(data, passage, ("supports", "Lessons it supports", "Add a lesson it supports"), 0))
                    (lessons(data, passage, ("disputes", "Lessons it contradicts", "Add a lesson it contradicts"), 1))
                    button class="nhsuk-button nhsuk-button--small" type="submit" {
                        "Save" span class="nhsuk-u-visually-hidden" { " passage " (passage.number) }
                    }
                }
            }
        }
    }
}

/// Codes that can be ticked.
fn boxes(id: &str, name: &str, legend: &str, codes: &[Choosable]) -> Markup {
    html! {
        fieldset class="nhsuk-fieldset app-codes" {
            legend class="nhsuk-fieldset__legend nhsuk-fieldset__legend--s" { (legend) }
            div class="app-codes__list" {
                @for (index, code) in codes.iter().enumerate() {
                    div class="app-code-box" {
                        input type="checkbox" id={ (id) "-" (name) "-" (index) } name=(name) value=(code.value) checked[code.chosen];
                        label for={ (id) "-" (name) "-" (index) } title=[(!code.help.is_empty()).then_some(&code.help)] { (code.text) }
                    }
                }
            }
        }
    }
}

/// Lessons that are linked, and a box to add one.
fn lessons(
    data: &CodingPage,
    passage: &CodedPassage,
    (name, legend, add): (&str, &str, &str),
    place: usize,
) -> Markup {
    let linked = if place == 0 { &passage.supports } else { &passage.disputes };
    let id = format!("p{}-{name}", passage.number);
    let wrong = fault_of(&data.faults, &id);
    html! {
        div class=(if wrong.is_some() { "app-lessons nhsuk-form-group--error" } else { "app-lessons" }) {
            @if !linked.is_empty() { (boxes(&format!("p{}", passage.number), name, legend, linked)) }
            label class="nhsuk-label" for=(id) { (add) }
            (error_message(&id, wrong))
            input class="nhsuk-input" id=(id) name={ "add-" (name) } list="lessons" value=(passage.typed[place]) autocomplete="off"
                placeholder="Begin to type its title" aria-describedby=[wrong.is_some().then(|| format!("{id}-error"))];
        }
    }
}

fn hand_over(data: &CodingPage, handover: &Handover) -> Markup {
    html! {
        section class="app-section" aria-labelledby="hand-over" {
            h2 class="nhsuk-heading-m" id="hand-over" { "Hand it on" }
            @if !handover.note.is_empty() { p { (handover.note) } }
            @if !handover.actions.is_empty() {
                form method="post" action=(handover.action) {
                    (secret(&data.layout))
                    div class="nhsuk-form-group" {
                        label class="nhsuk-label" for="comment" { "Comment" }
                        textarea class="nhsuk-textarea" id="comment" name="comment" rows="3" {}
                    }
                    div class="app-buttons" {
                        @for (index, (action, text)) in handover.actions.iter().enumerate() {
                            button class=(if index == 0 { "nhsuk-button" } else { "nhsuk-button nhsuk-button--secondary" }) type="submit"
                                name="do" value=(action) { (text) }
                        }
                    }
                }
            }
        }
    }
}
