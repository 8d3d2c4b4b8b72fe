//! The fields of events that analytics count, as far as a question needs them.

use std::ops::Range;

use trailkeeper_domain::event::Outcome;
use trailkeeper_domain::id::EnvId;

use super::column::Values;
use super::times::Times;
use crate::bits::{ByteError, ByteFlaw};
use crate::dimension::{Column, Dimension};
use crate::outcome;
use crate::value::dimension_of;

/// The fields of an event that analytics count. The fields that were not asked for are empty, 0 or success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// The time of the event in microseconds since 1970.
    pub micros: i64,
    /// The environment.
    pub env: EnvId,
    /// The id of the type.
    pub kind: u32,
    /// The outcome.
    pub outcome: Outcome,
    /// The ordinal of the user.
    pub user: Option<u32>,
    /// The ordinal of the source address.
    pub source: Option<u32>,
    /// The id of the counted page.
    pub page: Option<u32>,
}

/// The events of a section. Columns that were not asked for are not read.
///
/// An item is an error if its outcome has an unknown code. Only forged bytes have one.
#[derive(Debug, Clone)]
pub struct CountedEvents<'d> {
    times: Times<'d>,
    range: Range<usize>,
    env: Values<'d>,
    kind: Values<'d>,
    outcome: Values<'d>,
    user: Values<'d>,
    source: Values<'d>,
    page: Values<'d>,
}

impl<'d> CountedEvents<'d> {
    /// The events of this range. `of` gives the values of a column from the start of the range on.
    pub(super) fn new(
        times: Times<'d>,
        range: Range<usize>,
        columns: &[Column],
        of: impl Fn(Dimension) -> Values<'d>,
    ) -> Self {
        let values = |column, otherwise| {
            if columns.contains(&column) { of(dimension_of(column)) } else { Values::Same(otherwise) }
        };
        Self {
            times,
            env: values(Column::Env, Some(0)),
            kind: values(Column::Kind, Some(0)),
            outcome: values(Column::Outcome, Some(0)),
            user: values(Column::User, None),
            source: values(Column::Source, None),
            page: values(Column::Page, None),
            range,
        }
    }
}

impl Iterator for CountedEvents<'_> {
    type Item = Result<Counted, ByteError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let index = self.range.next()?;
        let outcome = self.outcome.next_value().and_then(outcome::of_code);
        let counted = Counted {
            micros: self.times.micros(index),
            env: EnvId(self.env.next_value().unwrap_or_default()),
            kind: self.kind.next_value().unwrap_or_default(),
            outcome: outcome.unwrap_or(Outcome::Unknown),
            user: self.user.next_value(),
            source: self.source.next_value(),
            page: self.page.next_value(),
        };
        Some(if outcome.is_some() { Ok(counted) } else { Err(ByteError::new(0, ByteFlaw::Number)) })
    }
}
