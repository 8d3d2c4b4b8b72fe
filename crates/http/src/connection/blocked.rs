//! A client that keeps the server waiting with an answer.

use std::time::Duration;

use tokio::time::Instant;

/// The slowest that it may take the answer, in bytes per second.
const MIN_RATE: u64 = 1024;

/// Since when it has, and what it took meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct Blocked {
    since: Instant,
    last: Instant,
    taken: u64,
}

impl Blocked {
    /// It took nothing at `now`.
    pub fn since(now: Instant) -> Self {
        Self { since: now, last: now, taken: 0 }
    }

    /// It took some bytes, and there are more.
    pub fn take(&mut self, bytes: usize, now: Instant) {
        self.last = now;
        self.taken = self.taken.saturating_add(bytes as u64);
    }

    /// Until when it must take more, if it may pause for `pause`. What it took earlier does not let it pause for longer.
    pub fn deadline(&self, pause: Duration) -> Instant {
        let at_rate = self.since + pause + Duration::from_secs(self.taken / MIN_RATE);
        at_rate.min(self.last + pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(30);

    #[test]
    fn whoever_took_much_may_pause_no_longer_than_others() {
        let began = Instant::now();
        let mut blocked = Blocked::since(began);
        assert_eq!(blocked.deadline(PAUSE), began + PAUSE);
        let later = began + Duration::from_secs(20);
        blocked.take(64 << 20, later);
        assert_eq!(blocked.deadline(PAUSE), later + PAUSE);
    }

    #[test]
    fn drops_buy_no_more_time_than_the_least_rate_gives() {
        let began = Instant::now();
        let mut blocked = Blocked::since(began);
        for second in 1..=40 {
            blocked.take(100, began + Duration::from_secs(second));
        }
        assert_eq!(blocked.deadline(PAUSE), began + PAUSE + Duration::from_secs(3));
    }
}
