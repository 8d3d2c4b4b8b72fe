//! The codes of outcomes: 0 (success), 1 (failure), 2 (unknown).

use trailkeeper_domain::event::Outcome;

/// The code of an outcome.
#[inline]
pub fn code(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Success => 0,
        Outcome::Failure => 1,
        Outcome::Unknown => 2,
    }
}

/// The outcome with this code.
#[inline]
pub fn of_code(code: u32) -> Option<Outcome> {
    match code {
        0 => Some(Outcome::Success),
        1 => Some(Outcome::Failure),
        2 => Some(Outcome::Unknown),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_outcomes_are_each_others() {
        assert!(Outcome::ALL.into_iter().all(|outcome| of_code(code(outcome).into()) == Some(outcome)));
        assert_eq!(of_code(3), None);
    }
}
