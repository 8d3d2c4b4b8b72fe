//! Brute force: attempts to log in are counted, and too many of them have to wait.
//!
//! | counter | counts | delays |
//! |---|---|---|
//! | account | attempts on a name, whether an account has it or not, but those from sources known for it | the same attempts |
//! | source | attempts from an IPv4 address or a /64 of IPv6, but those on names for which it is known | the same attempts |
//! | pair | attempts on one name from one source | those from sources known for the name |
//!
//! A source is known for a name from which someone logged in under it during the last 90 days. Who attacks an
//! account from elsewhere therefore does not delay its owner at home, and who shares an address with others
//! delays nobody there but those whose names he tries.
//!
//! An attempt is counted before its password is hashed, in one transaction under a lock: attempts at the same
//! instant, on whatever servers, cannot exceed the allowance. So that someone who knows the password is not refused
//! for his own attempts that are still being hashed, those of one name from one source take turns on each server
//! ([`Access::login_lock_key`]). While it is delayed, an attempt costs one read: neither a hash nor a write. Counters are
//! the database's, so that all servers share them.

mod attempt;
mod subject;

use chrono::TimeDelta;
use trailkeeper_domain::ports::{CounterKey, ReadTx};
use trailkeeper_domain::throttle::FORGOTTEN_AFTER;
use trailkeeper_domain::{Error, ErrorDetail, Result};

use crate::access::Access;
use crate::audit::Origin;

pub(crate) use attempt::Attempt;
pub(crate) use subject::Subject;

use attempt::look;

/// For how long a source is known after the last login from it.
const SOURCE_KNOWN_FOR: TimeDelta = TimeDelta::days(90);

/// How many sources of a name are known, the latest.
const MOST_KNOWN_SOURCES: usize = 20;

/// How many counters are kept, the latest.
const MOST_COUNTERS: usize = 100_000;

impl Access {
    /// Tells whether an attempt to log in would be refused for now, without counting one. It costs one read: to be
    /// asked before the attempt waits for its turn to be hashed.
    ///
    /// [`Error::Throttled`] when it would; the text and the seconds do not tell whether the name exists.
    pub fn check_login(&self, username: &str, origin: &Origin) -> Result<()> {
        let subject = Subject::login(username, origin.source);
        self.store.reading(|tx| self.admit(tx, &subject))
    }

    /// What takes turns with this login: those with the same key are to be tried one after another. `None` where
    /// nothing is counted, so that nobody need wait.
    pub fn login_lock_key(&self, username: &str, origin: &Origin) -> Option<CounterKey> {
        let subject = || Subject::login(username, origin.source);
        self.settings.login_delays.then(subject).map(|subject| subject.source.map_or(subject.account, |keys| keys.pair))
    }

    /// Forgets counters of logins and known sources that nobody needs any more, and the oldest beyond 100,000. To
    /// be called each minute; several servers may.
    pub fn forget_attempts(&self) -> Result<()> {
        let now = self.clock.now();
        self.store.writing(|tx| {
            tx.lock_login_counters()?;
            tx.delete_login_counters(now - FORGOTTEN_AFTER, MOST_COUNTERS)?;
            tx.delete_known_sources(now - SOURCE_KNOWN_FOR)
        })
    }

    /// Refuses an attempt that has to wait.
    pub(crate) fn admit<T: ReadTx + ?Sized>(&self, tx: &mut T, subject: &Subject) -> Result<()> {
        if !self.settings.login_delays {
            return Ok(());
        }
        let now = self.clock.now();
        look(tx, subject, now)?.blocked_for(now).map_or(Ok(()), |left| Err(too_soon(left)))
    }

    /// Counts an attempt, or refuses it. To be called before the password is hashed.
    pub(crate) fn count_attempt(&self, subject: Subject) -> Result<Attempt> {
        if !self.settings.login_delays {
            return Ok(Attempt::uncounted());
        }
        let (known, at, block) = self.store.writing(|tx| {
            tx.lock_login_counters()?;
            // Read behind the lock: it may have waited for it.
            let now = self.clock.now();
            let standing = look(tx, &subject, now)?;
            standing.blocked_for(now).map_or(Ok(()), |left| Err(too_soon(left)))?;
            Ok((standing.known, now, standing.count(tx, &subject, now)?))
        })?;
        Ok(Attempt::counted(subject, known, at, block))
    }
}

/// Whole seconds, rounded up: whoever comes back then is not refused again.
fn seconds(left: TimeDelta) -> u32 {
    u32::try_from((left + TimeDelta::microseconds(999_999)).num_seconds()).unwrap_or(1).max(1)
}

fn too_soon(left: TimeDelta) -> Error {
    let retry_after_s = seconds(left);
    let fault = ErrorDetail::new(
        "too_many_attempts",
        format!("there were too many attempts with a wrong name or password; try again after {retry_after_s} s"),
    );
    Error::Throttled { fault, retry_after_s }
}
