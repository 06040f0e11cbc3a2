//! SPARQL for people: the form, saved queries, tables of solutions.

use crate::pages::layout::{Layout, Link, Value, page, scrolling};
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
    /// Saved queries to begin with.
    pub examples: Vec<Link>,
    /// The answer.
    pub table: Option<Table>,
    /// How long it took.
    pub milliseconds: u64,
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
    /// What went wrong.
    pub error: Option<String>,
    /// The query string of this page.
    pub search: String,
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
        p role="status" { (table.rows.len()) @if table.rows.len() == 1 { " row" } @else { " rows" }
            @if table.truncated { "; there are more, which the data formats give" } }
        (scrolling(caption, &html! {
            table {
                caption { (caption) }
                thead { tr { @for column in &table.columns { th scope="col" { (column) } } } }
                tbody {
                    @for row in &table.rows {
                        tr { @for cell in row { td { @if let Some(value) = cell { (value.show()) } } } }
                    }
                }
            }
        }))
    }
}

/// The SPARQL form and its answer.
#[must_use]
pub fn workbench(data: &WorkbenchPage) -> String {
    let content = html! {
        h1 { "SPARQL" }
        p {
            "Ask the graph in SPARQL 1.1. A query may run for " (data.seconds) " seconds. "
            @if data.union { "The default graph is the union of all graphs." }
            @else { "The default graph holds only triples that name no graph." }
        }
        @if let Some(QueryError { title, detail, position }) = &data.error {
            div class="error" role="alert" {
                h2 { (title) }
                @if let Some((line, column)) = position { p { "Line " (line) ", column " (column) } }
                p { (detail) }
            }
        }
        form action="/sparql" method="get" {
            label for="query" { "Query" }
            textarea id="query" name="query" rows="14" spellcheck="false" { (data.text) }
            label for="format" { "Answer as" }
            select id="format" name="format" {
                option value="html" { "a table on this page" }
                @for (value, name) in [("json", "JSON"), ("csv", "CSV"), ("tsv", "TSV"), ("xml", "XML"), ("ttl", "Turtle (CONSTRUCT, DESCRIBE)"), ("jsonld", "JSON-LD (CONSTRUCT, DESCRIBE)")] {
                    option value=(value) { (name) }
                }
            }
            button type="submit" { "Run" }
        }
        @if let Some(table) = &data.table {
            h2 { "Answer" }
            p { "In " (data.milliseconds) " ms." }
            (rows(table, "Answer of the query"))
        }
        @if !data.examples.is_empty() {
            h2 { "Queries to begin with" }
            ul { @for link in &data.examples { li { (link.show()) } } }
        }
    };
    page(&data.layout, &content)
}

/// The list of saved queries.
#[must_use]
pub fn queries(data: &QueriesPage) -> String {
    let content = html! {
        h1 { "Questions the graph answers" }
        p { "Each has a page, and an address for programs under " a href="/api/queries" { "/api/queries" } "." }
        dl {
            @for (link, says) in &data.queries {
                dt { (link.show()) }
                dd { (says) }
            }
        }
    };
    page(&data.layout, &content)
}

/// One saved query.
#[must_use]
pub fn query(data: &QueryPage) -> String {
    let api = |format: &str| {
        let more = if data.search.is_empty() { String::new() } else { format!("&{}", data.search) };
        format!("/api/queries/{}?format={format}{more}", data.name)
    };
    let content = html! {
        h1 { (data.title) }
        p { (data.says) }
        @if !data.fields.is_empty() {
            form action={ "/queries/" (data.name) } method="get" {
                @for field in &data.fields {
                    label for={ "p-" (field.name) } { (field.says) }
                    input type=(field.type_) id={ "p-" (field.name) } name=(field.name) value=(field.value) required[field.required];
                }
                button type="submit" { "Ask" }
            }
        }
        @if let Some(error) = &data.error { div class="error" role="alert" { h2 { "This cannot be answered" } p { (error) } } }
        @if let Some(table) = &data.table { (rows(table, &data.title)) }
        h2 { "Take it with you" }
        ul {
            li { a href=(api("csv")) { "CSV" } }
            li { a href=(api("json")) { "JSON" } }
        }
        h2 { "Columns" }
        dl { @for (name, meaning) in &data.gives { dt { code { (name) } } dd { (meaning) } } }
        h2 { "The query" }
        div class="scroll" role="region" aria-label="The query" tabindex="0" { pre { code { (data.text) } } }
    };
    page(&data.layout, &content)
}
