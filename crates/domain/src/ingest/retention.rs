//! The rules of retention as a server knows them: read again every second, so that no request reads them.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::RwLock;

use crate::error::{Error, Result};
use crate::ports::Store;
use crate::retention::RetentionRules;

/// The pause between two reads.
const EVERY: Duration = Duration::from_secs(1);
/// The greatest age of rules by which events are accepted. A removal waits for longer than this after a rule was changed,
/// so no server accepts again what a rule removes.
const STALE: Duration = Duration::from_secs(30);

/// The rules, and the thread that reads them.
pub struct KnownRules {
    known: Arc<RwLock<Known>>,
    /// Dropping the sender ends the thread.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Known {
    rules: Arc<RetentionRules>,
    /// When the last read that succeeded began.
    at: Instant,
}

impl Known {
    fn read(store: &dyn Store) -> Result<Self> {
        let at = Instant::now();
        let rules = store.reading(|tx| tx.retention_rules())?;
        Ok(Self { rules: Arc::new(RetentionRules::new(rules)), at })
    }
}

impl KnownRules {
    /// Reads the rules, and starts the thread.
    ///
    /// [`Error::Internal`] if the system cannot create a thread; those of the store.
    pub fn start(store: Arc<dyn Store>) -> Result<Self> {
        Self::every(store, EVERY)
    }

    fn every(store: Arc<dyn Store>, pause: Duration) -> Result<Self> {
        let known = Arc::new(RwLock::new(Known::read(store.as_ref())?));
        let (stop, stopped) = mpsc::channel::<()>();
        let shared = Arc::clone(&known);
        let work = move || {
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                // A failure shows in the requests that it fails; the old rules hold for some seconds.
                if let Ok(read) = Known::read(store.as_ref()) {
                    *shared.write() = read;
                }
            }
        };
        let thread = thread::Builder::new().name("retention".to_owned()).spawn(work).map_err(Error::internal)?;
        Ok(Self { known, stop: Some(stop), thread: Some(thread) })
    }

    /// The rules. [`Error::Unavailable`] if the database did not answer for half a minute.
    pub fn get(&self) -> Result<Arc<RetentionRules>> {
        let known = self.known.read();
        if known.at.elapsed() > STALE {
            return Err(Error::unavailable("the rules of retention could not be read for half a minute"));
        }
        Ok(Arc::clone(&known.rules))
    }
}

impl Drop for KnownRules {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The thread has no result.
            drop(thread.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::RetentionRuleId;
    use crate::retention::{RetentionRule, RuleDraft, RuleSubject};
    use crate::testing::{MemoryStore, at, uuid};

    #[test]
    fn rules_that_another_server_makes_are_known_soon() {
        let store = Arc::new(MemoryStore::default());
        let known = KnownRules::every(Arc::clone(&store) as Arc<dyn Store>, Duration::from_millis(1)).unwrap();
        assert_eq!(known.get().unwrap().iter().count(), 0);
        let rule = RetentionRule {
            id: RetentionRuleId(uuid(1)),
            subject: RuleSubject { tenant_id: None, kind: None },
            keeps: Some(RuleDraft { keep_days: 30, keep_sheets_days: None }),
            removed_before: None,
            created_at: at("2026-03-01T12:00:00Z"),
            changed_at: at("2026-03-01T12:00:00Z"),
        };
        store.prepared(|records| drop(records.rules.insert(rule.id, rule.clone())));
        while known.get().unwrap().iter().count() == 0 {
            thread::yield_now();
        }
        assert_eq!(known.get().unwrap().iter().collect::<Vec<_>>(), [&rule]);
    }
}
