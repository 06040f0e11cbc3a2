//! The pieces that pages about records are put together from.

use crate::pages::layout::{Link, Value, day, mark, scrolling, several};
use crate::pages::network::Network;
use crate::pages::pictures::{Bars, MapPicture, Timeline};
use maud::{Markup, html};

/// A part of a page with its heading.
#[derive(Debug, Clone)]
pub struct Section {
    /// The fragment that leads here.
    pub id: &'static str,
    /// What people read above it.
    pub heading: String,
    /// What it holds.
    pub blocks: Vec<Block>,
}

/// A piece of a page.
#[derive(Debug, Clone)]
pub enum Block {
    /// Paragraphs.
    Prose(Vec<String>),
    /// Something to know before reading on.
    Note(String),
    /// Names with values.
    Summary(Vec<(String, Vec<Value>)>),
    /// A list of links.
    Links(Vec<Link>),
    /// Where the whole list is.
    More(Link),
    /// Records with a few words on each.
    Cards(Vec<Card>),
    /// A table.
    Grid(Grid),
    /// Figures with who claims them.
    Figures(Vec<Figure>),
    /// What was said in an interview.
    Said(Vec<Said>),
    /// From a statement back to where it comes from.
    Chain(Vec<Step>),
    /// Numbers as bars.
    Bars(Bars),
    /// Places.
    Map(MapPicture),
    /// Spans of time.
    Timeline(Timeline),
    /// Resources and the links between them.
    Network(Network),
}

/// A record with a few words on it.
#[derive(Debug, Clone, Default)]
pub struct Card {
    /// The record.
    pub link: Link,
    /// Its kind and other short facts.
    pub facts: Vec<String>,
    /// What it says.
    pub text: String,
}

/// A table.
#[derive(Debug, Clone, Default)]
pub struct Grid {
    /// What it shows.
    pub caption: String,
    /// Names of its columns.
    pub columns: Vec<String>,
    /// Its rows: values of each cell.
    pub rows: Vec<Vec<Vec<Value>>>,
}

/// One figure of a case study.
#[derive(Debug, Clone, Default)]
pub struct Figure {
    /// What is counted.
    pub metric: String,
    /// The record of the figure, with its status.
    pub link: Link,
    /// The value as given.
    pub value: String,
    /// Its unit.
    pub unit: String,
    /// Which time it is about.
    pub period: String,
    /// Measured, claim or forecast.
    pub kind: String,
    /// Who says so.
    pub claimed_by: Vec<Value>,
    /// Where.
    pub sources: Vec<Link>,
    /// The date of the source.
    pub date: String,
    /// What else to know.
    pub note: String,
}

/// A passage of an interview.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// The record of the passage.
    pub link: Link,
    /// Its words.
    pub text: String,
    /// Whether it is a question of the interviewer.
    pub question: bool,
    /// What coders say of it: a name with values.
    pub codes: Vec<(String, Vec<Link>)>,
}

/// A step from a statement to where it comes from.
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// How the step before leads here.
    pub relation: String,
    /// What is here.
    pub link: Link,
    /// Its kind.
    pub kind: String,
    /// What it says.
    pub text: String,
    /// Where that comes from in turn.
    pub steps: Vec<Step>,
}

impl Section {
    /// A section; `None` if nothing would be in it.
    #[must_use]
    pub fn new(id: &'static str, heading: &str, blocks: Vec<Block>) -> Option<Self> {
        let blocks: Vec<Block> = blocks.into_iter().filter(|block| !block.is_empty()).collect();
        (!blocks.is_empty()).then(|| Self { id, heading: heading.to_owned(), blocks })
    }

    pub(super) fn show(&self) -> Markup {
        html! {
            section class="app-section" aria-labelledby=(self.id) {
                h2 class="nhsuk-heading-m" id=(self.id) { (self.heading) }
                @for block in &self.blocks { (block.show()) }
            }
        }
    }
}

impl Block {
    fn is_empty(&self) -> bool {
        match self {
            Self::Prose(texts) => texts.is_empty(),
            Self::Note(text) => text.is_empty(),
            Self::Summary(rows) => rows.iter().all(|(_, values)| values.is_empty()),
            Self::Links(links) => links.is_empty(),
            Self::More(link) => link.text.is_empty(),
            Self::Cards(cards) => cards.is_empty(),
            Self::Grid(grid) => grid.rows.is_empty(),
            Self::Figures(figures) => figures.is_empty(),
            Self::Said(passages) => passages.is_empty(),
            Self::Chain(steps) => steps.is_empty(),
            Self::Bars(bars) => bars.bars.is_empty(),
            Self::Map(map) => map.points.is_empty(),
            Self::Timeline(timeline) => timeline.spans.is_empty(),
            Self::Network(network) => network.nodes.is_empty(),
        }
    }

    pub(super) fn show(&self) -> Markup {
        match self {
            Self::Prose(texts) => html! { @for text in texts { p { (text) } } },
            Self::Note(text) => html! { div class="nhsuk-inset-text" { p { (text) } } },
            Self::Summary(rows) => summary(rows),
            Self::Links(links) => {
                html! { ul class="nhsuk-list nhsuk-list--bullet" { @for link in links { li { (link.show()) } } } }
            }
            Self::More(link) => html! { p class="app-more" { (link.show()) } },
            Self::Cards(cards) => cards_of(cards, 3),
            Self::Grid(grid) => grid.show(),
            Self::Figures(figures) => figures_table(figures),
            Self::Said(passages) => said(passages),
            Self::Chain(steps) => html! { div class="app-chain" { (chain(steps, 0)) } },
            Self::Bars(bars) => bars.show(),
            Self::Map(map) => map.show(),
            Self::Timeline(timeline) => timeline.show(),
            Self::Network(network) => network.show(),
        }
    }
}

/// Names with values; rows without a value are left out.
pub(super) fn summary(rows: &[(String, Vec<Value>)]) -> Markup {
    html! {
        dl class="nhsuk-summary-list" {
            @for (name, values) in rows {
                @if !values.is_empty() {
                    div class="nhsuk-summary-list__row" {
                        dt class="nhsuk-summary-list__key" { (name) }
                        dd class="nhsuk-summary-list__value" { (several(values)) }
                    }
                }
            }
        }
    }
}

/// Records as cards, each under a heading of this level.
pub(super) fn cards_of(cards: &[Card], level: u8) -> Markup {
    html! {
        ul class="app-cards" {
            @for card in cards {
                li class="app-card" {
                    @let link = html! { @if card.link.is_safe() { a href=(card.link.url) { (card.link.text) } } @else { (card.link.text) } };
                    @if level == 2 { h2 class="app-card__title" { (link) } } @else { h3 class="app-card__title" { (link) } }
                    p class="app-meta" {
                        @for (index, fact) in card.facts.iter().filter(|f| !f.is_empty()).enumerate() {
                            @if index > 0 { span aria-hidden="true" { " · " } span class="nhsuk-u-visually-hidden" { ", " } }
                            (fact)
                        }
                        (mark(&card.link.status))
                    }
                    @if !card.text.is_empty() { p { (card.text) } }
                }
            }
        }
    }
}

impl Grid {
    pub(super) fn show(&self) -> Markup {
        scrolling(
            &self.caption,
            &html! {
                table class="nhsuk-table" {
                    caption class="nhsuk-table__caption nhsuk-table__caption--s" { (self.caption) }
                    thead class="nhsuk-table__head" {
                        tr { @for column in &self.columns { th scope="col" { (column) } } }
                    }
                    tbody class="nhsuk-table__body" {
                        @for row in &self.rows {
                            tr { @for cell in row { td { (several(cell)) } } }
                        }
                    }
                }
            },
        )
    }
}

/// Figures by what they count; those that differ stand side by side.
fn figures_table(figures: &[Figure]) -> Markup {
    let mut groups: Vec<(&str, Vec<&Figure>)> = Vec::new();
    for figure in figures {
        match groups.iter_mut().find(|(metric, _)| *metric == figure.metric) {
            Some((_, group)) => group.push(figure),
            None => groups.push((&figure.metric, vec![figure])),
        }
    }
    let row = |figure: &Figure| {
        html! {
            td class="app-figure" {
                a href=(figure.link.url) { (figure.value) @if !figure.unit.is_empty() { " " (figure.unit) } }
                @if figure.link.status != "Sourced" { (mark(&figure.link.status)) }
            }
            td { span class={ "app-kind app-kind--" (figure.kind.to_lowercase().split(' ').next().unwrap_or_default()) } { (figure.kind) } }
            td { (figure.period) }
            td { (several(&figure.claimed_by)) }
            td {
                @for (index, source) in figure.sources.iter().enumerate() {
                    @if index > 0 { ", " }
                    (source.show())
                }
                @if !figure.date.is_empty() { " " span class="app-date" { (day(&figure.date)) } }
                @if !figure.note.is_empty() { p class="app-small" { (figure.note) } }
            }
        }
    };
    scrolling(
        "Figures, with who claims them",
        &html! {
            table class="nhsuk-table app-figures" {
                caption class="nhsuk-table__caption nhsuk-table__caption--s" { "Figures, with who claims them" }
                thead class="nhsuk-table__head" {
                    tr {
                        @for column in ["What is counted", "Figure", "How it is known", "Period", "Who says so", "Source"] {
                            th scope="col" { (column) }
                        }
                    }
                }
                @for (metric, group) in &groups {
                    @let differ = group.iter().any(|figure| figure.value != group[0].value);
                    tbody class=(if differ { "nhsuk-table__body app-differ" } else { "nhsuk-table__body" }) {
                        @for (index, figure) in group.iter().enumerate() {
                            tr {
                                @if index == 0 {
                                    th scope=(if group.len() > 1 { "rowgroup" } else { "row" }) rowspan=[(group.len() > 1).then_some(group.len())] {
                                        (metric)
                                        @if differ {
                                            br; strong class="nhsuk-tag nhsuk-tag--yellow" { "Figures differ" }
                                            p class="app-small" { "Each stands with its source; none is averaged." }
                                        }
                                    }
                                }
                                (row(figure))
                            }
                        }
                    }
                }
            }
        },
    )
}

/// Passages in their order, each with its codes.
fn said(passages: &[Said]) -> Markup {
    html! {
        ol class="app-words" {
            @for passage in passages {
                li class={ "app-words__passage" @if passage.question { " app-words__passage--question" } } {
                    p { (passage.text) }
                    @if !passage.question {
                        p class="app-meta" {
                            (passage.link.show())
                            @for (name, codes) in &passage.codes {
                                " · " (name) ": "
                                @for (index, code) in codes.iter().enumerate() { @if index > 0 { ", " } (code.show()) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Steps as a nested list; what lies deeper can be folded.
fn chain(steps: &[Step], depth: usize) -> Markup {
    html! {
        ol class="app-chain__list" {
            @for step in steps {
                li class="app-chain__step" {
                    p class="app-chain__link" {
                        span class="app-chain__relation" { (step.relation) " " }
                        strong class="nhsuk-tag nhsuk-tag--grey" { (step.kind) } " "
                        (step.link.show())
                    }
                    @if !step.text.is_empty() { p class="app-chain__text" { (step.text) } }
                    @if !step.steps.is_empty() {
                        details class="app-chain__more" open[depth < 2] {
                            summary { "Where this comes from" span class="nhsuk-u-visually-hidden" { ": " (step.link.text) } }
                            (chain(&step.steps, depth + 1))
                        }
                    }
                }
            }
        }
    }
}
