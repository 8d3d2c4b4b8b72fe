//! `GET /v1/analytics/users/{user_id}/profile`.

use std::net::IpAddr;

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_analytics::question::profile::{Profile, ProfileQuestion, ProfileTotals, SourceUse, profile};
use trailkeeper_analytics::question::ranking::Named;
use trailkeeper_analytics::{Edge, Granularity, Span, Zone};
use trailkeeper_domain::Result;
use trailkeeper_domain::id::UserId;
use trailkeeper_domain::time::Timestamp;
use utoipa::ToSchema;

use super::params::{AudienceParams, CompareParam, ZoneOfDays};
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadUserActivity};
use crate::native::schemas;
use crate::native::users::get::UserPath;
use crate::operation::{FromPath, FromQuery, QueryParams, operation};
use crate::problems::{CommonProblems, TenantNotFound};
use crate::state::AppState;
use crate::timezone::TimeZoneParam;

/// The default number of local days of a profile.
const DEFAULT_DAYS: u64 = 90;

/// The profile of a user.
#[derive(Serialize, ToSchema)]
#[schema(example = ProfileView::sample)]
pub struct ProfileView {
    /// The identity provider's id.
    #[schema(value_type = schemas::UserId)]
    user_id: String,
    /// The time zone.
    #[schema(value_type = schemas::TimeZone)]
    timezone: &'static str,
    /// The time of the user's first event, over all time; null without events.
    #[schema(required, value_type = Option<schemas::LocalInstant>)]
    first_seen: Option<String>,
    /// The time of the user's last event, over all time; null without events.
    #[schema(required, value_type = Option<schemas::LocalInstant>)]
    last_seen: Option<String>,
    /// The requested period. The fields `hours`, `pages`, `sources`, `types` and the `distinct_…` numbers are about
    /// this period.
    current: ProfilePeriod,
    /// The previous period; null unless `compare` was sent.
    #[schema(required)]
    previous: Option<ProfilePeriod>,
    /// The usual hours of the week: events that did not fail, by local day and hour. Seven days, Monday first, with
    /// 24 hours each, the one from midnight first.
    #[schema(value_type = schemas::HoursOfTheWeek)]
    hours: [[u64; 24]; 7],
    /// The ten pages with the most views, then by page.
    #[schema(max_items = 10)]
    pages: Vec<ProfilePage>,
    /// The number of distinct pages.
    #[schema(value_type = schemas::Count)]
    distinct_pages: u64,
    /// The ten addresses with the most events, then by address.
    #[schema(max_items = 10)]
    sources: Vec<ProfileSource>,
    /// The number of distinct addresses.
    #[schema(value_type = schemas::Count)]
    distinct_sources: u64,
    /// The hundred types with the most events, then by type.
    #[schema(max_items = 100)]
    types: Vec<ProfileType>,
    /// The number of distinct types.
    #[schema(value_type = schemas::Count)]
    distinct_types: u64,
}

/// The activity of a user in one period.
#[derive(Serialize, ToSchema)]
pub struct ProfilePeriod {
    /// The start, inclusive.
    #[schema(value_type = schemas::LocalInstant)]
    start: String,
    /// The end, exclusive.
    #[schema(value_type = schemas::LocalInstant)]
    end: String,
    /// The totals of the whole period.
    totals: ProfileTotalsView,
}

/// The totals of a user's activity.
#[derive(Serialize, ToSchema)]
pub struct ProfileTotalsView {
    /// The number of events, including failed events.
    #[schema(value_type = schemas::Count)]
    events: u64,
    /// The number of failed events. The type decides whether a login failed; the outcome decides it for every other
    /// event.
    #[schema(value_type = schemas::Count)]
    failed_events: u64,
    /// The number of local days with an event that did not fail.
    #[schema(value_type = schemas::Count)]
    active_days: u64,
}

/// A page and its views.
#[derive(Serialize, ToSchema)]
pub struct ProfilePage {
    /// The page as statistics group it. `(other)` stands for the pages beyond the number of new pages that a tenant may
    /// add in a day.
    #[schema(value_type = schemas::Page)]
    page: String,
    /// The number of events on the page, with any outcome.
    #[schema(value_type = schemas::Count)]
    views: u64,
}

/// An address and its events.
#[derive(Serialize, ToSchema)]
pub struct ProfileSource {
    /// The address; null if the database has lost it (`trailkeeper verify` lists such losses).
    #[schema(required, value_type = Option<schemas::Address>)]
    source: Option<IpAddr>,
    /// The number of events, including failed events.
    #[schema(value_type = schemas::Count)]
    events: u64,
    /// The number of failed events.
    #[schema(value_type = schemas::Count)]
    failed_events: u64,
    /// The time of the first event from the address.
    #[schema(value_type = schemas::LocalInstant)]
    first_seen: String,
    /// The time of the last event from the address.
    #[schema(value_type = schemas::LocalInstant)]
    last_seen: String,
}

/// A type and its events.
#[derive(Serialize, ToSchema)]
pub struct ProfileType {
    /// The type of the event.
    #[schema(value_type = schemas::EventType)]
    r#type: String,
    /// The number of events.
    #[schema(value_type = schemas::Count)]
    events: u64,
}

impl From<ProfileTotals> for ProfileTotalsView {
    fn from(totals: ProfileTotals) -> Self {
        Self { events: totals.events, failed_events: totals.failed_events, active_days: totals.active_days }
    }
}

impl From<Named<u64>> for ProfilePage {
    fn from(page: Named<u64>) -> Self {
        Self { page: page.name, views: page.counted }
    }
}

impl From<Named<u64>> for ProfileType {
    fn from(kind: Named<u64>) -> Self {
        Self { r#type: kind.name, events: kind.counted }
    }
}

impl ProfileSource {
    fn of(zone: Zone, source: &Named<SourceUse>) -> Self {
        Self {
            // A name that the database has lost has a placeholder, which is no address.
            source: source.name.parse().ok(),
            events: source.counted.events,
            failed_events: source.counted.failed_events,
            first_seen: zone.rfc3339(source.counted.first_seen),
            last_seen: zone.rfc3339(source.counted.last_seen),
        }
    }
}

impl ProfilePeriod {
    fn of(span: Span, totals: ProfileTotals) -> Self {
        Self {
            start: span.zone.rfc3339(span.range.start),
            end: span.zone.rfc3339(span.range.end),
            totals: totals.into(),
        }
    }
}

impl ProfileView {
    fn of(question: &ProfileQuestion, profile: Profile) -> Self {
        let zone = question.span.zone;
        let (first_seen, last_seen) = profile.seen.unzip();
        Self {
            user_id: question.user.as_str().to_owned(),
            timezone: zone.name(),
            first_seen: first_seen.map(|at| zone.rfc3339(at)),
            last_seen: last_seen.map(|at| zone.rfc3339(at)),
            current: ProfilePeriod::of(question.span, profile.totals),
            previous: question.previous.zip(profile.previous).map(|(span, totals)| ProfilePeriod::of(span, totals)),
            hours: profile.hours,
            pages: profile.pages.top.into_iter().map(ProfilePage::from).collect(),
            distinct_pages: profile.pages.distinct,
            sources: profile.sources.top.iter().map(|used| ProfileSource::of(zone, used)).collect(),
            distinct_sources: profile.sources.distinct,
            types: profile.kinds.top.into_iter().map(ProfileType::from).collect(),
            distinct_types: profile.kinds.distinct,
        }
    }

    fn sample() -> Value {
        let at = |text: &str| text.to_owned();
        let mut hours = [[0; 24]; 7];
        if let [monday, ..] = &mut hours
            && let [_, _, _, _, _, _, _, _, eight, nine, ..] = monday
        {
            (*eight, *nine) = (12, 30);
        }
        let source = ProfileSource {
            source: Some(IpAddr::from([203, 0, 113, 7])),
            events: 45,
            failed_events: 3,
            first_seen: at("2026-01-05T08:12:00+09:00"),
            last_seen: at("2026-01-26T09:48:00+09:00"),
        };
        json!(Self {
            user_id: at("u-4711"),
            timezone: "Asia/Tokyo",
            first_seen: Some(at("2025-04-01T10:00:00+09:00")),
            last_seen: Some(at("2026-01-26T09:48:00+09:00")),
            current: ProfilePeriod {
                start: at("2025-11-03T00:00:00+09:00"),
                end: at("2026-02-01T00:00:00+09:00"),
                totals: ProfileTotalsView { events: 45, failed_events: 3, active_days: 4 },
            },
            previous: None,
            hours,
            pages: vec![ProfilePage { page: at("/invoices"), views: 38 }],
            distinct_pages: 1,
            sources: vec![source],
            distinct_sources: 1,
            types: vec![
                ProfileType { r#type: at("page_load"), events: 38 },
                ProfileType { r#type: at("login_success"), events: 4 },
                ProfileType { r#type: at("login_fail"), events: 3 },
            ],
            distinct_types: 3,
        })
    }
}

/// The period of the profile.
#[derive(QueryParams)]
pub struct ProfileParams {
    /// The start of the range: this time, or the start of this local day. By default, the range covers the last 90 local days before its end and begins at a local midnight; the day of its last instant is one of them.
    #[param(schema = schemas::InstantOrDay, example = "2026-01-01")]
    from: Option<Edge>,
    /// The end of the range, exclusive: this time, or the end of this local day; default: now. It lies after `from`, at most 10 years later.
    #[param(schema = schemas::InstantOrDay, example = "2026-01-31")]
    to: Option<Edge>,
    #[param(flatten)]
    timezone: TimeZoneParam<ZoneOfDays>,
    #[param(flatten)]
    compare: CompareParam,
    #[param(flatten)]
    audience: AudienceParams,
}

impl ProfileParams {
    fn question(&self, user: UserId, now: Timestamp) -> Result<ProfileQuestion> {
        let mut span = Span::of(self.timezone.zone(), self.from, self.to, now)?;
        if self.from.is_none() {
            span = span.over(span.last_days(DEFAULT_DAYS));
        }
        let previous = self.compare.compare().then(|| span.previous(Granularity::Day));
        Ok(ProfileQuestion { user, span, previous })
    }
}

/// Get a user's profile: first and last event, numbers of events, usual hours, pages, source addresses and event types.
///
/// Every caller that may list events may get profiles. All numbers are exact and come from one snapshot. A user without
/// events, known or not, has a profile of zeros. A profile never includes the server's own audit trail.
#[operation(get, "/v1/analytics/users/{user_id}/profile", tag = "analytics",
    responses((status = 200, description = "The profile.", body = ProfileView), CommonProblems, TenantNotFound))]
pub async fn get_profile(
    caller: Caller<ReadUserActivity, Native>,
    FromPath(path): FromPath<UserPath>,
    FromQuery(params): FromQuery<ProfileParams>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let question = params.question(path.user_id, state.clock().now())?;
    let audience = params.audience.audience(&state, &caller.principal)?;
    let view = blocking::run_analytic(&state, move |state| {
        profile(state.store(), &question, &audience).map(|profile| ProfileView::of(&question, profile))
    })
    .await?;
    Ok(HttpResponse::Ok().json(view))
}
