//! Resources and the links between them: a picture in SVG, and the same as a
//! nested list. Where boxes stand is for [`super::layers`] to say.

use crate::pages::layers::{BOX, Edge, LABEL, Line, Tip, place};
use crate::pages::layout::{Link, Value, mark, several};
use crate::pages::pictures::{kind_class, number};
use maud::{Markup, html};
use std::collections::{BTreeMap, VecDeque};

/// Boxes in a picture; with more it is no longer read.
const BOXES: usize = 40;
/// Links in a picture, for the same reason.
const LINKS: usize = 100;
/// Size of the text in boxes, and of their small text (pixels).
const TEXT: f64 = 14.0;
const SMALL: f64 = 12.0;
/// From one line to the next (pixels).
const LEADING: f64 = 17.0;
/// Around the text in a box, and around the picture (pixels).
const PADDING: f64 = 8.0;

/// Resources with what is said of them and the links between them.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// What they show.
    pub caption: String,
    /// The resources.
    pub nodes: Vec<NetworkNode>,
    /// The links between them.
    pub links: Vec<NetworkLink>,
}

/// A resource.
#[derive(Debug, Clone, Default)]
pub struct NetworkNode {
    /// Its name, its page and its status.
    pub link: Link,
    /// Its kind, for people; may be empty.
    pub kind: String,
    /// What is said of it that is no link: property and values.
    pub facts: Vec<(String, Vec<Value>)>,
}

/// A link from one resource to another, by their places among the nodes.
#[derive(Debug, Clone, Default)]
pub struct NetworkLink {
    /// Where it begins.
    pub from: usize,
    /// What the property is called.
    pub label: String,
    /// Where it ends.
    pub to: usize,
}

/// What of a network is drawn.
struct Drawn {
    /// The resources, by their places among the nodes.
    nodes: Vec<usize>,
    links: Vec<NetworkLink>,
}

impl Network {
    /// Whether there is a link to draw.
    #[must_use]
    pub fn has_links(&self) -> bool {
        self.links.iter().any(|link| link.from != link.to)
    }

    /// The first links, as many as a picture holds, and what they join.
    fn drawn(&self) -> Drawn {
        let mut drawn = Drawn { nodes: Vec::new(), links: Vec::new() };
        for link in self.links.iter().filter(|link| link.from != link.to) {
            let mut fresh = vec![link.from, link.to];
            fresh.retain(|node| !drawn.nodes.contains(node));
            if drawn.links.len() < LINKS && drawn.nodes.len() + fresh.len() <= BOXES {
                drawn.nodes.extend(fresh);
                drawn.links.push(link.clone());
            }
        }
        drawn
    }

    /// The picture and what it leaves out, then the list.
    pub(super) fn show(&self) -> Markup {
        let drawn = self.drawn();
        let joined = {
            let mut ends: Vec<usize> = self.links.iter().flat_map(|l| [l.from, l.to]).collect();
            ends.sort_unstable();
            ends.dedup();
            ends.len()
        };
        html! {
            p {
                "Each box is a resource; each line is a link, named by its property, and its tip shows the way to read it. A picture wider than the page scrolls. The list below it holds the same, with all that is said of each resource."
            }
            @if drawn.nodes.len() < self.nodes.len() || drawn.links.len() < self.links.len() {
                p class="app-graph__left-out" {
                    "The picture shows " (drawn.nodes.len()) " of " (self.nodes.len()) " resources and "
                    (drawn.links.len()) " of " (self.links.len()) " links"
                    @if joined < self.nodes.len() && drawn.nodes.len() == joined { ": resources without a link are in the list alone." }
                    @else { "; all are in the list." }
                }
            }
            div class="app-scroll" role="region" aria-label={ "Picture: " (self.caption) } tabindex="0" {
                (self.picture(&drawn))
            }
            @if drawn.nodes.len() < BOXES {
                h3 class="nhsuk-heading-s" { "The same as a list" }
                (self.list())
            } @else {
                details class="nhsuk-details" {
                    summary class="nhsuk-details__summary" { span class="nhsuk-details__summary-text" { "All " (self.nodes.len()) " resources as a list" } }
                    div class="nhsuk-details__text" { (self.list()) }
                }
            }
        }
    }

    fn picture(&self, drawn: &Drawn) -> Markup {
        let boxes: Vec<BoxText> =
            drawn.nodes.iter().map(|node| BoxText::of(&self.nodes[*node])).collect();
        let mut names: Vec<&str> = Vec::new();
        let edges: Vec<Edge> = drawn
            .links
            .iter()
            .map(|link| {
                let at = |node: usize| drawn.nodes.iter().position(|n| *n == node).unwrap_or(0);
                let label =
                    names.iter().position(|name| *name == link.label).unwrap_or_else(|| {
                        names.push(&link.label);
                        names.len() - 1
                    });
                Edge { from: at(link.from), to: at(link.to), label }
            })
            .collect();
        let labels: Vec<Vec<String>> =
            names.iter().map(|name| wrap(name, LABEL - 12.0, SMALL, 3)).collect();
        let sizes: Vec<(f64, f64)> = labels
            .iter()
            .map(|lines| {
                let widest = lines.iter().map(|line| width(line, SMALL)).fold(0.0, f64::max);
                (widest, lines_high(lines.len(), SMALL + 2.0))
            })
            .collect();
        let heights: Vec<f64> = boxes.iter().map(BoxText::height).collect();
        let placed = place(&heights, &edges, &sizes);
        let (wide, high) = (placed.width + 2.0 * PADDING, placed.height + 2.0 * PADDING);
        let view = format!("{0} {0} {1} {2}", number(-PADDING), number(wide), number(high));
        html! {
            svg class="app-network" viewBox=(view) width=(number(wide)) height=(number(high)) role="group" aria-label={ (self.caption) ": " (drawn.nodes.len()) " resources and " (drawn.links.len()) " links" } {
                g class="app-network__lines" aria-hidden="true" {
                    @for line in &placed.lines { path d=(curve(*line)) {} }
                }
                g class="app-network__tips" aria-hidden="true" {
                    @for tip in &placed.tips { path d=(triangle(*tip)) {} }
                }
                g class="app-network__labels" aria-hidden="true" {
                    @for label in &placed.labels {
                        @let lines = &labels[label.label];
                        text {
                            title { (names[label.label]) }
                            @for (index, line) in lines.iter().enumerate() {
                                tspan x=(number(label.x)) y=(number(baseline(label.y, lines.len(), index, SMALL + 2.0))) { (line) }
                            }
                        }
                    }
                }
                @for ((text, node), (x, y)) in boxes.iter().zip(&drawn.nodes).zip(&placed.boxes) {
                    (text.show(&self.nodes[*node], *x, *y))
                }
            }
        }
    }

    /// Each resource with what is said of it. One of which nothing is said
    /// stands where it is linked to.
    fn list(&self) -> Markup {
        let mut out: BTreeMap<usize, Vec<(&str, Vec<usize>)>> = BTreeMap::new();
        for link in &self.links {
            let of = out.entry(link.from).or_default();
            match of.iter_mut().find(|(label, _)| *label == link.label) {
                Some((_, ends)) => ends.push(link.to),
                None => of.push((&link.label, vec![link.to])),
            }
        }
        // What nothing leads to comes first: there one begins to read.
        let mut order: Vec<usize> = (0..self.nodes.len()).collect();
        order.sort_by_key(|node| self.links.iter().any(|link| link.to == *node));
        html! {
            ul class="nhsuk-list app-tree" {
                @for index in order {
                    @let node = &self.nodes[index];
                    @let links = out.get(&index).map(Vec::as_slice).unwrap_or_default();
                    @if !links.is_empty() || !node.facts.is_empty() {
                        li {
                            (name(node))
                            ul class="nhsuk-list nhsuk-list--bullet" {
                                @for (label, ends) in links {
                                    li {
                                        (label) ": "
                                        @if let [end] = ends.as_slice() { (name(&self.nodes[*end])) } @else {
                                            ul class="nhsuk-list" { @for end in ends { li { (name(&self.nodes[*end])) } } }
                                        }
                                    }
                                }
                                @for (label, values) in &node.facts { li { (label) ": " (several(values)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A resource in the list.
fn name(node: &NetworkNode) -> Markup {
    html! {
        @if node.link.is_safe() { a href=(node.link.url) { (node.link.text) } } @else { (node.link.text) }
        (mark(&node.link.status))
        @if !node.kind.is_empty() { " " span class="app-small" { (node.kind) } }
    }
}

/// The text of a box in lines.
struct BoxText {
    /// Its kind and its status, if that is not that it is sourced.
    small: String,
    lines: Vec<String>,
}

impl BoxText {
    fn of(node: &NetworkNode) -> Self {
        let status = Some(node.link.status.as_str()).filter(|s| !["", "Sourced"].contains(s));
        let parts: Vec<&str> =
            Some(node.kind.as_str()).filter(|k| !k.is_empty()).into_iter().chain(status).collect();
        let room = BOX - 2.0 * PADDING - 6.0;
        let small = wrap(&parts.join(" · "), room, SMALL, 1).pop().unwrap_or_default();
        Self { small, lines: wrap(&node.link.text, room, TEXT, 3) }
    }

    fn height(&self) -> f64 {
        let small = if self.small.is_empty() { 0.0 } else { LEADING };
        small + lines_high(self.lines.len(), LEADING) + 2.0 * PADDING - 4.0
    }

    fn show(&self, node: &NetworkNode, x: f64, y: f64) -> Markup {
        let high = self.height();
        let all = self.lines.len() + usize::from(!self.small.is_empty());
        let left = number(x + PADDING + 6.0);
        let inside = html! {
            rect class="app-box__frame" x=(number(x)) y=(number(y - high / 2.0)) width=(number(BOX)) height=(number(high)) rx="4" {}
            rect class="app-box__edge" x=(number(x)) y=(number(y - high / 2.0)) width="6" height=(number(high)) {}
            text {
                @if !self.small.is_empty() {
                    tspan class="app-box__small" x=(left) y=(number(baseline(y, all, 0, LEADING))) { (self.small) } " "
                }
                @for (index, line) in self.lines.iter().enumerate() {
                    @let index = index + all - self.lines.len();
                    tspan class="app-box__name" x=(left) y=(number(baseline(y, all, index, LEADING))) { (line) } " "
                }
            }
            title { (node.link.text) }
        };
        let illustrative =
            if node.link.status == "Illustrative" { " app-box--illustrative" } else { "" };
        let class = format!("app-box app-box--{}{illustrative}", kind_class(&node.kind));
        // The name holds what is seen, and the rest of what was cut.
        let seen = self.lines.join(" ");
        let rest =
            if seen.ends_with('…') { format!(" – {}", node.link.text) } else { String::new() };
        let called = format!("{} {seen}{rest}", self.small).trim().to_owned();
        html! {
            // Other sites are named in the list, where it is seen that they are elsewhere.
            @if node.link.url.starts_with('/') {
                a class=(class) href=(node.link.url) aria-label=(called) { (inside) }
            } @else {
                g class=(class) { (inside) }
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few lines")]
fn lines_high(count: usize, leading: f64) -> f64 {
    count as f64 * leading
}

/// Where a line of text stands that is one of several around a middle.
fn baseline(middle: f64, count: usize, index: usize, leading: f64) -> f64 {
    middle - lines_high(count, leading) / 2.0 + lines_high(index, leading) + leading * 0.75
}

/// How wide a letter is about, in Arial of size 1; rather too wide.
fn letter_width(letter: char) -> f64 {
    match letter {
        'i' | 'j' | 'l' | '\'' | '|' | '.' | ',' | ':' | ';' | '!' => 0.28,
        'f' | 't' | 'r' | ' ' | '-' | '/' | '(' | ')' | 'I' => 0.36,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.92,
        c if c.is_uppercase() => 0.72,
        c if c.is_ascii() => 0.57,
        // Letters of other scripts can be as wide as high.
        '\u{2E80}'.. => 1.0,
        _ => 0.7,
    }
}

fn width(text: &str, size: f64) -> f64 {
    text.chars().map(letter_width).sum::<f64>() * size
}

/// Text in lines of at most this width; what does not fit ends in `…`.
fn wrap(text: &str, most: f64, size: f64, count: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut words: VecDeque<String> = text.split_whitespace().map(str::to_owned).collect();
    while let Some(word) = words.pop_front() {
        let longer = if line.is_empty() { word.clone() } else { format!("{line} {word}") };
        if width(&longer, size) <= most {
            line = longer;
        } else if line.is_empty() {
            // A word longer than a line is broken, after one letter at least.
            let (mut fits, mut wide) = (0, 0.0);
            for (at, letter) in word.char_indices() {
                wide += letter_width(letter) * size;
                if wide > most && at > 0 {
                    break;
                }
                fits = at + letter.len_utf8();
            }
            // Addresses rather after a sign than within a word.
            let sign = word[..fits].rfind(['/', '-', '.', '_', '#', '?', '&', '=']);
            if let Some(sign) = sign.filter(|at| fits < word.len() && *at > fits / 2) {
                fits = sign + 1;
            }
            lines.push(word[..fits].to_owned());
            if fits < word.len() {
                words.push_front(word[fits..].to_owned());
            }
        } else {
            lines.push(std::mem::take(&mut line));
            words.push_front(word);
        }
        if lines.len() > count {
            break;
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    if lines.len() > count {
        lines.truncate(count);
        if let Some(last) = lines.last_mut() {
            while width(last, size) + size > most && last.pop().is_some() {}
            last.truncate(last.trim_end_matches([' ', ',', '–', '-']).len());
            last.push('…');
        }
    }
    lines
}

/// A line with level ends.
fn curve(line: Line) -> String {
    let ((x1, y1), (x2, y2)) = (line.start, line.end);
    if (y1 - y2).abs() < 0.5 {
        return format!("M{} {}H{}", number(x1), number(y1), number(x2));
    }
    let middle = number(f64::midpoint(x1, x2));
    let (x1, y1, x2, y2) = (number(x1), number(y1), number(x2), number(y2));
    format!("M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}")
}

fn triangle(tip: Tip) -> String {
    let back = if tip.back { 9.0 } else { -9.0 };
    let (x, y, from) = (number(tip.x), number(tip.y), number(tip.x + back));
    format!("M{x} {y}L{from} {}L{from} {}Z", number(tip.y - 4.5), number(tip.y + 4.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(count: usize, links: &[(usize, usize)]) -> Network {
        let node = |n: usize| NetworkNode {
            link: Link::new(&format!("Resource {n}"), &format!("/lesson/r{n}")),
            kind: "Lesson".to_owned(),
            facts: vec![("title".to_owned(), vec![Value::text(&format!("said of {n}"))])],
        };
        let link = |(from, to): &(usize, usize)| NetworkLink {
            from: *from,
            to: *to,
            label: "is linked to".to_owned(),
        };
        Network {
            caption: "Answer".to_owned(),
            nodes: (0..count).map(node).collect(),
            links: links.iter().map(link).collect(),
        }
    }

    #[test]
    fn the_list_holds_all_that_the_picture_leaves_out_and_says_so() {
        let links: Vec<(usize, usize)> = (1..100).map(|n| (0, n)).collect();
        let html = network(100, &links).show().into_string();
        let said = "shows 40 of 100 resources and 39 of 99 links; all are in the list.";
        assert!(html.contains(said), "{html}");
        let (picture, list) = html.split_once("</svg>").expect("a picture");
        assert_eq!(picture.matches("class=\"app-box app-box--lesson\"").count(), BOXES);
        for n in 0..100 {
            assert!(list.contains(&format!("<a href=\"/lesson/r{n}\">Resource {n}</a>")), "{n}");
            assert!(list.contains(&format!("said of {n}<")), "{n}");
            assert!(!picture.contains("said of 1"), "text is not drawn");
        }
    }

    #[test]
    fn a_small_answer_is_drawn_whole() {
        let html = network(3, &[(0, 1), (1, 2)]).show().into_string();
        assert!(!html.contains("app-graph__left-out"), "{html}");
        assert_eq!(html.matches("<a class=\"app-box").count(), 3);
        let alone = network(3, &[(0, 1)]).show().into_string();
        assert!(alone.contains("resources without a link are in the list alone"), "{alone}");
        assert!(!network(2, &[(0, 0)]).has_links(), "a link to itself joins nothing");
    }

    #[test]
    fn text_fits_its_lines() {
        let text = "Mid and South Essex NHS Foundation Trust: an extraordinarily long name of it";
        let lines = wrap(text, 150.0, TEXT, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| width(line, TEXT) <= 150.0), "{lines:?}");
        assert!(lines[1].ends_with('…'), "{lines:?}");
        assert_eq!(wrap("one two", 150.0, TEXT, 2), ["one two"]);
        assert!(wrap("", 150.0, TEXT, 2).is_empty());
        let long = "https://example.org/a/very/long/address/without/any/space/in/it/änd/ümläuts";
        for most in [5.0, 30.0, 150.0] {
            let lines = wrap(long, most, TEXT, 3);
            assert!(lines.len() == 3, "{lines:?}");
        }
        assert_eq!(wrap(long, 10_000.0, TEXT, 1), [long]);
    }
}
