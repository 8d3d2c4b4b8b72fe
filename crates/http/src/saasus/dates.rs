//! The inclusive range of days that two operations ask for.

use chrono::NaiveDate;
use trailkeeper_domain::{Result, time};

use crate::extract::query::Query;

/// `start_date` and `end_date`.
pub fn of(query: &Query) -> Result<(NaiveDate, NaiveDate)> {
    let start = time::parse_day("start_date", query.required("start_date")?)?;
    let end = time::parse_day("end_date", query.required("end_date")?)?;
    Ok((start, end))
}
