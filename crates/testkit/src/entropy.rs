//! Randomness for tests.

use std::sync::atomic::{AtomicU64, Ordering};

use trailkeeper_domain::clock::Entropy;

/// Bytes that are the same, in the same order, in every run: `SplitMix64` over a counter. They never repeat within a
/// run.
///
/// ```
/// use trailkeeper_testkit::TestEntropy;
///
/// let (one, same, other) = (TestEntropy::new(1), TestEntropy::new(1), TestEntropy::new(2));
/// let (first, second) = (one.number(), one.number());
/// assert_eq!([same.number(), same.number()], [first, second]);
/// assert!(first != second && first != other.number());
/// ```
#[derive(Debug)]
pub struct TestEntropy {
    counter: AtomicU64,
}

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl TestEntropy {
    /// A source with this seed. Different seeds give different bytes.
    pub fn new(seed: u64) -> Self {
        Self { counter: AtomicU64::new(seed) }
    }

    /// The next random number.
    pub fn number(&self) -> u64 {
        let mut mixed = self.counter.fetch_add(STEP, Ordering::SeqCst).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next random number below `end`. `end` must not be 0.
    pub fn below(&self, end: u64) -> u64 {
        self.number() % end
    }

    /// `true` with a probability of `percent` percent.
    pub fn chance(&self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A random element of `choices`. `choices` must not be empty.
    pub fn pick<T: Copy>(&self, choices: &[T]) -> T {
        let at = usize::try_from(self.below(choices.len() as u64)).expect("an index fits into usize");
        *choices.get(at).expect("below the length")
    }
}

impl Default for TestEntropy {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Entropy for TestEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let bytes = self.number().to_le_bytes();
            for (to, from) in chunk.iter_mut().zip(bytes) {
                *to = from;
            }
        }
    }
}
