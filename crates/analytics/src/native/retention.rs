//! How many of those who came for the first time in a period came back in the periods after it.

use std::collections::VecDeque;

use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::ReadTx;
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::{Error, Result};

use super::buckets::{Granularity, Span};
use super::tally::Folding;
use super::{Audience, Compared, SeriesSpec};
use crate::Source;
use crate::sheet::{Facet, IdBits};

/// How many periods, and so cohorts, one range may have.
pub const MAX_COHORTS: usize = 400;
/// How many periods after its first a cohort may be followed.
pub const MAX_PERIODS: usize = 90;
/// How many periods after its first a cohort is followed unless somebody asks for more or fewer.
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
    /// How many of them were active in that period (all of them), in the next one, and so on: as far as the
    /// range and the number of periods asked for go.
    pub active: Vec<u64>,
}

/// The cohorts of a range, each followed for up to `periods` periods after its first, in one snapshot.
///
/// Memory follows the distinct users, not the periods: a user is in one cohort at most, and a cohort is
/// forgotten when it was followed long enough.
pub fn retention(
    source: Source<'_>,
    audience: Audience,
    spec: SeriesSpec,
    periods: usize,
    tenant_scoped: Option<TenantId>,
) -> Result<Compared<Retention>> {
    let scope_filter = audience.folding(source, tenant_scoped)?;
    source.store.reading(|tx| spec.compared(|span| cohorts(tx, scope_filter, span, spec.granularity, periods)))
}

fn cohorts(
    tx: &mut dyn ReadTx,
    scope_filter: Folding<'_>,
    span: Span,
    granularity: Granularity,
    periods: usize,
) -> Result<Retention> {
    let ranges = span.buckets(granularity)?;
    check(granularity, ranges.len())?;
    let before = match tx.span()? {
        Some((start, _)) if start < span.range.start => {
            scope_filter.active(tx, TimeRange { start, end: span.range.start })?
        }
        _ => IdBits::default(),
    };
    let mut following = Following::new(before, periods);
    let nobody = IdBits::default();
    scope_filter.each(tx, &ranges, &[Facet::ActiveAll], |_, range, fold| {
        following.add(range, fold.ids(scope_filter.active_key()).unwrap_or(&nobody));
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

/// Cohorts while the periods go by.
#[derive(Debug)]
struct Following {
    /// Who has ever been active.
    known: IdBits,
    periods: usize,
    cohorts: Vec<Cohort>,
    /// The members of the latest cohorts, the ones that are followed on.
    followed: VecDeque<IdBits>,
}

impl Following {
    fn new(known: IdBits, periods: usize) -> Self {
        Self { known, periods, cohorts: Vec::new(), followed: VecDeque::new() }
    }

    /// The next period, and who was active in it.
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
    fn cohorts_are_followed_as_far_as_asked() {
        // 9 was there before; 1 and 2 come first, 3 joins on the second day, nobody is new on the others.
        let days: [&[u32]; 4] = [&[1, 2, 9], &[1, 3, 9], &[2, 3], &[1, 2, 3]];
        assert_eq!(followed(&[9], &days, 12), [vec![2, 1, 1, 2], vec![1, 1, 1], vec![0, 0], vec![0]]);
        assert_eq!(followed(&[9], &days, 2), [vec![2, 1, 1], vec![1, 1, 1], vec![0, 0], vec![0]]);
        assert_eq!(followed(&[9], &days, 1), [vec![2, 1], vec![1, 1], vec![0, 0], vec![0]]);
        assert_eq!(followed(&[], &[], 5), Vec::<Vec<u64>>::new());
    }

    #[test]
    fn cohorts_are_what_a_recount_says() {
        let mut number = 11_u64;
        let mut draw = |below: u64| {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (number >> 33) % below
        };
        // Enough users for sets that become bits.
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
