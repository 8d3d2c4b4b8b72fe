//! A reading that waits for events.

use std::time::Duration;

use actix_web::web::Data;
use tokio::time::Instant;
use trailkeeper_domain::usecase::{FeedPage, FeedStart};
use trailkeeper_domain::{Error, Result};

use super::reading::Reading;
use crate::blocking;
use crate::connection::RequestTracker;
use crate::cursors::FeedCursors;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, FollowEvents};
use crate::extract::lasting::LastingCaller;
use crate::follow::{Listener, Woken};
use crate::state::AppState;

/// Time between two questions while the database does not answer.
pub const PAUSE_OF_OUTAGE: Duration = Duration::from_secs(1);

/// A reading with a place among the listeners. Its credential is checked before each page.
pub struct Following {
    reading: Reading,
    caller: LastingCaller,
    listener: Listener,
}

impl Following {
    /// Takes a place. [`Error::Overloaded`] with the code `too_many_listeners` if there is none.
    pub fn begin(reading: Reading, caller: &Caller<FollowEvents, Native>, state: &AppState) -> Result<Self> {
        let connection = caller.request().conn_data::<RequestTracker>().cloned();
        let has_left = move || connection.as_ref().is_some_and(RequestTracker::has_ended_input);
        Ok(Self { reading, caller: caller.lasting()?, listener: state.listeners().join(Box::new(has_left))? })
    }

    /// Asks the database for the page at `start`, and renders it. The question has a time limit of its own.
    pub async fn page<T: Send + 'static>(
        &mut self,
        state: &Data<AppState>,
        start: FeedStart,
        limit: usize,
        render: impl FnOnce(FeedPage, &FeedCursors) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = state.listeners().question().await?;
        self.listener.asks();
        blocking::limited(async {
            self.caller.check(state).await?;
            self.reading.page(state, start, limit, permit, render).await
        })
        .await
    }

    /// Checks the credential, if that is due.
    pub async fn check(&mut self, state: &Data<AppState>) -> Result<()> {
        if Instant::now() < self.caller.next_check() {
            return Ok(());
        }
        let _permit = state.listeners().question().await?;
        blocking::limited(self.caller.check(state)).await
    }

    /// The time at which the credential must be checked again.
    pub fn next_check(&self) -> Instant {
        self.caller.next_check()
    }

    /// Waits until there may be events behind the number `after`, at most until `end`.
    pub async fn wait(&mut self, after: i64, end: Instant) -> Woken {
        self.listener.wait(after, end).await
    }

    /// Waits until `end`.
    pub async fn pause(&mut self, end: Instant) -> Woken {
        self.listener.wait(i64::MAX, end).await
    }

    /// Whether the server stops.
    pub fn is_stopping(&self) -> bool {
        self.listener.is_stopping()
    }
}

/// Whether the database or the server may serve the same question later.
pub fn is_outage(error: &Error) -> bool {
    matches!(error, Error::Unavailable { .. } | Error::Overloaded { .. })
}
