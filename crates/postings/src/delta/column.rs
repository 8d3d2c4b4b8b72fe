//! The columns of a delta apart from numbers and times.

use super::format::{DENSE, SPARSE, USUAL_ENV, USUAL_OUTCOME};
use crate::bits::{ByteError, ByteFlaw, Framed, Packed, Reader, pack, put_framed};
use crate::dimension::Dimension;

/// The columns of a delta, in the order of their bits in the list of columns: every dimension but that of the system
/// tenant, whose events have a section.
pub(super) const COLUMNS: [Dimension; 10] = [
    Dimension::Env,
    Dimension::Kind,
    Dimension::Outcome,
    Dimension::User,
    Dimension::Source,
    Dimension::Page,
    Dimension::OtherPage,
    Dimension::Session,
    Dimension::TargetType,
    Dimension::TargetId,
];

/// The value of all events if the column is left out.
pub(super) fn usual(column: Dimension) -> Option<u32> {
    match column {
        Dimension::Env => Some(USUAL_ENV),
        Dimension::Outcome => Some(USUAL_OUTCOME),
        _ => None,
    }
}

/// Appends the values of a column.
pub(super) fn put_values(out: &mut Vec<u8>, values: &[Option<u32>]) {
    let present: Vec<u64> = values.iter().flatten().map(|value| u64::from(*value)).collect();
    if present.len() == values.len() {
        out.push(DENSE);
    } else {
        out.push(SPARSE);
        pack(out, 1, values.iter().map(|value| u64::from(value.is_some())));
    }
    put_framed(out, &present);
}

/// The values of a column, as they are written.
#[derive(Debug, Clone, Copy)]
pub enum Written<'a> {
    /// All events have the same value, or none.
    Same(Option<u32>),
    /// Every event has a value.
    Dense(Framed<'a>),
    /// A bit per event, and the values of the events whose bit is 1.
    Sparse(Packed<'a>, Framed<'a>),
}

impl<'a> Written<'a> {
    /// Takes the column of `events` events from the reader.
    pub(super) fn read(reader: &mut Reader<'a>, events: usize) -> Result<Self, ByteError> {
        let at = reader.at();
        match reader.byte()? {
            DENSE => Ok(Self::Dense(Framed::read(reader, events)?)),
            SPARSE => {
                let present = Packed::read(reader, 1, events)?;
                let count = present.ones(0..events);
                Ok(Self::Sparse(present, Framed::read(reader, count)?))
            }
            form => Err(ByteError::new(at, ByteFlaw::Length(form.into()))),
        }
    }

    /// Two values that no value is below or above; `None` if no event has a value. It reads no value.
    pub fn bounds(&self) -> Option<(u32, u32)> {
        let framed = match self {
            Self::Same(value) => return value.map(|value| (value, value)),
            Self::Dense(framed) | Self::Sparse(_, framed) => framed,
        };
        let (least, most) = framed.bounds()?;
        // Values of forged bytes wrap.
        Some(u32::try_from(least).ok().zip(u32::try_from(most).ok()).unwrap_or((0, u32::MAX)))
    }

    /// The values from the event with this index on.
    pub fn values_from(&self, index: usize) -> Values<'a> {
        match *self {
            Self::Same(value) => Values::Same(value),
            Self::Dense(framed) => Values::Dense { framed, next: index },
            Self::Sparse(present, framed) => {
                Values::Sparse { present, next: index, framed, next_value: present.ones(0..index) }
            }
        }
    }
}

/// The values of a column, one event after the other. It does not end: after the last event there are no values.
#[derive(Debug, Clone, Copy)]
pub enum Values<'a> {
    /// All events have the same value, or none.
    Same(Option<u32>),
    /// Every event has a value.
    Dense {
        /// The values.
        framed: Framed<'a>,
        /// The index of the next event.
        next: usize,
    },
    /// Some events have a value.
    Sparse {
        /// A bit per event.
        present: Packed<'a>,
        /// The index of the next event.
        next: usize,
        /// The values of the events that have one.
        framed: Framed<'a>,
        /// The index of the next value.
        next_value: usize,
    },
}

impl Values<'_> {
    /// Leaves out the values of some events.
    #[inline]
    pub fn skip(&mut self, events: usize) {
        match self {
            Self::Same(_) => {}
            Self::Dense { next, .. } => *next += events,
            Self::Sparse { present, next, next_value, .. } => {
                if events > 0 {
                    *next_value += present.ones(*next..*next + events);
                    *next += events;
                }
            }
        }
    }

    /// The value of the next event.
    ///
    /// Forged bytes may give any number: it wraps.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "every value that was written has 32 bits")]
    pub fn next_value(&mut self) -> Option<u32> {
        match self {
            Self::Same(value) => *value,
            Self::Dense { framed, next } => {
                *next += 1;
                framed.get(*next - 1).map(|value| value as u32)
            }
            Self::Sparse { present, next, framed, next_value } => {
                *next += 1;
                if present.get(*next - 1) != Some(1) {
                    return None;
                }
                *next_value += 1;
                framed.get(*next_value - 1).map(|value| value as u32)
            }
        }
    }
}
