//! How many bits two sets share: what counts of facets are made of. Beside the
//! vectors because it needs the processor's features in the same way.

use std::sync::OnceLock;

/// The ways to count, the best last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Popcnt,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Way {
    /// The ways that this processor has.
    pub(super) fn available() -> Vec<Self> {
        let mut ways = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("popcnt") {
                ways.push(Self::Popcnt);
            }
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vpopcntdq") {
                ways.push(Self::Avx512);
            }
        }
        ways
    }

    /// Counts the bits that both have.
    pub(super) fn common(self, a: &[u64], b: &[u64]) -> u64 {
        match self {
            Self::Portable => portable(a, b),
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "this way is made only where its feature is")]
            // SAFETY: `available` saw the feature.
            Self::Popcnt => unsafe { popcnt(a, b) },
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "this way is made only where its features are")]
            // SAFETY: `available` saw the features.
            Self::Avx512 => unsafe { avx512(a, b) },
        }
    }
}

/// How many bits are set in both of two rows of words; the longer one's rest
/// counts for nothing.
///
/// ```
/// assert_eq!(insites_embedding::common_bits(&[0b0111, u64::MAX], &[0b1110, 1, 5]), 3);
/// ```
#[must_use]
pub fn common_bits(a: &[u64], b: &[u64]) -> u64 {
    static BEST: OnceLock<Way> = OnceLock::new();
    let best = BEST.get_or_init(|| Way::available().pop().unwrap_or(Way::Portable));
    best.common(a, b)
}

#[inline]
fn portable(a: &[u64], b: &[u64]) -> u64 {
    a.iter().zip(b).map(|(a, b)| u64::from((a & b).count_ones())).sum()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "popcnt")]
fn popcnt(a: &[u64], b: &[u64]) -> u64 {
    portable(a, b)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vpopcntdq,popcnt")]
fn avx512(a: &[u64], b: &[u64]) -> u64 {
    // The compiler makes vector counts of this loop.
    portable(a, b)
}
