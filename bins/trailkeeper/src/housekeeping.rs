//! The thread of a server that does recurring work: it rotates token keys and removes expired records.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Duration;

use trailkeeper_auth::Access;

use crate::background::Background;

/// Pause between two rounds.
const EVERY: Duration = Duration::from_mins(1);

/// Starts the thread. Its first round begins at once.
pub fn start(access: Arc<Access>) -> io::Result<Background> {
    every(EVERY, move || round(&access))
}

fn every(rest: Duration, mut round: impl FnMut() + Send + 'static) -> io::Result<Background> {
    Background::start("housekeeping", move |_| {
        // A panic is printed on stderr; it must not end the rotation of keys.
        if panic::catch_unwind(AssertUnwindSafe(&mut round)).is_err() {
            tracing::error!("housekeeping panicked; its message is above, and the next round follows in a minute");
        }
        Some(rest)
    })
}

/// One round. The next round retries what failed. An outage of the database also shows in the log through the requests
/// that it fails.
fn round(access: &Access) {
    match access.housekeeping() {
        Ok(done) => {
            if let Some(kid) = done.new_token_key {
                tracing::info!(kid, "created a new key for access tokens, because the newest was too old");
            }
            for kid in done.removed_token_keys {
                tracing::info!(kid, "removed a key for access tokens, because its last token has expired");
            }
        }
        Err(error) => {
            tracing::warn!(error = %error.chain(), "housekeeping of accounts and keys failed; it runs again in a minute");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn rounds_repeat_until_the_thread_is_stopped_and_stopping_does_not_wait_for_the_next_round() {
        let (done, rounds) = mpsc::channel();
        let quick = every(Duration::from_millis(1), move || {
            // Fails after the stop, when the receiver is dropped.
            let _sent = done.send(());
        })
        .unwrap();
        for _ in 0..3 {
            rounds.recv_timeout(Duration::from_secs(20)).unwrap();
        }
        quick.stop();
        while rounds.try_recv().is_ok() {}
        assert!(rounds.recv().is_err(), "the thread has ended");

        let (done, rounds) = mpsc::channel();
        let slow = every(Duration::from_hours(1), move || {
            let _sent = done.send(());
        })
        .unwrap();
        rounds.recv_timeout(Duration::from_secs(20)).unwrap();
        drop(slow);
        assert!(rounds.recv().is_err());
    }
}
