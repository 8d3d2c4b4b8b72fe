//! One user at a glance: since when, how active, at what hours, where, from where.

use std::collections::{BTreeSet, HashMap};

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};
use trailkeeper_domain::Result;
use trailkeeper_domain::fact::EventFact;
use trailkeeper_domain::id::{TenantId, UserId};
use trailkeeper_domain::ports::{ReadTx, Store};
use trailkeeper_domain::time::{TimeRange, Timestamp, just_after};

use super::Audience;
use super::buckets::Span;
use super::ranking::{self, Pass, Ranking};
use super::tally::ScopeFilter;

/// How many pages and sources a profile names.
pub const MAX_PLACES: usize = 10;
/// How many event types a profile names.
pub const MAX_KINDS: usize = 100;

/// Whose profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileQuestion {
    /// Whose.
    pub user: UserId,
    /// Only what the user did in this tenant, or environment of it.
    pub audience: Audience,
    /// Over which time, `seen` apart, and whose days and hours.
    pub span: Span,
    /// The time to compare with.
    pub previous: Option<Span>,
}

/// A user at a glance. All zero and empty for a user without events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// When the user's first and last events were, over all time.
    pub seen: Option<(Timestamp, Timestamp)>,
    /// How much the user did.
    pub totals: ProfileTotals,
    /// How much the user did in the time to compare with.
    pub previous: Option<ProfileTotals>,
    /// Events that did not fail, by hour of the local week: Monday first, 24 hours each.
    pub hours: [[u64; 24]; 7],
    /// Pages by views, whatever their outcome.
    pub pages: Ranking<u64>,
    /// Addresses by events.
    pub sources: Ranking<SourceUse>,
    /// Types by events.
    pub kinds: Ranking<u64>,
}

/// How much a user did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProfileTotals {
    /// Events, whatever their outcome.
    pub events: u64,
    /// Events that failed.
    pub failed_events: u64,
    /// Local days with an event that did not fail.
    pub active_days: u64,
}

/// How an address was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SourceUse {
    /// Events.
    pub events: u64,
    /// Events that failed.
    pub failed_events: u64,
    /// When the first event was.
    pub first_seen: Timestamp,
    /// When the last event was.
    pub last_seen: Timestamp,
}

impl SourceUse {
    /// Counts an event; events come in order of time.
    fn add(&mut self, fact: &EventFact) {
        if self.events == 0 {
            self.first_seen = fact.occurred_at;
        }
        self.last_seen = fact.occurred_at;
        self.events += 1;
        self.failed_events += u64::from(fact.failed());
    }
}

/// What the user did in the range, walked event by event.
///
/// Memory is bounded whatever the user did: days by the range, and pages, sources and types by walking the
/// events again where there are more distinct ones than one pass holds.
pub fn profile(store: &dyn Store, question: &ProfileQuestion, tenant_scoped: Option<TenantId>) -> Result<Profile> {
    let scope_filter = question.audience.scope_filter(tenant_scoped)?;
    store.reading(|tx| Walk { question, scope_filter }.profile(tx))
}

/// Walks over one user's events.
struct Walk<'a> {
    question: &'a ProfileQuestion,
    scope_filter: ScopeFilter,
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
        profile.pages = self.rank(tx, pages, MAX_PLACES, one, count_page, |tx, ids| tx.page_keys(ids))?;
        profile.kinds = self.rank(tx, kinds, MAX_KINDS, one, count_kind, |tx, ids| tx.kind_names(ids))?;
        let events = |used: &SourceUse| used.events;
        profile.sources = self.rank(tx, sources, MAX_PLACES, events, count_source, |tx, ids| tx.source_names(ids))?;
        if let Some(previous) = previous {
            let mut before = Tally::default();
            self.facts(tx, previous.range, &mut |fact| before.add(fact, previous.zone.day_of(fact.occurred_at)))?;
            profile.previous = Some(before.totals());
        }
        Ok(profile)
    }

    /// The first and the last time over all time. One environment's are found by walking over all events.
    fn seen(&self, tx: &mut dyn ReadTx) -> Result<Option<(Timestamp, Timestamp)>> {
        let span = tx.span_of_user(&self.question.user, self.scope_filter.tenant())?;
        let Some((start, last)) = span.filter(|_| self.scope_filter.env.is_some()) else { return Ok(span) };
        let mut used = SourceUse::default();
        self.facts(tx, TimeRange { start, end: just_after(last) }, &mut |fact| used.add(fact))?;
        Ok((used.events > 0).then_some((used.first_seen, used.last_seen)))
    }

    fn facts(&self, tx: &mut dyn ReadTx, range: TimeRange, each: &mut dyn FnMut(&EventFact)) -> Result<()> {
        let env = self.scope_filter.env;
        tx.facts_of_user(&self.question.user, self.scope_filter.tenant(), range, &mut |fact| {
            if env.is_none_or(|env| fact.env == env) {
                each(fact);
            }
            Ok(())
        })
    }

    /// Ranks what the first pass counted; more passes walk over the events of the range again.
    fn rank<T: Default>(
        &self,
        tx: &mut dyn ReadTx,
        first: Pass<T>,
        limit: usize,
        count: impl Fn(&T) -> u64 + Copy,
        add: impl Fn(&mut Pass<T>, &EventFact),
        names: impl Fn(&mut dyn ReadTx, &[u32]) -> Result<HashMap<u32, String>>,
    ) -> Result<Ranking<T>> {
        let mut tx = tx;
        let range = self.question.span.range;
        ranking::of_passes(
            &mut tx,
            first,
            limit,
            count,
            |tx, pass| self.facts(*tx, range, &mut |fact| add(pass, fact)),
            |tx, ids| names(*tx, ids),
        )
    }
}

/// Totals while they grow.
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
