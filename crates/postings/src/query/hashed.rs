//! What a condition with hashes says for certain.

use super::condition::Condition;

impl Condition {
    /// Whether the condition contains values that are hashes, which different texts may share.
    pub fn has_hashes(&self) -> bool {
        match self {
            Self::Any(dimension, _) => dimension.is_hashed(),
            Self::InColumn(..) => false,
            Self::Not(condition) => condition.has_hashes(),
            Self::All(conditions) | Self::Or(conditions) => conditions.iter().any(Self::has_hashes),
        }
    }

    /// A condition without false negatives: an event that matches by the texts of its row always matches it. An event
    /// that matches it may have another text with the same hash.
    #[must_use]
    pub fn possible(&self) -> Self {
        self.bound(true)
    }

    /// A condition without false positives: an event that matches it also matches by the texts of its row.
    ///
    /// The events to compare with their rows are those that match [`possible`](Self::possible) and not this.
    #[must_use]
    pub fn certain(&self) -> Self {
        self.bound(false)
    }

    /// The events whose rows decide: they are possible and not certain.
    #[must_use]
    pub fn undecided(&self) -> Self {
        Self::All(vec![self.possible(), Self::negated(self.certain())])
    }

    fn bound(&self, upper: bool) -> Self {
        match self {
            Self::Any(dimension, _) if dimension.is_hashed() && !upper => Self::nothing(),
            Self::Any(..) | Self::InColumn(..) => self.clone(),
            // What is certainly not in the condition is what is not even possible.
            Self::Not(condition) => Self::negated(condition.bound(!upper)),
            Self::All(conditions) => Self::All(conditions.iter().map(|condition| condition.bound(upper)).collect()),
            Self::Or(conditions) => Self::Or(conditions.iter().map(|condition| condition.bound(upper)).collect()),
        }
    }
}
