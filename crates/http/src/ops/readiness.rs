//! Whether the server can serve, asked of the database once a second at most.
//!
//! The check takes the writer's place for a moment, and anybody may ask for it. So an answer is told again for a second,
//! and while the database is being asked, whoever asks waits for that answer and holds no thread.

use std::sync::Arc;

use actix_web::web::Data;
use chrono::TimeDelta;
use tokio::sync::Mutex;
use trailkeeper_domain::Result;
use trailkeeper_domain::time::Timestamp;

use crate::blocking;
use crate::state::AppState;

/// How old an answer may be.
const TOLD_FOR: TimeDelta = TimeDelta::seconds(1);

/// What the database answered last, and when.
#[derive(Default)]
pub struct Readiness {
    last: Arc<Mutex<Option<Found>>>,
}

struct Found {
    at: Timestamp,
    outcome: Result<()>,
}

impl Found {
    /// Also of a clock that was set back an answer grows old.
    fn is_fresh(&self, now: Timestamp) -> bool {
        (now - self.at).abs() < TOLD_FOR
    }
}

/// Whether the database can serve, as it was not more than a second ago.
pub async fn checked(state: &Data<AppState>) -> Result<()> {
    let mut last = Arc::clone(&state.readiness().last).lock_owned().await;
    // Read behind the lock: whoever held it may have asked meanwhile.
    let now = state.clock().now();
    if let Some(found) = last.as_ref().filter(|found| found.is_fresh(now)) {
        return found.outcome.clone();
    }
    // The lock is the work's, not the request's: whoever goes away while the database is asked does not make it be asked
    // twice at once.
    blocking::run(state, move |state| {
        let outcome = state.store().ready();
        *last = Some(Found { at: state.clock().now(), outcome: outcome.clone() });
        outcome
    })
    .await
}
