//! Counts the events of waiting deltas.

use chrono::DateTime;
use trailkeeper_domain::error::Context;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::WaitingDelta;
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::bits::ByteError;
use trailkeeper_postings::delta::{Delta, Section};
use trailkeeper_postings::dimension::Column;

use crate::sheet::{Facet, Fact};

/// The delta of a row.
///
/// # Errors
/// [`Error::Internal`] with the row for a payload that is truncated, corrupt or of an unknown version.
pub fn read<'a>(waiting: &WaitingDelta<'a>) -> Result<Delta<'a>> {
    Delta::read(waiting.payload).map_err(|error| unreadable(waiting.number, error))
}

/// The error of a delta.
pub fn unreadable(number: i64, error: ByteError) -> Error {
    Error::internal(Context::new(format!("delta {number}"), error))
}

/// The sections of a scope. Those of the system tenant are never among them: operators are not customers.
pub fn sections<'d>(delta: &'d Delta<'d>, scope: Scope) -> impl Iterator<Item = Section<'d>> {
    let (all, one) = match scope {
        Scope::Everyone => (Some(delta.sections()), None),
        Scope::Tenant(tenant) => (None, delta.section(tenant)),
    };
    all.into_iter().flatten().chain(one).filter(|section| section.tenant_id() != TenantId::SYSTEM)
}

/// Calls `each` with every event of a section: its time in microseconds since 1970, and the fields of these columns.
///
/// # Errors
/// [`Error::Internal`] with the row for an unreadable event, and those of `each`.
pub fn each_fact(
    number: i64,
    section: &Section<'_>,
    columns: &[Column],
    mut each: impl FnMut(i64, &Fact) -> Result<()>,
) -> Result<()> {
    for counted in section.counted(columns) {
        let counted = counted.map_err(|error| unreadable(number, error))?;
        each(counted.micros, &Fact::from(&counted))?;
    }
    Ok(())
}

/// The columns by which events count in these facets.
pub fn columns_of(facets: impl IntoIterator<Item = Facet>) -> Vec<Column> {
    let mut columns: Vec<Column> = facets.into_iter().flat_map(Facet::columns).copied().collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// Finds the periods of a level that hold instants. Events that were stored together are mostly of the same period.
pub struct Periods {
    level: Level,
    latest: Option<(TimeRange, (i64, i64))>,
}

impl Periods {
    /// The periods of this level.
    pub fn new(level: Level) -> Self {
        Self { level, latest: None }
    }

    /// The start of the period that holds the instant with these microseconds since 1970.
    ///
    /// # Errors
    /// [`Error::Internal`] for a number outside the range of times. This program writes no such delta.
    pub fn start(&mut self, micros: i64) -> Result<Timestamp> {
        if let Some((range, (start, end))) = &self.latest
            && *start <= micros
            && micros < *end
        {
            return Ok(range.start);
        }
        let at = DateTime::from_timestamp_micros(micros);
        let at =
            at.ok_or_else(|| Error::internal(format!("a delta has an event at {micros} microseconds since 1970")))?;
        let range = self.level.range(self.level.floor(at));
        self.latest = Some((range, (range.start.timestamp_micros(), range.end.timestamp_micros())));
        Ok(range.start)
    }
}
