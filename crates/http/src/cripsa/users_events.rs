//! `GET /users/events`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use trailkeeper_auth::{Access, Principal};
use trailkeeper_domain::Result;
use trailkeeper_domain::cursor::{self, Paged};
use trailkeeper_domain::event::{EventFilter, StoredEvent};
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::usecase::user_by_email;
use trailkeeper_domain::user::{PoolId, User};
use trailkeeper_domain::visibility::Visibility;
use utoipa::ToSchema;

use super::auth_event::AuthEvent;
use super::error_responses::{ErrorResponses, UserErrorResponses};
use super::user_view::UserView;
use super::vocabulary::{AuthEventType, EventResponse, kinds_of};
use super::{pools, values};
use crate::api_error::ApiResult;
use crate::blocking;
use crate::cursors::{List, ListPosition, NextCursor};
use crate::error_formats::Cripsa;
use crate::extract::caller::{Caller, ReadEvents};
use crate::extract::query::Query;
use crate::state::AppState;

/// The most events in a page, and how many it has where the caller does not say (as Cognito).
pub const MAX_EVENTS: usize = 60;

const TOKEN: &str = "next_token";

const PARAMETERS: [&str; 9] =
    ["email", "start_date", "end_date", "login_event", "event_response", "region", "user_pool_id", "limit", TOKEN];

/// Whose events are asked for, and which.
struct Question {
    email: String,
    region: Option<String>,
    pool: Option<PoolId>,
    visibility: Visibility,
    range: TimeRange,
    login_event: Option<AuthEventType>,
    response: Option<EventResponse>,
    limit: usize,
    position: ListPosition,
}

impl Question {
    fn of(query: &Query, caller: &Principal) -> Result<Self> {
        let email = pools::email_in(query)?.to_owned();
        let (region, pool) = pools::pool_of(query)?;
        let login_event = query.optional("login_event")?;
        let response = query.optional("event_response")?;
        Ok(Self {
            email,
            region,
            pool,
            visibility: caller.visibility(),
            range: pools::range_of(query)?,
            login_event: login_event.map(|event| AuthEventType::parse("login_event", event)).transpose()?,
            response: response.map(|response| EventResponse::parse("event_response", response)).transpose()?,
            limit: query.limit(MAX_EVENTS, MAX_EVENTS)?,
            position: ListPosition::of(query, TOKEN, List::AuthEvents, caller)?,
        })
    }

    /// The user, and a page of their events, of one snapshot.
    fn answer(&self, store: &dyn Store, access: &Access) -> Result<(User, Vec<StoredEvent>, NextCursor)> {
        let after = self.position.opened(access)?.map(|token| cursor::to_event(TOKEN, &token)).transpose()?;
        let (user, page) = store.reading(|tx| {
            let user = user_by_email(tx, self.visibility, &self.email, self.region.clone(), self.pool.clone())?;
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
            user_id: Some(user.id.clone()),
            kinds: kinds_of(self.login_event),
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
    /// Newest first.
    events: Vec<AuthEvent>,
    /// Where the list goes on; left out on the last page.
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
/// The user with this e-mail address, and the logins, registrations, changes of password and requests
/// for codes of the range, newest first. Pass `next_token` on, with everything else unchanged, for the
/// next page. With a credential that is confined to a tenant: a member of it, and its events alone.
#[utoipa::path(
    get, path = "/users/events", operation_id = "GetUserEvents", tag = "users",
    params(
        ("email" = inline(values::Email), Query, description = "The user's e-mail address, in any case.",
            example = "jane@example.com"),
        ("start_date" = inline(values::DayOrInstant), Query, example = "2026-01-01",
            description = "The first day or instant: YYYY-MM-DD or RFC 3339."),
        ("end_date" = inline(values::DayOrInstant), Query, example = "2026-01-31",
            description = "The last day or instant, included: YYYY-MM-DD or RFC 3339."),
        ("login_event" = inline(Option<values::EventTypeName>), Query, description = "Only events of this type.",
            example = "SignIn"),
        ("event_response" = inline(Option<values::EventResponseName>), Query, example = "Fail",
            description = "Only events that ended so. No event is in progress: events are facts."),
        ("region" = inline(Option<values::Region>), Query, example = "eu-west-1",
            description = "The user's region, where the e-mail address is in several."),
        ("user_pool_id" = inline(Option<values::UserPoolId>), Query, example = "eu-west-1_aBcD12345",
            description = "The user's pool, where the e-mail address is in several."),
        ("limit" = inline(Option<values::Limit>), Query, description = "At most so many events; 60 by default.",
            example = 60),
        ("next_token" = inline(Option<values::NextToken>), Query,
            description = "Where the list goes on: `next_token` of the page before."),
    ),
    responses(
        (status = 200, description = "The user and their events.", body = UserEvents,
            example = json!(UserEvents::sample())),
        ErrorResponses,
        UserErrorResponses,
    ),
    security(("Bearer" = [])),
)]
pub async fn list(
    caller: Caller<ReadEvents, Cripsa>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Cripsa> {
    let query = Query::of(&request)?.only(&PARAMETERS)?;
    let question = Question::of(&query, &caller.principal)?;
    let (user, events, next_token) =
        blocking::run(&state, move |state| question.answer(state.store(), state.access())).await?;
    Ok(HttpResponse::Ok().json(UserEvents {
        user: UserView::from(user),
        events: events.into_iter().map(AuthEvent::of).collect::<Result<_>>()?,
        next_token,
    }))
}
