//! The parameters that analytic operations share.
//!
//! Each struct here documents its parameters and reads them. An operation lists those it takes in its
//! `params(…)`, and all their names in `Query::only`.

use trailkeeper_analytics::question::SeriesSpec;
use trailkeeper_analytics::{Audience, Edge, Granularity, Span, Zone};
use trailkeeper_auth::Principal;
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result, text};
use utoipa::IntoParams;

use crate::extract::query::Query;
use crate::native::schemas;
use crate::state::AppState;

/// From when until when, in whose local time.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SpanParams {
    /// Only at or after this time, or the start of this local day. Where it is not sent: the start of the 30th
    /// local day of those that the range ends with.
    #[param(value_type = Option<schemas::InstantOrDay>, example = "2026-01-01")]
    from: Option<Edge>,
    /// Only before this time, or the end of this local day; now where it is not sent. Lies after `from`, at most
    /// 10 years later.
    #[param(value_type = Option<schemas::InstantOrDay>, example = "2026-01-31")]
    to: Option<Edge>,
    /// The IANA time zone whose days and hours count; UTC where it is not sent. Every zone is answered exactly.
    /// Where a bucket does not begin and end with a full hour of UTC, or for a tenant with a day of UTC, its
    /// beginning and end are counted from single events, which takes longer.
    #[param(value_type = Option<schemas::TimeZone>, example = "Asia/Tokyo")]
    timezone: Option<Zone>,
}

impl SpanParams {
    /// Reads `from`, `to` and `timezone`.
    pub fn of(query: &Query) -> Result<Self> {
        Ok(Self {
            from: query.optional("from")?.map(|value| Edge::parse("from", value)).transpose()?,
            to: query.optional("to")?.map(|value| Edge::parse("to", value)).transpose()?,
            timezone: query.optional("timezone")?.map(|name| Zone::parse("timezone", name)).transpose()?,
        })
    }

    /// The span that is meant `now`.
    pub fn span(&self, now: Timestamp) -> Result<Span> {
        Span::of(self.zone(), self.from, self.to, now)
    }

    /// `from`, where it was sent.
    pub fn from(&self) -> Option<Edge> {
        self.from
    }

    /// `to`, where it was sent.
    pub fn to(&self) -> Option<Edge> {
        self.to
    }

    /// The time zone that is meant.
    pub fn zone(&self) -> Zone {
        self.timezone.unwrap_or(Zone::UTC)
    }
}

/// How long a bucket is.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct GranularityParam {
    /// How long a bucket is, in local time; `day` where it is not sent. Weeks begin on Monday. The first and the
    /// last bucket are cut to the range. At most 10,000 buckets.
    #[param(value_type = Option<schemas::Granularity>, example = "day")]
    granularity: Option<Granularity>,
}

impl GranularityParam {
    /// Reads `granularity`.
    pub fn of(query: &Query) -> Result<Self> {
        let name = query.optional("granularity")?;
        Ok(Self { granularity: name.map(|name| Granularity::parse("granularity", name)).transpose()? })
    }

    /// The granularity that is meant.
    pub fn granularity(&self) -> Granularity {
        self.granularity.unwrap_or(Granularity::Day)
    }
}

/// The one value of `compare`.
pub const PREVIOUS_PERIOD: &str = "previous_period";

/// Whether the period before is asked for too.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CompareParam {
    /// Answers the period before, too, which ends where this one begins: as many whole weeks or months where the
    /// range is made of whole ones of the granularity (where it has one), else as many whole days, else as much time.
    #[param(value_type = Option<schemas::Comparison>, example = "previous_period")]
    compare: bool,
}

impl CompareParam {
    /// Reads `compare`.
    pub fn of(query: &Query) -> Result<Self> {
        match query.optional("compare")? {
            None => Ok(Self { compare: false }),
            Some(PREVIOUS_PERIOD) => Ok(Self { compare: true }),
            Some(other) => Err(Error::invalid(
                "compare",
                format!("'{}' is no comparison; send {PREVIOUS_PERIOD} or leave it out", text::shown(other)),
            )),
        }
    }

    /// Whether it was asked for.
    pub fn compare(&self) -> bool {
        self.compare
    }
}

/// Whose events.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AudienceParams {
    /// Only this tenant's; all zero: what happened outside any tenant. Where it is not sent: everyone's, or those
    /// of the tenant that the credential is confined to.
    #[param(value_type = Option<schemas::TenantId>)]
    tenant_id: Option<TenantId>,
    /// Only this environment's. Needs `tenant_id`, unless the credential is confined to a tenant. Other numbers
    /// than active users are then counted from single events, which takes longer.
    #[param(value_type = Option<schemas::EnvId>)]
    env_id: Option<EnvId>,
}

impl AudienceParams {
    /// Reads `tenant_id` and `env_id`.
    pub fn of(query: &Query) -> Result<Self> {
        Ok(Self {
            tenant_id: query.optional("tenant_id")?.map(|id| TenantId::parse("tenant_id", id)).transpose()?,
            env_id: query.optional("env_id")?.map(|id| EnvId::parse("env_id", id)).transpose()?,
        })
    }

    /// The audience of the question, as far as the caller may see it.
    pub fn audience(&self, state: &AppState, caller: &Principal) -> Result<Audience> {
        Ok(Audience::of(caller.visibility(), self.tenant_id, self.env_id)?.with_folds(state.folds()))
    }
}

/// Reads the range, the granularity and the comparison of a question.
pub fn series(query: &Query, now: Timestamp) -> Result<SeriesSpec> {
    Ok(SeriesSpec {
        span: SpanParams::of(query)?.span(now)?,
        granularity: GranularityParam::of(query)?.granularity(),
        compare: CompareParam::of(query)?.compare(),
    })
}

/// A quotient, rounded to four decimals: the double that is nearest to it, so that it is written with at most
/// four. `None` where the divisor is zero.
pub fn quotient(dividend: u64, divisor: u64) -> Option<f64> {
    let (dividend, divisor) = (u128::from(dividend), u128::from(divisor));
    let rounded = (dividend * 20_000 + divisor).checked_div(divisor * 2)?;
    // Users have 32-bit numbers, so a quotient of theirs in ten-thousandths is a double exactly, and the one division
    // rounds. To add whole and fraction would round twice: 9 + 0.5926 is 9.592600000000001.
    let (whole, rest) = (rounded / 10_000, rounded % 10_000);
    let number = |part: u128| u32::try_from(part).map_or(f64::from(u32::MAX), f64::from);
    Some((number(whole) * 10_000.0 + number(rest)) / 10_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_have_four_decimals() {
        assert_eq!(quotient(1, 0), None);
        assert_eq!(quotient(0, 3), Some(0.0));
        assert_eq!(quotient(1, 3), Some(0.3333));
        assert_eq!(quotient(2, 3), Some(0.6667));
        assert_eq!(quotient(1, 20_000), Some(0.0001));
        assert_eq!(quotient(7, 2), Some(3.5));
        assert_eq!(quotient(u64::from(u32::MAX), 1), Some(4_294_967_295.0));
    }

    #[test]
    fn quotients_are_written_with_at_most_four_decimals() {
        assert_eq!(serde_json::json!(quotient(259, 27)).to_string(), "9.5926");
        for ten_thousandths in (0..2_000_000_u64).chain(42_949_672_940_000..42_949_672_950_000) {
            let (whole, rest) = (ten_thousandths / 10_000, ten_thousandths % 10_000);
            let nearest: f64 = format!("{whole}.{rest:04}").parse().unwrap();
            assert_eq!(quotient(ten_thousandths, 10_000), Some(nearest));
        }
    }
}
