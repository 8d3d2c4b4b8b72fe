//! The events of a delta that match a query. Only the columns of its condition are read, and then only those of the answer.

use std::ops::Range;

use trailkeeper_domain::error::Context;
use trailkeeper_domain::event::EventPosition;
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};

use super::columns::Columns;
use super::condition::{Condition, Query};
use crate::bits::{ByteError, ByteFlaw};
use crate::delta::{Delta, Written};
use crate::dimension::{Column, Dimension};
use crate::outcome;
use crate::value::dimension_of;

/// Events of a delta, by their indexes in it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Indexes {
    /// Adjacent ones.
    Range(Range<usize>),
    /// Ascending ones.
    Some(Vec<usize>),
}

/// The events of a delta that match a query.
#[derive(Debug, Clone)]
pub struct Waiting<'d> {
    delta: &'d Delta<'d>,
    /// The number of the delta, for errors.
    number: i64,
    indexes: Indexes,
}

impl<'d> Waiting<'d> {
    /// The events of a tenant, or of all tenants, that match `query`; `None` if there are none. `number` is that of the
    /// delta.
    pub fn of(delta: &'d Delta<'d>, number: i64, tenant: Option<TenantId>, query: &Query) -> Option<Self> {
        let range = match tenant {
            None => 0..delta.len(),
            Some(tenant) => delta.section(tenant)?.range(),
        };
        let in_time = in_time(delta, query, range)?;
        let system = delta.section(TenantId::SYSTEM).map_or(0..0, |section| section.range());
        let indexes = Narrowing { delta, system }.narrowed(&query.condition, in_time);
        (!indexes.is_empty()).then_some(Self { delta, number, indexes })
    }

    /// The number of events.
    pub fn len(&self) -> usize {
        self.indexes.len()
    }

    /// Whether there are no events: never.
    pub fn is_empty(&self) -> bool {
        self.indexes.is_empty()
    }

    /// The time in microseconds since 1970 and the number of each event.
    pub fn keys(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        self.indexes.iter().map(|index| (self.delta.micros(index), self.delta.seq(index)))
    }

    /// The value of each event in a dimension.
    pub fn values(&self, dimension: Dimension) -> impl Iterator<Item = Option<u32>> + '_ {
        let mut values = self.delta.column(dimension).values_from(self.indexes.first());
        let mut next = self.indexes.first();
        self.indexes.iter().map(move |index| {
            values.skip(index - next);
            next = index + 1;
            values.next_value()
        })
    }

    /// The position that [`keys`](Self::keys) give.
    ///
    /// # Errors
    /// Internal error for a time that is out of range. Only forged bytes have one.
    pub fn position(&self, key: (i64, i64)) -> Result<EventPosition> {
        position(key).map_err(|error| self.unreadable(error))
    }

    /// The columns of each event.
    ///
    /// # Errors
    /// An item is an internal error if its time is out of range or its outcome has an unknown code. Only forged bytes have
    /// such values.
    pub fn columns(&self) -> impl Iterator<Item = Result<Columns>> + '_ {
        let of = |column| self.values(dimension_of(column));
        let (mut envs, mut kinds, mut outcomes) = (of(Column::Env), of(Column::Kind), of(Column::Outcome));
        let (mut users, mut sources, mut pages) = (of(Column::User), of(Column::Source), of(Column::Page));
        self.keys().map(move |key| {
            let outcome = outcomes.next().flatten().and_then(outcome::of_code);
            Ok(Columns {
                key: self.position(key)?,
                env: EnvId(envs.next().flatten().unwrap_or_default()),
                kind: kinds.next().flatten().unwrap_or_default(),
                outcome: outcome.ok_or_else(|| self.unreadable(ByteError::new(0, ByteFlaw::Number)))?,
                user: users.next().flatten(),
                source: sources.next().flatten(),
                page: pages.next().flatten(),
            })
        })
    }

    fn unreadable(&self, error: ByteError) -> Error {
        Error::internal(Context::new(format!("delta {}", self.number), error))
    }
}

/// The first microsecond since 1970 that is not before `at`.
pub fn micros_from(at: Timestamp) -> i64 {
    at.timestamp_micros().saturating_add((!at.timestamp_subsec_nanos().is_multiple_of(1_000)).into())
}

/// The position of an event.
fn position((micros, seq): (i64, i64)) -> Result<EventPosition, ByteError> {
    let occurred_at = chrono::DateTime::from_timestamp_micros(micros).ok_or(ByteError::new(0, ByteFlaw::Number))?;
    Ok(EventPosition { occurred_at, seq })
}

/// Those of these events that lie in the range of time of a query; `None` if the times of the delta exclude all of them.
fn in_time(delta: &Delta<'_>, query: &Query, range: Range<usize>) -> Option<Indexes> {
    let (from, until) = (query.from.map_or(i64::MIN, micros_from), query.until.map(micros_from));
    let (least, most) = delta.times();
    if most < from || until.is_some_and(|until| until <= least) {
        return None;
    }
    if from <= least && until.is_none_or(|until| most < until) {
        return Some(Indexes::Range(range));
    }
    let lies_in = |micros: i64| from <= micros && until.is_none_or(|until| micros < until);
    Some(Indexes::Some(range.filter(|index| lies_in(delta.micros(*index))).collect()))
}

/// Evaluates conditions on the events of a delta.
struct Narrowing<'d> {
    delta: &'d Delta<'d>,
    /// The events of the system tenant.
    system: Range<usize>,
}

impl Narrowing<'_> {
    /// Those of these events that match a condition.
    fn narrowed(&self, condition: &Condition, of: Indexes) -> Indexes {
        if of.is_empty() {
            return of;
        }
        match condition {
            Condition::Any(Dimension::System, values) => {
                if values.contains(&1) {
                    of.within(&self.system)
                } else {
                    Indexes::none()
                }
            }
            Condition::Any(dimension, values) => match values.as_slice() {
                [value] => self.with_value(*dimension, of, (*value, *value), |other| other == *value),
                values => {
                    let mut values = values.to_vec();
                    values.sort_unstable();
                    let Some(ends) = values.first().copied().zip(values.last().copied()) else {
                        return Indexes::none();
                    };
                    self.with_value(*dimension, of, ends, |value| values.binary_search(&value).is_ok())
                }
            },
            Condition::InColumn(column, values) => {
                self.with_value(dimension_of(*column), of, (0, u32::MAX), |value| values.contains(value))
            }
            Condition::Not(condition) => {
                let excluded = self.narrowed(condition, of.clone());
                of.minus(&excluded)
            }
            Condition::All(conditions) => conditions.iter().fold(of, |of, condition| self.narrowed(condition, of)),
            Condition::Or(conditions) => {
                let mut found: Vec<usize> = Vec::new();
                for condition in conditions {
                    match self.narrowed(condition, of.clone()) {
                        all if all == of => return all,
                        some => found.extend(some.iter()),
                    }
                }
                found.sort_unstable();
                found.dedup();
                Indexes::Some(found)
            }
        }
    }

    /// Those of these events whose value is a wanted one. All wanted values lie between these two.
    fn with_value(
        &self,
        dimension: Dimension,
        of: Indexes,
        (least, greatest): (u32, u32),
        is_wanted: impl Fn(u32) -> bool,
    ) -> Indexes {
        let column = self.delta.column(dimension);
        match column.bounds() {
            None => return Indexes::none(),
            // Also for values that forged bytes give, which wrap.
            Some((from, to)) if greatest < from || to < least => return Indexes::none(),
            Some(_) => {}
        }
        if let Written::Same(value) = column {
            return if value.is_some_and(is_wanted) { of } else { Indexes::none() };
        }
        let (mut values, mut next) = (column.values_from(of.first()), of.first());
        let mut found = Vec::new();
        for index in of.iter() {
            values.skip(index - next);
            next = index + 1;
            if values.next_value().is_some_and(&is_wanted) {
                found.push(index);
            }
        }
        Indexes::Some(found)
    }
}

impl Indexes {
    fn none() -> Self {
        Self::Range(0..0)
    }

    fn len(&self) -> usize {
        match self {
            Self::Range(range) => range.len(),
            Self::Some(some) => some.len(),
        }
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first one; 0 if there are none.
    fn first(&self) -> usize {
        match self {
            Self::Range(range) => range.start,
            Self::Some(some) => some.first().copied().unwrap_or_default(),
        }
    }

    fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        let (range, some) = match self {
            Self::Range(range) => (range.clone(), &[][..]),
            Self::Some(some) => (0..0, some.as_slice()),
        };
        range.chain(some.iter().copied())
    }

    /// Those that lie in a range.
    fn within(self, range: &Range<usize>) -> Self {
        match self {
            Self::Range(all) => {
                let start = all.start.max(range.start);
                Self::Range(start..all.end.min(range.end).max(start))
            }
            Self::Some(mut some) => {
                some.retain(|index| range.contains(index));
                Self::Some(some)
            }
        }
    }

    /// Those that are not among `excluded`, all of which are among these.
    fn minus(self, excluded: &Self) -> Self {
        if excluded.is_empty() {
            return self;
        }
        if excluded.len() == self.len() {
            return Self::none();
        }
        // The system tenant comes last.
        if let (Self::Range(all), Self::Range(end)) = (&self, excluded)
            && end.end == all.end
        {
            return Self::Range(all.start..end.start);
        }
        let mut excluded = excluded.iter().peekable();
        Self::Some(self.iter().filter(|index| excluded.next_if_eq(index).is_none()).collect())
    }
}
