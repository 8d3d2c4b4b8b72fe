//! The value types of this contract as its document describes them.

use trailkeeper_domain::user::{MAX_ATTRIBUTE_NAME, MAX_ATTRIBUTE_VALUE, UserStatus};
use utoipa::openapi::KnownFormat;

use super::vocabulary::{AuthEventType, EventResponse};
use crate::documented::instants::day_or_instant;
use crate::documented::{formatted, integer, lines, one_of, patterned, text, values};

/// The largest number of events in a page, and the default if the caller sends none (as Cognito).
pub const MAX_EVENTS: usize = 60;

values! {
    /// An e-mail address.
    Email = patterned(r"^[^\s@\x00-\x1F\x7F-\x9F]+@[^\s\x00-\x1F\x7F-\x9F]+$", 3, 320);
    /// A region of an identity provider.
    Region = patterned("^[A-Za-z0-9_-]{1,32}$", 1, 32);
    /// A user pool's id.
    UserPoolId = patterned("^[A-Za-z0-9_-]+_[0-9A-Za-z]+$", 3, 55);
    /// A day or an instant, from 1970 on.
    DayOrInstant = day_or_instant();
    /// An instant.
    Instant = formatted(KnownFormat::DateTime);
    /// The type of an event.
    EventTypeName = one_of(AuthEventType::ALL.map(AuthEventType::as_str));
    /// The outcome of an event.
    EventResponseName = one_of(EventResponse::ALL.map(EventResponse::as_str));
    /// The status of a user account.
    UserStatusName = one_of(UserStatus::ALL.map(UserStatus::as_str));
    /// The name of an attribute.
    AttributeName = text(1, MAX_ATTRIBUTE_NAME);
    /// The value of an attribute.
    AttributeValue = lines(0, MAX_ATTRIBUTE_VALUE);
    /// The largest number of events that a page may have.
    Limit = integer(KnownFormat::Int32, 1, i64::try_from(MAX_EVENTS).unwrap_or(i64::MAX));
    /// The cursor of the next page, as the previous page returned it.
    NextToken = patterned("^(e(3[0-9]){1,16}2e(3[0-9]){1,18}|x[0-9a-f]{216})$", 7, 217);
}
