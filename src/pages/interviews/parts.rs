//! What the forms of this folder share: faults, choices, the secret of the
//! session.

use crate::pages::layout::Layout;
use maud::{Markup, html};

/// Something wrong with what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The id of the field.
    pub field: String,
    /// What is wrong and what to do, as a sentence.
    pub message: String,
}

/// Something that can be chosen.
#[derive(Debug, Clone, Default)]
pub struct Choosable {
    /// What is sent.
    pub value: String,
    /// What people read.
    pub text: String,
    /// What it means.
    pub help: String,
    /// Whether it is chosen.
    pub chosen: bool,
}

/// The message at a field, if it has one.
pub(super) fn fault_of<'a>(faults: &'a [Fault], field: &str) -> Option<&'a str> {
    faults.iter().find(|fault| fault.field == field).map(|fault| fault.message.as_str())
}

/// What is wrong, above the form, each leading to its field.
pub(super) fn error_summary(faults: &[Fault]) -> Markup {
    html! {
        @if !faults.is_empty() {
            div class="nhsuk-error-summary" role="alert" aria-labelledby="error-summary" tabindex="-1" data-focus {
                h2 class="nhsuk-error-summary__title" id="error-summary" { "There is a problem" }
                ul class="nhsuk-list nhsuk-error-summary__list" {
                    @for fault in faults { li { a href={ "#" (fault.field) } { (fault.message) } } }
                }
            }
        }
    }
}

/// The message at a field.
pub(super) fn error_message(id: &str, message: Option<&str>) -> Markup {
    html! {
        @if let Some(message) = message {
            p class="nhsuk-error-message" id={ (id) "-error" } {
                span class="nhsuk-u-visually-hidden" { "Error: " } (message)
            }
        }
    }
}

/// The class of a group with a field.
pub(super) fn group(wrong: bool) -> &'static str {
    if wrong { "nhsuk-form-group nhsuk-form-group--error" } else { "nhsuk-form-group" }
}

/// What a field is described by: its hint, its message.
pub(super) fn described(id: &str, hint: bool, wrong: bool) -> Option<String> {
    let parts: Vec<String> = [(hint, "hint"), (wrong, "error")]
        .into_iter()
        .filter(|(there, _)| *there)
        .map(|(_, name)| format!("{id}-{name}"))
        .collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// Choices of which one is taken.
pub(super) fn radios(
    (name, legend, hint): (&str, &str, &str),
    choices: &[Choosable],
    wrong: Option<&str>,
) -> Markup {
    html! {
        div class=(group(wrong.is_some())) {
            fieldset class="nhsuk-fieldset" aria-describedby=[described(name, !hint.is_empty(), wrong.is_some())] {
                legend class="nhsuk-fieldset__legend nhsuk-fieldset__legend--s" { (legend) }
                @if !hint.is_empty() { div class="nhsuk-hint" id={ (name) "-hint" } { (hint) } }
                (error_message(name, wrong))
                div class="nhsuk-radios" {
                    @for (index, choice) in choices.iter().enumerate() {
                        // The first has the name alone: a message leads to it.
                        @let id = if index == 0 { name.to_owned() } else { format!("{name}-{index}") };
                        div class="nhsuk-radios__item" {
                            input class="nhsuk-radios__input" type="radio" id=(id) name=(name) value=(choice.value) checked[choice.chosen]
                                aria-describedby=[(!choice.help.is_empty()).then(|| format!("{id}-help"))];
                            label class="nhsuk-label nhsuk-radios__label" for=(id) { (choice.text) }
                            @if !choice.help.is_empty() {
                                div class="nhsuk-hint nhsuk-radios__hint" id={ (id) "-help" } { (choice.help) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A date in three boxes.
pub(super) fn date_boxes(
    (name, legend, hint): (&str, &str, &str),
    date: &[String; 3],
    wrong: Option<&str>,
) -> Markup {
    html! {
        div class=(group(wrong.is_some())) {
            fieldset class="nhsuk-fieldset" role="group" aria-describedby=[described(name, true, wrong.is_some())] {
                legend class="nhsuk-fieldset__legend nhsuk-fieldset__legend--s" { (legend) }
                div class="nhsuk-hint" id={ (name) "-hint" } { (hint) }
                (error_message(name, wrong))
                div class="nhsuk-date-input app-date-boxes" {
                    @for (index, (part, label, width)) in [("day", "Day", "2"), ("month", "Month", "2"), ("year", "Year", "4")].into_iter().enumerate() {
                        @let id = if index == 0 { name.to_owned() } else { format!("{name}-{part}") };
                        div class="nhsuk-date-input__item" {
                            label class="nhsuk-label nhsuk-date-input__label" for=(id) { (label) }
                            input class={ "nhsuk-input nhsuk-date-input__input nhsuk-input--width-" (width) @if wrong.is_some() { " nhsuk-input--error" } }
                                id=(id) name={ (name) "-" (part) } value=(date[index]) inputmode="numeric" autocomplete="off";
                        }
                    }
                }
            }
        }
    }
}

/// What a form of a session sends back.
pub(super) fn secret(layout: &Layout) -> Markup {
    html! {
        @if let Some(somebody) = &layout.signed_in {
            input type="hidden" name="form-secret" value=(somebody.form_secret);
        }
    }
}
