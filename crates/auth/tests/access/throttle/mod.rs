//! Protection against brute force: the delayed attempts, and the lengths of their delays.

mod delays;
mod known_sources;
mod own_password;
mod traces;

use trailkeeper_auth::{Access, LoggedIn, Origin};
use trailkeeper_domain::{Error, Result};

use crate::world::World;

const WRONG: &str = "wrong password";

fn from(source: &str) -> Origin {
    Origin { source: Some(source.parse().unwrap()), user_agent: None, trace_id: None }
}

/// The outcome of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    Succeeded,
    Refused,
    /// Delayed for this many seconds.
    Throttled(u32),
}

fn outcome_of(outcome: Result<LoggedIn>) -> Attempt {
    match outcome {
        Ok(_) => Attempt::Succeeded,
        Err(Error::Unauthenticated(fault)) => {
            assert_eq!(fault.to_string(), "the user name or the password is wrong");
            Attempt::Refused
        }
        Err(Error::Throttled { detail: fault, retry_after_s }) => {
            assert_eq!(fault.code, "too_many_attempts");
            assert_eq!(
                fault.detail,
                format!(
                    "there were too many attempts with a wrong name or password; try again after {retry_after_s} s"
                )
            );
            Attempt::Throttled(retry_after_s)
        }
        Err(error) => panic!("{error}"),
    }
}

fn attempt(access: &Access, name: &str, password: &str, source: &str) -> Attempt {
    outcome_of(access.login(name, password, &from(source)))
}

/// Repeats failing attempts until one is throttled; returns its delay in seconds.
fn until_throttled(world: &World, name: &str, source: &str) -> u32 {
    for _ in 0..100 {
        if let Attempt::Throttled(seconds) = attempt(&world.access, name, WRONG, source) {
            return seconds;
        }
    }
    panic!("a hundred attempts in one instant");
}
