//! Splits what was said into passages, and keeps the number of each passage
//! when the text is edited: a number, once given, never means another text.
//! Not for records: a passage here is a number and words.

use regex::Regex;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

/// Characters above which a paragraph is split at the end of a sentence. About
/// two hundred words: what one code can speak of.
const LONGEST: usize = 1_200;

/// A passage of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Its number, from 1; never given twice.
    pub number: u32,
    /// Its words.
    pub text: String,
    /// The number of the passage that it takes the place of, if it is that one
    /// with other words.
    pub revises: Option<u32>,
}

/// Who speaks at the beginning of a line: a word or a few before a colon,
/// perhaps with a time.
fn speaker() -> &'static Regex {
    static SPEAKER: OnceLock<Regex> = OnceLock::new();
    SPEAKER.get_or_init(|| {
        Regex::new(
            r"^(?:\*\*)?(\p{Lu}[\p{L}\d.'’-]*(?: [\p{L}\d.'’-]+){0,4})(?:\*\*)?(?:[ \t]*[\[(]?\d{1,2}:\d{2}(?::\d{2})?[\])]?)?[ \t]*:(?:\*\*)?(?:\s|$)",
        )
        .expect("a constant pattern")
    })
}

/// Whether a passage is a question of the interviewer, which is nothing that
/// the interviewed person said.
#[must_use]
pub fn is_question(text: &str) -> bool {
    const ASKING: [&str; 8] =
        ["interviewer", "q", "question", "int", "facilitator", "moderator", "researcher", "iv"];
    speaker().captures(text).and_then(|part| part.get(1)).is_some_and(|label| {
        let label = label.as_str().to_lowercase();
        let label = label.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ' || c == '.');
        ASKING.contains(&label)
    })
}

/// A passage without the name of who speaks in front of it.
#[must_use]
pub fn said(text: &str) -> &str {
    let rest = speaker().find(text).map_or(text, |label| text[label.end()..].trim_start());
    if rest.is_empty() { text } else { rest }
}

/// The passages of a text, in order: paragraphs, turns of speakers, points of
/// lists; what is too long is split at the ends of sentences.
#[must_use]
pub fn split(text: &str) -> Vec<String> {
    let text =
        text.replace("\r\n", "\n").replace(['\r', '\u{b}', '\u{c}', '\u{2028}', '\u{2029}'], "\n");
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut passages = Vec::new();
    for block in lines.split(|line| line.is_empty()) {
        let wrapped = is_wrapped(block);
        let mut current = String::new();
        for (index, line) in block.iter().enumerate() {
            let begins = index == 0 || !wrapped || speaker().is_match(line) || is_point(line);
            if begins {
                finish(&mut current, &mut passages);
            } else if !current.is_empty() {
                current.push(' ');
            }
            // A speaker's name alone on its line belongs to what follows.
            if !current.is_empty() && begins {
                current.push(' ');
            }
            current.push_str(line);
        }
        finish(&mut current, &mut passages);
    }
    join_lone_speakers(passages).iter().flat_map(|passage| cut(passage)).collect()
}

fn finish(current: &mut String, passages: &mut Vec<String>) {
    let words = current.split_whitespace().collect::<Vec<_>>().join(" ");
    // The mark of a point is not part of what it says.
    let mut words = words.as_str();
    while let Some(point) = BULLETS.iter().find_map(|mark| words.strip_prefix(mark)) {
        words = point;
    }
    // Rules and page marks say nothing.
    if words.chars().any(char::is_alphanumeric) {
        passages.push(words.to_owned());
    }
    current.clear();
}

/// A line that is nothing but a speaker goes in front of what is said.
fn join_lone_speakers(passages: Vec<String>) -> Vec<String> {
    let mut joined: Vec<String> = Vec::with_capacity(passages.len());
    let mut lone: Option<String> = None;
    for passage in passages {
        let only = speaker().find(&passage).is_some_and(|label| label.end() == passage.len());
        match lone.take() {
            Some(label) if !only => joined.push(format!("{label} {passage}")),
            Some(label) => {
                joined.push(label);
                lone = Some(passage);
            }
            None if only => lone = Some(passage),
            None => joined.push(passage),
        }
    }
    joined.extend(lone);
    joined
}

/// Whether the lines of a block were broken by width: they are short, and most
/// end within a sentence.
fn is_wrapped(block: &[&str]) -> bool {
    let (Some((_, all_but_last)), true) = (block.split_last(), block.len() > 1) else {
        return false;
    };
    let short = block.iter().all(|line| line.chars().count() <= 110);
    let ended =
        all_but_last.iter().filter(|line| line.ends_with(['.', '?', '!', ':', ';'])).count();
    short && ended * 2 <= all_but_last.len()
}

/// Marks of points of a list.
const BULLETS: [&str; 5] = ["- ", "* ", "• ", "– ", "· "];

/// Whether a line is a point of a list.
fn is_point(line: &str) -> bool {
    let bullet = BULLETS.iter().any(|mark| line.starts_with(mark));
    let number: String = line.chars().take_while(char::is_ascii_digit).collect();
    let after = &line[number.len()..];
    bullet
        || (!number.is_empty()
            && number.len() < 3
            && (after.starts_with(". ") || after.starts_with(") ")))
}

/// Words that end with a full stop within a sentence.
const ABBREVIATIONS: &[&str] = &[
    "dr.", "mr.", "mrs.", "ms.", "prof.", "st.", "no.", "e.g.", "i.e.", "etc.", "vs.", "approx.",
    "dept.", "fig.", "cf.", "rev.",
];

/// A passage in pieces that are not too long.
fn cut(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((limit, _)) = rest.char_indices().nth(LONGEST) {
        let end = sentence_end(&rest[..limit])
            .or_else(|| rest[..limit].rfind(' '))
            .filter(|end| *end > 0)
            .unwrap_or(limit);
        pieces.push(rest[..end].trim().to_owned());
        rest = rest[end..].trim_start();
    }
    if !rest.is_empty() {
        pieces.push(rest.to_owned());
    }
    pieces
}

/// Where the last whole sentence of a text ends.
fn sentence_end(text: &str) -> Option<usize> {
    let mut end = None;
    let mut start = 0;
    for word in text.split_inclusive(' ') {
        start += word.len();
        let bare = word.trim_end();
        let closed = bare.trim_end_matches(['"', '”', '’', ')', ']']);
        let stops = closed.ends_with(['.', '?', '!', '…'])
            && !ABBREVIATIONS.contains(&bare.to_lowercase().trim_start_matches(['(', '"', '“']))
            && bare.len() < word.len();
        let next = text[start..].chars().next();
        if stops && next.is_none_or(|c| !c.is_lowercase()) {
            end = Some(start);
        }
    }
    end
}

/// Words as they are compared: space counts for nothing.
fn comparable(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Numbers the passages of an edited text. A passage with the same words keeps
/// its number, wherever it stands now; one with other words gets a number above
/// `highest`, the highest ever given.
#[must_use]
pub fn number(old: &[(u32, String)], highest: u32, new: Vec<String>) -> Vec<Passage> {
    let before: Vec<String> = old.iter().map(|(_, text)| comparable(text)).collect();
    let after: Vec<String> = new.iter().map(|text| comparable(text)).collect();
    let mut stays: Vec<Option<usize>> = vec![None; after.len()];
    for (i, j) in common(&before, &after) {
        stays[j] = Some(i);
    }
    // What was moved.
    let mut used: HashSet<usize> = stays.iter().flatten().copied().collect();
    let mut free: HashMap<&str, Vec<usize>> = HashMap::new();
    for (i, text) in before.iter().enumerate().rev() {
        if !used.contains(&i) {
            free.entry(text).or_default().push(i);
        }
    }
    let anchors = stays.clone();
    for (j, text) in after.iter().enumerate() {
        if stays[j].is_none()
            && let Some(i) = free.get_mut(text.as_str()).and_then(Vec::pop)
        {
            stays[j] = Some(i);
            used.insert(i);
        }
    }
    let revised = revisions(&before, &after, &anchors, &stays, &used);
    let mut next = old.iter().map(|(number, _)| *number).max().unwrap_or(0).max(highest);
    new.into_iter()
        .enumerate()
        .map(|(j, text)| {
            if let Some(i) = stays[j] {
                return Passage { number: old[i].0, text, revises: None };
            }
            next += 1;
            Passage { number: next, text, revises: revised[j].map(|i| old[i].0) }
        })
        .collect()
}

/// Pairs of equal texts in the same order, as many as possible.
fn common(before: &[String], after: &[String]) -> Vec<(usize, usize)> {
    let start = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let (a, b) = (&before[start..], &after[start..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[..a.len() - end], &b[..b.len() - end]);
    let mut pairs: Vec<(usize, usize)> = (0..start).map(|i| (i, i)).collect();
    // The longest common part of what is left, from the back.
    let width = b.len() + 1;
    let mut lengths = vec![0_u32; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            lengths[i * width + j] = if a[i] == b[j] {
                lengths[(i + 1) * width + j + 1] + 1
            } else {
                lengths[(i + 1) * width + j].max(lengths[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        if a[i] == b[j] {
            pairs.push((start + i, start + j));
            (i, j) = (i + 1, j + 1);
        } else if lengths[(i + 1) * width + j] >= lengths[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs.extend((0..end).map(|k| (start + a.len() + k, start + b.len() + k)));
    pairs
}

/// How many passages further on or back a revised one is looked for.
const NEAR: usize = 20;

/// Which old passage a new one is with other words: both stand between the same
/// unchanged ones, at about the same place, and share at least half of their
/// words.
fn revisions(
    before: &[String],
    after: &[String],
    anchors: &[Option<usize>],
    stays: &[Option<usize>],
    used: &HashSet<usize>,
) -> Vec<Option<usize>> {
    let mut revised = vec![None; after.len()];
    let mut taken: HashSet<usize> = HashSet::new();
    let old: Vec<HashSet<String>> = before.iter().map(|text| words(text)).collect();
    // Where the gap begins in the old text, and how far on we are in it.
    let (mut from, mut place) = (0, 0);
    for j in 0..after.len() {
        if let Some(anchor) = anchors[j] {
            (from, place) = (anchor + 1, 0);
            continue;
        }
        place += 1;
        if stays[j].is_some() {
            continue;
        }
        let to = anchors[j..].iter().flatten().next().copied().unwrap_or(before.len());
        let about = from + place;
        let near = from.max(about.saturating_sub(NEAR))..to.min(about + NEAR);
        let own = words(&after[j]);
        let best = near
            .filter(|i| !used.contains(i) && !taken.contains(i))
            .map(|i| (alike(&old[i], &own), i))
            .filter(|(share, _)| *share >= 50)
            .max_by_key(|(share, i)| (*share, std::cmp::Reverse(*i)));
        if let Some((_, i)) = best {
            taken.insert(i);
            revised[j] = Some(i);
        }
    }
    revised
}

fn words(text: &str) -> HashSet<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// How many of a hundred different words two texts share.
fn alike(a: &HashSet<String>, b: &HashSet<String>) -> usize {
    let shared = a.intersection(b).count();
    (shared * 100).checked_div(a.len() + b.len() - shared).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(split(text), expected, "{text}");
    }

    #[test]
    fn paragraphs_turns_and_points() {
        check("One.\n\nTwo.\r\n\r\n\r\n  Three  words. ", &["One.", "Two.", "Three words."]);
        check(
            "Interviewer: How did it begin?\nInnovation lead: With a mailbox.\nIt grew.\n\nThen it stopped.",
            &[
                "Interviewer: How did it begin?",
                "Innovation lead: With a mailbox.",
                "It grew.",
                "Then it stopped.",
            ],
        );
        check("Q: Who pays?\nA: The ward pays.", &["Q: Who pays?", "A: The ward pays."]);
        check("- first point\n- second point\n• third", &["first point", "second point", "third"]);
        check("1. One\n2) Two", &["1. One", "2) Two"]);
        check("***\n\nText\n\n-----\n\n", &["Text"]);
        check("", &[]);
        check(" \n\t\n", &[]);
    }

    #[test]
    fn lines_broken_by_width_are_joined() {
        check(
            "Ideas used to wait in a shared mailbox until people\nstopped asking. Since each idea has an owner, more\nideas come from night staff.",
            &[
                "Ideas used to wait in a shared mailbox until people stopped asking. Since each idea has an owner, more ideas come from night staff.",
            ],
        );
        check(
            "A whole paragraph.\nAnother one.\nA third.",
            &["A whole paragraph.", "Another one.", "A third."],
        );
    }

    #[test]
    fn a_speaker_alone_on_a_line_belongs_to_what_follows() {
        check(
            "Interviewer:\nWhy?\n\nSponsor 00:02:10:\n\nMoney.",
            &["Interviewer: Why?", "Sponsor 00:02:10: Money."],
        );
    }

    #[test]
    fn passages_written_one_below_the_other_are_the_same_passages() {
        let text = "Interviewer:\nWhy?\n- - a point\n- another\n\nlines broken by\nwidth are joined\n\nLead: one. Two.";
        let once = split(&format!("{text}\n\n{}", "A sentence of some length here. ".repeat(90)));
        assert_eq!(split(&once.join("\n\n")), once);
    }

    #[test]
    fn questions_are_told_apart() {
        for text in [
            "Interviewer: Why?",
            "Q: Why?",
            "Q1: Why?",
            "Question 3: Why?",
            "Interviewer [00:01]: And?",
        ] {
            assert!(is_question(text), "{text}");
        }
        for text in
            ["A: Because.", "Innovation lead: Because.", "Why not?", "Quality: it rose.", "Q"]
        {
            assert!(!is_question(text), "{text}");
        }
    }

    #[test]
    fn long_paragraphs_are_cut_at_sentences() {
        let sentence = "We asked Dr. Who and e.g. the ward, and nobody knew what it would cost us in the end. ";
        let text = sentence.repeat(40);
        let pieces = split(&text);
        assert!(pieces.len() > 2 && pieces.len() < 6, "{}", pieces.len());
        for piece in &pieces {
            assert!(piece.chars().count() <= LONGEST);
            assert!(piece.starts_with("We asked") && piece.ends_with("in the end."), "{piece}");
        }
        assert_eq!(pieces.join(" "), text.trim());
        // Without a sentence, and without a space.
        assert!(split(&"word ".repeat(1_000)).iter().all(|piece| piece.chars().count() <= LONGEST));
        let solid = "é".repeat(5_000);
        assert_eq!(split(&solid).concat(), solid);
    }

    fn numbered(old: &[(u32, &str)], highest: u32, new: &[&str]) -> Vec<(u32, Option<u32>)> {
        let old: Vec<(u32, String)> = old.iter().map(|(n, t)| (*n, (*t).to_owned())).collect();
        number(&old, highest, new.iter().map(|t| (*t).to_owned()).collect())
            .into_iter()
            .map(|passage| (passage.number, passage.revises))
            .collect()
    }

    #[test]
    fn unchanged_passages_keep_their_numbers() {
        let old = [(1, "alpha one"), (2, "beta two"), (3, "gamma three")];
        assert_eq!(numbered(&[], 0, &["a", "b"]), [(1, None), (2, None)]);
        assert_eq!(
            numbered(&old, 3, &["alpha  one", "new here", "beta two", "gamma three"]),
            [(1, None), (4, None), (2, None), (3, None)]
        );
        // Gone, moved.
        assert_eq!(numbered(&old, 3, &["gamma three", "alpha one"]), [(3, None), (1, None)]);
        // A number of what is gone is not given again.
        assert_eq!(
            numbered(&old[..2], 7, &["alpha one", "beta two", "delta"]),
            [(1, None), (2, None), (8, None)]
        );
    }

    #[test]
    fn a_passage_with_other_words_is_a_new_one_that_knows_the_old() {
        let old = [(1, "alpha one"), (2, "we asked the ward who pays"), (3, "gamma three")];
        assert_eq!(
            numbered(&old, 3, &["alpha one", "we asked the ward manager who pays", "gamma three"]),
            [(1, None), (4, Some(2)), (3, None)]
        );
        assert_eq!(
            numbered(&old, 3, &["alpha one", "something else entirely", "gamma three"]),
            [(1, None), (4, None), (3, None)]
        );
    }

    #[test]
    fn equal_passages_keep_their_places() {
        let old = [(1, "Yes."), (2, "So it was."), (3, "Yes."), (4, "No.")];
        assert_eq!(
            numbered(&old, 4, &["So it was.", "Yes.", "No."]),
            [(2, None), (3, None), (4, None)]
        );
        assert_eq!(
            numbered(&old, 4, &["Yes.", "Yes.", "Yes.", "No."])
                .iter()
                .filter(|(n, _)| *n > 4)
                .count(),
            1
        );
    }

    #[test]
    fn any_edit_keeps_numbers_apart() {
        // Random edits against what must always hold.
        let mut seed = 7_u64;
        let mut random = move |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % below
        };
        let mut meaning: HashMap<u32, String> = HashMap::new();
        let mut current: Vec<(u32, String)> = Vec::new();
        let mut highest = 0;
        for _ in 0..300 {
            let mut texts: Vec<String> = current.iter().map(|(_, text)| text.clone()).collect();
            for _ in 0..=random(3) {
                let at = usize::try_from(random(texts.len() as u64 + 1)).unwrap_or(0);
                match random(3) {
                    0 => texts.insert(at, format!("text {}", random(30))),
                    1 if at < texts.len() => drop(texts.remove(at)),
                    _ if at < texts.len() => texts[at] = format!("text {}", random(30)),
                    _ => {}
                }
            }
            let made = number(&current, highest, texts.clone());
            assert_eq!(made.iter().map(|p| p.text.clone()).collect::<Vec<_>>(), texts);
            let mut seen = HashSet::new();
            for passage in &made {
                assert!(seen.insert(passage.number), "a number twice");
                let meant = meaning.entry(passage.number).or_insert_with(|| passage.text.clone());
                assert_eq!(*meant, passage.text, "a number means another text");
            }
            highest = made.iter().map(|p| p.number).max().unwrap_or(0).max(highest);
            current = made.into_iter().map(|p| (p.number, p.text)).collect();
        }
    }
}
