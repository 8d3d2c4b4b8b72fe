//! A client that does not read its response.

use std::time::Duration;

use tokio::time::Instant;

/// The lowest rate at which a client may read a response, in bytes per second.
const MIN_RATE: u64 = 1024;

/// How long writing to the client has been blocked, and how much it has read meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct Blocked {
    since: Instant,
    last_read: Instant,
    bytes_read: u64,
}

impl Blocked {
    /// The client read nothing at `now`.
    pub fn since(now: Instant) -> Self {
        Self { since: now, last_read: now, bytes_read: 0 }
    }

    /// The client read some bytes, and more are waiting.
    pub fn record_read(&mut self, bytes: usize, now: Instant) {
        self.last_read = now;
        self.bytes_read = self.bytes_read.saturating_add(bytes as u64);
    }

    /// When the client must have read more, if it may pause for `pause`. Bytes that it read earlier do not allow a longer
    /// pause.
    pub fn deadline(&self, pause: Duration) -> Instant {
        let at_rate = self.since + pause + Duration::from_secs(self.bytes_read / MIN_RATE);
        at_rate.min(self.last_read + pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(30);

    #[test]
    fn a_client_that_read_much_may_pause_no_longer_than_others() {
        let began = Instant::now();
        let mut blocked = Blocked::since(began);
        assert_eq!(blocked.deadline(PAUSE), began + PAUSE);
        let later = began + Duration::from_secs(20);
        blocked.record_read(64 << 20, later);
        assert_eq!(blocked.deadline(PAUSE), later + PAUSE);
    }

    #[test]
    fn small_reads_extend_the_deadline_only_by_the_minimum_rate() {
        let began = Instant::now();
        let mut blocked = Blocked::since(began);
        for second in 1..=40 {
            blocked.record_read(100, began + Duration::from_secs(second));
        }
        assert_eq!(blocked.deadline(PAUSE), began + PAUSE + Duration::from_secs(3));
    }
}
