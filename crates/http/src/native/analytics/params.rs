//! The parameters that analytic operations share.
//!
//! An operation flattens those that it takes into its own struct of parameters.

use trailkeeper_analytics::question::SeriesSpec;
use trailkeeper_analytics::{Audience, Edge, Granularity, Span};
use trailkeeper_auth::Principal;
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result, text};

use super::csv::FormatParam;
use crate::native::granularity::GranularityParam;
use crate::native::schemas;
use crate::operation::{Limit, QueryParams, param_values};
use crate::state::AppState;
use crate::timezone::{TimeZoneParam, ZoneMeaning};

/// The range, and the time zone of its local days.
#[derive(QueryParams)]
pub struct SpanParams {
    /// The start of the range: this time, or the start of this local day. By default, the range covers the last
    /// 30 local days before its end and begins at a local midnight; the day of its last instant is one of them.
    #[param(schema = schemas::InstantOrDay, example = "2026-01-01")]
    from: Option<Edge>,
    /// The end of the range, exclusive: this time, or the end of this local day; default: now. It lies after `from`, at
    /// most 10 years later.
    #[param(schema = schemas::InstantOrDay, example = "2026-01-31")]
    to: Option<Edge>,
    #[param(flatten)]
    timezone: TimeZoneParam<ZoneOfBuckets>,
}

/// The time zone of one user's days and hours.
pub struct ZoneOfDays;

impl ZoneMeaning for ZoneOfDays {
    const DESCRIPTION: &'static str = "The IANA time zone for days and hours; default: UTC.";
    const IS_INLINE: bool = false;
}

/// The time zone of a range and its buckets.
struct ZoneOfBuckets;

impl ZoneMeaning for ZoneOfBuckets {
    const DESCRIPTION: &'static str = "The IANA time zone for days and hours; default: UTC. The numbers are exact in every zone. If a bucket does not begin and end with a full UTC hour (for a tenant, with a full UTC day), the server counts its beginning and end from single events, which takes longer.";
    const IS_INLINE: bool = false;
}

impl SpanParams {
    /// The span of the request at the time `now`.
    pub fn span(&self, now: Timestamp) -> Result<Span> {
        Span::of(self.timezone.zone(), self.from, self.to, now)
    }
}

/// The one value of `compare`.
#[derive(Debug, Clone, Copy)]
pub struct PreviousPeriod;

impl PreviousPeriod {
    fn read(name: &str, value: &str) -> Result<Self> {
        if value == schemas::PREVIOUS_PERIOD {
            return Ok(Self);
        }
        let (shown, known) = (text::shown(value), schemas::PREVIOUS_PERIOD);
        Err(Error::invalid(name, format!("'{shown}' is no comparison; send {known} or leave it out")))
    }
}

/// Whether the request also asks for the previous period.
#[derive(QueryParams)]
pub struct CompareParam {
    /// Also returns the previous period, which ends where this one begins. If the range consists of whole weeks or
    /// months of the granularity (if there is one), the previous period has as many weeks or months. Otherwise, if the
    /// range consists of whole days, it has as many days. Otherwise it has the same length of time. If `from` or `to` is
    /// left out, the last day of the range counts as a whole one, so that the previous period begins at a local midnight
    /// too.
    #[param(schema = schemas::Comparison, example = "previous_period")]
    compare: Option<PreviousPeriod>,
}

impl CompareParam {
    /// Whether the request asks for the comparison.
    pub fn compare(&self) -> bool {
        self.compare.is_some()
    }
}

/// The tenant and the environment of the events.
#[derive(QueryParams)]
pub struct AudienceParams {
    /// Only events of this tenant; all zero: only events outside any tenant. Default: all events, or the events of the
    /// tenant that the credential is scoped to.
    #[param(schema = schemas::TenantId)]
    tenant_id: Option<TenantId>,
    /// Only events of this environment. Needs `tenant_id`, unless the credential is scoped to a tenant. The server then
    /// counts all numbers other than active users from single events, which takes longer.
    #[param(schema = schemas::EnvId)]
    env_id: Option<EnvId>,
}

impl AudienceParams {
    /// The audience of the question, as far as the caller may see it.
    pub fn audience(&self, state: &AppState, caller: &Principal) -> Result<Audience> {
        Ok(Audience::of(caller.visibility(), self.tenant_id, self.env_id)?.with_folds(state.folds()))
    }
}

/// The range, the granularity and the comparison of a series.
#[derive(QueryParams)]
pub struct SeriesSpecParams {
    #[param(flatten)]
    span: SpanParams,
    #[param(flatten)]
    granularity: GranularityParam,
    #[param(flatten)]
    compare: CompareParam,
}

impl SeriesSpecParams {
    /// The series of the request at the time `now`.
    pub fn spec(&self, now: Timestamp) -> Result<SeriesSpec> {
        spec(&self.span, self.granularity.granularity(), &self.compare, now)
    }
}

/// The parameters of an operation that returns a series.
#[derive(QueryParams)]
pub struct SeriesParams {
    #[param(flatten)]
    series: SeriesSpecParams,
    #[param(flatten)]
    audience: AudienceParams,
    /// The format of the answer.
    #[param(flatten)]
    pub format: FormatParam,
}

impl SeriesParams {
    /// The series of the request at the time `now`.
    pub fn spec(&self, now: Timestamp) -> Result<SeriesSpec> {
        self.series.spec(now)
    }

    /// The audience of the request.
    pub fn audience(&self, state: &AppState, caller: &Principal) -> Result<Audience> {
        self.audience.audience(state, caller)
    }
}

/// The largest number of rows of a ranking.
pub const MAX_ROWS: usize = 10_000;

/// The parameters of an operation that returns a ranking.
#[derive(QueryParams)]
pub struct RankingParams {
    #[param(flatten)]
    span: SpanParams,
    #[param(flatten)]
    compare: CompareParam,
    #[param(flatten)]
    audience: AudienceParams,
    /// The largest number of rows; default: 100.
    #[param(schema = schemas::RowLimit, inline)]
    limit: Option<Limit<MAX_ROWS>>,
    /// The format of the answer.
    #[param(flatten)]
    pub format: FormatParam,
}

impl RankingParams {
    /// The span of the request at the time `now`.
    pub fn span(&self, now: Timestamp) -> Result<Span> {
        self.span.span(now)
    }

    /// The previous span, if the request asks for it: as many whole local days, or as much time.
    pub fn previous(&self, span: Span) -> Option<Span> {
        self.compare.compare().then(|| span.previous(Granularity::Day))
    }

    /// The audience of the request.
    pub fn audience(&self, state: &AppState, caller: &Principal) -> Result<Audience> {
        self.audience.audience(state, caller)
    }

    /// The largest number of rows.
    pub fn limit(&self) -> usize {
        self.limit.map_or(100, |limit| limit.0)
    }
}

/// The range, granularity and comparison of a series.
pub fn spec(span: &SpanParams, granularity: Granularity, compare: &CompareParam, now: Timestamp) -> Result<SeriesSpec> {
    Ok(SeriesSpec { span: span.span(now)?, granularity, compare: compare.compare() })
}

param_values! {
    Edge, "a time or a day", Edge::parse;
    PreviousPeriod, "previous_period", PreviousPeriod::read;
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
