//! Pages on which people write: forms with what is wrong in them, drafts with
//! their review, spreadsheets that were read. All work without script.

use crate::pages::blocks::summary;
use crate::pages::layout::{Layout, Link, Value, breadcrumb, day, page_with, scrolling};
use maud::{Markup, html};

/// A page with a form.
#[derive(Debug, Clone, Default)]
pub struct FormPage {
    /// What is around it.
    pub layout: Layout,
    /// The way back.
    pub above: Vec<Link>,
    /// Its heading.
    pub title: String,
    /// What to know before answering.
    pub lead: Vec<String>,
    /// Other ways to the same: links.
    pub ways: Vec<Link>,
    /// Something that happened, such as “Saved”.
    pub done: String,
    /// What is wrong: names of fields and what to do.
    pub errors: Vec<(String, String)>,
    /// Records that may be the same, and the question whether to go on.
    pub alike: Vec<Link>,
    /// Where the form goes.
    pub action: String,
    /// What goes with it.
    pub hidden: Vec<(String, String)>,
    /// Questions that belong together.
    pub groups: Vec<FormGroup>,
    /// Names, values and texts of its buttons; the first is the main one.
    pub buttons: Vec<(&'static str, String, String)>,
    /// The field whose text similar records are looked for by.
    pub looks_alike: &'static str,
}

/// Questions that belong together.
#[derive(Debug, Clone, Default)]
pub struct FormGroup {
    /// The fragment that leads here.
    pub id: String,
    /// Its heading.
    pub heading: String,
    /// What to know before answering.
    pub lead: String,
    /// Its questions.
    pub fields: Vec<FormField>,
    /// The same questions about several things: headings and questions.
    pub parts: Vec<(String, Vec<FormField>)>,
    /// What one more of them is called, and the value of its button.
    pub more: Option<(String, String)>,
}

/// One question.
#[derive(Debug, Clone, Default)]
pub struct FormField {
    /// Its name in the form; also the fragment that leads to it.
    pub name: String,
    /// The question.
    pub label: String,
    /// What helps to answer it.
    pub hint: String,
    /// What is wrong with the answer.
    pub error: String,
    /// Whether it may stay empty.
    pub optional: bool,
    /// How it is answered.
    pub control: FormControl,
    /// The answers.
    pub values: Vec<String>,
    /// The value of the button that adds one more answer.
    pub more: Option<String>,
    /// The question and the answers that lead to this one, and how that is told.
    pub only_if: Option<(String, String, String)>,
    /// What stands after a number.
    pub unit: String,
}

/// How a question is answered.
#[derive(Debug, Clone, Default)]
pub enum FormControl {
    /// A line.
    #[default]
    Line,
    /// A short line, for numbers and dates.
    Short,
    /// A secret or number in a line, with a keyboard for digits.
    Number,
    /// Several lines.
    Text,
    /// One of these: value, text, explanation.
    One(Vec<(String, String, String)>),
    /// Any of these.
    Any(Vec<(String, String, String)>),
    /// The name of a record; these are offered.
    Record(Vec<String>),
}

fn id_of(name: &str, place: usize) -> String {
    if place == 0 { name.to_owned() } else { format!("{name}-{}", place + 1) }
}

impl FormField {
    fn show(&self) -> Markup {
        let wrong = !self.error.is_empty();
        let hint = format!("{}-hint", self.name);
        let error = format!("{}-error", self.name);
        let has_hint = !self.hint.is_empty() || self.only_if.is_some();
        let described: Vec<&str> = [(has_hint, hint.as_str()), (wrong, error.as_str())]
            .into_iter()
            .filter_map(|(there, id)| there.then_some(id))
            .collect();
        let described = (!described.is_empty()).then(|| described.join(" "));
        let class =
            if wrong { "nhsuk-form-group nhsuk-form-group--error" } else { "nhsuk-form-group" };
        let (other, values) = match &self.only_if {
            Some((field, values, _)) => (Some(field), Some(values)),
            None => (None, None),
        };
        let label = html! { (self.label) @if self.optional { span class="app-optional" { " (optional)" } } };
        let help = html! {
            @if has_hint {
                div class="nhsuk-hint" id=(hint) {
                    @if let Some((_, _, text)) = &self.only_if { span class="app-only-if" { "Only " (text) ". " } }
                    (self.hint)
                }
            }
            @if wrong {
                span class="nhsuk-error-message" id=(error) { span class="nhsuk-u-visually-hidden" { "Error: " } (self.error) }
            }
        };
        let more = html! {
            @if let Some(more) = &self.more {
                button class="nhsuk-button nhsuk-button--secondary nhsuk-button--small app-more-button" type="submit" name="add" value=(more) formnovalidate {
                    "Add another" span class="nhsuk-u-visually-hidden" { ": " (self.label) }
                }
            }
        };
        html! {
            div class=(class) data-shown-by=[other] data-shown-when=[values] {
                @match &self.control {
                    FormControl::One(options) => (self.choices(options, "radio", "nhsuk-radios", &label, &help, described.as_deref())),
                    FormControl::Any(options) => (self.choices(options, "checkbox", "nhsuk-checkboxes", &label, &help, described.as_deref())),
                    control => {
                        @if self.more.is_some() {
                            fieldset class="nhsuk-fieldset" aria-describedby=[described.as_deref()] {
                                legend class="nhsuk-fieldset__legend nhsuk-fieldset__legend--s" { (label) }
                                (help)
                                @for (place, value) in self.values.iter().map(String::as_str).chain([""]).enumerate() {
                                    @let id = id_of(&self.name, place);
                                    label class="nhsuk-u-visually-hidden" for=(id) { (self.label) " " (place + 1) }
                                    (self.input(control, &id, value, None))
                                }
                                (more)
                            }
                        } @else {
                            label class="nhsuk-label nhsuk-label--s" for=(self.name) { (label) }
                            (help)
                            @let value = self.values.first().map_or("", String::as_str);
                            (self.input(control, &self.name, value, described.as_deref()))
                        }
                    }
                }
            }
        }
    }

    fn input(
        &self,
        control: &FormControl,
        id: &str,
        value: &str,
        described: Option<&str>,
    ) -> Markup {
        let wrong = !self.error.is_empty();
        let invalid = wrong.then_some("true");
        let class =
            |base: &str| format!("{base}{}", if wrong { " nhsuk-input--error" } else { "" });
        match control {
            FormControl::Text => html! {
                textarea class=(if wrong { "nhsuk-textarea nhsuk-textarea--error" } else { "nhsuk-textarea" }) id=(id) name=(self.name) rows="4" aria-describedby=[described] aria-invalid=[invalid] { (value) }
            },
            FormControl::Short => html! {
                input class=(class("nhsuk-input nhsuk-input--width-10")) type="text" id=(id) name=(self.name) value=(value) autocomplete="off" aria-describedby=[described] aria-invalid=[invalid];
            },
            FormControl::Number => html! {
                div class="app-with-unit" {
                    input class=(class("nhsuk-input nhsuk-input--width-10")) type="text" inputmode="decimal" id=(id) name=(self.name) value=(value) autocomplete="off" aria-describedby=[described] aria-invalid=[invalid];
                    @if !self.unit.is_empty() { span class="app-unit" { (self.unit) } }
                }
            },
            FormControl::Record(options) => {
                let list = format!("{}-list", self.name);
                html! {
                    input class=(class("nhsuk-input app-record-input")) type="text" id=(id) name=(self.name) value=(value) list=[(!options.is_empty()).then_some(&list)] autocomplete="off" aria-describedby=[described] aria-invalid=[invalid];
                    @if !options.is_empty() && id == self.name {
                        datalist id=(list) { @for option in options { option value=(option) {} } }
                    }
                }
            }
            _ => html! {
                input class=(class("nhsuk-input")) type="text" id=(id) name=(self.name) value=(value) autocomplete="off" aria-describedby=[described] aria-invalid=[invalid];
            },
        }
    }

    fn choices(
        &self,
        options: &[(String, String, String)],
        kind: &str,
        class: &str,
        label: &Markup,
        help: &Markup,
        described: Option<&str>,
    ) -> Markup {
        html! {
            fieldset class="nhsuk-fieldset" aria-describedby=[described] {
                legend class="nhsuk-fieldset__legend nhsuk-fieldset__legend--s" { (label) }
                (help)
                div class={ (class) " " (class) "--small" } {
                    @for (place, (value, text, meaning)) in options.iter().enumerate() {
                        @let id = id_of(&self.name, place);
                        div class={ (class) "__item" } {
                            input class={ (class) "__input" } type=(kind) id=(id) name=(self.name) value=(value) checked[self.values.contains(value)]
                                aria-describedby=[(!meaning.is_empty()).then(|| format!("{id}-meaning"))];
                            label class={ "nhsuk-label " (class) "__label" } for=(id) { (text) }
                            @if !meaning.is_empty() {
                                div class={ "nhsuk-hint " (class) "__hint" } id={ (id) "-meaning" } { (meaning) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What is wrong, with links to where (NHS error summary).
fn error_summary(errors: &[(String, String)]) -> Markup {
    html! {
        @if !errors.is_empty() {
            div class="nhsuk-error-summary" aria-labelledby="error-summary-title" role="alert" tabindex="-1" data-focus {
                h2 class="nhsuk-error-summary__title" id="error-summary-title" { "There is a problem" }
                div class="nhsuk-error-summary__body" {
                    ul class="nhsuk-list nhsuk-error-summary__list" {
                        @for (field, message) in errors {
                            li {
                                @if field.is_empty() { (message) }
                                @else if field.starts_with('/') { a href=(field) { (message) } }
                                @else { a href={ "#" (field) } { (message) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn notice(done: &str) -> Markup {
    html! {
        @if !done.is_empty() {
            div class="app-done" role="status" { p { (done) } }
        }
    }
}

fn secret(layout: &Layout) -> Markup {
    html! {
        @if let Some(somebody) = &layout.signed_in {
            input type="hidden" name="form-secret" value=(somebody.form_secret);
        }
    }
}

/// A page with a form.
#[must_use]
pub fn form(page: &FormPage) -> String {
    let main = html! {
        (error_summary(&page.errors))
        (notice(&page.done))
        h1 class="nhsuk-heading-l" { (page.title) }
        @for text in &page.lead { p { (text) } }
        @if !page.ways.is_empty() {
            ul class="app-inline" { @for way in &page.ways { li { (way.show()) } } }
        }
        form class="app-form" method="post" action=(page.action) novalidate data-asks-before-leaving {
            (secret(&page.layout))
            // The first button is what the Enter key presses.
            @if let Some((name, value, text)) = page.buttons.first() {
                button class="nhsuk-u-visually-hidden" type="submit" name=(name) value=(value) tabindex="-1" aria-hidden="true" { (text) }
            }
            @for (name, value) in &page.hidden { input type="hidden" name=(name) value=(value); }
            @if !page.alike.is_empty() {
                div class="nhsuk-warning-callout" id="alike" {
                    h2 class="nhsuk-warning-callout__label" { span class="nhsuk-u-visually-hidden" { "Important: " } "Is it here already?" }
                    p { "These look alike. If one of them is the same case, add to it instead of writing it twice." }
                    ul class="nhsuk-list nhsuk-list--bullet" { @for link in &page.alike { li { (link.show()) } } }
                    input type="hidden" name="confirm" value="different";
                    p { "If yours is a different case, save it once more." }
                }
            }
            @for group in &page.groups {
                section class="app-section" aria-labelledby=(group.id) {
                    h2 class="nhsuk-heading-m" id=(group.id) { (group.heading) }
                    @if !group.lead.is_empty() { p { (group.lead) } }
                    @for field in &group.fields {
                        (field.show())
                        @if !page.looks_alike.is_empty() && field.name == page.looks_alike {
                            div class="app-alike" data-alike=(field.name) role="status" {}
                        }
                    }
                    @for (heading, fields) in &group.parts {
                        fieldset class="nhsuk-fieldset app-part" {
                            legend class="nhsuk-fieldset__legend nhsuk-fieldset__legend--s" { (heading) }
                            @for field in fields { (field.show()) }
                        }
                    }
                    @if let Some((text, value)) = &group.more {
                        button class="nhsuk-button nhsuk-button--secondary nhsuk-button--small app-more-button" type="submit" name="add" value=(value) formnovalidate { (text) }
                    }
                }
            }
            div class="app-buttons" {
                @for (place, (name, value, text)) in page.buttons.iter().enumerate() {
                    button class=(if place == 0 { "nhsuk-button" } else { "nhsuk-button nhsuk-button--secondary" }) type="submit" name=(name) value=(value) { (text) }
                }
            }
        }
    };
    page_with(&page.layout, &breadcrumb(&page.above), &main)
}

/// A part of what a draft says.
#[derive(Debug, Clone, Default)]
pub struct DraftPart {
    /// Its heading.
    pub heading: String,
    /// Where it is changed.
    pub change: Option<String>,
    /// Names with values.
    pub rows: Vec<(String, Vec<Value>)>,
}

/// What one may do with a draft.
#[derive(Debug, Clone, Default)]
pub struct DraftAction {
    /// The value of its button.
    pub value: &'static str,
    /// The text of its button.
    pub text: &'static str,
    /// Whether it is the main one.
    pub main: bool,
}

/// A draft with its review.
#[derive(Debug, Clone, Default)]
pub struct DraftPage {
    /// What is around it.
    pub layout: Layout,
    /// Its title.
    pub title: String,
    /// Its kind.
    pub kind: String,
    /// How far it has come.
    pub state: String,
    /// Facts on it: whose, since when.
    pub facts: Vec<(String, Vec<Value>)>,
    /// Something that happened.
    pub done: String,
    /// What is to be done before it can be handed in: links and texts.
    pub to_do: Vec<(String, String)>,
    /// Whether it was to be handed in although something is to be done.
    pub refused: bool,
    /// What it says.
    pub groups: Vec<DraftPart>,
    /// What differs from what is published: name, before, after.
    pub differences: Option<Vec<(String, String, String)>>,
    /// What was said: time, who, text.
    pub comments: Vec<(String, String, String)>,
    /// Where the form goes.
    pub action: String,
    /// What may be done.
    pub actions: Vec<DraftAction>,
    /// Why nothing, or not all, may be done.
    pub remark: String,
}

/// A draft with its review.
#[must_use]
pub fn draft(page: &DraftPage) -> String {
    let above = [Link::new("Home", "/"), Link::new("Contribute", "/capture")];
    let main = html! {
        @if page.refused { (error_summary(&page.to_do)) }
        (notice(&page.done))
        span class="app-record__kind" { (page.kind) }
        h1 class="nhsuk-heading-l" { (page.title) }
        p { strong class=(if page.state == "In review" { "nhsuk-tag nhsuk-tag--blue" } else { "nhsuk-tag nhsuk-tag--grey" }) { (page.state) }
            " Not published: only its site's contributors and the curators see this." }
        (summary(&page.facts))
        @if !page.refused && !page.to_do.is_empty() {
            section class="app-todo" aria-labelledby="to-do" {
                h2 class="nhsuk-heading-s" id="to-do" { "Still to do before it can be handed in" }
                ul class="nhsuk-list nhsuk-list--bullet" {
                    @for (address, text) in &page.to_do {
                        li { @if address.is_empty() { (text) } @else { a href=(address) { (text) } } }
                    }
                }
            }
        }
        @if let Some(differences) = &page.differences {
            section class="app-section" aria-labelledby="differences" {
                h2 class="nhsuk-heading-m" id="differences" { "What changes against the published version" }
                @if differences.is_empty() { p { "Nothing." } }
                @else {
                    (scrolling("What changes", &html! {
                        table class="nhsuk-table app-diff" {
                            caption class="nhsuk-table__caption nhsuk-table__caption--s" { "What changes" }
                            thead class="nhsuk-table__head" { tr { th scope="col" { "Question" } th scope="col" { "Published" } th scope="col" { "This draft" } } }
                            tbody class="nhsuk-table__body" {
                                @for (name, before, after) in differences {
                                    tr {
                                        th scope="row" { (name) }
                                        td { @if before.is_empty() { "–" } @else { del { (before) } } }
                                        td { @if after.is_empty() { "–" } @else { ins { (after) } } }
                                    }
                                }
                            }
                        }
                    }))
                }
            }
        }
        @for (place, DraftPart { heading, change, rows }) in page.groups.iter().enumerate() {
            section class="app-section" aria-labelledby={ "part-" (place) } {
                h2 class="nhsuk-heading-m" id={ "part-" (place) } { (heading) }
                @if rows.iter().all(|(_, values)| values.is_empty()) { p { "Nothing yet." } }
                (summary(rows))
                @if let Some(change) = change {
                    p { a href=(change) { "Change" span class="nhsuk-u-visually-hidden" { " “" (heading) "”" } } }
                }
            }
        }
        section class="app-section" aria-labelledby="review" {
            h2 class="nhsuk-heading-m" id="review" { "Review" }
            @if page.comments.is_empty() { p { "Nothing has been said of it yet." } }
            @else {
                ol class="nhsuk-list app-comments" {
                    @for (time, author, text) in &page.comments {
                        li { p class="app-meta" { (author) ", " (day(time)) } p { (text) } }
                    }
                }
            }
            @if !page.remark.is_empty() { div class="nhsuk-inset-text" { p { (page.remark) } } }
            @if !page.actions.is_empty() {
                form method="post" action=(page.action) {
                    (secret(&page.layout))
                    div class="nhsuk-form-group" {
                        label class="nhsuk-label nhsuk-label--s" for="comment" { "Comment" span class="app-optional" { " (optional)" } }
                        textarea class="nhsuk-textarea" id="comment" name="comment" rows="3" {}
                    }
                    div class="app-buttons" {
                        @for action in &page.actions {
                            button class=(if action.main { "nhsuk-button" } else { "nhsuk-button nhsuk-button--secondary" }) type="submit" name="do" value=(action.value) { (action.text) }
                        }
                    }
                }
            }
        }
    };
    page_with(&page.layout, &breadcrumb(&above), &main)
}

/// A list of tasks, each with how far it has come.
#[derive(Debug, Clone, Default)]
pub struct TasksPage {
    /// What is around it.
    pub layout: Layout,
    /// The way back.
    pub above: Vec<Link>,
    /// Its heading.
    pub title: String,
    /// What to know.
    pub lead: Vec<String>,
    /// Something to know before reading on.
    pub note: String,
    /// Something that happened.
    pub done: String,
    /// Lists: heading, what it is when empty, and entries: link, state, facts.
    pub lists: Vec<TaskList>,
    /// Where a site is chosen: address, names to choose from.
    pub chooser: Option<(String, Vec<String>)>,
    /// Other ways: links.
    pub ways: Vec<Link>,
}

/// A list of tasks.
#[derive(Debug, Clone, Default)]
pub struct TaskList {
    /// Its heading.
    pub heading: String,
    /// What is said if it has no entry.
    pub empty: String,
    /// Link, state and facts of each.
    pub entries: Vec<(Link, String, String)>,
}

/// A list of tasks.
#[must_use]
pub fn tasks(page: &TasksPage) -> String {
    let tag = |state: &str| match state {
        "In review" | "Done" => "nhsuk-tag nhsuk-tag--blue",
        "Published" => "nhsuk-tag nhsuk-tag--green",
        "Not started" => "nhsuk-tag nhsuk-tag--white",
        _ => "nhsuk-tag nhsuk-tag--grey",
    };
    let main = html! {
        (notice(&page.done))
        h1 class="nhsuk-heading-l" { (page.title) }
        @for text in &page.lead { p { (text) } }
        @if !page.note.is_empty() { div class="nhsuk-inset-text" { p { (page.note) } } }
        @if let Some((action, names)) = &page.chooser {
            form class="app-form" action=(action) method="get" {
                div class="nhsuk-form-group" {
                    label class="nhsuk-label nhsuk-label--s" for="site" { "For which site?" }
                    div class="nhsuk-hint" id="site-hint" { "Its name. Contributors write for their own site only." }
                    input class="nhsuk-input app-record-input" type="text" id="site" name="site" list="site-list" autocomplete="off" aria-describedby="site-hint";
                    datalist id="site-list" { @for name in names { option value=(name) {} } }
                }
                button class="nhsuk-button" type="submit" { "Go on" }
            }
        }
        @for (place, list) in page.lists.iter().enumerate() {
            section class="app-section" aria-labelledby={ "list-" (place) } {
                h2 class="nhsuk-heading-m" id={ "list-" (place) } { (list.heading) }
                @if list.entries.is_empty() { p { (list.empty) } }
                @else {
                    ul class="app-tasks" {
                        @for (link, state, facts) in &list.entries {
                            li class="app-task" {
                                div class="app-task__name" {
                                    a href=(link.url) { (link.text) }
                                    @if !facts.is_empty() { p class="app-small" { (facts) } }
                                }
                                @if !state.is_empty() { strong class=(tag(state)) { (state) } }
                            }
                        }
                    }
                }
            }
        }
        @if !page.ways.is_empty() {
            section class="app-section" aria-labelledby="ways" {
                h2 class="nhsuk-heading-m" id="ways" { "Other ways" }
                ul class="nhsuk-list nhsuk-list--bullet" { @for way in &page.ways { li { (way.show()) } } }
            }
        }
    };
    page_with(&page.layout, &breadcrumb(&page.above), &main)
}

/// A spreadsheet that is to be sent, or was read.
#[derive(Debug, Clone, Default)]
pub struct ImportPage {
    /// What is around it.
    pub layout: Layout,
    /// The way back.
    pub above: Vec<Link>,
    /// Its heading.
    pub title: String,
    /// Where the form goes.
    pub action: String,
    /// The template.
    pub template: String,
    /// What is wrong with the file as a whole.
    pub wrong: String,
    /// What was read, if a file was.
    pub read: Option<ImportRead>,
}

/// What was read of a spreadsheet.
#[derive(Debug, Clone, Default)]
pub struct ImportRead {
    /// Rows that were read.
    pub rows: usize,
    /// What each good row makes: place in the sheet and title.
    pub good: Vec<(String, String)>,
    /// What is refused: cell, question, reason.
    pub refused: Vec<(String, String, String)>,
    /// Records that names were taken for: cell, name, record.
    pub matched: Vec<(String, String, Link)>,
    /// What is sent back to save it; empty if it cannot be saved.
    pub rows_json: String,
}

/// A spreadsheet that is to be sent, or was read.
#[must_use]
pub fn import(page: &ImportPage) -> String {
    let table = |caption: &str, columns: &[&str], rows: &[Vec<Markup>]| {
        scrolling(
            caption,
            &html! {
                table class="nhsuk-table" {
                    caption class="nhsuk-table__caption nhsuk-table__caption--s" { (caption) }
                    thead class="nhsuk-table__head" { tr { @for column in columns { th scope="col" { (column) } } } }
                    tbody class="nhsuk-table__body" { @for row in rows { tr { @for cell in row { td { (cell) } } } } }
                }
            },
        )
    };
    let errors = if page.wrong.is_empty() {
        Vec::new()
    } else {
        vec![("file".to_owned(), page.wrong.clone())]
    };
    let main = html! {
        (error_summary(&errors))
        h1 class="nhsuk-heading-l" { (page.title) }
        @if let Some(read) = &page.read {
            @let refused = read.refused.len();
            div class=(if refused == 0 { "app-done" } else { "app-done app-done--not" }) role="status" { p {
                (read.rows) @if read.rows == 1 { " row read, " } @else { " rows read, " }
                @if refused == 0 { "nothing refused. Nothing is saved yet." }
                @else { (refused) @if refused == 1 { " cell" } @else { " cells" } " refused. Nothing is saved." }
            } }
            @if !read.refused.is_empty() {
                (table("What is refused, and why", &["Cell", "Question", "Reason"],
                    &read.refused.iter().map(|(cell, question, reason)| vec![html! { strong { (cell) } }, html! { (question) }, html! { (reason) }]).collect::<Vec<_>>()))
                p { "Correct these cells and send the file again. Rows are saved all together, or none." }
            }
            @if !read.matched.is_empty() {
                (table("Records that names were taken for", &["Cell", "Name in the sheet", "Record"],
                    &read.matched.iter().map(|(cell, name, link)| vec![html! { (cell) }, html! { (name) }, link.show()]).collect::<Vec<_>>()))
            }
            @if !read.good.is_empty() && refused == 0 {
                (table("What will be saved as drafts", &["Row", "Draft"],
                    &read.good.iter().map(|(place, title)| vec![html! { (place) }, html! { (title) }]).collect::<Vec<_>>()))
            }
            @if !read.rows_json.is_empty() {
                form method="post" action=(page.action) enctype="multipart/form-data" {
                    (secret(&page.layout))
                    input type="hidden" name="rows" value=(read.rows_json);
                    button class="nhsuk-button" type="submit" name="confirm" value="yes" { "Yes, save these as drafts" }
                }
            }
        } @else {
            p { "Fill in the template, then send it here. First you see what was read; nothing is saved before you say so." }
            p { a href=(page.template) { "Download the template (Excel, .xlsx)" } }
        }
        section class="app-section" aria-labelledby="send" {
            h2 class="nhsuk-heading-m" id="send" { @if page.read.is_some() { "Send another file" } @else { "Send the file" } }
            form method="post" action=(page.action) enctype="multipart/form-data" {
                (secret(&page.layout))
                div class=(if page.wrong.is_empty() { "nhsuk-form-group" } else { "nhsuk-form-group nhsuk-form-group--error" }) {
                    label class="nhsuk-label nhsuk-label--s" for="file" { "Spreadsheet" }
                    div class="nhsuk-hint" id="file-hint" { "The filled-in template as .xlsx or .csv. Macros (.xlsm), formulas and merged cells are refused." }
                    @if !page.wrong.is_empty() { span class="nhsuk-error-message" id="file-error" { (page.wrong) } }
                    input class="app-file" type="file" id="file" name="file" accept=".xlsx,.csv" aria-describedby=(if page.wrong.is_empty() { "file-hint" } else { "file-hint file-error" });
                }
                button class="nhsuk-button" type="submit" { "Look at it" }
            }
        }
    };
    page_with(&page.layout, &breadcrumb(&page.above), &main)
}
