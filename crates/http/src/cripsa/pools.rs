//! Parameters that several operations share: users by e-mail, region and pool, and inclusive ranges of days or times.

use trailkeeper_analytics::{Edge, Zone};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::user::{self, PoolId};
use trailkeeper_domain::{Error, Result, text};

use crate::timezone::ZoneMeaning;

/// A user pool, named by its region, its id or both.
#[derive(Debug, Clone, Default)]
pub struct PoolChoice {
    /// The region of the pool.
    pub region: Option<String>,
    /// The pool's id.
    pub pool: Option<PoolId>,
}

impl PoolChoice {
    /// A choice of these two. [`Error::Invalid`] names `region` if it contradicts the pool's region.
    pub fn of(region: Option<String>, pool: Option<PoolId>) -> Result<Self> {
        user::checked_region("region", region.clone(), pool.as_ref())?;
        Ok(Self { region, pool })
    }
}

/// Reads the parameter `email`. If the client does not escape the plus sign of `jane+work@example.com`, it arrives as a
/// space, and the sender cannot see this in the text that they sent. [`Error::Invalid`] explains it.
pub fn email(name: &str, value: &str) -> Result<String> {
    if value.contains(' ') {
        let shown = text::shown(value);
        let detail = format!("'{shown}' has a space, as '+' in a query means; send a plus sign as %2B");
        return Err(Error::invalid(name, detail));
    }
    user::checked_email(name, value)?;
    Ok(value.to_owned())
}

/// The time zone of the days of a range.
pub struct ZoneOfDays;

impl ZoneMeaning for ZoneOfDays {
    const DESCRIPTION: &'static str = "The IANA time zone of days in `start_date` and `end_date`; default: UTC.";
    const IS_INLINE: bool = true;
}

/// The range from `from` to `to`, both inclusive. A day stands for all instants of that local day.
pub fn range_of(zone: Zone, from: &str, to: &str) -> Result<TimeRange> {
    let start = Edge::parse("start_date", from)?.start(zone);
    let end = Edge::parse("end_date", to)?.inclusive_end(zone);
    if start >= end {
        let (from, to) = (text::shown(from), text::shown(to));
        return Err(Error::invalid("start_date", format!("'{from}' lies after end_date '{to}'; swap the two")));
    }
    Ok(TimeRange { start, end })
}
