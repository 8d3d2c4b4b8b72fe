//! A small deterministic random generator: demo data must be the same everywhere and needs no secrecy.

/// Splitmix64 (Steele, Lea and Flood, 2014).
pub struct Random(u64);

impl Random {
    /// Starts the sequence of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to, but not including, `end`, which must not be 0.
    pub fn below(&mut self, end: u32) -> u32 {
        // The upper half of the product is uniform enough and always below `end`.
        let product = (self.bits() >> 32) * u64::from(end);
        u32::try_from(product >> 32).unwrap_or_default()
    }

    /// A number from 0 to 1, but not including 1.
    pub fn unit(&mut self) -> f64 {
        f64::from(self.below(u32::MAX)) / f64::from(u32::MAX)
    }

    /// `true` in `percent` of 100 cases.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// One of the items, each with the same probability.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let count = u32::try_from(items.len()).ok().filter(|count| *count > 0)?;
        items.get(self.below(count) as usize)
    }

    /// A UUID in the format of version 4.
    pub fn uuid(&mut self) -> uuid::Uuid {
        let bytes = (u128::from(self.bits()) << 64 | u128::from(self.bits())).to_be_bytes();
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// Draws indexes of a list by their weights.
pub struct Weights(Vec<f64>);

impl Weights {
    /// Indexes with these weights.
    pub fn new(weights: impl IntoIterator<Item = f64>) -> Self {
        let mut sum = 0.0;
        let sums = weights.into_iter().map(|weight| {
            sum += weight;
            sum
        });
        Self(sums.collect())
    }

    /// Zipf's law: the `n`-th index (counted from 1) has the weight `n` to the power of `-exponent`.
    pub fn zipf(count: u32, exponent: f64) -> Self {
        Self::new((1..=count).map(|n| f64::from(n).powf(-exponent)))
    }

    /// The index at a share (from 0 to 1) of the sum of all weights.
    pub fn at(&self, share: f64) -> usize {
        let total = self.0.last().copied().unwrap_or_default();
        self.0.partition_point(|sum| *sum <= share * total).min(self.0.len().saturating_sub(1))
    }

    /// The share of the sum that lies before an index, and the share of the index itself.
    pub fn span(&self, index: usize) -> (f64, f64) {
        let total = self.0.last().copied().unwrap_or(1.0);
        let end = self.0.get(index).copied().unwrap_or(total);
        let start = index.checked_sub(1).and_then(|before| self.0.get(before)).copied().unwrap_or(0.0);
        (start / total, (end - start) / total)
    }

    /// A random index.
    pub fn draw(&self, random: &mut Random) -> usize {
        self.at(random.unit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_the_published_one() {
        // Reference values for the seed 1234567.
        let mut random = Random::new(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([random.bits(), random.bits(), random.bits()], expected);
    }

    #[test]
    fn indexes_are_drawn_by_their_weights() {
        let weights = Weights::new([1.0, 0.0, 3.0]);
        let mut random = Random::new(1);
        let mut counts = [0_u32; 3];
        for _ in 0..4_000 {
            counts[weights.draw(&mut random)] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((900..1_100).contains(&counts[0]), "{counts:?}");
        assert_eq!((weights.at(0.0), weights.at(1.0)), (0, 2));
    }
}
