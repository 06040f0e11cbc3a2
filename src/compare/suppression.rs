//! Small numbers of restricted evidence are not told.
//!
//! The rule:
//!
//! 1. What is public needs no protection: each such record is published with
//!    its source, and its count is told as it is, however small.
//! 2. Restricted evidence (what only members or curators see) was given by few
//!    people in known places. Of each count, the part that only restricted
//!    evidence adds is told if it is nothing or five and more; from one to four
//!    it is "fewer than 5".
//! 3. A number that could be worked out from the others is withheld as well:
//!    where one part alone in a row or a column is "fewer than 5", the next
//!    smallest of that line, or else its total, is withheld (complementary
//!    suppression).
//! 4. Shares, contrasts and other findings are of what is public alone, unless
//!    a curator asks for exact figures to check them.
//!
//! This protects what leaves the page as a figure. Who may read the records
//! themselves can count them.

use serde::{Serialize, Serializer};

/// Restricted parts below are not told.
pub const LEAST: u32 = 5;

/// The part of a count that only restricted evidence adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Restricted {
    /// There is none.
    #[default]
    Nothing,
    /// Enough to be told.
    Told(u32),
    /// One to four.
    Few,
    /// Not told, so that another one cannot be worked out.
    Withheld,
}

impl Restricted {
    /// In words; nothing for none.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Told(count) => count.to_string(),
            Self::Few => format!("fewer than {LEAST}"),
            Self::Withheld => "withheld".to_owned(),
        }
    }

    fn hidden(self) -> bool {
        matches!(self, Self::Few | Self::Withheld)
    }
}

impl Serialize for Restricted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nothing => serializer.serialize_u32(0),
            Self::Told(count) => serializer.serialize_u32(*count),
            _ => serializer.serialize_str(&self.words()),
        }
    }
}

/// A table of restricted parts: its last row and its last column are totals.
/// Gives what is told of each.
///
/// `parts` holds `width` numbers a row.
#[must_use]
pub fn told(parts: &[u32], width: usize) -> Vec<Restricted> {
    let mut told: Vec<Restricted> = parts
        .iter()
        .map(|part| match *part {
            0 => Restricted::Nothing,
            few if few < LEAST => Restricted::Few,
            enough => Restricted::Told(enough),
        })
        .collect();
    if width == 0 {
        return told;
    }
    let height = parts.len() / width;
    let mut lines: Vec<Vec<usize>> = Vec::new();
    lines.extend((0..height).map(|row| (0..width).map(|column| row * width + column).collect()));
    lines.extend((0..width).map(|column| (0..height).map(|row| row * width + column).collect()));
    // Each round withholds one number more at the least, so this ends.
    loop {
        let mut changed = false;
        for line in &lines {
            let hidden = line.iter().filter(|at| told[**at].hidden()).count();
            if hidden != 1 {
                continue;
            }
            // The last of a line is its total, withheld only if nothing else is there.
            let (total, cells) = line.split_last().map_or((None, &line[..]), |(t, c)| (Some(t), c));
            let next = cells
                .iter()
                .filter(|at| matches!(told[**at], Restricted::Told(_)))
                .min_by_key(|at| parts[**at])
                .or(total.filter(|at| matches!(told[**at], Restricted::Told(_))));
            if let Some(at) = next {
                told[*at] = Restricted::Withheld;
                changed = true;
            }
        }
        if !changed {
            return told;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Restricted::{Few, Nothing, Told, Withheld};

    #[test]
    fn one_to_four_are_not_told() {
        // Two rows and two columns, with totals.
        let told = told(&[0, 0, 0, 0, 0, 0, 0, 0, 0], 3);
        assert!(told.iter().all(|part| *part == Nothing));
        for (part, expected) in [(0, Nothing), (1, Few), (4, Few), (5, Told(5)), (9, Told(9))] {
            assert_eq!(super::told(&[part], 1), [expected]);
        }
    }

    #[test]
    fn what_would_give_a_small_number_away_is_withheld() {
        // 2 + 9 + 7 = 18: with 9, 7 and 18 anyone has the 2.
        let row = told(&[2, 9, 7, 18], 4);
        assert_eq!(row, [Few, Told(9), Withheld, Told(18)]);
        // Nothing else in the line: the total goes.
        assert_eq!(told(&[2, 0, 8], 3), [Few, Nothing, Withheld]);
        assert_eq!(told(&[2, 0, 2], 3), [Few, Nothing, Few]);
        // Two small numbers protect each other.
        assert_eq!(told(&[2, 3, 8], 3), [Few, Few, Told(8)]);
    }

    #[test]
    fn rows_and_columns_are_both_looked_at() {
        let parts = [2, 8, 10, 7, 9, 16, 9, 17, 26];
        let told = told(&parts, 3);
        for line in [[0, 1, 2], [3, 4, 5], [6, 7, 8], [0, 3, 6], [1, 4, 7], [2, 5, 8]] {
            let hidden = line.iter().filter(|at| told[**at].hidden()).count();
            assert_ne!(hidden, 1, "{told:?} gives {line:?} away");
        }
    }

    #[test]
    fn they_are_words_in_json() {
        let json = serde_json::to_string(&[Nothing, Told(6), Few, Withheld]).expect("JSON");
        assert_eq!(json, r#"[0,6,"fewer than 5","withheld"]"#);
    }
}
