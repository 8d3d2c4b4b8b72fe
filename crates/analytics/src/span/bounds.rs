//! The longest range of a question: it bounds the size of an answer, whatever a caller asks for.

use chrono::{Months, NaiveDate};
use trailkeeper_domain::{Error, Result};

/// The most years that a question about days, or about the whole range, may cover.
pub const MAX_YEARS_OF_DAYS: u32 = 10;
/// The most years that a question about months may cover.
pub const MAX_YEARS_OF_MONTHS: u32 = 100;

/// Checks that a range of days, both ends included, is not inverted and not longer than `years`. The names in `start`
/// and `end` are those of the fields in errors.
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

/// Checks the range of the days from `first` to `last`, which errors call `start_date` and `end_date`.
pub fn check_range_of_days(first: NaiveDate, last: NaiveDate) -> Result<()> {
    check_days(("start_date", first), ("end_date", last), MAX_YEARS_OF_DAYS)
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
        assert!(check_range_of_days(day("2016-01-01"), day("2026-01-01")).is_ok());
        let error = check_range_of_days(day("2016-01-01"), day("2026-01-02")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "end_date: '2026-01-02' is more than 10 years after start_date '2016-01-01'; ask for a shorter range"
        );
        let error = check_range_of_days(day("2026-01-02"), day("2026-01-01")).unwrap_err();
        assert_eq!(error.to_string(), "start_date: '2026-01-02' lies after end_date '2026-01-01'; swap the two");
    }
}
