//! The page that compares: a form, the table of cells with what they are out
//! of, and the findings as sections.

use crate::pages::blocks::Section;
use crate::pages::layout::{Layout, Link, breadcrumb, page_with, scrolling};
use maud::{Markup, html};

/// A value to choose.
#[derive(Debug, Clone, Default)]
pub struct Choosable {
    /// What is sent.
    pub value: String,
    /// What people read.
    pub label: String,
    /// Whether it is chosen.
    pub chosen: bool,
}

/// A list to choose one of.
#[derive(Debug, Clone, Default)]
pub struct ChooseOne {
    /// The parameter.
    pub name: &'static str,
    /// What is chosen.
    pub label: &'static str,
    /// What there is.
    pub values: Vec<Choosable>,
}

/// A filter in force, and the address without it.
#[derive(Debug, Clone, Default)]
pub struct Narrowed {
    /// What it is, in words.
    pub text: String,
    /// Its parameter and value, to be sent again.
    pub parameter: (String, String),
    /// The page without it.
    pub without: String,
}

/// A row's or a column's heading.
#[derive(Debug, Clone, Default)]
pub struct CompareHead {
    /// The value.
    pub link: Link,
    /// What its cells are out of, or its total.
    pub note: String,
}

/// A cell.
#[derive(Debug, Clone, Default)]
pub struct CompareCell {
    /// How many of how many.
    pub text: String,
    /// What restricted evidence adds, in words.
    pub restricted: String,
    /// Where what is behind it stands.
    pub url: String,
    /// Its share of 1, drawn.
    pub share: f64,
}

/// Cells.
#[derive(Debug, Clone, Default)]
pub struct CompareTable {
    /// What it shows.
    pub caption: String,
    /// What the rows are.
    pub corner: String,
    /// Headings of the columns.
    pub columns: Vec<CompareHead>,
    /// Rows with their cells.
    pub rows: Vec<(CompareHead, Vec<CompareCell>)>,
    /// What did not fit.
    pub more: String,
}

/// The page.
#[derive(Debug, Clone, Default)]
pub struct ComparePage {
    /// What is around it.
    pub layout: Layout,
    /// Its heading.
    pub title: String,
    /// What it is.
    pub lead: String,
    /// Whether all records on it are made up.
    pub illustrative: bool,
    /// The way back from a cell.
    pub back: Option<Link>,
    /// Other comparisons that people ask for.
    pub others: Vec<Link>,
    /// Lists to choose from.
    pub choices: Vec<ChooseOne>,
    /// Records that can be counted.
    pub sources: Vec<Choosable>,
    /// Filters in force.
    pub narrowed: Vec<Narrowed>,
    /// The page with the other sort of records.
    pub instead: Link,
    /// What to know first.
    pub headlines: Vec<String>,
    /// The cells; none behind a cell.
    pub table: Option<CompareTable>,
    /// The findings.
    pub sections: Vec<Section>,
}

/// A short number for a picture.
fn drawn(share: f64) -> String {
    format!("{:.1}", share.clamp(0.0, 1.0) * 100.0)
}

/// The page.
#[must_use]
pub fn compare(data: &ComparePage) -> String {
    let above = [Link::new("Home", "/"), Link::new("Explore", "/explore")];
    let content = html! {
        h1 class="nhsuk-heading-l" { (data.title) }
        p class="nhsuk-body-l" { (data.lead) }
        @if let Some(back) = &data.back { p { a class="nhsuk-back-link" href=(back.url) { (back.text) } } }
        @if data.illustrative {
            div class="app-status app-status--illustrative" {
                p { strong class="nhsuk-tag nhsuk-tag--purple" { "Illustrative" } strong { " Illustrative records only." } " Made up to show how evidence is linked; they are not about real organisations. " (data.instead.show()) "." }
            }
        } @else {
            p class="app-small" { "Real records only: sourced and unverified. Illustrative ones are kept apart: " (data.instead.show()) "." }
        }
        @if data.back.is_none() { (form(data)) }
        @if !data.headlines.is_empty() {
            section class="app-section" aria-labelledby="short" {
                h2 class="nhsuk-heading-m" id="short" { "In short" }
                ul { @for line in &data.headlines { li { (line) } } }
            }
        }
        @if data.sections.len() > 2 {
            nav aria-label="On this page" {
                ul class="app-inline" {
                    @if data.table.is_some() { li { a href="#cells" { "The table" } } }
                    @for section in &data.sections { li { a href={ "#" (section.id) } { (section.heading) } } }
                }
            }
        }
        @if let Some(table) = &data.table { (cells(table)) }
        @for section in &data.sections { (section.show()) }
    };
    page_with(&data.layout, &breadcrumb(&above), &content)
}

fn form(data: &ComparePage) -> Markup {
    html! {
        form class="app-compare" action="/compare" method="get" aria-label="What to compare" {
            div class="app-compare__lists" {
                @for list in &data.choices {
                    div class="nhsuk-form-group" {
                        label class="nhsuk-label" for={ "compare-" (list.name) } { (list.label) }
                        select class="nhsuk-select" id={ "compare-" (list.name) } name=(list.name) {
                            @for one in &list.values { option value=(one.value) selected[one.chosen] { (one.label) } }
                        }
                    }
                }
            }
            fieldset class="nhsuk-fieldset app-compare__sources" {
                legend class="nhsuk-fieldset__legend" { "Records that are counted" }
                div class="nhsuk-checkboxes nhsuk-checkboxes--small" {
                    @for one in &data.sources {
                        div class="nhsuk-checkboxes__item" {
                            input class="nhsuk-checkboxes__input" type="checkbox" id={ "from-" (one.value) } name="from" value=(one.value) checked[one.chosen];
                            label class="nhsuk-label nhsuk-checkboxes__label" for={ "from-" (one.value) } { (one.label) }
                        }
                    }
                }
            }
            @for one in &data.narrowed { input type="hidden" name=(one.parameter.0) value=(one.parameter.1); }
            @if data.illustrative { input type="hidden" name="show" value="illustrative"; }
            button class="nhsuk-button" type="submit" { "Compare" }
        }
        @if !data.narrowed.is_empty() {
            p { "Only: "
                @for (index, one) in data.narrowed.iter().enumerate() {
                    @if index > 0 { "; " }
                    (one.text) " (" a href=(one.without) { "take away" span class="nhsuk-u-visually-hidden" { ": " (one.text) } } ")"
                }
            }
        }
        @if !data.others.is_empty() {
            nav aria-label="Other comparisons" {
                ul class="app-inline" { @for link in &data.others { li { (link.show()) } } }
            }
        }
    }
}

fn cells(table: &CompareTable) -> Markup {
    html! {
        section class="app-section" aria-labelledby="cells" {
            h2 class="nhsuk-heading-m" id="cells" { "The table" }
            p { "Each cell says how many of how many, and leads to the records behind it and to who is missing. A gap means that nothing is recorded here, not that nothing was done." }
            (scrolling(&table.caption, &html! {
                table class="nhsuk-table app-cells" {
                    caption class="nhsuk-table__caption nhsuk-table__caption--s" { (table.caption) }
                    thead class="nhsuk-table__head" {
                        tr {
                            th scope="col" { (table.corner) }
                            @for head in &table.columns {
                                th scope="col" { (head.link.show()) @if !head.note.is_empty() { br; span class="app-small" { (head.note) } } }
                            }
                        }
                    }
                    tbody class="nhsuk-table__body" {
                        @for (head, cells) in &table.rows {
                            tr {
                                th scope="row" { (head.link.show()) @if !head.note.is_empty() { br; span class="app-small" { (head.note) } } }
                                @for cell in cells {
                                    td class="app-cells__cell" {
                                        a href=(cell.url) { (cell.text) }
                                        @if !cell.restricted.is_empty() { span class="app-small" { " + " (cell.restricted) " restricted" } }
                                        svg class="app-bar app-cells__bar" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true" {
                                            rect width=(drawn(cell.share)) height="12" {}
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }))
            @if !table.more.is_empty() { p class="app-small" { (table.more) } }
        }
    }
}
