//! Places the boxes of a node-link picture in columns, so that links run from
//! left to right and nothing lies on anything else. The way of Sugiyama, Tagawa
//! and Toda (1981): turn cycles, give each box a column, order each column for
//! few crossings, then set heights. Between two columns of boxes lies a column
//! of labels; links with one end and one label in common share the label.
//! The same input gives the same picture. Draws nothing.

use std::collections::BTreeMap;

/// Width of a box (pixels of the picture, as all lengths here).
pub(super) const BOX: f64 = 184.0;
/// Width of a label.
pub(super) const LABEL: f64 = 120.0;
/// Between a column of boxes and one of labels: room for curves.
const GAP: f64 = 36.0;
/// Between two things in a column.
const APART: f64 = 12.0;
/// What a link needs where it passes a column.
const PASS: f64 = 4.0;
/// How often the columns are gone through, for their order and for heights.
const SWEEPS: usize = 12;

/// A link between two boxes, by their numbers and the number of its label.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) label: usize,
}

/// A label in its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlacedLabel {
    /// Its number.
    pub(super) label: usize,
    /// Its centre.
    pub(super) x: f64,
    pub(super) y: f64,
}

/// A line of a link: from `start`, in a curve within a gap, to `end`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) start: (f64, f64),
    pub(super) end: (f64, f64),
}

/// A tip at a box; it points to the right unless `back`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tip {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) back: bool,
}

/// A picture, ready to be drawn.
#[derive(Debug, Clone, Default)]
pub(super) struct Placed {
    pub(super) width: f64,
    pub(super) height: f64,
    /// Left edge and middle height of each box.
    pub(super) boxes: Vec<(f64, f64)>,
    pub(super) labels: Vec<PlacedLabel>,
    /// Curves in gaps, and straight lines past columns and to labels.
    pub(super) lines: Vec<Line>,
    pub(super) tips: Vec<Tip>,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Box(usize),
    Label(usize),
    Pass,
}

/// Something in a column.
#[derive(Debug)]
struct Item {
    what: What,
    column: usize,
    height: f64,
    y: f64,
    /// Whether the link runs from right to left here.
    back: bool,
    left: Vec<usize>,
    right: Vec<usize>,
}

/// Places boxes of these heights. `labels` are width and height of each label.
/// An edge from a box to itself has no place and is left out.
pub(super) fn place(heights: &[f64], edges: &[Edge], labels: &[(f64, f64)]) -> Placed {
    let edges: Vec<Edge> = edges.iter().copied().filter(|e| e.from != e.to).collect();
    let layers = layers(heights.len(), &edges);
    let mut placed = Placed { boxes: vec![(0.0, 0.0); heights.len()], ..Placed::default() };
    for part in parts(heights.len(), &edges) {
        let mut items = items(&part, heights, &edges, &layers, labels);
        let mut columns: Vec<Vec<usize>> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            if columns.len() <= item.column {
                columns.resize(item.column + 1, Vec::new());
            }
            columns[item.column].push(index);
        }
        order(&mut columns, &items);
        let height = settle(&columns, &mut items);
        let top = if placed.height > 0.0 { placed.height + 2.0 * APART } else { 0.0 };
        for item in &mut items {
            item.y += top;
        }
        placed.height = top + height;
        trace(&items, labels, &mut placed);
    }
    placed
}

/// Left edge and width of a column; boxes have the even ones.
#[expect(clippy::cast_precision_loss, reason = "a picture has few columns")]
fn extent(column: usize) -> (f64, f64) {
    let pair = (column / 2) as f64 * (BOX + LABEL + 2.0 * GAP);
    if column.is_multiple_of(2) { (pair, BOX) } else { (pair + BOX + GAP, LABEL) }
}

/// The layer of each box: after all that point to it, once links that close a
/// cycle are turned; what nothing points to stands right before its first.
fn layers(count: usize, edges: &[Edge]) -> Vec<usize> {
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut pointed = vec![false; count];
    for edge in edges {
        next[edge.from].push(edge.to);
        pointed[edge.to] = true;
    }
    // Depth first; a link to a box on the present way closes a cycle.
    let (mut state, mut done) = (vec![0_u8; count], Vec::with_capacity(count));
    let mut forward: Vec<Vec<usize>> = vec![Vec::new(); count];
    let roots = (0..count).filter(|n| !pointed[*n]).chain((0..count).filter(|n| pointed[*n]));
    for root in roots {
        if state[root] != 0 {
            continue;
        }
        state[root] = 1;
        let mut way = vec![(root, 0)];
        while let Some((node, at)) = way.last_mut() {
            let node = *node;
            let Some(&to) = next[node].get(*at) else {
                state[node] = 2;
                done.push(node);
                way.pop();
                continue;
            };
            *at += 1;
            if state[to] == 1 {
                forward[to].push(node);
                continue;
            }
            forward[node].push(to);
            if state[to] == 0 {
                state[to] = 1;
                way.push((to, 0));
            }
        }
    }
    let mut layers = vec![0_usize; count];
    let mut has_left = vec![false; count];
    for node in done.iter().rev() {
        for to in &forward[*node] {
            layers[*to] = layers[*to].max(layers[*node] + 1);
            has_left[*to] = true;
        }
    }
    for node in 0..count {
        if !has_left[node]
            && let Some(first) = forward[node].iter().map(|to| layers[*to]).min()
        {
            layers[node] = first.saturating_sub(1);
        }
    }
    layers
}

/// Boxes that hang together.
fn parts(count: usize, edges: &[Edge]) -> Vec<Vec<usize>> {
    let mut of: Vec<usize> = (0..count).collect();
    let root = |of: &[usize], mut node: usize| {
        while of[node] != node {
            node = of[node];
        }
        node
    };
    for edge in edges {
        let (a, b) = (root(&of, edge.from), root(&of, edge.to));
        of[a.max(b)] = a.min(b);
    }
    let mut parts: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for node in 0..count {
        parts.entry(root(&of, node)).or_default().push(node);
    }
    parts.into_values().collect()
}

/// Links that share a label: the box they share, and the others.
struct Bundle {
    hub: usize,
    hub_is_left: bool,
    label: usize,
    back: bool,
    others: Vec<usize>,
}

/// Each link, turned so that it runs from left to right, goes into the larger
/// bundle of the two that it could be in.
fn bundles(edges: &[Edge], layers: &[usize]) -> Vec<Bundle> {
    let mut rest: Vec<(usize, usize, usize, bool)> = edges
        .iter()
        .map(|edge| {
            let back = layers[edge.from] > layers[edge.to];
            let (left, right) = if back { (edge.to, edge.from) } else { (edge.from, edge.to) };
            (left, right, edge.label, back)
        })
        .collect();
    let mut bundles = Vec::new();
    while let Some(&(left, right, label, back)) = rest.first() {
        let same = |one: &(usize, usize, usize, bool)| one.2 == label && one.3 == back;
        let out = rest.iter().filter(|one| same(one) && one.0 == left).count();
        let into = rest.iter().filter(|one| same(one) && one.1 == right).count();
        let hub_is_left = out >= into;
        let of_this = |one: &(usize, usize, usize, bool)| {
            same(one) && if hub_is_left { one.0 == left } else { one.1 == right }
        };
        let others = rest.iter().filter(|one| of_this(one));
        let mut others: Vec<usize> =
            others.map(|one| if hub_is_left { one.1 } else { one.0 }).collect();
        others.sort_unstable();
        others.dedup();
        rest.retain(|one| !of_this(one));
        let hub = if hub_is_left { left } else { right };
        bundles.push(Bundle { hub, hub_is_left, label, back, others });
    }
    bundles
}

/// Boxes of a part, its labels, and a place in each column that a link passes.
fn items(
    part: &[usize],
    heights: &[f64],
    edges: &[Edge],
    layers: &[usize],
    labels: &[(f64, f64)],
) -> Vec<Item> {
    let first = part.iter().map(|node| layers[*node]).min().unwrap_or(0);
    let item = |what, column, height, back| Item {
        what,
        column,
        height,
        y: 0.0,
        back,
        left: Vec::new(),
        right: Vec::new(),
    };
    let mut at = BTreeMap::new();
    let mut items: Vec<Item> = Vec::new();
    for node in part {
        at.insert(*node, items.len());
        items.push(item(What::Box(*node), 2 * (layers[*node] - first), heights[*node], false));
    }
    let own: Vec<Edge> = edges.iter().copied().filter(|e| at.contains_key(&e.from)).collect();
    let join = |items: &mut Vec<Item>, a: usize, b: usize| {
        items[a].right.push(b);
        items[b].left.push(a);
    };
    for Bundle { hub, hub_is_left, label, back, others } in bundles(&own, layers) {
        let hub = at[&hub];
        let column = if hub_is_left { items[hub].column + 1 } else { items[hub].column - 1 };
        let middle = items.len();
        items.push(item(What::Label(label), column, labels[label].1, back));
        if hub_is_left {
            join(&mut items, hub, middle);
        } else {
            join(&mut items, middle, hub);
        }
        for other in others {
            let (mut from, to) =
                if hub_is_left { (middle, at[&other]) } else { (at[&other], middle) };
            for column in items[from].column + 1..items[to].column {
                items.push(item(What::Pass, column, PASS, back));
                let pass = items.len() - 1;
                join(&mut items, from, pass);
                from = pass;
            }
            join(&mut items, from, to);
        }
    }
    items
}

/// Orders columns by the mean place of what each thing is joined to, to and
/// fro, and keeps the order with the fewest crossings.
fn order(columns: &mut Vec<Vec<usize>>, items: &[Item]) {
    let mut best = (crossings(columns, items), columns.clone());
    for sweep in 0..SWEEPS {
        let rightwards = sweep.is_multiple_of(2);
        let mut places = places(columns, items.len());
        for step in 1..columns.len() {
            let column = if rightwards { step } else { columns.len() - 1 - step };
            let mut keyed: Vec<(f64, usize)> = columns[column]
                .iter()
                .map(|index| {
                    let item = &items[*index];
                    let joined = if rightwards { &item.left } else { &item.right };
                    (
                        mean(joined.iter().map(|other| places[*other])).unwrap_or(places[*index]),
                        *index,
                    )
                })
                .collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            for (place, (_, index)) in keyed.iter().enumerate() {
                places[*index] = in_column(place, keyed.len());
            }
            columns[column] = keyed.into_iter().map(|(_, index)| index).collect();
        }
        let count = crossings(columns, items);
        if count < best.0 {
            best = (count, columns.clone());
        }
    }
    *columns = best.1;
}

/// A place as a share of the column, since columns differ in length.
#[expect(clippy::cast_precision_loss, reason = "a column holds few things")]
fn in_column(place: usize, count: usize) -> f64 {
    (place as f64 + 0.5) / count as f64
}

fn places(columns: &[Vec<usize>], count: usize) -> Vec<f64> {
    let mut places = vec![0.0; count];
    for column in columns {
        for (place, index) in column.iter().enumerate() {
            places[*index] = in_column(place, column.len());
        }
    }
    places
}

#[expect(clippy::cast_precision_loss, reason = "a thing is joined to few others")]
fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_usize), |(sum, count), v| (sum + v, count + 1));
    (count > 0).then(|| sum / count as f64)
}

fn crossings(columns: &[Vec<usize>], items: &[Item]) -> usize {
    let places = places(columns, items.len());
    columns
        .iter()
        .map(|column| {
            let lines: Vec<(f64, f64)> = column
                .iter()
                .flat_map(|a| items[*a].right.iter().map(|b| (places[*a], places[*b])))
                .collect();
            let crossed = |(n, one): (usize, &(f64, f64))| {
                lines[..n].iter().filter(|two| (one.0 - two.0) * (one.1 - two.1) < 0.0).count()
            };
            lines.iter().enumerate().map(crossed).sum::<usize>()
        })
        .sum()
}

/// Sets heights: each thing as near as can be to the middle of what it is
/// joined to, in the order of its column. Returns the height of all.
fn settle(columns: &[Vec<usize>], items: &mut [Item]) -> f64 {
    for sweep in 0..2 * SWEEPS {
        for step in 0..columns.len() {
            let column =
                &columns[if sweep.is_multiple_of(2) { step } else { columns.len() - 1 - step }];
            let mut offset = 0.0;
            // Means of blocks that stand as close as they may, with their sizes.
            let mut blocks: Vec<(f64, usize)> = Vec::new();
            let mut offsets = Vec::with_capacity(column.len());
            let mut above: Option<f64> = None;
            for index in column {
                let item = &items[*index];
                if let Some(above) = above {
                    offset += above / 2.0 + APART + item.height / 2.0;
                }
                above = Some(item.height);
                offsets.push(offset);
                let joined = item.left.iter().chain(&item.right);
                let wanted = mean(joined.map(|other| items[*other].y)).unwrap_or(item.y);
                let mut block = (wanted - offset, 1);
                while let Some(last) = blocks.last().copied().filter(|last| last.0 > block.0) {
                    blocks.pop();
                    #[expect(clippy::cast_precision_loss, reason = "a column holds few things")]
                    let (a, b) = (last.1 as f64, block.1 as f64);
                    block = ((last.0 * a + block.0 * b) / (a + b), last.1 + block.1);
                }
                blocks.push(block);
            }
            let starts =
                blocks.iter().flat_map(|(start, count)| std::iter::repeat_n(*start, *count));
            for ((index, offset), start) in column.iter().zip(offsets).zip(starts) {
                items[*index].y = start + offset;
            }
        }
    }
    let top = items.iter().map(|item| item.y - item.height / 2.0).fold(f64::MAX, f64::min);
    let mut bottom = 0.0_f64;
    for item in items {
        item.y -= top;
        bottom = bottom.max(item.y + item.height / 2.0);
    }
    bottom
}

/// Turns things in columns into what is drawn.
fn trace(items: &[Item], labels: &[(f64, f64)], placed: &mut Placed) {
    for item in items {
        let (x, width) = extent(item.column);
        placed.width = placed.width.max(x + width);
        let straight = |from: f64, to: f64| Line { start: (from, item.y), end: (to, item.y) };
        match item.what {
            What::Box(number) => {
                placed.boxes[number] = (x, item.y);
                if item.left.iter().any(|other| !items[*other].back) {
                    placed.tips.push(Tip { x, y: item.y, back: false });
                }
                if item.right.iter().any(|other| items[*other].back) {
                    placed.tips.push(Tip { x: x + width, y: item.y, back: true });
                }
            }
            What::Label(label) => {
                let middle = x + width / 2.0;
                let half = labels[label].0.min(width) / 2.0 + 4.0;
                placed.labels.push(PlacedLabel { label, x: middle, y: item.y });
                if half < width / 2.0 {
                    placed.lines.push(straight(x, middle - half));
                    placed.lines.push(straight(middle + half, x + width));
                }
            }
            What::Pass => placed.lines.push(straight(x, x + width)),
        }
        for other in &item.right {
            let (to, _) = extent(items[*other].column);
            placed.lines.push(Line { start: (x + width, item.y), end: (to, items[*other].y) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(count: usize, edges: &[(usize, usize)]) -> Placed {
        let edges: Vec<Edge> =
            edges.iter().map(|(from, to)| Edge { from: *from, to: *to, label: 0 }).collect();
        let heights: Vec<f64> = (0..count).map(|n| if n % 3 == 0 { 62.0 } else { 45.0 }).collect();
        let placed = place(&heights, &edges, &[(80.0, 16.0)]);
        let far = |a: f64, b: f64, least: f64| (a - b).abs() >= least - 0.01;
        for (n, a) in placed.boxes.iter().enumerate() {
            assert!(a.1 - heights[n] / 2.0 > -0.01 && a.0 >= 0.0, "{n} is outside");
            assert!(a.1 + heights[n] / 2.0 < placed.height + 0.01 && a.0 + BOX <= placed.width);
            for (m, b) in placed.boxes.iter().enumerate().skip(n + 1) {
                let least = f64::midpoint(heights[n], heights[m]) + APART;
                assert!(far(a.0, b.0, BOX) || far(a.1, b.1, least), "{n} lies on {m}");
            }
        }
        for (n, a) in placed.labels.iter().enumerate() {
            for b in &placed.labels[n + 1..] {
                assert!(far(a.x, b.x, LABEL) || far(a.y, b.y, 16.0), "labels lie on each other");
            }
        }
        placed
    }

    #[test]
    fn a_chain_runs_from_left_to_right_at_one_height() {
        let chain = placed(4, &[(2, 3), (0, 1), (1, 2)]);
        for pair in chain.boxes.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{:?}", chain.boxes);
            assert!((pair[0].1 - pair[1].1).abs() < 0.01, "{:?}", chain.boxes);
        }
        assert!(chain.tips.iter().all(|tip| !tip.back));
    }

    #[test]
    fn links_of_one_label_share_it_and_the_hub_stands_in_the_middle() {
        let star = placed(8, &[(0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (0, 6), (0, 7)]);
        assert_eq!(star.labels.len(), 1);
        let heights: Vec<f64> = star.boxes[1..].iter().map(|b| b.1).collect();
        let middle = heights.iter().sum::<f64>() / 7.0;
        assert!((star.boxes[0].1 - middle).abs() < 5.0, "{:?}", star.boxes);
        let into = placed(5, &[(1, 0), (2, 0), (3, 0), (4, 0)]);
        assert_eq!((into.labels.len(), into.tips.len()), (1, 1));
    }

    #[test]
    fn cycles_end_and_show_their_way_back() {
        let cycle = placed(3, &[(0, 1), (1, 2), (2, 0), (0, 0)]);
        assert_eq!(cycle.tips.iter().filter(|tip| tip.back).count(), 1);
        placed(2, &[(0, 1), (1, 0)]);
        assert_eq!(placed(1, &[(0, 0)]).labels.len(), 0);
        let none = placed(0, &[]);
        assert!(none.width.abs() < 0.01 && none.height.abs() < 0.01);
    }

    #[test]
    fn a_crossing_that_need_not_be_is_not_there() {
        // In the order of their numbers 0–3 and 1–2 would cross.
        let placed = placed(5, &[(0, 3), (1, 2), (0, 4), (1, 4)]);
        let above = |a: usize, b: usize| placed.boxes[a].1 < placed.boxes[b].1;
        assert_eq!(above(0, 1), above(3, 2), "{:?}", placed.boxes);
    }

    #[test]
    fn parts_stand_below_each_other_and_the_same_input_gives_the_same_picture() {
        let edges: Vec<(usize, usize)> = (0..36).map(|n| (n * 7 % 40, n * 11 % 40)).collect();
        let (a, b) = (placed(40, &edges), placed(40, &edges));
        assert_eq!(format!("{a:?}"), format!("{b:?}"));
        let two = placed(4, &[(0, 1), (2, 3)]);
        assert!(two.boxes[2].1 > two.boxes[0].1 && (two.boxes[2].0 - two.boxes[0].0).abs() < 0.01);
    }
}
