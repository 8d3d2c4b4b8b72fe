//! The deadline of the work that a thread does for a request.
//!
//! A request may call its store several times, on several layers. The deadline holds for all of them together, so it
//! belongs to the thread instead of the calls: whoever starts the work sets it, and a store that waits for a server asks
//! how much time is left. Work without a deadline, such as that of background tasks, waits as long as the store's own
//! limits allow.

use std::cell::Cell;
use std::time::{Duration, Instant};

thread_local! {
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Runs `work` with a deadline for the stores that it calls. A deadline that holds already and is earlier stays.
///
/// ```
/// use std::time::{Duration, Instant};
/// use trailkeeper_domain::deadline;
///
/// assert_eq!(deadline::remaining(), None);
/// deadline::until(Instant::now() + Duration::from_secs(5), || {
///     assert!(deadline::remaining().unwrap() <= Duration::from_secs(5));
/// });
/// assert_eq!(deadline::remaining(), None);
/// ```
pub fn until<T>(deadline: Instant, work: impl FnOnce() -> T) -> T {
    let outer = DEADLINE.get();
    // Also after a panic: the thread goes on with other work.
    let _restored = Restored(outer);
    DEADLINE.set(Some(outer.map_or(deadline, |outer| outer.min(deadline))));
    work()
}

/// The time that is left until the deadline of this thread's work, zero after it; `None` if there is no deadline.
pub fn remaining() -> Option<Duration> {
    DEADLINE.get().map(|deadline| deadline.saturating_duration_since(Instant::now()))
}

struct Restored(Option<Instant>);

impl Drop for Restored {
    fn drop(&mut self) {
        DEADLINE.set(self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::panic;

    use super::*;

    #[test]
    fn the_earliest_deadline_holds_until_its_work_ends() {
        let now = Instant::now();
        until(now + Duration::from_mins(1), || {
            until(now, || assert_eq!(remaining(), Some(Duration::ZERO)));
            until(now + Duration::from_hours(1), || assert!(remaining().unwrap() <= Duration::from_mins(1)));
            assert!(remaining().unwrap() > Duration::from_secs(1));
        });
        assert!(panic::catch_unwind(|| until(now, || panic!("a defect"))).is_err());
        assert_eq!(remaining(), None, "a panic leaves no deadline behind");
    }
}
