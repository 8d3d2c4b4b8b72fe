//! The days and months of a question in its time zone, and counts of tenants in them.

use chrono::NaiveDate;
use trailkeeper_domain::Result;
use trailkeeper_domain::activity::Period;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::ReadTx;
use trailkeeper_domain::time::{TimeRange, Timestamp, midnight};

use crate::engine::{read, tenants_with_events};
use crate::sheet::{Facet, Folded, Numbers};
use crate::{EachTenant, Zone};

/// The local days or months of a question, ascending and without gaps. A day that clocks skip is empty.
#[derive(Debug)]
pub struct LocalPeriods {
    first_days: Vec<NaiveDate>,
    ranges: Vec<TimeRange>,
}

impl LocalPeriods {
    /// The periods that begin from `first` to `last`, both the first days of periods.
    pub fn of(zone: Zone, period: Period, first: NaiveDate, last: NaiveDate) -> Self {
        let following = |day: &NaiveDate| Some(period.after(*day)).filter(|next| next > day && *next <= last);
        let first_days: Vec<NaiveDate> =
            std::iter::successors(Some(first).filter(|first| *first <= last), following).collect();
        let range = |day: &NaiveDate| TimeRange { start: zone.start_of(*day), end: zone.start_of(period.after(*day)) };
        Self { ranges: first_days.iter().map(range).collect(), first_days }
    }

    /// All periods as one range. Empty without periods.
    pub fn range(&self) -> TimeRange {
        let start = self.ranges.first().map_or(midnight(NaiveDate::MIN), |first| first.start);
        TimeRange { start, end: self.ranges.last().map_or(start, |last| last.end) }
    }

    /// Whether all of them begin and end as the periods of UTC do.
    pub fn are_of_utc(&self) -> bool {
        let begins = |(day, range): (&NaiveDate, &TimeRange)| range.start == midnight(*day);
        let ends = self.ranges.last().is_none_or(|last| last.end == midnight(last.end.date_naive()));
        self.first_days.iter().zip(&self.ranges).all(begins) && ends
    }

    /// The first day of the period that holds an instant.
    pub fn holding(&self, at: Timestamp) -> Option<NaiveDate> {
        let index = self.ranges.partition_point(|range| range.end <= at);
        let holds = self.ranges.get(index).is_some_and(|range| range.start <= at);
        self.first_days.get(index).copied().filter(|_| holds)
    }

    /// Calls `each` with every cell of a facet, for each of the tenants and the first day of each period that has any; in
    /// no particular order. UTC days inside the periods are read from sheets, the rest is counted from events.
    ///
    /// # Errors
    /// Those of the store and of `each`.
    pub fn per_tenant(
        &self,
        tx: &mut dyn ReadTx,
        tenants: &EachTenant,
        facet: Facet,
        each: &mut dyn FnMut(TenantId, NaiveDate, Folded) -> Result<()>,
    ) -> Result<()> {
        let wanted = match tenants.tenants() {
            Some(tenants) => tenants.to_vec(),
            None => tenants_with_events(tx, self.range())?.into_iter().collect(),
        };
        for tenant in wanted {
            let audience = tenants.audience(tenant)?;
            let mut first_days = self.first_days.iter();
            read::each(tx, &audience, &self.ranges, &[facet], |_, _, fold: &Numbers| {
                let Some(first_day) = first_days.next() else { return Ok(()) };
                fold.cells(facet).into_iter().try_for_each(|cell| each(tenant, *first_day, cell))
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use trailkeeper_domain::time::{parse_day, parse_rfc3339};

    use super::*;

    fn day(text: &str) -> NaiveDate {
        parse_day("day", text).unwrap()
    }

    fn periods(zone: &str, period: Period, first: &str, last: &str) -> LocalPeriods {
        LocalPeriods::of(Zone::parse("timezone", zone).unwrap(), period, day(first), day(last))
    }

    #[test]
    fn months_and_days_are_local() {
        let hours = |periods: &LocalPeriods| -> Vec<i64> {
            periods.ranges.iter().map(|range| (range.end - range.start).num_hours()).collect()
        };
        let days = periods("America/New_York", Period::Daily, "2026-03-07", "2026-03-09");
        assert_eq!(hours(&days), [24, 23, 24]);
        assert_eq!(days.first_days, ["2026-03-07", "2026-03-08", "2026-03-09"].map(day));
        let months = periods("Asia/Tokyo", Period::Monthly, "2026-12-01", "2027-01-01");
        assert_eq!(hours(&months), [31 * 24, 31 * 24]);
        assert_eq!(months.range().start, parse_rfc3339("at", "2026-11-30T15:00:00Z").unwrap());
        // Samoa skipped 30 December 2011.
        let skipped = periods("Pacific/Apia", Period::Daily, "2011-12-29", "2011-12-31");
        assert_eq!(hours(&skipped), [24, 0, 24]);
        let holding = |at| skipped.holding(parse_rfc3339("at", at).unwrap());
        assert_eq!(holding("2011-12-30T09:59:59.999999Z"), Some(day("2011-12-29")));
        assert_eq!(holding("2011-12-30T10:00:00Z"), Some(day("2011-12-31")));
        assert_eq!((holding("2011-12-29T09:59:59Z"), holding("2011-12-31T10:00:00Z")), (None, None));
    }

    #[test]
    fn periods_of_utc_are_known_by_their_boundaries() {
        assert!(periods("UTC", Period::Monthly, "2026-01-01", "2026-12-01").are_of_utc());
        assert!(periods("Europe/London", Period::Daily, "2026-01-01", "2026-01-31").are_of_utc());
        // Clocks are set forward at 01:00 on 29 March: that day begins as in UTC and ends an hour earlier.
        assert!(!periods("Europe/London", Period::Daily, "2026-03-29", "2026-03-29").are_of_utc());
        assert!(!periods("Asia/Tokyo", Period::Daily, "2026-01-01", "2026-01-01").are_of_utc());
        let none = periods("Asia/Tokyo", Period::Daily, "2026-01-02", "2026-01-01");
        assert!(none.are_of_utc() && none.first_days.is_empty() && none.range().start == none.range().end);
    }
}
