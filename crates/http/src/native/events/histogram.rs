//! `GET /v1/events/histogram`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_analytics::{Edge, Span, Zone};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::usecase;
use utoipa::ToSchema;

use super::conditions::EventConditions;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, CountEvents};
use crate::native::granularity::GranularityParam;
use crate::native::schemas;
use crate::operation::{FromQuery, QueryParams, operation};
use crate::problems::{CommonProblems, TenantNotFound};
use crate::state::AppState;
use crate::timezone::{TimeZoneParam, ZoneMeaning};

/// The filters, the range and the buckets of a histogram.
#[derive(QueryParams)]
pub struct HistogramParams {
    #[param(flatten)]
    conditions: EventConditions,
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
    #[param(flatten)]
    granularity: GranularityParam,
}

/// The time zone of the buckets.
struct ZoneOfBuckets;

impl ZoneMeaning for ZoneOfBuckets {
    const DESCRIPTION: &'static str =
        "The IANA time zone of the days in `from` and `to`, and of the buckets; default: UTC.";
    const IS_INLINE: bool = false;
}

/// A number of events per bucket of time.
#[derive(Serialize, ToSchema)]
#[schema(example = HistogramView::sample)]
pub struct HistogramView {
    /// The buckets in order of time. Empty buckets are included.
    #[schema(max_items = 10000)]
    buckets: Vec<HistogramBucket>,
}

/// A bucket of time.
#[derive(Serialize, ToSchema)]
pub struct HistogramBucket {
    /// The start, inclusive.
    #[schema(value_type = schemas::LocalInstant)]
    start: String,
    /// The end, exclusive.
    #[schema(value_type = schemas::LocalInstant)]
    end: String,
    /// The number of events that match.
    #[schema(value_type = schemas::Count)]
    events: u64,
}

impl HistogramBucket {
    fn of(zone: Zone, range: TimeRange, events: u64) -> Self {
        Self { start: zone.rfc3339(range.start), end: zone.rfc3339(range.end), events }
    }
}

impl HistogramView {
    fn sample() -> Value {
        let day = |start: &str, end: &str, events| HistogramBucket { start: start.into(), end: end.into(), events };
        json!(Self {
            buckets: vec![
                day("2026-01-30T00:00:00+09:00", "2026-01-31T00:00:00+09:00", 42),
                day("2026-01-31T00:00:00+09:00", "2026-02-01T00:00:00+09:00", 0),
            ],
        })
    }
}

/// Count events per hour, day, week or month.
///
/// The numbers of events that the list of events has with the same filters, in buckets of local time. They are exact and
/// come from one snapshot.
#[operation(get, "/v1/events/histogram", tag = "events",
    responses((status = 200, description = "The numbers of events.", body = HistogramView), CommonProblems, TenantNotFound))]
pub async fn get_event_histogram(
    caller: Caller<CountEvents, Native>,
    FromQuery(params): FromQuery<HistogramParams>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let HistogramParams { conditions, from, to, timezone, granularity } = params;
    let span = Span::of(timezone.zone(), from, to, state.clock().now())?;
    let range = (Some(span.range.start), Some(span.range.end));
    let filter = conditions.filter(&caller.principal, &state, range)?;
    let buckets = span.buckets(granularity.granularity())?;
    let view = blocking::run_analytic(&state, move |state| {
        let counts = usecase::event_histogram(state.store(), &filter, &buckets)?;
        let counted = buckets.into_iter().zip(counts);
        let buckets = counted.map(|(range, events)| HistogramBucket::of(span.zone, range, events));
        Ok(HistogramView { buckets: buckets.collect() })
    })
    .await?;
    Ok(HttpResponse::Ok().json(view))
}
