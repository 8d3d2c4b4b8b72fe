//! The pages that a user was on in the past month, day by day.

use chrono::{Months, NaiveDate};
use trailkeeper_domain::activity::Behavior;
use trailkeeper_domain::clock::Clock;
use trailkeeper_domain::id::UserId;
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::time::{TimeRange, Timestamp, just_after};
use trailkeeper_domain::{Error, Result};

use crate::{Audience, Zone};

/// A user's pages of one local day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DailyBehavior {
    /// The local day.
    pub day: NaiveDate,
    /// By time, then by order of storage.
    pub behaviors: Vec<Behavior>,
}

/// The days of the past month, in this time zone, on which the user was on any page, ascending; none for an unknown user.
///
/// # Errors
/// [`Error::Invalid`] for an audience of one environment: the history is of all environments.
pub fn behaviors(
    store: &dyn Store,
    clock: &dyn Clock,
    user: &UserId,
    zone: Zone,
    audience: &Audience,
) -> Result<Vec<DailyBehavior>> {
    let tenant = audience.tenant_of_any_env()?;
    let range = past_month(clock.now())?;
    let behaviors = store.reading(|tx| tx.behaviors(user, range, tenant))?;
    Ok(by_day(zone, behaviors))
}

/// From the same instant one calendar month ago until now, both included. If the earlier month has no such day, its
/// last day is taken.
fn past_month(now: Timestamp) -> Result<TimeRange> {
    let start = now
        .checked_sub_months(Months::new(1))
        .ok_or_else(|| Error::internal(format!("there is no month before {now}")))?;
    Ok(TimeRange { start, end: just_after(now) })
}

fn by_day(zone: Zone, behaviors: Vec<Behavior>) -> Vec<DailyBehavior> {
    let mut days: Vec<DailyBehavior> = Vec::new();
    for behavior in behaviors {
        let day = zone.counted_day_of(behavior.at);
        match days.last_mut().filter(|last| last.day == day) {
            Some(last) => last.behaviors.push(behavior),
            None => days.push(DailyBehavior { day, behaviors: vec![behavior] }),
        }
    }
    days
}

#[cfg(test)]
mod tests {
    use trailkeeper_domain::time::parse_rfc3339;

    use super::*;

    fn at(text: &str) -> Timestamp {
        parse_rfc3339("at", text).unwrap()
    }

    #[test]
    fn a_month_is_a_calendar_month() {
        for (now, start) in [
            ("2026-11-22T04:05:06.7Z", "2026-10-22T04:05:06.7Z"),
            ("2026-03-31T00:00:00Z", "2026-02-28T00:00:00Z"),
            ("2026-01-01T00:00:00Z", "2025-12-01T00:00:00Z"),
        ] {
            let range = past_month(at(now)).unwrap();
            assert_eq!(range, TimeRange { start: at(start), end: just_after(at(now)) });
        }
    }

    #[test]
    fn days_are_cut_at_local_midnights() {
        let behavior = |text: &str| Behavior { at: at(text), page: text.to_owned() };
        let behaviors = ["2026-01-01T00:00:00Z", "2026-01-01T23:59:59.999999Z", "2026-01-02T00:00:00Z"].map(behavior);
        let [first, second, third] = behaviors.clone();
        let days = by_day(Zone::UTC, behaviors.to_vec());
        let expected = vec![
            DailyBehavior { day: first.at.date_naive(), behaviors: vec![first, second] },
            DailyBehavior { day: third.at.date_naive(), behaviors: vec![third] },
        ];
        assert_eq!(days, expected);
        // In Tokyo the first one is at 09:00 and the others lie on the next day, at 08:59:59 and 09:00.
        let tokyo = by_day(Zone::parse("timezone", "Asia/Tokyo").unwrap(), behaviors.to_vec());
        let sizes: Vec<_> = tokyo.iter().map(|day| (day.day.to_string(), day.behaviors.len())).collect();
        assert_eq!(sizes, [("2026-01-01".to_owned(), 1), ("2026-01-02".to_owned(), 2)]);
    }
}
