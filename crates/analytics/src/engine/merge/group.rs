//! Groups of scopes that are merged together: a query costs about the same whatever number of scopes it is about, and
//! so does a commit.

use trailkeeper_domain::scope::Scope;

use super::Plan;

/// The most scopes of a group.
const SCOPES: usize = 64;

/// The plan of a group, and the outcome of each of its scopes.
pub struct Step {
    /// The rows to write.
    pub plan: Plan,
    /// The outcome of each scope of the group, in its order.
    pub outcomes: Vec<(Scope, Outcome)>,
}

/// The outcome of planning one scope of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The plan contains everything that was to be merged.
    Whole,
    /// The scopes before it have filled the plan: the scope needs another step. Never the first scope of a group.
    Later,
    /// A row of the scope is unreadable, which the text names. The plan contains nothing of this scope.
    Unreadable(String),
}

/// The number of scopes, from the first on, that go into one group: at least one, and at most `bytes` in total unless it
/// is one.
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
