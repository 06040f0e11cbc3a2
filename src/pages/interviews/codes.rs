//! The code book: the themes that passages are coded with.

use crate::pages::interviews::parts::{
    Choosable, Fault, described, error_message, error_summary, fault_of, group, secret,
};
use crate::pages::layout::{Layout, Link, breadcrumb, page_with};
use maud::{Markup, html};

/// A code.
#[derive(Debug, Clone, Default)]
pub struct Code {
    /// The page of the theme.
    pub link: Link,
    /// What it means.
    pub definition: String,
    /// How deep it stands under wider ones.
    pub depth: usize,
    /// Passages and other evidence that have it, as far as the reader may see
    /// them.
    pub evidence: usize,
    /// Where it is changed, for those who may.
    pub edit: Option<String>,
}

/// The fields of a code.
#[derive(Debug, Clone, Default)]
pub struct CodeForm {
    /// Where it is sent.
    pub action: String,
    /// What it is called.
    pub label: String,
    /// What it means.
    pub definition: String,
    /// Codes that it may stand under.
    pub broader: Vec<Choosable>,
    /// The text of the button.
    pub button: String,
}

/// The page of the code book.
#[derive(Debug, Clone, Default)]
pub struct CodesPage {
    /// What is around it.
    pub layout: Layout,
    /// What stands above it.
    pub heading: String,
    /// What is wrong with what was sent.
    pub faults: Vec<Fault>,
    /// The codes, each after the one it stands under.
    pub codes: Vec<Code>,
    /// The form, for those who may change the book.
    pub form: Option<CodeForm>,
}

/// The code book.
#[must_use]
pub fn codes(data: &CodesPage) -> String {
    let content = html! {
        (error_summary(&data.faults))
        h1 class="nhsuk-heading-l" { (data.heading) }
        p class="nhsuk-body-l" { "Themes that passages of interviews are coded with. They are the same themes that lessons and case studies have, so that all can be compared." }
        ul class="app-code-book" {
            @for code in &data.codes {
                li class={ "app-code-book__code app-code-book__code--" (code.depth.min(3)) } {
                    h2 class="nhsuk-heading-s" { (code.link.show()) }
                    @if !code.definition.is_empty() { p { (code.definition) } }
                    p class="app-meta" {
                        @if code.evidence == 1 { "1 piece of evidence" } @else { (code.evidence) " pieces of evidence" }
                        @if let Some(edit) = &code.edit {
                            " · " a href=(edit) { "Change" span class="nhsuk-u-visually-hidden" { " " (code.link.text) } }
                        }
                    }
                }
            }
        }
        @if let Some(form) = &data.form {
            section class="app-section" aria-labelledby="add" {
                h2 class="nhsuk-heading-m" id="add" { "Add a code" }
                (fields(&data.layout, form, &data.faults))
            }
        }
    };
    let back = [Link::new("Home", "/"), Link::new("Contribute", "/capture")];
    page_with(&data.layout, &breadcrumb(&back), &content)
}

/// The page on which one code is changed.
#[must_use]
pub fn code_page(data: &CodesPage) -> String {
    let content = html! {
        (error_summary(&data.faults))
        h1 class="nhsuk-heading-l" { (data.heading) }
        p { "Its address and the passages that have it stay. What it meant before stays in its history." }
        @if let Some(form) = &data.form { (fields(&data.layout, form, &data.faults)) }
    };
    let back = [Link::new("Home", "/"), Link::new("Code book", "/capture/codes")];
    page_with(&data.layout, &breadcrumb(&back), &content)
}

fn fields(layout: &Layout, form: &CodeForm, faults: &[Fault]) -> Markup {
    let wrong = |field: &str| fault_of(faults, field);
    html! {
        form method="post" action=(form.action) novalidate {
            (secret(layout))
            div class=(group(wrong("label").is_some())) {
                label class="nhsuk-label nhsuk-label--s" for="label" { "Label" }
                (error_message("label", wrong("label")))
                input class="nhsuk-input nhsuk-input--width-30" id="label" name="label" value=(form.label) autocomplete="off"
                    aria-describedby=[described("label", false, wrong("label").is_some())];
            }
            div class=(group(wrong("definition").is_some())) {
                label class="nhsuk-label nhsuk-label--s" for="definition" { "What it means" }
                div class="nhsuk-hint" id="definition-hint" { "So that two coders would give it to the same passages" }
                (error_message("definition", wrong("definition")))
                textarea class="nhsuk-textarea" id="definition" name="definition" rows="3"
                    aria-describedby=[described("definition", true, wrong("definition").is_some())] { "\n" (form.definition) }
            }
            div class=(group(wrong("broader").is_some())) {
                label class="nhsuk-label nhsuk-label--s" for="broader" { "Wider code, if there is one" }
                (error_message("broader", wrong("broader")))
                select class="nhsuk-select app-wide" id="broader" name="broader" aria-describedby=[described("broader", false, wrong("broader").is_some())] {
                    option value="" { "None" }
                    @for code in &form.broader { option value=(code.value) selected[code.chosen] { (code.text) } }
                }
            }
            button class="nhsuk-button" type="submit" { (form.button) }
        }
    }
}
