//! The positions of the matching events.

use std::ops::Range;

use trailkeeper_domain::Result;

use super::condition::{Query, start_of};
use super::plan::{Plan, Step};
use crate::dimension::Column;
use crate::positions::{PositionSet, Union};
use crate::segment::Segment;
use crate::value::column_of;

/// The number of positions whose values are read at once.
pub const READ_AT_ONCE: usize = 1 << 12;

/// The number of lists per candidate beyond which the candidates' values are read instead.
const LISTS_PER_CANDIDATE: usize = 4;

/// A query in one segment.
pub struct Matching<'q, 's> {
    /// The segment.
    pub segment: &'s mut dyn Segment,
    /// The positions in the range of time of the query.
    pub range: Range<u32>,
    /// The largest number of positions that may match. It includes removed ones and those outside `range`.
    pub at_most: u32,
    plan: Plan<'q>,
    removed: PositionSet,
}

impl<'q, 's> Matching<'q, 's> {
    /// Plans a query.
    pub fn new(query: &'q Query, segment: &'s mut dyn Segment) -> Result<Self> {
        let plan = Plan::of(&query.condition, segment)?;
        let mut range = 0..segment.len();
        if plan.at_most > 0 {
            if let Some(from) = query.from {
                range.start = segment.rank(start_of(from))?;
            }
            if let Some(until) = query.until {
                range.end = segment.rank(start_of(until))?.max(range.start);
            }
        }
        let removed = segment.removed()?;
        Ok(Self { range, at_most: plan.at_most, plan, removed, segment })
    }

    /// The number of matching events, if the frequencies tell it.
    pub fn known_count(&self) -> Option<u32> {
        if !self.removed.is_empty() {
            return None;
        }
        match self.plan.step {
            Step::Nothing => Some(0),
            Step::Everything => Some(self.range.end - self.range.start),
            Step::Lists(..) if self.range == (0..self.segment.len()) => Some(self.plan.at_most),
            _ => None,
        }
    }

    /// The matching positions inside `window`.
    pub fn positions(&mut self, window: Range<u32>) -> Result<PositionSet> {
        let candidates = match &self.plan.step {
            Step::Nothing => PositionSet::empty(),
            _ => PositionSet::All(window).minus(&self.removed),
        };
        narrowed(&self.plan, self.segment, candidates)
    }
}

/// The candidates that match a plan.
fn narrowed(plan: &Plan<'_>, segment: &mut dyn Segment, candidates: PositionSet) -> Result<PositionSet> {
    // Nothing is read for a window that earlier steps made empty.
    let span = candidates.span();
    if span.is_empty() {
        return Ok(candidates);
    }
    match &plan.step {
        Step::Nothing => Ok(PositionSet::empty()),
        Step::Everything => Ok(candidates),
        Step::Lists(dimension, values) => {
            if let [value] = values.as_slice() {
                let list = segment.postings(*dimension, *value, span)?;
                return Ok(candidates.and(&list));
            }
            if let Some(column) = column_of(*dimension) {
                let worth_it = values.len() / LISTS_PER_CANDIDATE;
                if usize::try_from(candidates.len()).is_ok_and(|candidates| candidates < worth_it) {
                    return in_column(column, &values.iter().copied().collect(), segment, &candidates);
                }
            }
            let mut union = Union::within(span.clone());
            for value in values {
                union.add(&segment.postings(*dimension, *value, span.clone())?);
            }
            Ok(candidates.and(&union.finish()))
        }
        Step::InColumn(column, values) => in_column(*column, values, segment, &candidates),
        Step::Not(plan) => {
            let excluded = narrowed(plan, segment, candidates.clone())?;
            Ok(candidates.minus(&excluded))
        }
        Step::All(plans) => plans.iter().try_fold(candidates, |left, plan| narrowed(plan, segment, left)),
        Step::Or(plans) => {
            let mut union = Union::within(span);
            for plan in plans {
                union.add(&narrowed(plan, segment, candidates.clone())?);
            }
            Ok(union.finish())
        }
    }
}

/// The candidates whose value in the column is one of `values`.
fn in_column(
    column: Column,
    values: &PositionSet,
    segment: &mut dyn Segment,
    candidates: &PositionSet,
) -> Result<PositionSet> {
    let mut union = Union::within(candidates.span());
    chunks(candidates, &mut |positions| {
        let found = segment.column(column, positions)?;
        let kept = positions.iter().zip(found).filter(|(_, value)| value.is_some_and(|value| values.contains(value)));
        union.add(&PositionSet::Sparse(kept.map(|(position, _)| *position).collect()));
        Ok(())
    })?;
    Ok(union.finish())
}

/// Calls `each` for the positions of a set, ascending, with at most [`READ_AT_ONCE`] of them.
pub fn chunks(set: &PositionSet, each: &mut dyn FnMut(&[u32]) -> Result<()>) -> Result<()> {
    let mut positions = set.iter();
    loop {
        let chunk: Vec<u32> = positions.by_ref().take(READ_AT_ONCE).collect();
        if chunk.is_empty() {
            return Ok(());
        }
        each(&chunk)?;
    }
}
