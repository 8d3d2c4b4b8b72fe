//! Scopes that are merged together: a question to the database, and a commit even more, costs about the same
//! whatever number of scopes it is about.

use trailkeeper_domain::scope::Scope;

use super::Plan;

/// Scopes that are merged at once.
const SCOPES: usize = 64;

/// The plan of a group, and what came of each of its scopes.
pub struct Step {
    /// What is to be written.
    pub plan: Plan,
    /// Of each scope of the group, in its order.
    pub outcomes: Vec<(Scope, Outcome)>,
}

/// What came of one scope of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The plan counts everything that was to be merged.
    Whole,
    /// The plan counts a part of what waits, the oldest. The rest is for another step.
    Part,
    /// The others have filled the plan: it is for another step. Never the first scope of a group.
    Later,
    /// A row of it is unreadable, which the text names. Nothing of this scope is in the plan.
    Unreadable(String),
}

/// How many of the first scopes go into one group: one at least, and no more than `bytes` in all unless it is one.
pub fn fitting(sizes: impl Iterator<Item = u64>, bytes: u64) -> usize {
    let mut filled = 0_u64;
    let fitting = sizes.take(SCOPES).take_while(|size| {
        filled = filled.saturating_add(*size);
        filled <= bytes
    });
    fitting.count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_bounded_and_never_empty() {
        let fits = |sizes: &[u64]| fitting(sizes.iter().copied(), 100);
        assert_eq!(fits(&[60, 40, 1]), 2);
        assert_eq!(fits(&[60, 41, 1]), 1);
        assert_eq!(fits(&[500, 1]), 1);
        assert_eq!(fits(&[1, u64::MAX, 1]), 1);
        assert_eq!(fits(&[0; 200]), SCOPES);
    }
}
