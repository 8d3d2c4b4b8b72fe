//! One attempt: how its counters stand, counting it, and what a success takes back.

use chrono::TimeDelta;
use serde_json::Value;
use trailkeeper_domain::Result;
use trailkeeper_domain::ports::{CounterKey, ReadTx, WriteTx};
use trailkeeper_domain::throttle::{Allowance, LoginCounter};
use trailkeeper_domain::time::Timestamp;

use super::{MOST_KNOWN_SOURCES, SOURCE_KNOWN_FOR, Subject, seconds};

/// How the counters of a subject stand.
pub(super) struct Standing {
    /// Whether the account's owner logged in from there.
    pub known: bool,
    account: LoginCounter,
    source: LoginCounter,
    pair: LoginCounter,
}

/// Reads how the counters of a subject stand: the same reads for names that exist and that do not.
pub(super) fn look<T: ReadTx + ?Sized>(tx: &mut T, subject: &Subject, now: Timestamp) -> Result<Standing> {
    let mut keys: Vec<CounterKey> = vec![subject.account];
    keys.extend(subject.source.iter().flat_map(|keys| [keys.source, keys.pair]));
    let mut found = tx.login_counters(&keys)?.into_iter();
    let mut next = || found.next().flatten().unwrap_or(LoginCounter::none(now));
    let (account, source, pair) = (next(), next(), next());
    let known = match &subject.source {
        Some(keys) => tx.known_source(&subject.account, keys.network)?.is_some_and(|at| now - at < SOURCE_KNOWN_FOR),
        None => false,
    };
    Ok(Standing { known, account, source, pair })
}

impl Standing {
    /// For how long an attempt has to wait; `None` when it need not.
    pub fn blocked_for(&self, now: Timestamp) -> Option<TimeDelta> {
        if self.known {
            return self.pair.blocked_for(now);
        }
        self.account.blocked_for(now).max(self.source.blocked_for(now))
    }

    /// Counts an attempt; gives the block that begins with it, if one does.
    pub fn count(self, tx: &mut dyn WriteTx, subject: &Subject, now: Timestamp) -> Result<Option<Block>> {
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
        let block = |of: &'static str, counter: LoginCounter| {
            counter.blocked_for(now).map(|left| Block { of, failures: counter.failures, seconds: seconds(left) })
        };
        if self.known {
            return Ok(block("account from a known source", pair));
        }
        let by_source = subject.source.as_ref().and_then(|_| block("source", source));
        Ok([block("account", account), by_source].into_iter().flatten().max_by_key(|block| block.seconds))
    }
}

/// A delay that began with an attempt.
pub(crate) struct Block {
    /// What has to wait.
    of: &'static str,
    /// After how many attempts.
    failures: u32,
    /// For how long.
    seconds: u32,
}

impl Block {
    /// As the trail tells it.
    pub fn metadata(&self) -> [(String, Value); 3] {
        [
            ("delayed".to_owned(), self.of.into()),
            ("failures".to_owned(), self.failures.into()),
            ("seconds".to_owned(), self.seconds.into()),
        ]
    }
}

/// An attempt that was let through and counted as a failure, which it is unless it succeeds.
pub(crate) struct Attempt {
    counted: Option<Counted>,
    /// The delay that began with it, for the trail when it fails.
    pub block: Option<Block>,
}

/// Where it was counted.
struct Counted {
    subject: Subject,
    /// Whether its source was known, so that it was counted for the pair alone.
    known: bool,
    at: Timestamp,
}

impl Attempt {
    /// One that was counted, from a source that was known for its name or was not.
    pub(super) fn counted(subject: Subject, known: bool, at: Timestamp, block: Option<Block>) -> Self {
        Self { counted: Some(Counted { subject, known, at }), block }
    }

    /// One where nothing is counted.
    pub(super) fn uncounted() -> Self {
        Self { counted: None, block: None }
    }

    /// Takes back what was counted for this name from this source; and knows the source from now on. In the
    /// transaction of what the attempt was for.
    ///
    /// What was counted for the name from elsewhere stays: a program that logs in every minute would give whoever
    /// guesses at its password five free attempts every minute.
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
        tx.put_known_source(&subject.account, keys.network, now, MOST_KNOWN_SOURCES)
    }
}
