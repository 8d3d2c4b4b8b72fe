//! The thread of a server that does what must be done now and then.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use trailkeeper_auth::Access;

/// How long it rests between two rounds.
const EVERY: Duration = Duration::from_mins(1);

/// Keeps house until it is stopped or dropped.
pub struct Housekeeping {
    /// Dropped to end the thread, which sleeps on the other end.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Housekeeping {
    /// Starts the thread; its first round begins at once.
    pub fn start(access: Arc<Access>) -> io::Result<Self> {
        Self::every(EVERY, move || round(&access))
    }

    fn every(rest: Duration, mut round: impl FnMut() + Send + 'static) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = thread::Builder::new().name("housekeeping".to_owned()).spawn(move || {
            loop {
                // A panic is told on stderr; it must not end what keeps keys fresh.
                if panic::catch_unwind(AssertUnwindSafe(&mut round)).is_err() {
                    tracing::error!("housekeeping panicked; its message is above, and it goes on in a minute");
                }
                if stopped.recv_timeout(rest) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    /// Ends the thread and returns when the round that runs is done.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It ends without a result of its own.
            drop(thread.join());
        }
    }
}

impl Drop for Housekeeping {
    fn drop(&mut self) {
        self.end();
    }
}

/// One round. What fails is tried again a minute later; an outage of the database is in the log by way of the requests
/// that suffer from it.
fn round(access: &Access) {
    match access.housekeeping() {
        Ok(done) => {
            if let Some(kid) = done.new_token_key {
                tracing::info!(kid, "made a new key for access tokens, because the newest was old");
            }
            for kid in done.removed_token_keys {
                tracing::info!(kid, "removed a key of access tokens whose last token has expired");
            }
        }
        Err(error) => {
            tracing::warn!(error = %error.chain(), "housekeeping of accounts and keys failed; it is tried again in a minute")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_go_on_until_it_is_stopped_and_stopping_does_not_wait_for_the_next() {
        let (done, rounds) = mpsc::channel();
        let quick = Housekeeping::every(Duration::from_millis(1), move || {
            // After the stop nobody listens.
            let _nobody_listens = done.send(());
        })
        .unwrap();
        for _ in 0..3 {
            rounds.recv_timeout(Duration::from_secs(20)).unwrap();
        }
        quick.stop();
        while rounds.try_recv().is_ok() {}
        assert!(rounds.recv().is_err(), "the thread is gone");

        let (done, rounds) = mpsc::channel();
        let slow = Housekeeping::every(Duration::from_hours(1), move || {
            let _nobody_listens = done.send(());
        })
        .unwrap();
        rounds.recv_timeout(Duration::from_secs(20)).unwrap();
        drop(slow);
        assert!(rounds.recv().is_err());
    }
}
