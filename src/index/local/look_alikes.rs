//! Words that share letters: trigram vectors of the index's stems. They carry
//! what a stemmer does not join (polychemotherapy and chemotherapy) and typos
//! that no correction caught. Their weights are small; they rank, they are
//! never shown as a match.

use crate::index::Error;
use crate::index::local::snapshot::Snapshot;
use crate::index::local::text::engine;
use rustc_hash::FxHashMap;

/// Look-alikes of one word at most, and the least cosine (study of the
/// recipe on `NFCorpus` dev: 5 and .3).
const MOST: usize = 5;
const LEAST: f32 = 0.3;
/// Shorter stems (letters) have no look-alikes.
const SHORTEST: usize = 3;

type Trigram = [char; 3];

/// All stems by their trigrams.
#[derive(Default)]
pub(super) struct LookAlikes {
    stems: Vec<Box<str>>,
    /// One over the length of each stem's vector.
    inverse: Vec<f32>,
    grams: FxHashMap<Trigram, (f32, Vec<u32>)>,
}

/// The trigrams of `^word$`, each once.
fn trigrams(word: &str) -> Vec<Trigram> {
    let letters: Vec<char> =
        std::iter::once('^').chain(word.chars()).chain(std::iter::once('$')).collect();
    let mut all: Vec<Trigram> = letters.windows(3).map(|w| [w[0], w[1], w[2]]).collect();
    all.sort_unstable();
    all.dedup();
    all
}

impl LookAlikes {
    fn new(mut stems: Vec<Box<str>>) -> Self {
        stems.sort_unstable();
        stems.dedup();
        let mut grams: FxHashMap<Trigram, (f32, Vec<u32>)> = FxHashMap::default();
        for (number, stem) in (0..).zip(&stems) {
            for gram in trigrams(stem) {
                grams.entry(gram).or_default().1.push(number);
            }
        }
        let mut squares = vec![0.0_f32; stems.len()];
        for (weight, of) in grams.values_mut() {
            *weight = rarity(stems.len(), of.len());
            for stem in of {
                squares[*stem as usize] += *weight * *weight;
            }
        }
        let inverse = squares.into_iter().map(|square| 1.0 / square.sqrt().max(1e-9)).collect();
        Self { stems, inverse, grams }
    }

    /// The stems nearest to one, with their cosine.
    fn of(&self, stem: &str) -> Vec<(&str, f32)> {
        let mut sums: FxHashMap<u32, f32> = FxHashMap::default();
        let mut square = 0.0;
        for gram in trigrams(stem) {
            let Some((weight, of)) = self.grams.get(&gram) else {
                let weight = rarity(self.stems.len(), 0);
                square += weight * weight;
                continue;
            };
            square += weight * weight;
            for other in of {
                *sums.entry(*other).or_default() += weight * weight;
            }
        }
        let length = square.sqrt().max(1e-9);
        let mut near: Vec<(f32, u32)> = sums
            .into_iter()
            .map(|(other, sum)| (sum / length * self.inverse[other as usize], other))
            .filter(|(cosine, other)| *cosine >= LEAST && &*self.stems[*other as usize] != stem)
            .collect();
        near.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        near.truncate(MOST);
        near.into_iter().map(|(cosine, other)| (&*self.stems[other as usize], cosine)).collect()
    }
}

/// How rare a trigram is that so many of the stems have.
fn rarity(stems: usize, having: usize) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "a statistic")]
    let (all, having) = (stems as f32, having as f32);
    ((all - having + 0.5) / (having + 0.5)).ln_1p()
}

impl Snapshot {
    /// The stems that look most like one, with their cosine; at most five.
    pub fn look_alikes(&self, stem: &str) -> Result<Vec<(String, f32)>, Error> {
        if stem.chars().count() < SHORTEST {
            return Ok(Vec::new());
        }
        if self.look_alikes.get().is_none() {
            let made = self.make_look_alikes()?;
            let _ = self.look_alikes.set(made);
        }
        let all = self.look_alikes.get();
        Ok(all.map_or_else(Vec::new, |all| {
            all.of(stem).into_iter().map(|(word, cosine)| (word.to_owned(), cosine)).collect()
        }))
    }

    fn make_look_alikes(&self) -> Result<LookAlikes, Error> {
        let mut stems: Vec<Box<str>> = Vec::new();
        for segment in self.segments() {
            let index = self.reader(segment).inverted_index(self.fields.body).map_err(engine)?;
            let mut stream = index.terms().stream().map_err(engine)?;
            while stream.advance() {
                if let Ok(word) = std::str::from_utf8(stream.key())
                    && word.chars().count() >= SHORTEST
                    && word.chars().any(char::is_alphabetic)
                {
                    stems.push(word.into());
                }
            }
        }
        Ok(LookAlikes::new(stems))
    }
}

#[cfg(test)]
mod tests {
    use super::LookAlikes;

    #[test]
    fn words_with_common_letters_are_near() {
        let words = ["chemotherapi", "polychemotherapi", "chemist", "appoint", "disappoint", "the"];
        let all = LookAlikes::new(words.iter().map(|w| (*w).into()).collect());
        let near = |word: &str| all.of(word).into_iter().map(|(w, _)| w).collect::<Vec<_>>();
        assert_eq!(near("chemotherapi")[0], "polychemotherapi");
        assert_eq!(near("apoint")[0], "appoint", "a typo finds its word");
        assert!(near("zzz").is_empty());
        assert!(!near("appoint").contains(&"appoint"), "not itself");
        let (_, cosine) = all.of("appoint")[0];
        assert!(cosine > 0.3 && cosine < 1.0);
    }
}
