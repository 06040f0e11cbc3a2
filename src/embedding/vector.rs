//! A vector of 384 bytes and a scale, of length 1.

/// Numbers in a vector.
pub const DIMENSIONS: usize = 384;

/// A direction in 384 dimensions: `bytes * scale` has length 1, up to rounding.
#[derive(Clone, Copy, PartialEq)]
pub struct Vector {
    /// One signed byte a dimension, -127 to 127.
    pub bytes: [i8; DIMENSIONS],
    /// What a byte is worth.
    pub scale: f32,
}

impl std::fmt::Debug for Vector {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Vector({:?}…, {})", &self.bytes[..4], self.scale)
    }
}

impl Vector {
    /// The direction of these numbers. All zeros stay all zeros.
    #[must_use]
    pub fn new(values: &[f32; DIMENSIONS]) -> Self {
        let length = values.iter().map(|v| v * v).sum::<f32>().sqrt();
        let most = values.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
        if most == 0.0 || !length.is_finite() {
            return Self { bytes: [0; DIMENSIONS], scale: 0.0 };
        }
        let step = 127.0 / most;
        #[expect(clippy::cast_possible_truncation, reason = "rounded, and at most 127")]
        let bytes = values.map(|v| (v * step).round() as i8);
        // The length that the rounded bytes have, so that no rounding is left in it.
        let sum: i32 = bytes.iter().map(|b| i32::from(*b) * i32::from(*b)).sum();
        #[expect(clippy::cast_precision_loss, reason = "below 2^23")]
        let scale = 1.0 / (sum as f32).sqrt();
        Self { bytes, scale }
    }

    /// The numbers.
    #[must_use]
    pub fn values(&self) -> [f32; DIMENSIONS] {
        self.bytes.map(|b| f32::from(b) * self.scale)
    }

    /// The cosine of the angle between two vectors.
    #[must_use]
    pub fn cosine(&self, other: &Self) -> f32 {
        crate::kernels::dot(&self.bytes, &other.bytes) * self.scale * other.scale
    }

    /// The cosines with several.
    #[must_use]
    pub fn cosines(&self, others: &[&Self]) -> Vec<f32> {
        let rows: Vec<&[i8; DIMENSIONS]> = others.iter().map(|other| &other.bytes).collect();
        let mut dots = vec![0; rows.len()];
        crate::kernels::dots(&self.bytes, &rows, &mut dots);
        #[expect(clippy::cast_precision_loss, reason = "at most 384 * 127 * 127, below 2^23")]
        let cosine = |(dot, other): (i32, &&Self)| dot as f32 * self.scale * other.scale;
        dots.into_iter().zip(others).map(cosine).collect()
    }

    /// The direction of `self + weight * mean of others`: feedback from the
    /// best hits (Rocchio 1971).
    #[must_use]
    pub fn towards(&self, others: &[Self], weight: f32) -> Self {
        if others.is_empty() {
            return *self;
        }
        let mut values = self.values();
        #[expect(clippy::cast_precision_loss, reason = "a handful")]
        let share = weight / others.len() as f32;
        for other in others {
            for (value, more) in values.iter_mut().zip(other.values()) {
                *value += share * more;
            }
        }
        Self::new(&values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(seed: f32) -> [f32; DIMENSIONS] {
        std::array::from_fn(|n| {
            let n = u16::try_from(n).expect("small");
            (f32::from(n) * seed).sin()
        })
    }

    #[test]
    fn a_vector_has_length_one_and_keeps_its_direction() {
        let values = sample(0.37);
        let vector = Vector::new(&values);
        assert!((vector.cosine(&vector) - 1.0).abs() < 1e-6);
        let others = [&vector, &Vector::new(&sample(0.2))];
        assert_eq!(vector.cosines(&others), others.map(|other| vector.cosine(other)));
        let length = values.iter().map(|v| v * v).sum::<f32>().sqrt();
        let dot: f32 = values.iter().zip(vector.values()).map(|(a, b)| a * b).sum();
        assert!(dot / length > 0.9999, "{dot} {length}");
    }

    #[test]
    fn nothing_has_no_direction() {
        let nothing = Vector::new(&[0.0; DIMENSIONS]);
        assert!(nothing.cosine(&Vector::new(&sample(0.2))).abs() < f32::EPSILON);
    }

    #[test]
    fn feedback_moves_towards_the_others() {
        let (asked, best) = (Vector::new(&sample(0.37)), Vector::new(&sample(0.41)));
        let moved = asked.towards(&[best], 0.5);
        assert!(moved.cosine(&best) > asked.cosine(&best));
        assert!(moved.cosine(&asked) > 0.8);
    }
}
