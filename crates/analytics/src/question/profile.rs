//! A summary of one user: first and last activity, active days and hours, pages, source addresses, event types.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};
use trailkeeper_domain::Result;
use trailkeeper_domain::fact::EventFact;
use trailkeeper_domain::id::UserId;
use trailkeeper_domain::ports::{ReadTx, Store};
use trailkeeper_domain::time::{TimeRange, Timestamp, just_after};

use super::ranking::{self, Dictionary, Pass, Ranking};
use crate::{Audience, Span};

/// The most pages, and the most source addresses, that a profile names.
pub const MAX_RANKED: usize = 10;
/// The most event types that a profile names.
pub const MAX_KINDS: usize = 100;

/// A question for a user's profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileQuestion {
    /// The user.
    pub user: UserId,
    /// The range of all parts but `seen`, and the time zone of days and hours.
    pub span: Span,
    /// The range to compare with.
    pub previous: Option<Span>,
}

/// The summary of a user. All zero and empty for a user without events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// The times of the user's first and last events, over all time.
    pub seen: Option<(Timestamp, Timestamp)>,
    /// The activity in the range.
    pub totals: ProfileTotals,
    /// The activity in the range to compare with.
    pub previous: Option<ProfileTotals>,
    /// Events that did not fail, by hour of the local week: Monday first, 24 hours each.
    pub hours: [[u64; 24]; 7],
    /// Pages by views, failed ones included.
    pub pages: Ranking<u64>,
    /// Source addresses by events.
    pub sources: Ranking<SourceUse>,
    /// Event types by events.
    pub kinds: Ranking<u64>,
}

/// The activity of a user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProfileTotals {
    /// The number of events, failed ones included.
    pub events: u64,
    /// The number of events that failed.
    pub failed_events: u64,
    /// The number of local days with an event that did not fail.
    pub active_days: u64,
}

/// The events of a user from one source address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SourceUse {
    /// The number of events.
    pub events: u64,
    /// The number of events that failed.
    pub failed_events: u64,
    /// The time of the first event.
    pub first_seen: Timestamp,
    /// The time of the last event.
    pub last_seen: Timestamp,
}

impl SourceUse {
    /// Counts an event. Events must come in order of time.
    fn add(&mut self, fact: &EventFact) {
        if self.events == 0 {
            self.first_seen = fact.occurred_at;
        }
        self.last_seen = fact.occurred_at;
        self.events += 1;
        self.failed_events += u64::from(fact.failed());
    }
}

/// Summarizes a user's events in the range.
///
/// Memory is bounded: days by the length of the range; pages, sources and types by reading the events again if there
/// are more distinct ones than one pass holds.
pub fn profile(store: &dyn Store, question: &ProfileQuestion, audience: &Audience) -> Result<Profile> {
    store.reading(|tx| Walk { question, audience }.profile(tx))
}

/// Walks over one user's events.
struct Walk<'a> {
    question: &'a ProfileQuestion,
    audience: &'a Audience,
}

impl Walk<'_> {
    fn profile(&self, tx: &mut dyn ReadTx) -> Result<Profile> {
        let Self { question: ProfileQuestion { span, previous, .. }, .. } = self;
        let mut profile = Profile { seen: self.seen(tx)?, ..Profile::default() };
        let mut totals = Tally::default();
        let (mut pages, mut sources, mut kinds) = (Pass::first(), Pass::first(), Pass::first());
        self.facts(tx, span.range, &mut |fact| {
            let local = span.zone.local(fact.occurred_at);
            totals.add(fact, local.date());
            if !fact.failed() {
                count_hour(&mut profile.hours, local);
            }
            count_page(&mut pages, fact);
            count_source(&mut sources, fact);
            count_kind(&mut kinds, fact);
        })?;
        profile.totals = totals.totals();
        let one = |count: &u64| *count;
        profile.pages = self.rank(tx, Dictionary::Pages, pages, MAX_RANKED, one, count_page)?;
        profile.kinds = self.rank(tx, Dictionary::Kinds, kinds, MAX_KINDS, one, count_kind)?;
        let events = |used: &SourceUse| used.events;
        profile.sources = self.rank(tx, Dictionary::Sources, sources, MAX_RANKED, events, count_source)?;
        if let Some(previous) = previous {
            let mut before = Tally::default();
            self.facts(tx, previous.range, &mut |fact| before.add(fact, previous.zone.day_of(fact.occurred_at)))?;
            profile.previous = Some(before.totals());
        }
        Ok(profile)
    }

    /// The times of the first and the last event. For one environment, all of the user's events are read.
    fn seen(&self, tx: &mut dyn ReadTx) -> Result<Option<(Timestamp, Timestamp)>> {
        let span = tx.span_of_user(&self.question.user, self.audience.tenant())?;
        let Some((start, last)) = span.filter(|_| self.audience.env().is_some()) else { return Ok(span) };
        let mut used = SourceUse::default();
        self.facts(tx, TimeRange { start, end: just_after(last) }, &mut |fact| used.add(fact))?;
        Ok((used.events > 0).then_some((used.first_seen, used.last_seen)))
    }

    fn facts(&self, tx: &mut dyn ReadTx, range: TimeRange, each: &mut dyn FnMut(&EventFact)) -> Result<()> {
        let env = self.audience.env();
        tx.facts_of_user(&self.question.user, self.audience.tenant(), range, &mut |fact| {
            if env.is_none_or(|env| fact.env == env) {
                each(fact);
            }
            Ok(())
        })
    }

    /// Ranks the counts of the first pass, and of more passes over the events of the range if one did not hold all.
    fn rank<T: Default>(
        &self,
        tx: &mut dyn ReadTx,
        dictionary: Dictionary,
        first: Pass<T>,
        limit: usize,
        count: impl Fn(&T) -> u64 + Copy,
        add: impl Fn(&mut Pass<T>, &EventFact),
    ) -> Result<Ranking<T>> {
        let mut tx = tx;
        let range = self.question.span.range;
        ranking::of_passes(
            &mut tx,
            dictionary,
            first,
            limit,
            count,
            |tx, pass| self.facts(*tx, range, &mut |fact| add(pass, fact)),
            |tx, ids| dictionary.names(*tx, ids),
        )
    }
}

/// The activity of the events so far.
#[derive(Debug, Default)]
struct Tally {
    totals: ProfileTotals,
    days: BTreeSet<NaiveDate>,
}

impl Tally {
    fn add(&mut self, fact: &EventFact, day: NaiveDate) {
        self.totals.events += 1;
        if fact.failed() {
            self.totals.failed_events += 1;
        } else {
            self.days.insert(day);
        }
    }

    fn totals(&self) -> ProfileTotals {
        ProfileTotals { active_days: self.days.len() as u64, ..self.totals }
    }
}

fn count_hour(hours: &mut [[u64; 24]; 7], local: NaiveDateTime) {
    let day = hours.get_mut(local.weekday().num_days_from_monday() as usize);
    if let Some(count) = day.and_then(|day| day.get_mut(local.hour() as usize)) {
        *count += 1;
    }
}

fn count_page(pass: &mut Pass<u64>, fact: &EventFact) {
    if let Some(count) = fact.page.and_then(|id| pass.entry(id)) {
        *count += 1;
    }
}

fn count_kind(pass: &mut Pass<u64>, fact: &EventFact) {
    if let Some(count) = pass.entry(fact.kind) {
        *count += 1;
    }
}

fn count_source(pass: &mut Pass<SourceUse>, fact: &EventFact) {
    if let Some(used) = fact.source.and_then(|id| pass.entry(id)) {
        used.add(fact);
    }
}
