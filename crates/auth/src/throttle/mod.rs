//! Protection against brute force: attempts to log in are counted, and too many of them delay further ones.
//!
//! | counter | counts | delays |
//! |---|---|---|
//! | account | attempts with one user name, whether an account has it or not, except from sources known for it | the same attempts |
//! | source | attempts from one IPv4 address or one /64 of IPv6, except with user names for which it is known | the same attempts |
//! | pair | attempts with one user name from one source | attempts from sources known for the name |
//!
//! A source is known for a user name if someone logged in from it with that name during the last 90 days. So an attack from
//! elsewhere does not delay the owner of an account at home, and an attacker who shares an address with others delays only
//! the users whose names he tries.
//!
//! An attempt is counted before its password is hashed, in one transaction under a lock: attempts at the same instant,
//! even on several servers, cannot exceed the allowance. Someone who knows the password must not be refused because of his
//! own attempts that are still being hashed, so each server tries those with one name from one source one after another
//! ([`Access::login_lock_key`]). During a delay, an attempt costs one read, and neither a hash nor a write. The counters are
//! in the database, so all servers share them.

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

use attempt::{SOURCE_KNOWN_FOR, read_counters, seconds};

/// The number of counters; the latest are kept.
const MAX_COUNTERS: usize = 100_000;

impl Access {
    /// Checks that an attempt to log in would be admitted now, without counting it. Costs one read; to be called before
    /// the attempt waits to be hashed.
    ///
    /// [`Error::Throttled`] when it would be refused; neither its text nor its seconds reveal whether the name exists.
    pub fn check_login(&self, username: &str, origin: &Origin) -> Result<()> {
        let subject = Subject::login(username, origin.source);
        self.store.reading(|tx| self.admit(tx, &subject))
    }

    /// The key of the lock under which a server must try this login, so that attempts with the same key run one after
    /// another. `None` if attempts are not counted; then no attempt need wait.
    pub fn login_lock_key(&self, username: &str, origin: &Origin) -> Option<CounterKey> {
        let subject = || Subject::login(username, origin.source);
        self.settings.login_delays.then(subject).map(|subject| subject.source.map_or(subject.account, |keys| keys.pair))
    }

    /// Deletes counters and known sources that no longer have an effect, and the oldest counters beyond 100,000. To be
    /// called once a minute, on any number of servers.
    pub fn delete_old_login_counters(&self) -> Result<()> {
        let now = self.clock.now();
        self.store.writing(|tx| {
            tx.lock_login_counters()?;
            tx.delete_login_counters(now - FORGOTTEN_AFTER, MAX_COUNTERS)?;
            tx.delete_known_sources(now - SOURCE_KNOWN_FOR)
        })
    }

    /// Refuses an attempt that is delayed: [`Error::Throttled`].
    pub(crate) fn admit<T: ReadTx + ?Sized>(&self, tx: &mut T, subject: &Subject) -> Result<()> {
        if !self.settings.login_delays {
            return Ok(());
        }
        let now = self.clock.now();
        read_counters(tx, subject, now)?.blocked_for(now).map_or(Ok(()), |left| Err(throttled(left)))
    }

    /// Counts an attempt, or refuses it with [`Error::Throttled`]. To be called before the password is hashed.
    pub(crate) fn count_attempt(&self, subject: Subject) -> Result<Attempt> {
        if !self.settings.login_delays {
            return Ok(Attempt::uncounted());
        }
        let (known, at, delay) = self.store.writing(|tx| {
            tx.lock_login_counters()?;
            // The time after the wait for the lock.
            let now = self.clock.now();
            let counters = read_counters(tx, &subject, now)?;
            counters.blocked_for(now).map_or(Ok(()), |left| Err(throttled(left)))?;
            Ok((counters.known, now, counters.count(tx, &subject, now)?))
        })?;
        Ok(Attempt::counted(subject, known, at, delay))
    }
}

fn throttled(left: TimeDelta) -> Error {
    let retry_after_s = seconds(left);
    let detail = ErrorDetail::new(
        "too_many_attempts",
        format!("there were too many attempts with a wrong name or password; try again after {retry_after_s} s"),
    );
    Error::Throttled { detail, retry_after_s }
}
