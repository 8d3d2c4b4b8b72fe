//! The last answer to the question whether the database can serve.

use std::sync::Arc;

use chrono::TimeDelta;
use tokio::sync::{Mutex, OwnedMutexGuard};
use trailkeeper_domain::Result;
use trailkeeper_domain::time::Timestamp;

/// How long an answer is reused. The check writes to the database, so it is not made for each request.
const LIFETIME: TimeDelta = TimeDelta::seconds(3);

/// The last answer, behind a lock that is held while the database is asked, so that it is asked once at a time.
#[derive(Default)]
pub struct Readiness {
    last: Arc<Mutex<LastCheck>>,
}

impl Readiness {
    /// Waits for a check that is running, without occupying a thread.
    pub async fn lock(&self) -> OwnedMutexGuard<LastCheck> {
        Arc::clone(&self.last).lock_owned().await
    }
}

/// The last answer and its time.
#[derive(Default)]
pub struct LastCheck(Option<(Timestamp, Result<()>)>);

impl LastCheck {
    /// The last answer, if it is less than three seconds old. After the clock was set back, it also expires.
    pub fn fresh(&self, now: Timestamp) -> Option<Result<()>> {
        let (at, outcome) = self.0.as_ref()?;
        ((now - *at).abs() < LIFETIME).then(|| outcome.clone())
    }

    /// Replaces the answer.
    pub fn set(&mut self, at: Timestamp, outcome: Result<()>) {
        self.0 = Some((at, outcome));
    }
}
