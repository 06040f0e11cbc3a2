//! The form on which an interview is written down.

use crate::pages::interviews::parts::{
    Choosable, Fault, date_boxes, described, error_message, error_summary, fault_of, group, radios,
    secret,
};
use crate::pages::layout::{Layout, Link, breadcrumb, page_with};
use maud::html;

/// The form as it is shown.
#[derive(Debug, Clone, Default)]
pub struct InterviewForm {
    /// What is around it.
    pub layout: Layout,
    /// What stands above it.
    pub heading: String,
    /// Where it is sent.
    pub action: String,
    /// What is wrong with what was sent.
    pub faults: Vec<Fault>,
    /// Sites.
    pub sites: Vec<Choosable>,
    /// Roles of people.
    pub roles: Vec<Choosable>,
    /// Who may see it.
    pub audiences: Vec<Choosable>,
    /// When: day, month, year.
    pub date: [String; 3],
    /// Whether the person agreed.
    pub consent: bool,
    /// To what.
    pub consent_for: String,
    /// When.
    pub consent_date: [String; 3],
    /// What was said.
    pub notes: String,
    /// What the form was read from.
    pub basis: String,
    /// Whether it is an interview that is there already.
    pub edits: bool,
    /// Where its passages are coded, if there are any.
    pub coding: Option<Link>,
}

/// The page with the form.
#[must_use]
pub fn interview_form(data: &InterviewForm) -> String {
    let wrong = |field: &str| fault_of(&data.faults, field);
    let content = html! {
        (error_summary(&data.faults))
        h1 class="nhsuk-heading-l" { (data.heading) }
        p class="nhsuk-body-l" { "What somebody in a role at a site told you, kept as passages that can be coded and linked to lessons." }
        div class="nhsuk-inset-text" {
            p { "People appear here as roles, never by name. Before anything is saved, the text is looked through for names, telephone numbers, NHS numbers and the like, and you decide on each." }
        }
        @if let Some(coding) = &data.coding { p { (coding.show()) } }
        form method="post" action=(data.action) enctype="multipart/form-data" novalidate {
            (secret(&data.layout))
            input type="hidden" name="basis" value=(data.basis);
            (radios(("role", "Who was interviewed?", "The role of the person at the time."), &data.roles, wrong("role")))
            div class=(group(wrong("site").is_some())) {
                label class="nhsuk-label nhsuk-label--s" for="site" { "At which site?" }
                (error_message("site", wrong("site")))
                select class="nhsuk-select app-wide" id="site" name="site" aria-describedby=[described("site", false, wrong("site").is_some())] {
                    @if data.sites.len() != 1 { option value="" { "Choose a site" } }
                    @for site in &data.sites { option value=(site.value) selected[site.chosen] { (site.text) } }
                }
            }
            (date_boxes(("date", "When was the interview?", "For example, 3 2 2026"), &data.date, wrong("date")))
            fieldset class="nhsuk-fieldset app-together" {
                legend class="nhsuk-fieldset__legend nhsuk-fieldset__legend--m" { "Consent" }
                div class=(group(wrong("consent").is_some())) {
                    (error_message("consent", wrong("consent")))
                    div class="nhsuk-checkboxes" {
                        div class="nhsuk-checkboxes__item" {
                            input class="nhsuk-checkboxes__input" type="checkbox" id="consent" name="consent" value="yes" checked[data.consent]
                                aria-describedby=[described("consent", false, wrong("consent").is_some())];
                            label class="nhsuk-label nhsuk-checkboxes__label" for="consent" { "The person agreed to what is kept here" }
                        }
                    }
                }
                div class=(group(wrong("consent-for").is_some())) {
                    label class="nhsuk-label nhsuk-label--s" for="consent-for" { "What did they agree to?" }
                    div class="nhsuk-hint" id="consent-for-hint" { "For example, to be quoted by role in the learning report" }
                    (error_message("consent-for", wrong("consent-for")))
                    input class="nhsuk-input" id="consent-for" name="consent-for" value=(data.consent_for) autocomplete="off"
                        aria-describedby=[described("consent-for", true, wrong("consent-for").is_some())];
                }
                (date_boxes(("consent-date", "When did they agree?", "For example, 1 2 2026"), &data.consent_date, wrong("consent-date")))
            }
            (radios(("audience", "Who may see it once it is published?", "A draft is seen by curators and by the contributors of its site alone."), &data.audiences, wrong("audience")))
            div class=(group(wrong("notes").is_some())) {
                label class="nhsuk-label nhsuk-label--s" for="notes" { "Notes or transcript" }
                div class="nhsuk-hint" id="notes-hint" {
                    "Each paragraph, each turn of a speaker (“Interviewer:”, “Q:”) and each point of a list becomes a passage."
                    @if data.edits { " Passages that you do not change keep their address and their codes." }
                }
                (error_message("notes", wrong("notes")))
                textarea class={ "nhsuk-textarea" @if wrong("notes").is_some() { " nhsuk-textarea--error" } } id="notes" name="notes" rows="16"
                    aria-describedby=[described("notes", true, wrong("notes").is_some())] { "\n" (data.notes) }
            }
            div class=(group(wrong("file").is_some())) {
                label class="nhsuk-label nhsuk-label--s" for="file" { @if data.edits { "Or a file that takes the place of the text" } @else { "Or a file" } }
                div class="nhsuk-hint" id="file-hint" { "Word (.docx), plain text (.txt) or Markdown (.md), up to 8 MB. Comments, headers and deleted text in a Word file are not read." }
                (error_message("file", wrong("file")))
                input class="app-file" type="file" id="file" name="file" accept=".txt,.md,.docx"
                    aria-describedby=[described("file", true, wrong("file").is_some())];
            }
            button class="nhsuk-button" type="submit" { "Check and save" }
        }
    };
    let back = [Link::new("Home", "/"), Link::new("Contribute", "/capture")];
    page_with(&data.layout, &breadcrumb(&back), &content)
}
