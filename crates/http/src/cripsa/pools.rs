//! Parameters that several operations share: users by e-mail, region and pool, and inclusive ranges of days or times.

use trailkeeper_domain::time::{self, TimeRange};
use trailkeeper_domain::user::{self, PoolId};
use trailkeeper_domain::{Error, Result, text};

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

/// The range from `from` to `to`, both inclusive. A day stands for all its instants.
pub fn range_of(from: &str, to: &str) -> Result<TimeRange> {
    let start = time::parse_start("start_date", from)?;
    let end = time::parse_inclusive_end("end_date", to)?;
    if start >= end {
        let (from, to) = (text::shown(from), text::shown(to));
        return Err(Error::invalid("start_date", format!("'{from}' lies after end_date '{to}'; swap the two")));
    }
    Ok(TimeRange { start, end })
}
