//! Answers that consist of buckets of time, for one period or for a period and the previous one.

use trailkeeper_domain::Result;
use trailkeeper_domain::time::TimeRange;

use crate::{Granularity, Span, Zone};

/// The range of a question, the length of its buckets, and whether the previous period is answered too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesSpec {
    /// The range and its time zone.
    pub span: Span,
    /// The length of a bucket.
    pub granularity: Granularity,
    /// Whether to answer the previous period too.
    pub compare: bool,
}

impl SeriesSpec {
    /// The span of the previous period; `None` unless it is asked for.
    pub fn previous(self) -> Option<Span> {
        self.compare.then(|| self.span.previous(self.granularity))
    }

    /// Answers the period, and the one before it where that is asked for. `answer` gets them in order of time.
    ///
    /// # Errors
    /// Those of `answer`.
    pub fn compared<A>(self, mut answer: impl FnMut(Span) -> Result<A>) -> Result<Compared<A>> {
        let previous = self.previous().map(&mut answer).transpose()?;
        let current = answer(self.span)?;
        Ok(Compared { zone: self.span.zone, granularity: self.granularity, current, previous })
    }
}

/// The counts of one period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series<T, B = T> {
    /// The period.
    pub span: Span,
    /// The counts of the whole period; distinct users are no sums of those of the buckets.
    pub totals: T,
    /// The buckets with their counts, ascending and without gaps; empty ones are included.
    pub buckets: Vec<(TimeRange, B)>,
}

/// The answer for a period, next to the answer for the period before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared<A> {
    /// The time zone of both.
    pub zone: Zone,
    /// The length of their buckets.
    pub granularity: Granularity,
    /// The period that was asked for.
    pub current: A,
    /// The period before it; `None` unless it was asked for.
    pub previous: Option<A>,
}

impl<A> Compared<A> {
    /// The same comparison of other values, each made from one period's answer.
    pub fn map<B>(self, mut each: impl FnMut(A) -> B) -> Compared<B> {
        let Self { zone, granularity, current, previous } = self;
        Compared { zone, granularity, current: each(current), previous: previous.map(each) }
    }
}
