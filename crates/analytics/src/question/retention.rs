//! Cohorts: the users who were new in a period, and how many of them came back in the periods after it.

use std::collections::VecDeque;

use trailkeeper_domain::ports::{ReadTx, Store};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::{Error, Result};

use super::active_users::active_before;
use super::{Compared, SeriesSpec};
use crate::engine::read;
use crate::sheet::{Facet, Fold, IdBits};
use crate::{Audience, Granularity, Span};

/// The most periods, and so cohorts, that one range may have.
pub const MAX_COHORTS: usize = 400;
/// The most periods for which a cohort may be followed after its first.
pub const MAX_PERIODS: usize = 90;
/// For how many periods after its first a cohort is followed by default.
pub const DEFAULT_PERIODS: usize = 12;

/// The cohorts of one range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// The range.
    pub span: Span,
    /// One per period of the range, ascending, empty ones included.
    pub cohorts: Vec<Cohort>,
}

/// The users whose first activity ever, in the same scope, was in one period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cohort {
    /// The period, cut to the range.
    pub range: TimeRange,
    /// How many of them were active in that period (all of them), in the next one, and so on, up to the end of the
    /// range and the number of periods that was asked for.
    pub active: Vec<u64>,
}

/// The cohorts of a range, each followed for up to `periods` periods after its first.
///
/// Memory grows with the distinct users, not with the periods: a user is in one cohort at most, and a cohort is dropped
/// when it was followed long enough.
///
/// # Errors
/// [`Error::Invalid`] for `granularity` if it is `hour`, or if the range would have more than [`MAX_COHORTS`].
pub fn retention(
    store: &dyn Store,
    spec: SeriesSpec,
    periods: usize,
    audience: &Audience,
) -> Result<Compared<Retention>> {
    store.reading(|tx| spec.compared(|span| cohorts(tx, audience, span, spec.granularity, periods)))
}

fn cohorts(
    tx: &mut dyn ReadTx,
    audience: &Audience,
    span: Span,
    granularity: Granularity,
    periods: usize,
) -> Result<Retention> {
    let ranges = span.buckets(granularity)?;
    check(granularity, ranges.len())?;
    let before = active_before(tx, audience, span.range.start)?;
    let mut following = Following::new(before, periods);
    let nobody = IdBits::default();
    read::each(tx, audience, &ranges, &[Facet::ActiveAll], |_, range, fold: &Fold| {
        following.add(range, fold.ids(audience.active_key()).unwrap_or(&nobody));
        Ok(())
    })?;
    Ok(Retention { span, cohorts: following.cohorts })
}

fn check(granularity: Granularity, cohorts: usize) -> Result<()> {
    if granularity == Granularity::Hour {
        return Err(Error::invalid("granularity", "'hour' is too short for cohorts; send day, week or month"));
    }
    if cohorts > MAX_COHORTS {
        return Err(Error::invalid(
            "granularity",
            format!(
                "'{}' cuts this range into {cohorts} cohorts; at most {MAX_COHORTS} are allowed: send a longer granularity or a shorter range",
                granularity.as_str()
            ),
        ));
    }
    Ok(())
}

/// The cohorts of the periods so far.
#[derive(Debug)]
struct Following {
    /// All users who were ever active so far.
    known: IdBits,
    periods: usize,
    cohorts: Vec<Cohort>,
    /// The members of the latest cohorts, which are still followed.
    followed: VecDeque<IdBits>,
}

impl Following {
    fn new(known: IdBits, periods: usize) -> Self {
        Self { known, periods, cohorts: Vec::new(), followed: VecDeque::new() }
    }

    /// Adds the next period and the users who were active in it.
    fn add(&mut self, range: TimeRange, active: &IdBits) {
        let first = self.cohorts.len().saturating_sub(self.followed.len());
        for (cohort, members) in self.cohorts.iter_mut().skip(first).zip(&self.followed) {
            cohort.active.push(members.intersection_len(active) as u64);
        }
        let new: Vec<u32> = active.iter().filter(|id| !self.known.contains(*id)).collect();
        let mut members = IdBits::default();
        members.insert_ascending(&new);
        self.known.unite(&members);
        self.cohorts.push(Cohort { range, active: vec![members.len() as u64] });
        self.followed.push_back(members);
        while self.followed.len() > self.periods {
            self.followed.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use trailkeeper_domain::time::{TimeRange, Timestamp};

    use super::*;

    fn range(number: i64) -> TimeRange {
        let at = |n| Timestamp::from_timestamp(n * 86_400, 0).unwrap();
        TimeRange { start: at(number), end: at(number + 1) }
    }

    fn bits(ids: &BTreeSet<u32>) -> IdBits {
        let mut bits = IdBits::default();
        bits.insert_ascending(&ids.iter().copied().collect::<Vec<_>>());
        bits
    }

    fn followed(known: &[u32], days: &[&[u32]], periods: usize) -> Vec<Vec<u64>> {
        let set = |ids: &[u32]| bits(&ids.iter().copied().collect());
        let mut following = Following::new(set(known), periods);
        for (number, ids) in (0..).zip(days) {
            following.add(range(number), &set(ids));
            assert!(following.followed.len() <= periods);
        }
        following.cohorts.into_iter().map(|cohort| cohort.active).collect()
    }

    #[test]
    fn cohorts_are_followed_for_the_periods_asked_for() {
        // User 9 was active before; 1 and 2 are new on the first day, 3 on the second, nobody on the others.
        let days: [&[u32]; 4] = [&[1, 2, 9], &[1, 3, 9], &[2, 3], &[1, 2, 3]];
        assert_eq!(followed(&[9], &days, 12), [vec![2, 1, 1, 2], vec![1, 1, 1], vec![0, 0], vec![0]]);
        assert_eq!(followed(&[9], &days, 2), [vec![2, 1, 1], vec![1, 1, 1], vec![0, 0], vec![0]]);
        assert_eq!(followed(&[9], &days, 1), [vec![2, 1], vec![1, 1], vec![0, 0], vec![0]]);
        assert_eq!(followed(&[], &[], 5), Vec::<Vec<u64>>::new());
    }

    #[test]
    fn cohorts_equal_a_recount() {
        let mut number = 11_u64;
        let mut draw = |below: u64| {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (number >> 33) % below
        };
        // Enough users that sets are stored as bits.
        let days: Vec<BTreeSet<u32>> =
            (0..20).map(|_| (0..draw(3_000)).map(|_| u32::try_from(draw(70_000)).unwrap()).collect()).collect();
        let known: BTreeSet<u32> = (0..500).map(|_| u32::try_from(draw(70_000)).unwrap()).collect();
        let mut first = BTreeMap::new();
        for (at, day) in days.iter().enumerate() {
            for id in day.difference(&known) {
                first.entry(*id).or_insert(at);
            }
        }
        let periods = 7;
        let expected: Vec<Vec<u64>> = (0..days.len())
            .map(|at| {
                let count = |day: &BTreeSet<u32>| day.iter().filter(|id| first.get(id) == Some(&at)).count() as u64;
                days.iter().skip(at).take(periods + 1).map(count).collect()
            })
            .collect();
        let mut following = Following::new(bits(&known), periods);
        for (number, day) in (0..).zip(&days) {
            following.add(range(number), &bits(day));
        }
        let counted: Vec<Vec<u64>> = following.cohorts.into_iter().map(|cohort| cohort.active).collect();
        assert_eq!(counted, expected);
    }

    #[test]
    fn too_many_cohorts_are_refused() {
        assert!(check(Granularity::Day, MAX_COHORTS).is_ok());
        for (granularity, cohorts) in [(Granularity::Day, MAX_COHORTS + 1), (Granularity::Hour, 1)] {
            let error = check(granularity, cohorts).unwrap_err();
            assert_eq!(error.detail().unwrap().field.as_deref(), Some("granularity"), "{error}");
        }
    }
}
