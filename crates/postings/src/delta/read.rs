//! Reads deltas.

use std::ops::Range;

use chrono::DateTime;
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::time::Timestamp;
use uuid::Uuid;

use super::column::{COLUMNS, Values, Written, usual};
use super::counted::CountedEvents;
use super::format::{TENANT_LEN, VERSION};
use super::times::Times;
use crate::bits::{ByteError, ByteFlaw, Framed, Reader, unsealed};
use crate::dimension::{Column, Dimension};
use crate::outcome;

/// An encoded delta whose version, checksum and lengths are right. It borrows the payload, and decodes what is asked for.
#[derive(Debug, Clone)]
pub struct Delta<'a> {
    events: usize,
    /// Ascending.
    tenants: &'a [[u8; TENANT_LEN]],
    /// The number of events of each tenant; empty for one tenant.
    counts: Framed<'a>,
    seqs: Framed<'a>,
    times: Times<'a>,
    columns: [Written<'a>; COLUMNS.len()],
}

impl<'a> Delta<'a> {
    /// Checks the version, the checksum and all lengths of a payload.
    ///
    /// # Errors
    /// The flaw of a payload that is truncated, corrupt or of an unknown version. The caller knows the row and adds it.
    pub fn read(payload: &'a [u8]) -> Result<Self, ByteError> {
        match payload.first() {
            Some(&VERSION) => {}
            Some(version) => return Err(ByteError::new(0, ByteFlaw::UnknownVersion(*version))),
            None => return Err(ByteError::new(0, ByteFlaw::Truncated)),
        }
        let reader = &mut Reader::new(unsealed(payload)?, 1);
        let events = event_count(reader)?;
        let (at, tenants) = (reader.at(), reader.number()?);
        let too_many = ByteError::new(at, ByteFlaw::Length(tenants));
        let tenants = usize::try_from(tenants).ok().filter(|tenants| (1..=events).contains(tenants)).ok_or(too_many)?;
        let (tenants, _) = reader.take(tenants.saturating_mul(TENANT_LEN))?.as_chunks::<TENANT_LEN>();
        if !tenants.is_sorted_by(|one, other| one < other) {
            return Err(ByteError::new(at, ByteFlaw::Number));
        }
        let counts = if tenants.len() > 1 { counts(reader, tenants.len(), events)? } else { Framed::default() };
        let (at, seqs) = (reader.at(), Framed::read(reader, events)?);
        // Numbers of equal events take no bytes, so that a few bytes could stand for any number of events. The numbers of
        // events are distinct, and so take at least a bit each.
        if events > 1 && seqs.get(0) == seqs.get(1) {
            return Err(ByteError::new(at, ByteFlaw::Length(events as u64)));
        }
        let times = Times::read(reader, events)?;
        let columns = columns(reader, events)?;
        reader.end()?;
        Ok(Self { events, tenants, counts, seqs, times, columns })
    }

    /// The number of events, at least 1.
    pub fn len(&self) -> usize {
        self.events
    }

    /// Whether there are no events: never.
    pub fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// The tenants of the events, ascending. The system tenant is one of them if it has events.
    pub fn tenants(&self) -> impl Iterator<Item = TenantId> + '_ {
        self.tenants.iter().map(tenant_of)
    }

    /// The events of one tenant; `None` if it has none.
    pub fn section(&self, tenant: TenantId) -> Option<Section<'_>> {
        let nth = self.tenants.binary_search(tenant.0.as_bytes()).ok()?;
        let start: usize = (0..nth).map(|before| self.count(before)).sum();
        Some(Section { delta: self, tenant, range: start..start + self.count(nth) })
    }

    /// The events of each tenant, in the order of tenants.
    pub fn sections(&self) -> impl Iterator<Item = Section<'_>> {
        let mut start = 0;
        self.tenants.iter().enumerate().map(move |(nth, tenant)| {
            let range = start..start + self.count(nth);
            start = range.end;
            Section { delta: self, tenant: tenant_of(tenant), range }
        })
    }

    /// The number of events of the tenant with this index.
    fn count(&self, nth: usize) -> usize {
        let count = if self.tenants.len() == 1 { None } else { self.counts.get(nth) };
        count.map_or(self.events, |count| usize::try_from(count).unwrap_or(self.events))
    }

    /// Two times in microseconds since 1970 that no event is before or after. It reads no time.
    pub fn times(&self) -> (i64, i64) {
        self.times.bounds()
    }

    /// The time of the event with this index in microseconds since 1970. Forged bytes may give any number.
    #[inline]
    pub fn micros(&self, index: usize) -> i64 {
        self.times.micros(index)
    }

    /// The number of the event with this index; 0 after the last one.
    #[inline]
    pub fn seq(&self, index: usize) -> i64 {
        self.seqs.get(index).unwrap_or_default().cast_signed()
    }

    /// A column. The system tenant's events have a section in place of one.
    pub fn column(&self, column: Dimension) -> Written<'a> {
        let written = COLUMNS.iter().zip(&self.columns).find(|(known, _)| **known == column);
        written.map_or(Written::Same(None), |(_, written)| *written)
    }

    fn values(&self, column: Dimension, from: usize) -> Values<'a> {
        self.column(column).values_from(from)
    }
}

/// The number of events. Each takes at least a bit, see [`Delta::read`].
fn event_count(reader: &mut Reader<'_>) -> Result<usize, ByteError> {
    let (at, events) = (reader.at(), reader.number()?);
    let most = reader.left().saturating_mul(8);
    let events = usize::try_from(events).ok().filter(|count| (1..=most).contains(count));
    events.ok_or(ByteError::new(at, ByteFlaw::Number))
}

/// The numbers of events of several tenants: at least one for each, and `events` together.
fn counts<'a>(reader: &mut Reader<'a>, tenants: usize, events: usize) -> Result<Framed<'a>, ByteError> {
    let at = reader.at();
    let counts = Framed::read(reader, tenants)?;
    let mut total = 0_u64;
    for count in counts.iter() {
        total = total.checked_add(count).filter(|_| count > 0).ok_or(ByteError::new(at, ByteFlaw::Length(count)))?;
    }
    if total == events as u64 { Ok(counts) } else { Err(ByteError::new(at, ByteFlaw::Length(total))) }
}

fn columns<'a>(reader: &mut Reader<'a>, events: usize) -> Result<[Written<'a>; COLUMNS.len()], ByteError> {
    let (at, there) = (reader.at(), reader.number()?);
    if there >> COLUMNS.len() != 0 {
        return Err(ByteError::new(at, ByteFlaw::Number));
    }
    let mut columns = COLUMNS.map(|column| Written::Same(usual(column)));
    for (nth, column) in columns.iter_mut().enumerate() {
        if there >> nth & 1 == 1 {
            *column = Written::read(reader, events)?;
        }
    }
    Ok(columns)
}

fn tenant_of(bytes: &[u8; TENANT_LEN]) -> TenantId {
    TenantId(Uuid::from_bytes(*bytes))
}

/// The events of one tenant, in ascending order of their numbers.
#[derive(Debug, Clone)]
pub struct Section<'d> {
    delta: &'d Delta<'d>,
    tenant: TenantId,
    range: Range<usize>,
}

impl<'d> Section<'d> {
    /// The tenant.
    pub fn tenant_id(&self) -> TenantId {
        self.tenant
    }

    /// Whether the tenant is the system tenant, whose events no analytic answer counts.
    pub fn is_system(&self) -> bool {
        self.tenant == TenantId::SYSTEM
    }

    /// The indexes of the events in the delta.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// The number of events, at least 1.
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// Whether there are no events: never.
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }

    /// The fields of these columns that analytics count; all other fields are empty or usual.
    pub fn counted(&self, columns: &[Column]) -> CountedEvents<'d> {
        let (delta, start) = (self.delta, self.range.start);
        CountedEvents::new(delta.times, self.range.clone(), columns, |column| delta.values(column, start))
    }

    /// All fields of all events.
    ///
    /// # Errors
    /// An item is an error if its time is out of range or its outcome has an unknown code. Only forged bytes have such
    /// values.
    pub fn events(&self) -> impl Iterator<Item = Result<IndexedEvent, ByteError>> + use<'d> {
        let (delta, tenant_id) = (self.delta, self.tenant);
        let mut values = COLUMNS.map(|column| delta.values(column, self.range.start));
        self.range.clone().map(move |index| {
            let [env, kind, outcome, user, source, page, other_page, session, target_type, target_id] =
                std::array::from_fn(|nth| values.get_mut(nth).and_then(Values::next_value));
            Ok(IndexedEvent {
                seq: delta.seq(index),
                occurred_at: time_of(delta.times.micros(index))?,
                tenant_id,
                env: EnvId(env.unwrap_or_default()),
                kind: kind.unwrap_or_default(),
                outcome: outcome.and_then(outcome::of_code).ok_or(ByteError::new(0, ByteFlaw::Number))?,
                user,
                source,
                page,
                other_page,
                session,
                target_type,
                target_id,
            })
        })
    }
}

/// The time with these microseconds since 1970.
fn time_of(micros: i64) -> Result<Timestamp, ByteError> {
    DateTime::from_timestamp_micros(micros).ok_or(ByteError::new(0, ByteFlaw::Number))
}
