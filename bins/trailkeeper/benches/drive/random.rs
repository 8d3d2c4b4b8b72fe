//! Random numbers that are the same in every run, and the Zipf law.

use uuid::Uuid;

/// The splitmix64 generator.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed(self.0)
    }

    /// A number from 0 to `end` - 1.
    pub fn below(&mut self, end: u64) -> u64 {
        u64::try_from((u128::from(self.number()) * u128::from(end)) >> 64).unwrap()
    }

    /// A number from 0 to 1, without 1.
    #[expect(clippy::cast_precision_loss, reason = "53 random bits are what a double holds")]
    pub fn unit(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A random UUID, version 4.
    pub fn uuid(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid()
    }

    /// A UUID of a time in milliseconds, version 7.
    pub fn uuid_at(&mut self, milliseconds: i64) -> Uuid {
        let random = self.bytes();
        let random = random[..10].try_into().unwrap();
        uuid::Builder::from_unix_timestamp_millis(u64::try_from(milliseconds).unwrap(), &random).into_uuid()
    }

    fn bytes(&mut self) -> [u8; 16] {
        (u128::from(self.number()) << 64 | u128::from(self.number())).to_be_bytes()
    }
}

/// Spreads the bits of a number: equal numbers give equal results, near ones unrelated results.
pub fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

/// Ranks from 0, of which rank k has the weight 1 / (k + 1)^exponent.
pub struct Zipf {
    /// Sums of the weights, divided by their total.
    shares: Vec<f64>,
}

impl Zipf {
    pub fn new(ranks: usize, exponent: f64) -> Self {
        let weights = (1..=u32::try_from(ranks).unwrap()).map(|rank| 1.0 / f64::from(rank).powf(exponent));
        Self { shares: shares(weights) }
    }

    /// The share of the ranks before `rank`.
    pub fn before(&self, rank: usize) -> f64 {
        rank.checked_sub(1).map_or(0.0, |last| self.shares[last])
    }

    pub fn draw(&self, random: &mut Random) -> usize {
        let unit = random.unit();
        self.shares.partition_point(|share| *share <= unit).min(self.shares.len() - 1)
    }
}

/// The sums of the first weights, as shares of the total.
pub fn shares(weights: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sum = 0.0;
    let sums: Vec<f64> = weights
        .map(|weight| {
            sum += weight;
            sum
        })
        .collect();
    sums.iter().map(|part| part / sum).collect()
}
