//! `GET /users/events`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use trailkeeper_auth::{Access, Principal};
use trailkeeper_domain::Result;
use trailkeeper_domain::cursor::{self, Paged};
use trailkeeper_domain::event::{EventFilter, StoredEvent, Values};
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::usecase::user_by_email;
use trailkeeper_domain::user::{PoolId, User};
use trailkeeper_domain::visibility::Visibility;
use utoipa::ToSchema;

use super::auth_event::AuthEvent;
use super::error_responses::{ErrorResponses, UserErrorResponses};
use super::pools::PoolChoice;
use super::user_view::UserView;
use super::values::MAX_EVENTS;
use super::vocabulary::{AuthEventType, EventResponse, kinds_of};
use super::{pools, values};
use crate::api_error::ApiResult;
use crate::blocking;
use crate::cursors::{List, ListPosition, NextCursor};
use crate::error_formats::Cripsa;
use crate::extract::caller::{Caller, ReadEvents};
use crate::operation::{FromQuery, Limit, QueryParams, operation};
use crate::state::AppState;
use crate::timezone::TimeZoneParam;

const TOKEN: &str = "next_token";

/// The user and the filters of the events.
#[derive(QueryParams)]
pub struct UserEventsParams {
    /// The user's e-mail address. Upper and lower case are the same.
    #[param(schema = values::Email, inline, example = "jane@example.com", with = pools::email)]
    email: String,
    /// The first local day or instant: YYYY-MM-DD or RFC 3339.
    #[param(schema = values::DayOrInstant, inline, example = "2026-01-01")]
    start_date: String,
    /// The last local day or instant, included: YYYY-MM-DD or RFC 3339.
    #[param(schema = values::DayOrInstant, inline, example = "2026-01-31")]
    end_date: String,
    #[param(flatten)]
    timezone: TimeZoneParam<pools::ZoneOfDays>,
    /// Only events of this type.
    #[param(schema = values::EventTypeName, inline, example = "SignIn", with = AuthEventType::parse)]
    login_event: Option<AuthEventType>,
    /// Only events with this outcome. No event is in progress: the server records only completed events.
    #[param(schema = values::EventResponseName, inline, example = "Fail", with = EventResponse::parse)]
    event_response: Option<EventResponse>,
    /// The user's region. It is needed if the e-mail address is in several regions.
    #[param(schema = values::Region, inline, example = "eu-west-1")]
    region: Option<String>,
    /// The user's pool. It is needed if the e-mail address is in several pools.
    #[param(schema = values::UserPoolId, inline, example = "eu-west-1_aBcD12345")]
    user_pool_id: Option<PoolId>,
    /// The largest number of events; default: 60.
    #[param(schema = values::Limit, inline, example = 60)]
    limit: Option<Limit<MAX_EVENTS>>,
    /// The `next_token` of the previous page.
    #[param(schema = values::NextToken, inline)]
    next_token: Option<String>,
}

/// The question of a request.
struct Question {
    email: String,
    choice: PoolChoice,
    visibility: Visibility,
    range: TimeRange,
    login_event: Option<AuthEventType>,
    response: Option<EventResponse>,
    limit: usize,
    position: ListPosition,
}

impl Question {
    fn of(params: UserEventsParams, caller: &Principal) -> Result<Self> {
        Ok(Self {
            email: params.email,
            choice: PoolChoice::of(params.region, params.user_pool_id)?,
            visibility: caller.visibility(),
            range: pools::range_of(params.timezone.zone(), &params.start_date, &params.end_date)?,
            login_event: params.login_event,
            response: params.event_response,
            limit: params.limit.map_or(MAX_EVENTS, |limit| limit.0),
            position: ListPosition::new(params.next_token, TOKEN, List::AuthEvents, caller),
        })
    }

    /// The user, and a page of their events, of one snapshot.
    fn answer(&self, store: &dyn Store, access: &Access) -> Result<(User, Vec<StoredEvent>, NextCursor)> {
        let after = self.position.opened(access)?.map(|token| cursor::to_event(TOKEN, &token)).transpose()?;
        let (user, page) = store.reading(|tx| {
            let PoolChoice { region, pool } = self.choice.clone();
            let user = user_by_email(tx, self.visibility, &self.email, region, pool)?;
            let events = match self.filter(&user) {
                Some(filter) => tx.events(&filter, after, self.limit + 1)?,
                None => Vec::new(),
            };
            Ok((user, Paged::cut(events, self.limit, |event| cursor::of_event(event.position()))))
        })?;
        Ok((user, page.items, self.position.next(access, page.next)?))
    }

    /// `None` where no event can match.
    fn filter(&self, user: &User) -> Option<EventFilter> {
        let failed = match self.response {
            None => None,
            Some(EventResponse::Pass) => Some(false),
            Some(EventResponse::Fail) => Some(true),
            Some(EventResponse::InProgress) => return None,
        };
        Some(EventFilter {
            user_id: Values::only(user.id.clone()),
            kind: Values::any_of(kinds_of(self.login_event)),
            failed,
            from: Some(self.range.start),
            until: Some(self.range.end),
            ..EventFilter::within(self.visibility)
        })
    }
}

/// A user and a page of their events.
#[derive(Serialize, ToSchema)]
pub struct UserEvents {
    /// The user.
    user: UserView,
    /// The events, newest first.
    events: Vec<AuthEvent>,
    /// The token of the next page; left out on the last page.
    #[serde(skip_serializing_if = "NextCursor::is_last")]
    #[schema(nullable = false, value_type = Option<String>)]
    next_token: NextCursor,
}

impl UserEvents {
    fn sample() -> Self {
        Self {
            user: UserView::sample(),
            events: vec![AuthEvent::sample()],
            next_token: NextCursor::sample("e313736393836303830303030303030302e3432"),
        }
    }
}

/// Retrieve User Details Within Specified Date Ranges
///
/// Returns the user with this e-mail address, and the logins, registrations, changes of password and requests for codes
/// of the range, newest first. For the next page, send `next_token` with all other parameters unchanged. A credential
/// that is scoped to a tenant sees only members of the tenant, and only events of the tenant.
#[operation(get, "/users/events", operation_id = "GetUserEvents", tag = "users",
    responses(
        (status = 200, description = "The user and their events.", body = UserEvents,
            example = json!(UserEvents::sample())),
        ErrorResponses,
        UserErrorResponses,
    ))]
pub async fn get_user_events(
    caller: Caller<ReadEvents, Cripsa>,
    FromQuery(params): FromQuery<UserEventsParams>,
    state: Data<AppState>,
) -> ApiResult<Cripsa> {
    let question = Question::of(params, &caller.principal)?;
    let (user, events, next_token) =
        blocking::run(&state, move |state| question.answer(state.store(), state.access())).await?;
    Ok(HttpResponse::Ok().json(UserEvents {
        user: UserView::from(user),
        events: events.into_iter().map(AuthEvent::of).collect::<Result<_>>()?,
        next_token,
    }))
}
