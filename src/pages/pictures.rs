//! Pictures made here as SVG, each with the same content as a table: bars,
//! spans of time, a map of England, a record among its neighbours.

use crate::pages::layout::{Link, Value, mark, scrolling, several};
use maud::{Markup, html};
use std::f64::consts::PI;
use std::fmt::Write;
use std::sync::LazyLock;

/// Numbers as bars.
#[derive(Debug, Clone, Default)]
pub struct Bars {
    /// What they show.
    pub caption: String,
    /// Names of the columns before the number.
    pub columns: Vec<String>,
    /// Name of the number.
    pub number: String,
    /// What a bar of full length stands for; the longest one, if it is 0.
    pub full: f64,
    /// The bars.
    pub bars: Vec<Bar>,
}

/// One bar.
#[derive(Debug, Clone, Default)]
pub struct Bar {
    /// What it stands for.
    pub labels: Vec<Vec<Value>>,
    /// How long it is.
    pub value: f64,
    /// The number as it is to be read.
    pub text: String,
}

/// Spans of time on one scale.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    /// What it shows.
    pub caption: String,
    /// The spans.
    pub spans: Vec<Span>,
}

/// A span of time.
#[derive(Debug, Clone, Default)]
pub struct Span {
    /// What lasted.
    pub link: Link,
    /// When it began, as written.
    pub start: String,
    /// When it ended, as written; empty if that is not known.
    pub end: String,
    /// What else to know.
    pub note: String,
}

/// Places on a map of England.
#[derive(Debug, Clone, Default)]
pub struct MapPicture {
    /// What it shows.
    pub caption: String,
    /// The places.
    pub points: Vec<Point>,
}

/// A place.
#[derive(Debug, Clone, Default)]
pub struct Point {
    /// What is there.
    pub link: Link,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// The town.
    pub place: String,
    /// What sort of thing it is.
    pub kind: String,
}

/// A record among its neighbours.
#[derive(Debug, Clone, Default)]
pub struct Neighbours {
    /// The record in the middle.
    pub centre: Link,
    /// Its neighbours by how they are related to it.
    pub groups: Vec<(String, Vec<Neighbour>)>,
    /// Where the same is as data, for the script that unfolds neighbours.
    pub data: String,
}

/// A neighbour.
#[derive(Debug, Clone, Default)]
pub struct Neighbour {
    /// The record.
    pub link: Link,
    /// Its kind, for people.
    pub kind: String,
    /// Where its own neighbours are shown.
    pub graph: String,
}

impl Bars {
    pub(super) fn show(&self) -> Markup {
        let longest = self.bars.iter().map(|bar| bar.value).fold(self.full, f64::max);
        let most = longest.max(f64::MIN_POSITIVE);
        scrolling(
            &self.caption,
            &html! {
                table class="nhsuk-table app-bars" {
                    caption class="nhsuk-table__caption nhsuk-table__caption--s" { (self.caption) }
                    thead class="nhsuk-table__head" {
                        tr {
                            @for column in &self.columns { th scope="col" { (column) } }
                            th scope="col" class="app-number" { (self.number) }
                            th scope="col" class="app-bar-cell" { span class="nhsuk-u-visually-hidden" { "As a bar" } }
                        }
                    }
                    tbody class="nhsuk-table__body" {
                        @for bar in &self.bars {
                            tr {
                                @for label in &bar.labels { td { (several(label)) } }
                                td class="app-number" { (bar.text) }
                                td class="app-bar-cell" {
                                    svg class="app-bar" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true" {
                                        rect width=(number(bar.value.max(0.0) / most * 100.0)) height="12" {}
                                    }
                                }
                            }
                        }
                    }
                }
            },
        )
    }
}

/// Years with their part: `2025-03` is 2025.17.
fn year(text: &str) -> Option<f64> {
    let mut parts = text.splitn(3, '-');
    let year: f64 = parts.next()?.parse().ok()?;
    let month: f64 = parts.next().map_or(Some(1.0), |m| m.parse().ok())?;
    Some(year + (month - 1.0) / 12.0)
}

impl Timeline {
    pub(super) fn show(&self) -> Markup {
        let years = self.spans.iter().flat_map(|span| [year(&span.start), year(&span.end)]);
        let (first, last) = years.flatten().fold((f64::MAX, f64::MIN), |(first, last), year| {
            (first.min(year.floor()), last.max(year.floor() + 1.0))
        });
        let width = (last - first).max(1.0);
        let at = |year: f64| (year - first) / width * 100.0;
        let ticks: Vec<f64> = {
            let step = (width / 6.0).ceil().max(1.0);
            let mut ticks = vec![first];
            while ticks.last().is_some_and(|tick| tick + step < last) {
                ticks.push(ticks.last().copied().unwrap_or(first) + step);
            }
            ticks
        };
        scrolling(
            &self.caption,
            &html! {
                table class="nhsuk-table app-bars app-timeline" {
                    caption class="nhsuk-table__caption nhsuk-table__caption--s" { (self.caption) }
                    thead class="nhsuk-table__head" {
                        tr {
                            th scope="col" { "Programme" }
                            th scope="col" { "Began" }
                            th scope="col" { "Ended" }
                            th scope="col" class="app-bar-cell" {
                                span class="nhsuk-u-visually-hidden" { "On a scale from " (number(first)) " to " (number(last)) }
                                svg class="app-axis" viewBox="0 0 300 20" aria-hidden="true" {
                                    @for tick in &ticks { text x=(number(at(*tick) * 3.0)) y="15" { (number(*tick)) } }
                                }
                            }
                        }
                    }
                    tbody class="nhsuk-table__body" {
                        @for span in &self.spans {
                            @let start = year(&span.start);
                            @let end = year(&span.end).map(|end| if span.end.len() == 4 { end + 1.0 } else { end + 1.0 / 12.0 });
                            tr {
                                td { (span.link.show()) @if !span.note.is_empty() { br; span class="app-small" { (span.note) } } }
                                td { (span.start) }
                                td { @if span.end.is_empty() { span class="app-small" { "not known" } } @else { (span.end) } }
                                td class="app-bar-cell" {
                                    svg class="app-bar" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true" {
                                        @for tick in &ticks { line x1=(number(at(*tick))) x2=(number(at(*tick))) y1="0" y2="12" {} }
                                        @if let Some(start) = start {
                                            rect class=[end.is_none().then_some("app-open")] x=(number(at(start))) width=(number((at(end.unwrap_or(last)) - at(start)).max(1.0))) y="2" height="8" {}
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
                p class="app-small" { "A pale bar has no end date in the sources found." }
            },
        )
    }
}

/// A name with the longitudes and latitudes of its outline, in degrees.
type Outline = (&'static str, Vec<(f64, f64)>);

/// Outlines by name.
static OUTLINES: LazyLock<Vec<Outline>> = LazyLock::new(|| {
    include_str!("outline.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut words = line.split(' ');
            let name = words.next()?;
            let points = words
                .filter_map(|pair| {
                    let (x, y) = pair.split_once(',')?;
                    Some((x.parse().ok()?, y.parse().ok()?))
                })
                .collect();
            Some((name, points))
        })
        .collect()
});

/// Outlines as the paths of a picture; made once.
static PATHS: LazyLock<Vec<(&str, String)>> = LazyLock::new(|| {
    OUTLINES
        .iter()
        .map(|(name, points)| {
            let mut path = String::new();
            for (index, (longitude, latitude)) in points.iter().enumerate() {
                let (x, y) = on_map(*latitude, *longitude);
                // Writing to a string cannot fail.
                let _ = write!(path, "{}{x:.1} {y:.1}", if index == 0 { "M" } else { "L" });
            }
            path.push('Z');
            (*name, path)
        })
        .collect()
});

const MAP_WIDTH: f64 = 400.0;
const MAP_HEIGHT: f64 = 480.0;

/// Where a place is on the picture: equirectangular, true at 53° north.
fn on_map(latitude: f64, longitude: f64) -> (f64, f64) {
    const SCALE: f64 = 80.0;
    let x = (longitude + 6.0) * 0.6 * SCALE;
    let y = (55.9 - latitude) * SCALE;
    (x, y)
}

impl MapPicture {
    pub(super) fn show(&self) -> Markup {
        html! {
            div class="app-map" {
                div class="app-map__picture" {
                    svg viewBox={ "0 0 " (number(MAP_WIDTH)) " " (number(MAP_HEIGHT)) } role="img" aria-label={ (self.caption) ": a map; the table beside it holds the same" } {
                        @for (name, path) in PATHS.iter() { path class={ "app-land app-land--" (name) } d=(path) {} }
                        @for (index, point) in self.points.iter().enumerate() {
                            @let (x, y) = on_map(point.latitude, point.longitude);
                            circle class="app-point" data-row={ "place-" (index) } cx=(number(x)) cy=(number(y)) r="5" {
                                title { (point.link.text) }
                            }
                        }
                    }
                    p class="app-small" { "Outline: Natural Earth, public domain. The point of a trust is one of its hospitals." }
                }
                div class="app-map__table" {
                    (scrolling(&self.caption, &html! {
                        table class="nhsuk-table" {
                            caption class="nhsuk-table__caption nhsuk-table__caption--s" { (self.caption) }
                            thead class="nhsuk-table__head" {
                                tr { th scope="col" { "Name" } th scope="col" { "Place" } th scope="col" { "Kind" } }
                            }
                            tbody class="nhsuk-table__body" {
                                @for (index, point) in self.points.iter().enumerate() {
                                    tr id={ "place-" (index) } {
                                        td { (point.link.show()) }
                                        td { (point.place) }
                                        td { (point.kind) }
                                    }
                                }
                            }
                        }
                    }))
                }
            }
        }
    }
}

/// Characters of a label in the picture.
const LABEL: usize = 26;

fn short(text: &str) -> String {
    if text.chars().count() <= LABEL {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(LABEL - 1).collect();
    short.push('…');
    short
}

impl Neighbours {
    /// The picture and the same as a nested list.
    pub(super) fn show(&self) -> Markup {
        let all: Vec<(&str, &Neighbour)> = self
            .groups
            .iter()
            .flat_map(|(relation, neighbours)| {
                neighbours.iter().map(move |n| (relation.as_str(), n))
            })
            .take(24)
            .collect();
        let (middle_x, middle_y) = (400.0, 280.0);
        let place = |index: usize| {
            #[expect(clippy::cast_precision_loss, reason = "24 neighbours at most")]
            let turn = index as f64 / all.len().max(1) as f64;
            let angle = turn * 2.0 * PI - PI / 2.0;
            let far = if all.len() > 12 && index % 2 == 1 { 0.72 } else { 1.0 };
            (middle_x + angle.cos() * 280.0 * far, middle_y + angle.sin() * 235.0 * far)
        };
        html! {
            div class="app-graph" data-graph=(self.data) data-id=(self.centre.url) {
                p class="app-graph__how" { "Each circle is a record that is linked with this one; choose one to see what is around it. The list below holds the same." }
                div class="app-scroll" role="region" aria-label="Picture of the neighbours" tabindex="0" {
                    svg class="app-graph__picture" viewBox="0 0 800 560" role="group" aria-label={ "Records around " (self.centre.text) } {
                        g class="app-graph__edges" {
                            @for (index, (relation, _)) in all.iter().enumerate() {
                                @let (x, y) = place(index);
                                line x1=(number(middle_x)) y1=(number(middle_y)) x2=(number(x)) y2=(number(y)) { title { (relation) } }
                            }
                        }
                        g class="app-graph__nodes" {
                            @for (index, (relation, neighbour)) in all.iter().enumerate() {
                                @let (x, y) = place(index);
                                a class={ "app-node app-node--" (kind_class(&neighbour.kind)) } href=(neighbour.graph) data-url=(neighbour.link.url) aria-label={ (short(&neighbour.link.text)) " – " (relation) ": " (neighbour.link.text) ", " (neighbour.kind) @if !neighbour.link.status.is_empty() { ", " (neighbour.link.status) } } {
                                    circle cx=(number(x)) cy=(number(y)) r="13" {}
                                    text x=(number(x)) y=(number(y + 28.0)) { (short(&neighbour.link.text)) }
                                    title { (neighbour.link.text) }
                                }
                            }
                            g class="app-node app-node--centre" {
                                circle cx=(number(middle_x)) cy=(number(middle_y)) r="20" {}
                                text x=(number(middle_x)) y=(number(middle_y + 38.0)) { (short(&self.centre.text)) }
                            }
                        }
                    }
                }
                p class="app-graph__said" role="status" {}
            }
            h2 class="nhsuk-heading-m" { "The same as a list" }
            ul class="nhsuk-list app-tree" {
                @for (relation, neighbours) in &self.groups {
                    li {
                        strong { (relation) } " (" (neighbours.len()) ")"
                        ul class="nhsuk-list nhsuk-list--bullet" {
                            @for neighbour in neighbours {
                                li {
                                    a href=(neighbour.link.url) { (neighbour.link.text) }
                                    (mark(&neighbour.link.status))
                                    " " span class="app-small" { (neighbour.kind) }
                                    @if !neighbour.graph.is_empty() {
                                        " – " a class="app-small" href=(neighbour.graph) { "around it" span class="nhsuk-u-visually-hidden" { ": " (neighbour.link.text) } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A kind as part of a class name.
pub(super) fn kind_class(kind: &str) -> String {
    kind.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_lowercase()
}

/// A number with at most two decimals.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn england_is_on_the_map() {
        assert!(PATHS.iter().filter(|(name, _)| *name == "england").count() >= 1);
        for (name, points) in OUTLINES.iter().filter(|(name, _)| *name == "england") {
            for (longitude, latitude) in points {
                let (x, y) = on_map(*latitude, *longitude);
                assert!((0.0..=MAP_WIDTH).contains(&x), "{name} {longitude}");
                assert!((0.0..=MAP_HEIGHT).contains(&y), "{name} {latitude}");
            }
        }
    }

    #[test]
    fn years_have_parts() {
        assert_eq!(year("2025"), Some(2025.0));
        assert_eq!(year("2025-07"), Some(2025.5));
        assert_eq!(year("soon"), None);
        assert_eq!(number(2025.0), "2025");
    }
}
