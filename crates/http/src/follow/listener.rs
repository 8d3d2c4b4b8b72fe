//! One listener.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::{Either, FutureExt as _, select};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::watcher::Shared;

/// The longest time between two questions of a listener.
const LONGEST_SILENCE: Duration = Duration::from_secs(15);

/// The shortest time between two questions of one listener.
const SHORTEST_PACE: Duration = Duration::from_millis(100);

/// The time between two questions of all listeners together.
const PACE_OF_ALL: Duration = Duration::from_millis(1);

/// Whether the client of a listener is gone. It is called by the task that reads from the client's connection.
pub type HasLeft = Box<dyn Fn() -> bool>;

/// The reason why a listener stopped waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// There may be news.
    News,
    /// The time is over.
    TimeOver,
    /// The server stops, or the client sends nothing more: it has closed its connection or half of it.
    Ended,
}

/// A place among the listeners, which is free again when this is dropped.
pub struct Listener {
    shared: Arc<Shared>,
    settled: watch::Receiver<i64>,
    stopping: watch::Receiver<bool>,
    /// The last question of this listener, or its start.
    asked: Instant,
    has_left: HasLeft,
    _place: OwnedSemaphorePermit,
}

impl Listener {
    /// The listener that has `place`.
    pub fn new(shared: Arc<Shared>, place: OwnedSemaphorePermit, has_left: HasLeft) -> Self {
        let (settled, stopping) = (shared.settled.subscribe(), shared.stopping.subscribe());
        shared.joined();
        Self { shared, settled, stopping, asked: Instant::now(), has_left, _place: place }
    }

    /// Notes that this listener asks the database now.
    pub fn asks(&mut self) {
        self.asked = Instant::now();
    }

    /// Whether the server stops.
    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Waits until the feed is readable beyond the number `after`, but not until its pace allows another question; at most
    /// until `end`. It also wakes when the last question is [`LONGEST_SILENCE`] ago.
    pub async fn wait(&mut self, after: i64, end: Instant) -> Woken {
        let (may_ask, must_ask) = (self.asked + pace(self.shared.listeners()), self.asked + LONGEST_SILENCE);
        let Self { settled, stopping, has_left, .. } = self;
        let news = timeout_at(end.min(must_ask), async {
            sleep_until(may_ask).await;
            // Fails if the sender is gone, which this listener's own `shared` prevents.
            settled.wait_for(|settled| *settled > after).await.is_ok()
        });
        let stopped = async { stopping.wait_for(|stopping| *stopping).await.is_ok() };
        let (news, stopped) = (pin!(news), pin!(stopped));
        let mut woken = select(stopped, news);
        // The connection reads before it polls this.
        let woken = poll_fn(|context| if has_left() { Poll::Ready(None) } else { woken.poll_unpin(context).map(Some) });
        match woken.await {
            None | Some(Either::Left(_)) => Woken::Ended,
            Some(Either::Right((Ok(_), _))) => Woken::News,
            Some(Either::Right((Err(_elapsed), _))) if end <= must_ask => Woken::TimeOver,
            Some(Either::Right((Err(_elapsed), _))) => Woken::News,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.shared.left();
    }
}

/// The time between two questions of one of `listeners` listeners.
fn pace(listeners: usize) -> Duration {
    PACE_OF_ALL.saturating_mul(u32::try_from(listeners).unwrap_or(u32::MAX)).max(SHORTEST_PACE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_listeners_ask_less_often_each() {
        assert_eq!([0, 1, 100].map(pace), [SHORTEST_PACE; 3]);
        assert_eq!(pace(1_000), Duration::from_secs(1));
        assert!(pace(usize::MAX) > Duration::from_hours(1));
    }
}
