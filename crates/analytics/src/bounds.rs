//! Limits of a question's range, so that the size of an answer has a bound that does not depend on
//! what a caller asks for.

use chrono::{Months, NaiveDate};
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::{Error, Result};

/// How many years of days one question may cover.
pub const MAX_YEARS_OF_DAYS: u32 = 10;
/// How many years of months one question may cover.
pub const MAX_YEARS_OF_MONTHS: u32 = 100;

/// Checks that a range begins before it ends and is not longer than `years`. `start` and `end` name
/// the fields in errors; the range is inclusive.
pub fn check_days(start: (&str, NaiveDate), end: (&str, NaiveDate), years: u32) -> Result<()> {
    let ((start_field, first), (end_field, last)) = (start, end);
    if first > last {
        return Err(Error::invalid(start_field, format!("'{first}' lies after {end_field} '{last}'; swap the two")));
    }
    if first.checked_add_months(Months::new(years * 12)).is_some_and(|end| last > end) {
        return Err(Error::invalid(
            end_field,
            format!("'{last}' is more than {years} years after {start_field} '{first}'; ask for a shorter range"),
        ));
    }
    Ok(())
}

/// The range of whole days of a question that knows its days as `start_date` and `end_date`.
pub fn range_of_days(first: NaiveDate, last: NaiveDate) -> Result<TimeRange> {
    check_days(("start_date", first), ("end_date", last), MAX_YEARS_OF_DAYS)?;
    Ok(TimeRange::of_days(first, last))
}

/// Checks that an environment is asked for with its tenant.
pub fn check_env(scope: Scope, env: Option<EnvId>) -> Result<()> {
    if env.is_some() && scope == Scope::Everyone {
        return Err(Error::invalid(
            "env_id",
            "needs tenant_id: environments are numbered inside their tenant; add tenant_id",
        ));
    }
    Ok(())
}

/// The tenants that an answer is narrowed to: those that were asked for, as far as the asker may see
/// them. `None` means everyone; an empty list means that nothing may be seen, and counts as nothing.
pub fn narrowed(asked: Option<&[TenantId]>, tenant_scoped: Option<TenantId>) -> Option<Vec<TenantId>> {
    let mut tenants = match (asked, tenant_scoped) {
        (None, None) => return None,
        (None, Some(own)) => vec![own],
        (Some(asked), None) => asked.to_vec(),
        (Some(asked), Some(own)) => asked.iter().copied().filter(|tenant| *tenant == own).collect(),
    };
    tenants.sort_unstable();
    tenants.dedup();
    Some(tenants)
}

#[cfg(test)]
mod tests {
    use trailkeeper_domain::time::parse_day;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        parse_day("day", text).unwrap()
    }

    #[test]
    fn ten_years_to_the_day_are_the_longest_range() {
        assert!(range_of_days(day("2016-01-01"), day("2026-01-01")).is_ok());
        let error = range_of_days(day("2016-01-01"), day("2026-01-02")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "end_date: '2026-01-02' is more than 10 years after start_date '2016-01-01'; ask for a shorter range"
        );
        let error = range_of_days(day("2026-01-02"), day("2026-01-01")).unwrap_err();
        assert_eq!(error.to_string(), "start_date: '2026-01-02' lies after end_date '2026-01-01'; swap the two");
    }

    #[test]
    fn a_confined_asker_sees_its_tenant_alone() {
        let (own, other) = (TenantId(uuid::Uuid::from_u128(1)), TenantId(uuid::Uuid::from_u128(2)));
        assert_eq!(narrowed(None, None), None);
        assert_eq!(narrowed(None, Some(own)), Some(vec![own]));
        assert_eq!(narrowed(Some(&[other, own, other]), None), Some(vec![own, other]));
        assert_eq!(narrowed(Some(&[other, own]), Some(own)), Some(vec![own]));
        assert_eq!(narrowed(Some(&[other]), Some(own)), Some(vec![]));
    }
}
