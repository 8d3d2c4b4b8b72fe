//! One attempt: reading its counters, counting it, and taking it back after a success.

use chrono::TimeDelta;
use serde_json::Value;
use trailkeeper_domain::Result;
use trailkeeper_domain::ports::{CounterKey, ReadTx, WriteTx};
use trailkeeper_domain::throttle::{Allowance, LoginCounter};
use trailkeeper_domain::time::Timestamp;

use super::subject::Subject;

/// The time for which a source is known after the last login from it.
pub(super) const SOURCE_KNOWN_FOR: TimeDelta = TimeDelta::days(90);

/// The number of known sources of one user name; the latest are kept.
const MAX_KNOWN_SOURCES: usize = 20;

/// The counters of a subject.
pub(super) struct Counters {
    /// Whether the account logged in from this source recently.
    pub known: bool,
    account: LoginCounter,
    source: LoginCounter,
    pair: LoginCounter,
}

/// Reads the counters of a subject, with the same queries for user names that exist and for others.
pub(super) fn read_counters<T: ReadTx + ?Sized>(tx: &mut T, subject: &Subject, now: Timestamp) -> Result<Counters> {
    let mut keys: Vec<CounterKey> = vec![subject.account];
    keys.extend(subject.source.iter().flat_map(|keys| [keys.source, keys.pair]));
    let mut found = tx.login_counters(&keys)?.into_iter();
    let mut next = || found.next().flatten().unwrap_or(LoginCounter::none(now));
    let (account, source, pair) = (next(), next(), next());
    let known = match &subject.source {
        Some(keys) => tx.known_source(&subject.account, keys.network)?.is_some_and(|at| now - at < SOURCE_KNOWN_FOR),
        None => false,
    };
    Ok(Counters { known, account, source, pair })
}

impl Counters {
    /// The time for which an attempt is refused; `None` if it is not.
    pub fn blocked_for(&self, now: Timestamp) -> Option<TimeDelta> {
        if self.known {
            return self.pair.blocked_for(now);
        }
        self.account.blocked_for(now).max(self.source.blocked_for(now))
    }

    /// Counts an attempt; returns the delay that it begins, if it begins one.
    pub fn count(self, tx: &mut dyn WriteTx, subject: &Subject, now: Timestamp) -> Result<Option<Delay>> {
        let account = self.account.attempted(Allowance::OF_ACCOUNT, now);
        let source = self.source.attempted(Allowance::OF_SOURCE, now);
        let pair = self.pair.attempted(Allowance::OF_ACCOUNT, now);
        if let Some(keys) = &subject.source {
            tx.put_login_counter(&keys.pair, &pair)?;
        }
        if !self.known {
            tx.put_login_counter(&subject.account, &account)?;
            if let Some(keys) = &subject.source {
                tx.put_login_counter(&keys.source, &source)?;
            }
        }
        let delay = |of: &'static str, counter: LoginCounter| {
            counter.blocked_for(now).map(|left| Delay { of, failures: counter.failures, seconds: seconds(left) })
        };
        if self.known {
            return Ok(delay("account from a known source", pair));
        }
        let of_source = subject.source.as_ref().and_then(|_| delay("source", source));
        Ok([delay("account", account), of_source].into_iter().flatten().max_by_key(|delay| delay.seconds))
    }
}

/// A delay of further attempts.
pub(crate) struct Delay {
    /// The attempts that are delayed, as audit events name them.
    of: &'static str,
    /// The number of failed attempts that led to it.
    failures: u32,
    /// Its duration.
    seconds: u32,
}

impl Delay {
    /// The metadata of the audit event about its beginning.
    pub fn metadata(&self) -> [(String, Value); 3] {
        [
            ("delayed".to_owned(), self.of.into()),
            ("failures".to_owned(), self.failures.into()),
            ("seconds".to_owned(), self.seconds.into()),
        ]
    }
}

/// An admitted attempt. It is counted as a failure until it succeeds.
pub(crate) struct Attempt {
    counted: Option<Counted>,
    /// The delay that it began, for the audit event about its failure.
    pub delay: Option<Delay>,
}

/// The counters in which an attempt was counted.
struct Counted {
    subject: Subject,
    /// Whether its source was known, so that only the pair was counted.
    known: bool,
    at: Timestamp,
}

impl Attempt {
    /// An attempt that was counted; `known` says whether its source was known for its user name.
    pub(super) fn counted(subject: Subject, known: bool, at: Timestamp, delay: Option<Delay>) -> Self {
        Self { counted: Some(Counted { subject, known, at }), delay }
    }

    /// An attempt while nothing is counted.
    pub(super) fn uncounted() -> Self {
        Self { counted: None, delay: None }
    }

    /// Takes back all attempts with this user name from this source, and makes the source a known one. To be called in the
    /// transaction of the login, or of the change, that the attempt was for.
    ///
    /// Attempts with this name from other sources stay counted: otherwise a program that logs in every minute would give
    /// an attacker on its password five free attempts per minute.
    pub fn succeeded(&self, tx: &mut dyn WriteTx, now: Timestamp) -> Result<()> {
        let Some(Counted { subject, known, at }) = &self.counted else { return Ok(()) };
        tx.lock_login_counters()?;
        let Some(keys) = &subject.source else { return tx.delete_login_counter(&subject.account) };
        let mut counters = tx.login_counters(&[subject.account, keys.source, keys.pair])?.into_iter();
        let mut next = || counters.next().flatten();
        let (account, source, pair) = (next(), next(), next());
        let own = pair.map_or(0, |pair| pair.failures);
        let mut give_back = |key: &CounterKey, counter: Option<LoginCounter>, allowance| {
            let Some(counter) = counter else { return Ok(()) };
            match counter.without(own, *at, allowance) {
                Some(left) => tx.put_login_counter(key, &left),
                None => tx.delete_login_counter(key),
            }
        };
        if !known {
            give_back(&subject.account, account, Allowance::OF_ACCOUNT)?;
            give_back(&keys.source, source, Allowance::OF_SOURCE)?;
        }
        tx.delete_login_counter(&keys.pair)?;
        tx.put_known_source(&subject.account, keys.network, now, MAX_KNOWN_SOURCES)
    }
}

/// Whole seconds, rounded up, so that an attempt after that time is not refused again.
pub(super) fn seconds(left: TimeDelta) -> u32 {
    u32::try_from((left + TimeDelta::microseconds(999_999)).num_seconds()).unwrap_or(1).max(1)
}
