//! What looks like personal data in an interview, each to be decided on before
//! anything is saved.

use crate::pages::interviews::parts::{
    Fault, error_message, error_summary, fault_of, group, secret,
};
use crate::pages::layout::{Layout, Link, breadcrumb, page_with};
use maud::html;

/// Words that look like personal data.
#[derive(Debug, Clone, Default)]
pub struct FindShown {
    /// What they look like, for programs.
    pub kind: &'static str,
    /// What they look like.
    pub sort: String,
    /// The words.
    pub text: String,
    /// Where they stand: before, the words, after.
    pub places: Vec<(String, String, String)>,
    /// The word that may take their place.
    pub word: String,
    /// Why they are no personal data, if that was said.
    pub why: String,
    /// Whether they are to be kept.
    pub keep: bool,
}

/// The page that asks.
#[derive(Debug, Clone, Default)]
pub struct FindsPage {
    /// What is around it.
    pub layout: Layout,
    /// Where it is sent.
    pub action: String,
    /// What is wrong with what was sent.
    pub faults: Vec<Fault>,
    /// What was found.
    pub finds: Vec<FindShown>,
    /// What else is sent: the fields of the form before.
    pub hidden: Vec<(String, String)>,
}

/// The page that asks about each find.
#[must_use]
pub fn finds(data: &FindsPage) -> String {
    let count = data.finds.len();
    let content = html! {
        (error_summary(&data.faults))
        h1 class="nhsuk-heading-l" { "Check for personal data" }
        p class="nhsuk-body-l" {
            "Nothing is saved yet. "
            @if count == 1 { "One thing looks as if it could tell who somebody is. Decide on it." }
            @else { (count) " things look as if they could tell who somebody is. Decide on each; if there are more, they are asked about after these." }
        }
        form method="post" action=(data.action) enctype="multipart/form-data" novalidate {
            (secret(&data.layout))
            @for (name, value) in &data.hidden {
                @if name == "notes" {
                    // A line break at the beginning of a text area is not part of it.
                    textarea name=(name) hidden aria-hidden="true" title="What was said" { "\n" (value) }
                } @else { input type="hidden" name=(name) value=(value); }
            }
            @for (index, find) in data.finds.iter().enumerate() {
                @let id = format!("find-{index}");
                @let wrong = fault_of(&data.faults, &id);
                div class={ "app-find " (group(wrong.is_some())) } {
                    fieldset class="nhsuk-fieldset" aria-describedby={ (id) "-places" @if wrong.is_some() { " " (id) "-error" } } {
                        legend class="nhsuk-fieldset__legend nhsuk-fieldset__legend--s" {
                            (find.sort) ": " span class="app-break" { (find.text) }
                        }
                        ul class="nhsuk-list app-find__places" id={ (id) "-places" } {
                            @for (before, words, after) in find.places.iter().take(5) {
                                li { (before) mark { (words) } (after) }
                            }
                            @if find.places.len() > 5 { li { "and elsewhere" } }
                        }
                        (error_message(&id, wrong))
                        input type="hidden" name={ (id) "-text" } value=(find.text);
                        div class="nhsuk-radios" {
                            div class="nhsuk-radios__item" {
                                input class="nhsuk-radios__input" type="radio" id=(id) name={ (id) "-do" } value="replace" checked[!find.keep];
                                label class="nhsuk-label nhsuk-radios__label" for=(id) { "Replace it" @if find.places.len() > 1 { " everywhere" } }
                            }
                            div class="app-find__more" {
                                label class="nhsuk-label" for={ (id) "-with" } { "with" }
                                input class="nhsuk-input nhsuk-input--width-10" id={ (id) "-with" } name={ (id) "-with" } value=(find.word) autocomplete="off";
                            }
                            div class="nhsuk-radios__item" {
                                input class="nhsuk-radios__input" type="radio" id={ (id) "-keep" } name={ (id) "-do" } value="keep" checked[find.keep];
                                label class="nhsuk-label nhsuk-radios__label" for={ (id) "-keep" } { "Keep it: it is no personal data" }
                            }
                            div class="app-find__more" {
                                label class="nhsuk-label" for={ (id) "-why" } { "because" }
                                input class="nhsuk-input" id={ (id) "-why" } name={ (id) "-why" } value=(find.why) autocomplete="off";
                            }
                        }
                    }
                }
            }
            p class="nhsuk-hint" { "Not everything can be found this way. Names without a title, rare roles and stories that only one person can tell identify people as well: read the text once more." }
            div class="app-buttons" {
                button class="nhsuk-button" type="submit" name="step" value="save" { "Save with these decisions" }
                button class="nhsuk-button nhsuk-button--secondary" type="submit" name="step" value="edit" { "Back to the text" }
            }
        }
    };
    let back = [Link::new("Home", "/"), Link::new("Contribute", "/capture")];
    page_with(&data.layout, &breadcrumb(&back), &content)
}
