//! The filters that lists, counts and histograms of events share.

use trailkeeper_analytics::Edge;
use trailkeeper_auth::Principal;
use trailkeeper_domain::address::AddressRange;
use trailkeeper_domain::event::{EventFilter, EventKind, Outcome, Values};
use trailkeeper_domain::id::{EnvId, TenantId, UserId};
use trailkeeper_domain::page::MAX_PAGE;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Result, text};

use crate::native::schemas;
use crate::operation::{QueryParams, repeated};
use crate::state::AppState;
use crate::timezone::{TimeZoneParam, ZoneMeaning};

/// The conditions on the fields of events.
///
/// Values that cannot contain a comma may be joined by commas. The others are repeated parameters.
#[derive(QueryParams)]
pub struct EventConditions {
    /// Only events of this tenant.
    #[param(schema = schemas::TenantId)]
    tenant_id: Option<TenantId>,
    /// Only events of these environments: a repeated parameter, or one that is joined by commas.
    #[param(schema = schemas::EnvId, min_items = 1, max_items = 50)]
    env_id: Vec<EnvId>,
    /// No events of these environments. `env_id!=1` is the same as `env_id_not=1`; every other negation can be written
    /// so, too.
    #[param(schema = schemas::EnvId, min_items = 1, max_items = 50)]
    env_id_not: Vec<EnvId>,
    /// Only events of these users: a repeated parameter.
    #[param(schema = schemas::UserId, min_items = 1, max_items = 50, list = repeated)]
    user_id: Vec<UserId>,
    /// No events of these users. Events without a user stay.
    #[param(schema = schemas::UserId, min_items = 1, max_items = 50, list = repeated)]
    user_id_not: Vec<UserId>,
    /// Only events of these types: a repeated parameter, or one that is joined by commas.
    #[param(schema = schemas::EventType, min_items = 1, max_items = 50)]
    r#type: Vec<EventKind>,
    /// No events of these types: `type!=page_load` is the same as `type_not=page_load`.
    #[param(schema = schemas::EventType, min_items = 1, max_items = 50)]
    type_not: Vec<EventKind>,
    /// Only events with these outcomes: a repeated parameter, or one that is joined by commas.
    #[param(schema = schemas::EventOutcome, min_items = 1, max_items = 50)]
    outcome: Vec<Outcome>,
    /// No events with these outcomes.
    #[param(schema = schemas::EventOutcome, min_items = 1, max_items = 50)]
    outcome_not: Vec<Outcome>,
    /// Only events from these addresses or networks: a repeated parameter.
    #[param(schema = schemas::AddressOrNetwork, min_items = 1, max_items = 50, list = repeated)]
    source: Vec<AddressRange>,
    /// No events from these addresses or networks. Events without a source stay.
    #[param(schema = schemas::AddressOrNetwork, min_items = 1, max_items = 50, list = repeated)]
    source_not: Vec<AddressRange>,
    /// Only events on these pages (a repeated parameter), as statistics group pages: spellings of one URL are one page (`/caf%C3%A9` and `/café`). Queries and routes in fragments count only if the server is set to keep them.
    #[param(schema = schemas::Page, with = page, min_items = 1, max_items = 50, list = repeated)]
    page: Vec<String>,
    /// No events on these pages. Events without a page stay.
    #[param(schema = schemas::Page, with = page, min_items = 1, max_items = 50, list = repeated)]
    page_not: Vec<String>,
    /// Only events of these sessions of the application: a repeated parameter.
    #[param(schema = schemas::SessionId, with = session, min_items = 1, max_items = 50, list = repeated)]
    session_id: Vec<String>,
    /// No events of these sessions of the application. Events without a session stay.
    #[param(schema = schemas::SessionId, with = session, min_items = 1, max_items = 50, list = repeated)]
    session_id_not: Vec<String>,
    /// Only events on objects of these types: a repeated parameter. If neither `tenant_id`, `user_id`, single addresses as `source` nor the credential's tenant narrows the question, it looks at most 31 days back from `to` (from now, if `to` is absent or in the future): that is the default of `from`, and an earlier `from` is refused (400).
    #[param(schema = schemas::TargetType, with = target_type, min_items = 1, max_items = 50, list = repeated)]
    target_type: Vec<String>,
    /// No events on objects of these types. Events on no object, or on one without a type, stay. The question looks back as far as with `target_type`.
    #[param(schema = schemas::TargetType, with = target_type, min_items = 1, max_items = 50, list = repeated)]
    target_type_not: Vec<String>,
    /// Only events on the objects with these ids: a repeated parameter. The question looks back as far as with `target_type`.
    #[param(schema = schemas::TargetText, with = target_id, min_items = 1, max_items = 50, list = repeated)]
    target_id: Vec<String>,
    /// No events on the objects with these ids. Events on no object, or on one without an id, stay. The question looks back as far as with `target_type`.
    #[param(schema = schemas::TargetText, with = target_id, min_items = 1, max_items = 50, list = repeated)]
    target_id_not: Vec<String>,
}

impl EventConditions {
    /// The filter of the caller's question, in this range.
    pub fn filter(
        self,
        caller: &Principal,
        state: &AppState,
        (from, until): (Option<Timestamp>, Option<Timestamp>),
    ) -> Result<EventFilter> {
        let filter = EventFilter {
            env_id: Values { any_of: self.env_id, none_of: self.env_id_not },
            user_id: Values { any_of: self.user_id, none_of: self.user_id_not },
            kind: Values { any_of: self.r#type, none_of: self.type_not },
            outcome: Values { any_of: self.outcome, none_of: self.outcome_not },
            source: Values { any_of: self.source, none_of: self.source_not },
            page: Values { any_of: self.page, none_of: self.page_not },
            session_id: Values { any_of: self.session_id, none_of: self.session_id_not },
            target_type: Values { any_of: self.target_type, none_of: self.target_type_not },
            target_id: Values { any_of: self.target_id, none_of: self.target_id_not },
            from,
            until,
            ..EventFilter::within(caller.visibility().narrow(self.tenant_id)?)
        };
        filter.bounded(state.clock().now())
    }
}

/// The filters of a list of events, or of a number of all of them.
#[derive(QueryParams)]
pub struct EventFilterParams {
    #[param(flatten)]
    conditions: EventConditions,
    /// Only events at or after this time, or the start of this local day.
    #[param(schema = schemas::InstantOrDay, example = "2026-01-01")]
    from: Option<Edge>,
    /// Only events before this time, or the end of this local day. It lies after `from`.
    #[param(schema = schemas::InstantOrDay, example = "2026-01-31T12:00:00Z")]
    to: Option<Edge>,
    #[param(flatten)]
    timezone: TimeZoneParam<ZoneOfDays>,
}

impl EventFilterParams {
    /// The filter of the caller's question.
    pub fn filter(self, caller: &Principal, state: &AppState) -> Result<EventFilter> {
        let zone = self.timezone.zone();
        let range = (self.from.map(|from| from.start(zone)), self.to.map(|to| to.end(zone)));
        self.conditions.filter(caller, state, range)
    }
}

/// The time zone of the days of a list.
struct ZoneOfDays;

impl ZoneMeaning for ZoneOfDays {
    const DESCRIPTION: &'static str = "The IANA time zone of the days in `from` and `to`; default: UTC.";
    const IS_INLINE: bool = false;
}

fn page(name: &str, value: &str) -> Result<String> {
    text::checked(name, value, MAX_PAGE).map(|()| value.to_owned())
}

fn session(name: &str, value: &str) -> Result<String> {
    text::checked(name, value, 128).map(|()| value.to_owned())
}

fn target_type(name: &str, value: &str) -> Result<String> {
    text::checked(name, value, 64).map(|()| value.to_owned())
}

fn target_id(name: &str, value: &str) -> Result<String> {
    text::checked(name, value, 256).map(|()| value.to_owned())
}
