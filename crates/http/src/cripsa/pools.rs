//! Users by e-mail, region and pool, and inclusive ranges of days or times: the parameters that
//! several operations share.

use trailkeeper_domain::time::{self, TimeRange};
use trailkeeper_domain::user::{self, PoolId, UserFilter};
use trailkeeper_domain::visibility::Visibility;
use trailkeeper_domain::{Error, Result, text};

use crate::extract::query::Query;

/// `region` and `user_pool_id`, which must not contradict each other.
pub fn pool_of(query: &Query) -> Result<(Option<String>, Option<PoolId>)> {
    let pool = query.optional("user_pool_id")?.map(|pool| PoolId::parse("user_pool_id", pool)).transpose()?;
    let region = query.optional("region")?.map(str::to_owned);
    user::checked_region("region", region.clone(), pool.as_ref())?;
    Ok((region, pool))
}

/// `email`. Sent as it is, the plus sign of `jane+work@example.com` arrives as a space, which its sender
/// does not see in what they sent.
pub fn email_in(query: &Query) -> Result<&str> {
    let email = query.required("email")?;
    if email.contains(' ') {
        let shown = text::shown(email);
        let detail = format!("'{shown}' has a space, as '+' in a query means; send a plus sign as %2B");
        return Err(Error::invalid("email", detail));
    }
    user::checked_email("email", email)?;
    Ok(email)
}

/// The users that `email`, `region` and `user_pool_id` name, as far as the caller may see them.
pub fn users_named(query: &Query, visibility: Visibility) -> Result<UserFilter> {
    let email = email_in(query)?;
    let (region, pool) = pool_of(query)?;
    Ok(UserFilter::by_email(visibility, email, region, pool))
}

/// `start_date` and `end_date`, both inside: a day means all of it.
pub fn range_of(query: &Query) -> Result<TimeRange> {
    let (from, to) = (query.required("start_date")?, query.required("end_date")?);
    let start = time::parse_start("start_date", from)?;
    let end = time::parse_inclusive_end("end_date", to)?;
    if start >= end {
        let (from, to) = (text::shown(from), text::shown(to));
        return Err(Error::invalid("start_date", format!("'{from}' lies after end_date '{to}'; swap the two")));
    }
    Ok(TimeRange { start, end })
}
