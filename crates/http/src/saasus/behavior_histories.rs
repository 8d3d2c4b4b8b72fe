//! `GET /users/{user_id}/behavior-histories`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use trailkeeper_analytics::question::behavior::{DailyBehavior, behaviors};
use trailkeeper_analytics::{Audience, Zone};
use trailkeeper_domain::id::UserId;
use utoipa::ToSchema;

use super::error_responses::ErrorResponses;
use super::user_behavior_day::UserBehaviorHistory;
use super::values;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Saasus;
use crate::extract::caller::{ReadUserActivity, SaasusCaller};
use crate::operation::{FromPath, FromQuery, PathParams, QueryParams, operation};
use crate::state::AppState;
use crate::timezone::{TimeZoneParam, ZoneMeaning};

/// The user that a path names.
#[derive(PathParams)]
pub struct UserPath {
    /// User ID
    #[param(schema = values::UserId, inline, example = "f94bfffc-8be2-11ec-b41a-0242ac120004")]
    user_id: UserId,
}

/// The pages that a user was on, by day.
#[derive(Serialize, ToSchema)]
pub struct UserBehaviorHistories {
    /// The days, ascending. Days without any page are left out.
    histories: Vec<DailyBehaviorHistory>,
}

/// The days of a history.
#[derive(QueryParams)]
pub struct BehaviorHistoriesParams {
    #[param(flatten)]
    timezone: TimeZoneParam<ZoneOfHistory>,
}

/// The time zone of the days of a history.
struct ZoneOfHistory;

impl ZoneMeaning for ZoneOfHistory {
    const DESCRIPTION: &'static str = "The IANA time zone of the days; default: UTC.";
    const IS_INLINE: bool = true;
}

/// The pages that a user was on in one day.
#[derive(Serialize, ToSchema)]
pub struct DailyBehaviorHistory {
    /// The local day, as the UNIX seconds of its beginning.
    #[schema(value_type = values::Seconds, inline)]
    behaved_at: i64,
    /// The pages by time, ascending.
    histories: Vec<UserBehaviorHistory>,
}

impl DailyBehaviorHistory {
    fn of(zone: Zone, day: DailyBehavior) -> Self {
        let histories = day.behaviors.into_iter();
        Self {
            behaved_at: zone.start_of(day.day).timestamp(),
            histories: histories
                .map(|behavior| UserBehaviorHistory { timestamp: behavior.at.timestamp(), referer: behavior.page })
                .collect(),
        }
    }
}

impl UserBehaviorHistories {
    fn sample() -> Self {
        let history = UserBehaviorHistory { timestamp: 1_640_998_800, referer: "/users?action=delete_user".to_owned() };
        Self { histories: vec![DailyBehaviorHistory { behaved_at: 1_640_995_200, histories: vec![history] }] }
    }
}

/// Acquisition of user behavior history
///
/// Obtain user activity history for the past month.
///
/// Returns every page load and every userinfo call that carried a page, from the same time one calendar month ago until
/// now, by local day. An unknown user has an empty history.
#[operation(get, "/users/{user_id}/behavior-histories", operation_id = "GetUserBehaviorHistories",
    tag = "userAnalysis",
    responses(
        (status = 200, description = "The user's history.", body = UserBehaviorHistories,
            example = json!(UserBehaviorHistories::sample())),
        ErrorResponses,
    ))]
pub async fn get_behavior_histories(
    caller: SaasusCaller<ReadUserActivity>,
    FromPath(path): FromPath<UserPath>,
    FromQuery(params): FromQuery<BehaviorHistoriesParams>,
    state: Data<AppState>,
) -> ApiResult<Saasus> {
    let audience = Audience::of(caller.principal.visibility(), None, None)?;
    let zone = params.timezone.zone();
    let days = blocking::run_analytic(&state, move |state| {
        behaviors(state.store(), state.clock(), &path.user_id, zone, &audience)
    })
    .await?;
    let histories = days.into_iter().map(|day| DailyBehaviorHistory::of(zone, day)).collect();
    Ok(HttpResponse::Ok().json(UserBehaviorHistories { histories }))
}
