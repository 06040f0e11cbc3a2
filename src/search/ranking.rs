//! One ranked list from words and meaning. The recipe and every parameter were
//! measured on test collections (`src/search/README.md` tells how and what);
//! steps are named as there.

use crate::graph::Snapshot as Graph;
use crate::index::{
    Error, Facet, Filters, KINDS, Row, Rows, Scan, Scored, Scoring, Snapshot, Vector, meaning_of,
    words_of,
};
use crate::rdf::vocabulary::INSITES;
use crate::search::records::Known;
use crate::search::understand::{Understood, widened};
use crate::search::words::is_stop_word;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::RefCell;

/// Candidates of each list.
const CANDIDATES: usize = 100;
/// Weight of the meaning's z-score, next to 1 for that of the words.
const MEANING: f32 = 1.3;
/// Documents whose vectors the query's is moved towards, and how far.
const FEEDBACK: (usize, f32) = (2, 0.5);
/// Neighbours that a candidate's score is smoothed over, their share, the
/// first places that stay, and the candidates below which it is not done.
const NEIGHBOURS: usize = 10;
const SMOOTHED: f32 = 0.3;
const KEPT: usize = 2;
const FEW: usize = 5;
/// The tail begins after so many places; it takes so many terms from so many
/// documents.
const HEAD: usize = 20;
const TAIL: (usize, usize) = (5, 20);
/// How far an illustrative record stands back.
const EXAMPLE: f32 = 3.0;
/// The least cosine at which meaning alone is an answer when no word was
/// found. Unrelated short texts reach .2.
const LEAST: f32 = 0.3;

/// How records are ranked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// Words and meaning.
    #[default]
    Hybrid,
    /// Words alone (BM25).
    Words,
    /// Meaning alone.
    Meaning,
}

impl Mode {
    /// All modes.
    pub const ALL: [Self; 3] = [Self::Hybrid, Self::Words, Self::Meaning];

    /// The value of `mode=`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hybrid => "hybrid",
            Self::Words => "words",
            Self::Meaning => "meaning",
        }
    }
}

/// What was found.
pub(super) struct Ranked {
    /// All results, before filters.
    pub(super) rows: Rows,
    /// The results that pass the filters, best first; as many as were wanted.
    pub(super) hits: Vec<(Row, f32)>,
    /// The vector that was compared with, if any.
    pub(super) vector: Option<Vector>,
}

/// Ranks. `wanted` is how many places are needed, from the first.
pub(super) fn rank(
    index: &Snapshot,
    graph: &Graph,
    known: &Known,
    asked: &Understood,
    mode: Mode,
    filters: &Filters,
    wanted: usize,
) -> Result<Ranked, Error> {
    let says_something = !asked.matching.groups.is_empty();
    let wants_meaning = mode != Mode::Words && says_something;
    if wants_meaning {
        index.await_vectors();
    }
    let compares = wants_meaning && index.has_vectors();
    if !compares {
        let (rows, hits) = index.find(&asked.matching, &asked.scoring, &filters.all, wanted)?;
        let mut within = rows.clone();
        within.and(&filters.all);
        let hits = filled(index, hits, &within, wanted);
        return Ok(Ranked { rows, hits, vector: None });
    }
    if mode == Mode::Meaning {
        let vector = meaning_of(&asked.text);
        return by_meaning(index, asked, &vector, filters, wanted);
    }
    let illustrative = graph.iri_id(&format!("{INSITES}Illustrative")).map(u64::from);
    let named = RefCell::default();
    let ranking = Ranking { index, graph, asked, known, illustrative, named };
    if !asked.may_guess() {
        let rows = index.matching(&asked.matching)?;
        let mut within = rows.clone();
        within.and(&filters.all);
        let scored = index.scored(&asked.scoring)?;
        let best = scored.best(&within, CANDIDATES);
        let vector = meaning_of(&asked.text);
        let near = index.nearest(&vector, &within, CANDIDATES);
        let fused = ranking.fuse(&scored, &best, &vector, &near);
        let hits = ranking.rest(&asked.scoring, fused.in_order(), &within, wanted)?;
        return Ok(Ranked { rows, hits, vector: Some(vector) });
    }
    // All that is not excluded.
    let allowed = crate::index::Matching { groups: Vec::new(), ..asked.matching.clone() };
    let visible = index.matching(&allowed)?;
    let scoring = widened(index, &asked.scoring)?;
    // Words and meaning do not need each other until here.
    let (words, (vector, scan)) = std::thread::scope(|scope| {
        let words = scope.spawn(|| {
            let rows = index.matching(&asked.matching)?;
            let scored = index.scored(&scoring)?;
            let best = scored.best(&visible, CANDIDATES);
            Ok::<_, Error>((rows, scored, best))
        });
        let vector = meaning_of(&asked.text);
        let scan = index.scan(&vector, &visible, CANDIDATES);
        (words.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), (vector, scan))
    });
    let (mut rows, scored, best) = words?;
    let first = ranking.fuse(&scored, &best, &vector, &scan.nearest);
    // Where no word was found, meaning alone must be near enough.
    let by_words = !rows.is_empty() || first.words.iter().any(|score| *score > 0.0);
    if !by_words && first.best_cosine() < LEAST {
        return Ok(Ranked { rows: index.nothing(), hits: Vec::new(), vector: Some(vector) });
    }
    let moved = ranking.moved(&first, &vector);
    let words = (&scoring, &scored);
    // Where meaning alone decides, some of the first places may be dropped.
    let places = if by_words { wanted } else { usize::MAX };
    let found = ranking.recipe(words, &best, &scan, &moved, (&visible, places))?;
    for (row, _) in found.iter().copied().chain(first.in_order()) {
        if by_words || index.cosine(row, &vector).is_some_and(|cosine| cosine >= LEAST) {
            rows.set(row);
        }
    }
    let hits = if filters.without.is_empty() && filters.all == index.visible() {
        let found = found.into_iter().filter(|(row, _)| rows.contains(*row)).collect();
        ranking.rest(&asked.scoring, found, &rows, wanted)?
    } else {
        let mut within = rows.clone();
        within.and(&filters.all);
        let best = scored.best(&within, CANDIDATES);
        let found = ranking.recipe(words, &best, &scan, &moved, (&within, places))?;
        ranking.rest(&asked.scoring, found, &within, wanted)?
    };
    Ok(Ranked { rows, hits, vector: Some(moved) })
}

fn by_meaning(
    index: &Snapshot,
    asked: &Understood,
    vector: &Vector,
    filters: &Filters,
    wanted: usize,
) -> Result<Ranked, Error> {
    let mut within = index.visible();
    if !asked.may_guess() || !asked.matching.none.is_empty() {
        let mut matching = asked.matching.clone();
        matching.groups.retain(|group| group.required);
        within = index.matching(&matching)?;
    }
    let mut rows = index.nothing();
    let mut hits = Vec::new();
    for (row, cosine) in index.nearest(vector, &within, CANDIDATES) {
        rows.set(row);
        if filters.all.contains(row) {
            hits.push((row, cosine));
        }
    }
    hits.truncate(wanted);
    Ok(Ranked { rows, hits, vector: Some(*vector) })
}

/// Rows that no score reached, after those that were: the latest first, then by
/// record, so that paging reaches every result once.
fn filled(
    index: &Snapshot,
    mut hits: Vec<(Row, f32)>,
    within: &Rows,
    wanted: usize,
) -> Vec<(Row, f32)> {
    if hits.len() < wanted {
        let known: FxHashSet<Row> = hits.iter().map(|(row, _)| *row).collect();
        let unknown = within.iter().filter(|row| !known.contains(row));
        let key = |row| (std::cmp::Reverse(index.date(row)), index.subject(row), row);
        let mut rest: Vec<_> = unknown.map(key).collect();
        let missing = wanted - hits.len();
        // Only those that are shown are sorted.
        if missing < rest.len() {
            rest.select_nth_unstable(missing);
            rest.truncate(missing);
        }
        rest.sort_unstable();
        hits.extend(rest.into_iter().map(|(.., row)| (row, 0.0)));
    }
    hits
}

/// Candidates with their scores.
struct Fused {
    rows: Vec<Row>,
    words: Vec<f32>,
    cosines: Vec<Option<f32>>,
    scores: Vec<f32>,
    /// Positions, best first.
    order: Vec<usize>,
}

impl Fused {
    fn in_order(&self) -> Vec<(Row, f32)> {
        self.order.iter().map(|n| (self.rows[*n], self.scores[*n])).collect()
    }

    fn best_cosine(&self) -> f32 {
        self.cosines.iter().flatten().copied().fold(f32::MIN, f32::max)
    }
}

struct Ranking<'a> {
    index: &'a Snapshot,
    graph: &'a Graph,
    asked: &'a Understood,
    known: &'a Known,
    /// The status of records that are examples.
    illustrative: Option<u64>,
    /// Whether the title of a row was typed; asked again by every step.
    named: RefCell<FxHashMap<Row, bool>>,
}

impl Ranking<'_> {
    /// Step 4: the union of both lists' best, scored by the sum of z-scores
    /// over the union.
    fn fuse(
        &self,
        scored: &Scored<'_>,
        by_words: &[(Row, f32)],
        vector: &Vector,
        by_meaning: &[(Row, f32)],
    ) -> Fused {
        let mut rows: Vec<Row> = Vec::with_capacity(2 * CANDIDATES);
        let mut words: Vec<f32> = Vec::with_capacity(2 * CANDIDATES);
        let mut known: FxHashSet<Row> = FxHashSet::default();
        for (row, score) in by_words {
            known.insert(*row);
            rows.push(*row);
            words.push(*score);
        }
        let only_meaning: Vec<Row> =
            by_meaning.iter().map(|(row, _)| *row).filter(|row| known.insert(*row)).collect();
        words.extend(only_meaning.iter().map(|row| scored.of(*row)));
        rows.extend(only_meaning);
        let near: FxHashMap<Row, f32> = by_meaning.iter().copied().collect();
        let cosines: Vec<Option<f32>> = rows
            .iter()
            .map(|row| near.get(row).copied().or_else(|| self.index.cosine(*row, vector)))
            .collect();
        let mut scores = z_scores(&words.iter().copied().map(Some).collect::<Vec<_>>());
        for (score, meaning) in scores.iter_mut().zip(z_scores(&cosines)) {
            *score += MEANING * meaning;
        }
        for (score, row) in scores.iter_mut().zip(&rows) {
            *score -= self.step_back(*row);
        }
        let order = self.order(&rows, &scores);
        Fused { rows, words, cosines, scores, order }
    }

    /// How far a document stands back behind lessons and case studies, which
    /// people look for; one whose title was typed does not.
    fn step_back(&self, row: Row) -> f32 {
        let kinds = self.index.values(row, Facet::Kind);
        let kinds = kinds.filter_map(|kind| KINDS.get(usize::try_from(kind).ok()?));
        let least = kinds
            .map(|kind| match *kind {
                "lesson" | "case-study" => 0.0,
                "theme" | "dimension" => 1.0,
                "evidence" | "interview" | "workshop" | "tool-answer" | "questionnaire" => 2.0,
                "programme" => 3.0,
                _ => 4.0,
            })
            .fold(f32::MAX, f32::min);
        let kind = if least > 0.0 && least < f32::MAX && !self.is_named(row) { least } else { 0.0 };
        // What only shows how a record looks stands back behind what happened.
        let is_example = self
            .illustrative
            .is_some_and(|status| self.index.values(row, Facet::Status).any(|s| s == status));
        kind + if is_example { EXAMPLE } else { 0.0 }
    }

    /// Whether the query has all words of the document's title.
    fn is_named(&self, row: Row) -> bool {
        *self.named.borrow_mut().entry(row).or_insert_with(|| {
            if !self.may_be_named(row) {
                return false;
            }
            let title = self.known.properties.title(self.graph, self.index.subject(row));
            let typed = |stem: &String| {
                self.asked.marked.iter().any(|(marked, typed)| marked == stem && typed.is_none())
            };
            let mut stems = words_of(&title).into_iter().map(|(stem, _)| stem);
            let mut stems = stems.by_ref().filter(|stem| !is_stop_word(stem)).peekable();
            stems.peek().is_some() && stems.all(|stem| typed(&stem))
        })
    }

    /// Whether the first word of the document's title may have been typed, or
    /// need not be, by its first letters.
    fn may_be_named(&self, row: Row) -> bool {
        let key = self.index.title_key(row).to_be_bytes();
        let length = key.iter().position(|b| !b.is_ascii_alphabetic()).unwrap_or(key.len());
        let Ok(first) = std::str::from_utf8(&key[..length]) else { return true };
        // What goes on with a letter that is not ASCII is not a whole word.
        let cut = key.get(length).is_none_or(|next| !next.is_ascii());
        if first.len() < 3 || !cut && is_stop_word(first) {
            return true;
        }
        self.asked.marked.iter().any(|(stem, typed)| {
            let stem = stem.as_bytes();
            // Stems keep their words' beginnings, but for y and i.
            typed.is_none()
                && stem.first() == Some(&key[0])
                && stem.get(1).is_none_or(|b| *b == key[1] || matches!(b, b'i' | b'y'))
        })
    }

    /// Best first; ties by record, so that answers are stable.
    fn order(&self, rows: &[Row], scores: &[f32]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_unstable_by(|a, b| {
            scores[*b]
                .total_cmp(&scores[*a])
                .then_with(|| self.index.subject(rows[*a]).cmp(&self.index.subject(rows[*b])))
        });
        order
    }

    /// Step 5: the query's vector, moved towards the two best documents.
    fn moved(&self, first: &Fused, vector: &Vector) -> Vector {
        // With hardly any hit there is nothing to learn from.
        if first.rows.len() <= FEEDBACK.0 {
            return *vector;
        }
        let best: Vec<Vector> = first
            .order
            .iter()
            .take(FEEDBACK.0)
            .filter_map(|n| self.index.vector(first.rows[*n]))
            .collect();
        vector.towards(&best, FEEDBACK.1)
    }

    /// Steps 4, 6, 7 and 8 with the moved vector.
    fn recipe(
        &self,
        (scoring, scored): (&Scoring, &Scored<'_>),
        best: &[(Row, f32)],
        scan: &Scan,
        vector: &Vector,
        (within, wanted): (&Rows, usize),
    ) -> Result<Vec<(Row, f32)>, Error> {
        let near = self.index.nearest_after(scan, vector, within, CANDIDATES);
        let fused = self.fuse(scored, best, vector, &near);
        let mut ranked = self.smoothed(&fused, if wanted <= HEAD { wanted } else { usize::MAX });
        if ranked.len() > HEAD && wanted <= HEAD {
            // The tail's documents are results too, but nobody looks at their order.
            let expanded = self.index.scored(&self.expanded(scoring, &fused)?)?;
            let known: FxHashSet<Row> = ranked.iter().map(|(row, _)| *row).collect();
            let tail = expanded.best(within, CANDIDATES).into_iter();
            ranked.extend(tail.filter(|(row, _)| !known.contains(row)));
        } else if ranked.len() > HEAD {
            let expanded = self.expanded(scoring, &fused)?;
            let scored = self.index.scored(&expanded)?;
            let best = scored.best(within, CANDIDATES);
            let tail = self.smoothed(&self.fuse(&scored, &best, vector, &near), usize::MAX);
            let head: FxHashSet<Row> = ranked[..HEAD].iter().map(|(row, _)| *row).collect();
            let before: Vec<(Row, f32)> = ranked.split_off(HEAD);
            let worst = ranked.last().map_or(0.0, |(_, score)| *score);
            let mut tail: Vec<(Row, f32)> =
                tail.into_iter().filter(|(row, _)| !head.contains(row)).collect();
            let known: FxHashSet<Row> = tail.iter().map(|(row, _)| *row).collect();
            tail.extend(before.into_iter().filter(|(row, _)| !known.contains(row)));
            ranked.extend(tail.into_iter().map(|(row, score)| (row, score.min(worst))));
        }
        Ok(ranked)
    }

    /// Steps 6 and 7: scores smoothed over the nearest candidates, the first
    /// two places kept. The first so many places are right, and no other takes
    /// one of them.
    fn smoothed(&self, fused: &Fused, wanted: usize) -> Vec<(Row, f32)> {
        let count = fused.rows.len();
        let vectors: Vec<Option<Vector>> =
            fused.rows.iter().map(|row| self.index.vector(*row)).collect();
        if count < FEW || vectors.iter().flatten().count() < FEW {
            return fused.in_order();
        }
        let (places, known): (Vec<usize>, Vec<&Vector>) =
            vectors.iter().enumerate().filter_map(|(i, v)| Some((i, v.as_ref()?))).unzip();
        let mut near: Vec<(f32, usize)> = Vec::with_capacity(NEIGHBOURS + 1);
        let smooth = |i: usize, near: &mut Vec<(f32, usize)>| {
            let cosines = vectors[i].as_ref().map(|one| one.cosines(&known));
            near.clear();
            for (cosine, j) in cosines.into_iter().flatten().zip(&places) {
                // Equals stay in their order.
                let full = near.len() == NEIGHBOURS;
                if *j == i || full && near.last().is_some_and(|(last, _)| *last >= cosine) {
                    continue;
                }
                let at = near.partition_point(|(nearer, _)| *nearer >= cosine);
                near.truncate(NEIGHBOURS - 1);
                near.insert(at, (cosine, *j));
            }
            let (mut sum, mut weights) = (0.0, 0.0);
            for (cosine, j) in near.iter().copied() {
                let weight = cosine.max(0.0).powi(4);
                sum += weight * fused.scores[j];
                weights += weight;
            }
            let own = fused.scores[i];
            if weights > 0.0 { own + SMOOTHED * (sum / weights - own) } else { own }
        };
        // No score rises by more than its share of the distance to the highest.
        let highest = fused.order.first().map_or(0.0, |n| fused.scores[*n]);
        let needed = wanted.saturating_add(KEPT);
        let mut first: Vec<f32> = Vec::new();
        let mut scores = fused.scores.clone();
        for i in fused.order.iter().copied() {
            let own = fused.scores[i];
            let most = own + SMOOTHED * (highest - own).max(0.0);
            if first.len() == needed && first.last().is_some_and(|last| most < *last) {
                // Nor do those after it, which stay where they are.
                break;
            }
            scores[i] = smooth(i, &mut near);
            let at = first.partition_point(|score| *score >= scores[i]);
            first.insert(at, scores[i]);
            first.truncate(needed);
        }
        let kept: Vec<usize> = fused.order.iter().copied().take(KEPT).collect();
        let mut order = kept.clone();
        order.extend(self.order(&fused.rows, &scores).into_iter().filter(|n| !kept.contains(n)));
        let best = order.first().map_or(0.0, |n| fused.scores[*n]);
        order
            .into_iter()
            .map(|n| (fused.rows[n], if kept.contains(&n) { best } else { scores[n].min(best) }))
            .collect()
    }

    /// Step 8: the query with the terms that its best documents have in
    /// common.
    fn expanded(&self, scoring: &Scoring, fused: &Fused) -> Result<Scoring, Error> {
        let mut shares: FxHashMap<String, f32> = FxHashMap::default();
        for n in fused.order.iter().take(TAIL.0) {
            let subject = self.index.subject(fused.rows[*n]);
            let words = words_of(&self.known.properties.read(self.graph, subject).texts.join("\n"));
            #[expect(clippy::cast_precision_loss, reason = "a share")]
            let share = 1.0 / words.len().max(1) as f32;
            for (word, _) in words {
                *shares.entry(word).or_default() += share;
            }
        }
        let mut shares: Vec<(f32, String)> = shares
            .into_iter()
            .filter(|(word, _)| word.len() > 1 && !word.chars().all(|c| c.is_ascii_digit()))
            .map(|(word, share)| (share, word))
            .collect();
        let order =
            |a: &(f32, String), b: &(f32, String)| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1));
        shares.sort_unstable_by(order);
        // A word that nobody has would be this rare.
        let rarest = self.index.rarity("")?;
        let mut terms: Vec<(f32, String)> = Vec::with_capacity(TAIL.1 + 1);
        for (share, word) in shares {
            // However rare they are, this word and those after it come too late.
            if terms.len() == TAIL.1 && terms.last().is_some_and(|last| share * rarest < last.0) {
                break;
            }
            let term = (share * self.index.rarity(&word)?, word);
            let at = terms.partition_point(|other| order(other, &term).is_lt());
            terms.insert(at, term);
            terms.truncate(TAIL.1);
        }
        let mass: f32 = terms.iter().map(|(weight, _)| weight).sum();
        let mut expanded = scoring.clone();
        for (weight, word) in terms {
            let weight = weight / mass.max(1e-9);
            match expanded.terms.iter_mut().find(|(words, _)| words.as_slice() == [word.as_str()]) {
                Some((_, old)) => *old += weight,
                None => expanded.terms.push((vec![word], weight)),
            }
        }
        Ok(expanded)
    }

    /// The other results after the ranked ones, by their words.
    fn rest(
        &self,
        scoring: &Scoring,
        mut ranked: Vec<(Row, f32)>,
        within: &Rows,
        wanted: usize,
    ) -> Result<Vec<(Row, f32)>, Error> {
        if ranked.len() < wanted {
            let mut others = within.clone();
            for (row, _) in &ranked {
                others.unset(*row);
            }
            let missing = wanted - ranked.len();
            let last = ranked.last().map_or(0.0, |(_, score)| *score);
            let more = self.index.best(scoring, &others, missing)?;
            let more = filled(self.index, more, &others, missing);
            // Scores fall on: those of words alone are of another kind.
            ranked.extend(more.into_iter().map(|(row, _)| (row, last)));
        }
        ranked.truncate(wanted);
        Ok(ranked)
    }
}

/// Distances from the mean in standard deviations. What is not known is in
/// the middle.
fn z_scores(values: &[Option<f32>]) -> Vec<f32> {
    let known: Vec<f32> = values.iter().flatten().copied().collect();
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let count = known.len().max(1) as f32;
    let mean = known.iter().sum::<f32>() / count;
    let variance = known.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / count;
    let deviation = variance.sqrt();
    let z = |value: f32| if deviation > 1e-9 { (value - mean) / deviation } else { 0.0 };
    values.iter().map(|value| value.map_or(0.0, z)).collect()
}

#[cfg(test)]
mod tests {
    use super::z_scores;

    #[test]
    fn z_scores_have_no_mean_and_the_unknown_is_in_the_middle() {
        let z = z_scores(&[Some(1.0), Some(3.0), None]);
        assert_eq!(z, [-1.0, 1.0, 0.0]);
        assert_eq!(z_scores(&[Some(2.0), Some(2.0)]), [0.0, 0.0]);
        assert!(z_scores(&[]).is_empty());
    }
}
