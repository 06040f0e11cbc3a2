//! SPARQL for people: the form, saved queries, tables of solutions.

use crate::pages::blocks::Block;
use crate::pages::layout::{Layout, Link, Value, breadcrumb, page, page_with, scrolling};
use maud::{Markup, html};

/// Solutions as a table.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Variable names.
    pub columns: Vec<String>,
    /// Cells; `None` is unbound.
    pub rows: Vec<Vec<Option<Value>>>,
    /// Whether rows are missing.
    pub truncated: bool,
}

/// The SPARQL form.
#[derive(Debug, Clone)]
pub struct WorkbenchPage {
    /// What is around it.
    pub layout: Layout,
    /// The query.
    pub text: String,
    /// The longest time, seconds.
    pub seconds: f64,
    /// Whether the default graph is the union of all.
    pub union: bool,
    /// Saved queries to begin with: link and what each asks.
    pub examples: Vec<(Link, String)>,
    /// The answer.
    pub table: Option<Table>,
    /// A picture of the answer, where it can be drawn.
    pub picture: Option<Block>,
    /// How long it took.
    pub milliseconds: u64,
    /// The same answer in other formats.
    pub downloads: Vec<Link>,
    /// What went wrong.
    pub error: Option<QueryError>,
}

/// What went wrong with a query.
#[derive(Debug, Clone)]
pub struct QueryError {
    /// In general.
    pub title: String,
    /// In detail.
    pub detail: String,
    /// What to do.
    pub hint: Option<String>,
    /// Line and column, from 1.
    pub position: Option<(u64, u64)>,
}

/// A field of a saved query's form.
#[derive(Debug, Clone)]
pub struct Field {
    /// Name of the parameter.
    pub name: String,
    /// What it means.
    pub says: String,
    /// `type` of the input.
    pub type_: &'static str,
    /// Its value.
    pub value: String,
    /// A value to try.
    pub example: String,
    /// Value and label of what can be chosen; empty for any text.
    pub choices: Vec<(String, String)>,
    /// Whether it must be given.
    pub required: bool,
}

/// One saved query with its rows.
#[derive(Debug, Clone)]
pub struct QueryPage {
    /// What is around it.
    pub layout: Layout,
    /// Its title.
    pub title: String,
    /// The question.
    pub says: String,
    /// Its name in addresses.
    pub name: String,
    /// Its parameters.
    pub fields: Vec<Field>,
    /// Columns and their meaning.
    pub gives: Vec<(String, String)>,
    /// The query.
    pub text: String,
    /// The rows.
    pub table: Option<Table>,
    /// A picture of the rows.
    pub picture: Option<Block>,
    /// What went wrong.
    pub error: Option<String>,
    /// The query string of this page.
    pub search: String,
    /// Its address in the workbench.
    pub workbench: String,
}

/// All saved queries.
#[derive(Debug, Clone)]
pub struct QueriesPage {
    /// What is around it.
    pub layout: Layout,
    /// Link and question.
    pub queries: Vec<(Link, String)>,
}

fn rows(table: &Table, caption: &str) -> Markup {
    html! {
        p class="app-count" role="status" { (table.rows.len()) @if table.rows.len() == 1 { " row" } @else { " rows" }
            @if table.truncated { "; there are more, which the downloads hold" } }
        @if !table.columns.is_empty() {
            (scrolling(caption, &html! {
                table class="nhsuk-table" {
                    caption class="nhsuk-u-visually-hidden" { (caption) }
                    thead class="nhsuk-table__head" { tr { @for column in &table.columns { th scope="col" { (column) } } } }
                    tbody class="nhsuk-table__body" {
                        @for row in &table.rows {
                            tr { @for cell in row { td { @if let Some(value) = cell { (value.show()) } } } }
                        }
                    }
                }
            }))
        }
    }
}

/// The picture of an answer, and its rows where the picture does not hold them
/// all: bars stand beside theirs, and a network has its list.
fn answer(picture: Option<&Block>, table: &Table, caption: &str) -> Markup {
    html! {
        @if let Some(picture) = picture { (picture.show()) }
        @match picture {
            Some(Block::Bars(_)) => p class="app-count" role="status" { (table.rows.len()) " rows" },
            Some(Block::Network(_)) => {
                details class="nhsuk-details" {
                    summary class="nhsuk-details__summary" { span class="nhsuk-details__summary-text" { "The triples as a table" } }
                    div class="nhsuk-details__text" { (rows(table, caption)) }
                }
            }
            _ => (rows(table, caption)),
        }
    }
}

fn error_box(title: &str, body: &Markup) -> Markup {
    html! {
        div class="nhsuk-error-summary" role="alert" {
            h2 class="nhsuk-error-summary__title" { (title) }
            div class="nhsuk-error-summary__body" { (body) }
        }
    }
}

/// The SPARQL form and its answer.
#[must_use]
pub fn workbench(data: &WorkbenchPage) -> String {
    let content = html! {
        h1 class="nhsuk-heading-l" { "SPARQL" }
        p {
            "Ask the graph in SPARQL 1.1. A query may run for " (data.seconds) " seconds. "
            @if data.union { "The default graph is the union of all graphs. " }
            @else { "The default graph holds only triples that name no graph. " }
            a href="/ontology" { "Classes and properties" } ", " a href="/queries" { "questions to begin with" } "."
        }
        @if let Some(QueryError { title, detail, hint, position }) = &data.error {
            (error_box(title, &html! {
                @if let Some((line, column)) = position { p { strong { "Line " (line) ", column " (column) } } }
                p { (detail) }
                @if let Some(hint) = hint { p { "What to do: " (hint) } }
                @if let Some((line, column)) = position { @if let Some(text) = at(&data.text, *line, *column) { pre class="app-code" { (text) } } }
            }))
        }
        div id="editor" class="app-editor" data-endpoint="/sparql" data-seconds=(data.seconds) hidden {}
        p id="editor-said" class="app-small" role="status" {}
        form class="app-workbench" id="plain" action="/sparql" method="get" {
            div class="nhsuk-form-group" {
                label class="nhsuk-label nhsuk-label--s" for="query" { "Query" }
                textarea class="nhsuk-textarea app-query" id="query" name="query" rows="14" spellcheck="false" { (data.text) }
            }
            div class="nhsuk-form-group" {
                label class="nhsuk-label nhsuk-label--s" for="format" { "Answer as" }
                select class="nhsuk-select" id="format" name="format" {
                    option value="html" { "a table or a picture on this page" }
                    @for (value, name) in [("json", "JSON"), ("csv", "CSV"), ("tsv", "TSV"), ("xml", "XML"), ("ttl", "Turtle (CONSTRUCT, DESCRIBE)"), ("jsonld", "JSON-LD (CONSTRUCT, DESCRIBE)")] {
                        option value=(value) { (name) }
                    }
                }
            }
            button class="nhsuk-button" type="submit" { "Run" }
        }
        @if let Some(table) = &data.table {
            section class="app-section" aria-labelledby="answer" {
                h2 class="nhsuk-heading-m" id="answer" { "Answer" }
                p { "In " (data.milliseconds) " ms, of at most " (data.seconds) " s." }
                @if table.truncated && matches!(data.picture, Some(Block::Network(_))) { p { "Only the first " (table.rows.len()) " triples are shown here; the downloads hold all." } }
                @if !data.downloads.is_empty() { ul class="app-inline" { @for link in &data.downloads { li { (link.show()) } } } }
                (answer(data.picture.as_ref(), table, "Answer of the query"))
            }
        }
        @if !data.examples.is_empty() {
            section class="app-section" aria-labelledby="examples" {
                h2 class="nhsuk-heading-m" id="examples" { "Queries to begin with" }
                ul class="nhsuk-list app-examples" {
                    @for (link, says) in &data.examples { li { a href=(link.url) { (link.text) } br; span class="app-small" { (says) } } }
                }
            }
        }
    };
    page(&data.layout, &content)
}

/// The line of a query where it could not be read, with a mark below.
fn at(text: &str, line: u64, column: u64) -> Option<String> {
    let line = text.lines().nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
    let column = usize::try_from(column).ok()?.saturating_sub(1).min(line.chars().count());
    Some(format!("{line}\n{}^", " ".repeat(column)))
}

/// The list of saved queries.
#[must_use]
pub fn queries(data: &QueriesPage) -> String {
    let content = html! {
        h1 class="nhsuk-heading-l" { "Questions the graph answers" }
        p class="nhsuk-body-l" { "Each has a page with its answer, and an address for programs under " a href="/api/queries" { "/api/queries" } "." }
        ul class="app-cards" {
            @for (link, says) in &data.queries {
                li class="app-card" {
                    h2 class="app-card__title" { (link.show()) }
                    p { (says) }
                }
            }
        }
    };
    page_with(&data.layout, &breadcrumb(&[Link::new("Home", "/")]), &content)
}

fn field(field: &Field) -> Markup {
    let id = format!("p-{}", field.name);
    let hint = format!("{id}-hint");
    html! {
        div class="nhsuk-form-group" {
            label class="nhsuk-label nhsuk-label--s" for=(id) { (field.says) }
            @if field.choices.is_empty() {
                @if !field.example.is_empty() { div class="nhsuk-hint" id=(hint) { "For example " (field.example) } }
                input class="nhsuk-input" type=(field.type_) id=(id) name=(field.name) value=(field.value) required[field.required]
                    aria-describedby=[(!field.example.is_empty()).then_some(hint.as_str())];
            } @else {
                select class="nhsuk-select" id=(id) name=(field.name) {
                    @if !field.required { option value="" { "any" } }
                    @for (value, label) in &field.choices {
                        option value=(value) selected[*value == field.value] { (label) }
                    }
                }
            }
        }
    }
}

/// One saved query.
#[must_use]
pub fn query(data: &QueryPage) -> String {
    let api = |format: &str| {
        let more = if data.search.is_empty() { String::new() } else { format!("&{}", data.search) };
        format!("/api/queries/{}?format={format}{more}", data.name)
    };
    let content = html! {
        h1 class="nhsuk-heading-l" { (data.title) }
        p class="nhsuk-body-l" { (data.says) }
        @if !data.fields.is_empty() {
            form action={ "/queries/" (data.name) } method="get" {
                @for one in &data.fields { (field(one)) }
                button class="nhsuk-button" type="submit" { "Ask" }
            }
        }
        @if let Some(error) = &data.error { (error_box("This cannot be answered", &html! { p { (error) } })) }
        ul class="app-inline" {
            li { a href=(api("csv")) { "CSV" } }
            li { a href=(api("json")) { "JSON" } }
            li { a href=(data.workbench) { "Open in the workbench" } }
        }
        @if let Some(table) = &data.table {
            section class="app-section" aria-labelledby="answer" {
                h2 class="nhsuk-heading-m" id="answer" { "Answer" }
                (answer(data.picture.as_ref(), table, &data.title))
            }
        }
        section class="app-section" aria-labelledby="columns" {
            h2 class="nhsuk-heading-m" id="columns" { "Columns" }
            (super::blocks::summary(&data.gives.iter().map(|(name, meaning)| (name.clone(), vec![Value::text(meaning)])).collect::<Vec<_>>()))
        }
        section class="app-section" aria-labelledby="api" {
            h2 class="nhsuk-heading-m" id="api" { "For programs" }
            p { "The same answer: " code class="app-break" { (api("json")) } }
            details class="nhsuk-details" {
                summary class="nhsuk-details__summary" { span class="nhsuk-details__summary-text" { "The query" } }
                div class="nhsuk-details__text" {
                    pre class="app-code" tabindex="0" aria-label="The query" role="region" { code { (data.text) } }
                }
            }
        }
    };
    let above = [Link::new("Home", "/"), Link::new("Questions", "/queries")];
    page_with(&data.layout, &breadcrumb(&above), &content)
}
