//! Statistics that are only given where there are enough values to carry them.
//! Pure functions; not for what the numbers are about.

use serde::Serialize;

/// Fewest values that have a median.
pub const LEAST_FOR_MEDIAN: usize = 3;
/// Fewest values that have quartiles.
pub const LEAST_FOR_QUARTILES: usize = 4;
/// Fewest units that a share is compared of: below, one unit more or less
/// moves it by more than a fifth.
pub const LEAST_FOR_SHARE: u32 = 5;
/// A difference of shares that is worth a sentence (of 1).
pub const LEAST_DIFFERENCE: f64 = 0.2;
/// 97.5 % of a normal distribution lie below: intervals are of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// A row of numbers, summed up as far as their number allows: nothing of none,
/// the range of any, the median of three, the quartiles of four.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Summary {
    /// How many values.
    pub n: usize,
    /// The least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<f64>,
    /// The first quartile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lower: Option<f64>,
    /// The median.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median: Option<f64>,
    /// The third quartile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upper: Option<f64>,
    /// The greatest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub greatest: Option<f64>,
}

impl Summary {
    /// Sums up these values; what is no number is left out.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        let at = |quarter: usize, least: usize| (n >= least).then(|| quantile(&sorted, quarter));
        Self {
            n,
            least: sorted.first().copied(),
            lower: at(1, LEAST_FOR_QUARTILES),
            median: at(2, LEAST_FOR_MEDIAN),
            upper: at(3, LEAST_FOR_QUARTILES),
            greatest: sorted.last().copied(),
        }
    }
}

/// A quarter point of sorted values, between neighbours in proportion
/// (Hyndman and Fan 1996, type 7, as spreadsheets and R have it).
fn quantile(sorted: &[f64], quarter: usize) -> f64 {
    let steps = (sorted.len() - 1) * quarter;
    let (below, rest) = (steps / 4, steps % 4);
    let low = sorted[below];
    let high = sorted[(below + 1).min(sorted.len() - 1)];
    let part = [0.0, 0.25, 0.5, 0.75][rest];
    low + (high - low) * part
}

/// A number of units among others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Share {
    /// How many.
    pub count: u32,
    /// Of how many.
    pub of: u32,
}

impl Share {
    /// So many of so many.
    #[must_use]
    pub fn new(count: u32, of: u32) -> Self {
        Self { count, of }
    }

    /// As a part of 1; of none it is 0.
    #[must_use]
    pub fn value(self) -> f64 {
        if self.of == 0 { 0.0 } else { f64::from(self.count) / f64::from(self.of) }
    }

    /// In per cent, where there are enough units for that.
    #[must_use]
    pub fn per_cent(self) -> Option<u32> {
        // Rounded half up, in whole numbers.
        (self.of >= LEAST_FOR_SHARE)
            .then(|| (u64::from(self.count) * 200 + u64::from(self.of)) / (u64::from(self.of) * 2))
            .and_then(|value| u32::try_from(value).ok())
    }

    /// Whether there are enough units to compare it.
    #[must_use]
    pub fn carries(self) -> bool {
        self.of >= LEAST_FOR_SHARE
    }

    /// The Wilson score interval of 95 %.
    #[must_use]
    pub fn interval(self) -> (f64, f64) {
        if self.of == 0 {
            return (0.0, 1.0);
        }
        let (n, p) = (f64::from(self.of), self.value());
        let centre = p + Z * Z / (2.0 * n);
        let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        let all = 1.0 + Z * Z / n;
        (((centre - half) / all).max(0.0), ((centre + half) / all).min(1.0))
    }
}

/// The difference of two shares with its interval of 95 % (Newcombe 1998,
/// method 10, from the Wilson intervals of both).
#[must_use]
pub fn difference(one: Share, other: Share) -> (f64, f64, f64) {
    let (p, q) = (one.value(), other.value());
    let ((p_low, p_high), (q_low, q_high)) = (one.interval(), other.interval());
    let between = p - q;
    let below = ((p - p_low).powi(2) + (q_high - q).powi(2)).sqrt();
    let above = ((p_high - p).powi(2) + (q - q_low).powi(2)).sqrt();
    (between, between - below, between + above)
}

/// Whether two shares differ by so much that it is worth saying: both are of
/// five units at least, a fifth lies between them, and the interval of the
/// difference leaves zero out.
#[must_use]
pub fn differ(a: Share, b: Share) -> bool {
    let (d, low, high) = difference(a, b);
    a.carries() && b.carries() && d.abs() >= LEAST_DIFFERENCE && (low > 0.0 || high < 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_statistic_is_given_that_the_number_cannot_carry() {
        assert_eq!(Summary::of(&[]), Summary::default());
        let one = Summary::of(&[7.0]);
        assert_eq!((one.n, one.least, one.median, one.lower), (1, Some(7.0), None, None));
        let two = Summary::of(&[3.0, 1.0]);
        assert_eq!((two.least, two.greatest, two.median), (Some(1.0), Some(3.0), None));
        let three = Summary::of(&[3.0, 1.0, 8.0]);
        assert_eq!((three.median, three.lower, three.upper), (Some(3.0), None, None));
        let four = Summary::of(&[4.0, 1.0, 3.0, 2.0]);
        assert_eq!((four.lower, four.median, four.upper), (Some(1.75), Some(2.5), Some(3.25)));
        let five = Summary::of(&[10.0, 20.0, 30.0, 40.0, 50.0]);
        assert_eq!((five.lower, five.median, five.upper), (Some(20.0), Some(30.0), Some(40.0)));
        assert_eq!(Summary::of(&[f64::NAN, 1.0]).n, 1);
    }

    #[test]
    fn shares_have_per_cent_from_five_on() {
        assert_eq!(Share::new(2, 4).per_cent(), None);
        assert_eq!(Share::new(2, 5).per_cent(), Some(40));
        assert_eq!(Share::new(1, 8).per_cent(), Some(13), "12.5 is rounded up");
        assert_eq!(Share::new(7, 7).per_cent(), Some(100));
        assert!(Share::default().value().abs() < f64::EPSILON);
    }

    #[test]
    fn intervals_are_those_of_the_books() {
        // Newcombe 1998: 56 of 70 and 48 of 80 differ by 0.2 (0.0524 to 0.3339).
        let (d, low, high) = difference(Share::new(56, 70), Share::new(48, 80));
        assert!(
            (d - 0.2).abs() < 1e-9 && (low - 0.0524).abs() < 1e-4 && (high - 0.3339).abs() < 1e-4
        );
        // Wilson: 81 of 263 lie between 0.2553 and 0.3662.
        let (low, high) = Share::new(81, 263).interval();
        assert!((low - 0.2553).abs() < 1e-4 && (high - 0.3662).abs() < 1e-4, "{low} {high}");
        assert_eq!(Share::new(0, 0).interval(), (0.0, 1.0));
    }

    #[test]
    fn only_differences_that_stand_out_are_said() {
        assert!(differ(Share::new(9, 10), Share::new(2, 12)));
        assert!(!differ(Share::new(4, 4), Share::new(0, 20)), "too few");
        assert!(!differ(Share::new(3, 6), Share::new(2, 6)), "chance");
        assert!(!differ(Share::new(560, 1000), Share::new(480, 1000)), "sure, but small");
    }
}
