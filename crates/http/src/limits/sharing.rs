//! The thread by which servers of one database share their counts.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use actix_web::web::Data;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};

use super::group::LimitSettings;
use super::{Limits, window};
use crate::state::AppState;

/// How often counts are shared.
const EVERY: Duration = Duration::from_secs(1);

/// Shares counts until it is dropped.
pub struct Sharing {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Sharing {
    /// Starts the thread; none where nothing is limited.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system gives no thread.
    pub fn start(state: Data<AppState>) -> Result<Option<Self>> {
        if state.settings.limits == LimitSettings::NONE {
            return Ok(None);
        }
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let signal = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("limits".to_owned())
            .spawn(move || share(&state, &signal))
            .map_err(Error::internal)?;
        Ok(Some(Self { stop, thread: Some(thread) }))
    }
}

impl Drop for Sharing {
    fn drop(&mut self) {
        *self.stop.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.1.notify_all();
        if let Some(thread) = self.thread.take() {
            // It ends without a result of its own.
            drop(thread.join());
        }
    }
}

fn share(state: &AppState, (stop, changed): &(Mutex<bool>, Condvar)) {
    let mut failing = false;
    let mut forgotten_at = None;
    loop {
        let stopped = stop.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(stopped, EVERY, |stopped| !*stopped);
        if *waited.unwrap_or_else(PoisonError::into_inner).0 {
            return;
        }
        match share_once(state, &mut forgotten_at) {
            Ok(()) => failing = false,
            // Told once: each server limits by what it counted itself meanwhile.
            Err(error) if !failing => {
                failing = true;
                tracing::warn!(error = %error.chain(), "request counts cannot be shared with other servers for now");
            }
            Err(_) => {}
        }
    }
}

fn share_once(state: &AppState, forgotten_at: &mut Option<Timestamp>) -> Result<()> {
    let now = state.clock().now();
    state.limits().share(state.store(), now)?;
    let window = window::start_of(now);
    if *forgotten_at != Some(window) {
        Limits::forget(state.store(), now)?;
        *forgotten_at = Some(window);
    }
    Ok(())
}
