//! Users by e-mail, region and pool, and inclusive ranges of days or times: the parameters that
//! several operations share.

use trailkeeper_domain::time::{self, TimeRange};
use trailkeeper_domain::user::{self, PoolId};
use trailkeeper_domain::{Error, Result, text};

/// A user pool, by its region or its id or both.
#[derive(Debug, Clone, Default)]
pub struct PoolChoice {
    /// The region.
    pub region: Option<String>,
    /// The pool's id.
    pub pool: Option<PoolId>,
}

impl PoolChoice {
    /// [`Error::Invalid`] names `region` where it contradicts the pool's.
    pub fn of(region: Option<String>, pool: Option<PoolId>) -> Result<Self> {
        user::checked_region("region", region.clone(), pool.as_ref())?;
        Ok(Self { region, pool })
    }
}

/// Reads the parameter `email`. Sent as it is, the plus sign of `jane+work@example.com` arrives as a space, which its
/// sender does not see in what they sent.
pub fn email(name: &str, value: &str) -> Result<String> {
    if value.contains(' ') {
        let shown = text::shown(value);
        let detail = format!("'{shown}' has a space, as '+' in a query means; send a plus sign as %2B");
        return Err(Error::invalid(name, detail));
    }
    user::checked_email(name, value)?;
    Ok(value.to_owned())
}

/// Reads the parameter `user_pool_id`.
pub fn pool_id(name: &str, value: &str) -> Result<PoolId> {
    PoolId::parse(name, value)
}

/// The range from `start_date` to `end_date`, both inside: a day means all of it.
pub fn range_of(from: &str, to: &str) -> Result<TimeRange> {
    let start = time::parse_start("start_date", from)?;
    let end = time::parse_inclusive_end("end_date", to)?;
    if start >= end {
        let (from, to) = (text::shown(from), text::shown(to));
        return Err(Error::invalid("start_date", format!("'{from}' lies after end_date '{to}'; swap the two")));
    }
    Ok(TimeRange { start, end })
}
