//! `GET /v1/analytics/sources`.

use std::net::IpAddr;

use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_analytics::question::sources::{SourceStatistics, SourcesQuestion, sources};
use trailkeeper_analytics::{Span, Zone};
use trailkeeper_domain::ports::{SourceActivity, SourceCounts, SourceTotals};
use utoipa::ToSchema;

use super::csv::Table;
use super::params::RankingParams;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadAnalytics};
use crate::native::schemas;
use crate::operation::{FromQuery, operation};
use crate::problems::{CommonProblems, TenantNotFound};
use crate::state::AppState;

/// Source addresses and what happened from them.
#[derive(Serialize, ToSchema)]
#[schema(example = SourcesView::sample)]
pub struct SourcesView {
    /// The time zone.
    #[schema(value_type = schemas::TimeZone)]
    timezone: &'static str,
    /// The requested period, over all addresses.
    current: SourcesPeriod,
    /// The previous period; null unless `compare` was sent.
    #[schema(required)]
    previous: Option<SourcesPeriod>,
    /// The addresses with the most events in the period, then by address, IPv4 first.
    #[schema(max_items = 10000)]
    sources: Vec<SourceRow>,
}

/// The events from all addresses in one period.
#[derive(Serialize, ToSchema)]
pub struct SourcesPeriod {
    /// The start, inclusive.
    #[schema(value_type = schemas::LocalInstant)]
    start: String,
    /// The end, exclusive.
    #[schema(value_type = schemas::LocalInstant)]
    end: String,
    /// The number of distinct addresses, including the addresses that are not listed.
    #[schema(value_type = schemas::Count)]
    sources: u64,
    /// The totals of all addresses, including the addresses that are not listed. Users are distinct over all addresses:
    /// not a sum.
    totals: SourceCountsView,
}

/// The events from one address.
#[derive(Serialize, ToSchema)]
pub struct SourceRow {
    /// The address; null if the database has lost it (`trailkeeper verify` lists such losses).
    #[schema(required, value_type = Option<schemas::Address>)]
    source: Option<IpAddr>,
    /// The numbers of the requested period.
    current: SourceCountsView,
    /// The numbers of the previous period; null unless `compare` was sent.
    #[schema(required)]
    previous: Option<SourceCountsView>,
}

/// Numbers of events.
#[derive(Serialize, ToSchema)]
pub struct SourceCountsView {
    /// The number of events, including failed events.
    #[schema(value_type = schemas::Count)]
    events: u64,
    /// Distinct users of these events.
    #[schema(value_type = schemas::Count)]
    users: u64,
    /// Events of type `login_success`.
    #[schema(value_type = schemas::Count)]
    logins: u64,
    /// Events of type `login_fail`.
    #[schema(value_type = schemas::Count)]
    failed_logins: u64,
    /// The time of the first event; null without events.
    #[schema(required, value_type = Option<schemas::LocalInstant>)]
    first_seen: Option<String>,
    /// The time of the last event; null without events.
    #[schema(required, value_type = Option<schemas::LocalInstant>)]
    last_seen: Option<String>,
}

impl SourceCountsView {
    fn of(zone: Zone, counts: SourceCounts) -> Self {
        let SourceCounts { events, users, logins, failed_logins, seen } = counts;
        Self {
            events,
            users,
            logins,
            failed_logins,
            first_seen: seen.map(|(first, _)| zone.rfc3339(first)),
            last_seen: seen.map(|(_, last)| zone.rfc3339(last)),
        }
    }
}

impl SourcesPeriod {
    fn of(span: Span, totals: SourceTotals) -> Self {
        Self {
            start: span.zone.rfc3339(span.range.start),
            end: span.zone.rfc3339(span.range.end),
            sources: totals.sources,
            totals: SourceCountsView::of(span.zone, totals.counts),
        }
    }
}

impl SourcesView {
    fn of(question: &SourcesQuestion, statistics: SourceStatistics) -> Self {
        let zone = question.span.zone;
        let row = |SourceActivity { source, current, previous }| SourceRow {
            source,
            current: SourceCountsView::of(zone, current),
            previous: question.previous.map(|_| SourceCountsView::of(zone, previous)),
        };
        Self {
            timezone: zone.name(),
            current: SourcesPeriod::of(question.span, statistics.totals),
            previous: question.previous.zip(statistics.previous).map(|(span, totals)| SourcesPeriod::of(span, totals)),
            sources: statistics.sources.into_iter().map(row).collect(),
        }
    }

    fn sample() -> Value {
        let counts = |events, users| SourceCountsView {
            events,
            users,
            logins: 130,
            failed_logins: 12,
            first_seen: Some("2026-01-01T08:12:45+09:00".to_owned()),
            last_seen: Some("2026-01-31T19:02:11+09:00".to_owned()),
        };
        let (start, end) = ("2026-01-01T00:00:00+09:00".to_owned(), "2026-02-01T00:00:00+09:00".to_owned());
        json!(Self {
            timezone: "Asia/Tokyo",
            current: SourcesPeriod { start, end, sources: 87, totals: counts(15_420, 1_234) },
            previous: None,
            sources: vec![SourceRow {
                source: Some(IpAddr::from([203, 0, 113, 7])),
                current: counts(6_200, 1_100),
                previous: None,
            }],
        })
    }
}

/// The columns in CSV.
const TABLE: Table = Table {
    rows: "sources",
    columns: &[
        "source",
        "current.events",
        "current.users",
        "current.logins",
        "current.failed_logins",
        "current.first_seen",
        "current.last_seen",
        "previous.events",
        "previous.users",
        "previous.logins",
        "previous.failed_logins",
        "previous.first_seen",
        "previous.last_seen",
    ],
};

/// Count events, users and logins per source address.
///
/// All numbers are exact and come from one snapshot. Events without a source are not counted. The addresses with the
/// most events come first. Without a tenant (in `tenant_id`, or the credential's own) the range is at most 31 days,
/// because every event of the range is read.
#[operation(get, "/v1/analytics/sources", tag = "analytics",
    responses((status = 200, description = "The source addresses.", content((SourcesView = "application/json"), (String = "text/csv"))), CommonProblems, TenantNotFound))]
pub async fn get_sources(
    caller: Caller<ReadAnalytics, Native>,
    FromQuery(params): FromQuery<RankingParams>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let span = params.span(state.clock().now())?;
    let question = SourcesQuestion { span, previous: params.previous(span), limit: params.limit() };
    let audience = params.audience(&state, &caller.principal)?;
    let statistics = blocking::run_analytic(&state, move |state| sources(state.store(), &question, &audience)).await?;
    Ok(params.format.answer(&SourcesView::of(&question, statistics), &TABLE)?)
}

#[cfg(test)]
mod tests {
    use trailkeeper_domain::time::{TimeRange, parse_rfc3339};

    use super::*;

    #[test]
    fn rows_have_local_times_and_a_previous_period_only_where_one_is_asked_for() {
        let at = |text| parse_rfc3339("at", text).unwrap();
        let zone = Zone::parse("timezone", "Asia/Tokyo").unwrap();
        let span = |start, end| Span::new(zone, TimeRange { start: at(start), end: at(end) });
        let current = span("2026-01-02T15:00:00Z", "2026-01-03T15:00:00Z");
        let before = span("2026-01-01T15:00:00Z", "2026-01-02T15:00:00Z");
        let seen = Some((at("2026-01-02T16:00:00Z"), at("2026-01-03T14:59:59Z")));
        let counts = SourceCounts { events: 5, users: 2, logins: 1, failed_logins: 3, seen };
        let none = SourceCounts::default();
        let source = IpAddr::from([203, 0, 113, 7]);
        let statistics = |compared: bool| SourceStatistics {
            totals: SourceTotals { sources: 1, counts },
            previous: compared.then_some(SourceTotals::default()),
            sources: vec![SourceActivity { source: Some(source), current: counts, previous: none }],
        };
        let question = |previous| SourcesQuestion { span: current, previous, limit: 100 };

        let view = json!(SourcesView::of(&question(Some(before)), statistics(true)));
        let counted = json!({"events": 5, "users": 2, "logins": 1, "failed_logins": 3,
            "first_seen": "2026-01-03T01:00:00+09:00", "last_seen": "2026-01-03T23:59:59+09:00"});
        let nothing = json!({"events": 0, "users": 0, "logins": 0, "failed_logins": 0,
            "first_seen": null, "last_seen": null});
        assert_eq!(view["sources"], json!([{"source": "203.0.113.7", "current": counted, "previous": nothing}]));
        assert_eq!(
            view["previous"],
            json!({"start": "2026-01-02T00:00:00+09:00", "end": "2026-01-03T00:00:00+09:00", "sources": 0, "totals": nothing})
        );
        let view = json!(SourcesView::of(&question(None), statistics(false)));
        assert_eq!((&view["previous"], &view["sources"][0]["previous"]), (&Value::Null, &Value::Null));
    }
}
