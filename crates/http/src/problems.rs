//! The problems that operations of the native API answer, as the OpenAPI document describes them: status, codes and
//! description.

use utoipa::{IntoResponses, ToSchema};

use crate::documented::errors::{self, BODY, COMMON, Errors, Responses};
use crate::error_formats::{Native, Problem};

/// Declares types for `responses(…)` of operations. A later one replaces an earlier one of the same status.
macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $($status:literal [$($code:literal),+] $description:literal),+;)+) => {
        $(
            $(#[$doc])*
            pub struct $name;

            impl IntoResponses for $name {
                fn responses() -> Responses {
                    [$(problem(($status, &[$($code),+]), $description)),+].into_iter().collect()
                }
            }
        )+
    };
}

/// The problems of every operation that needs a credential.
pub struct CommonProblems;
/// The further problems of operations with a JSON object as their body.
pub struct BodyProblems;
/// The problems of operations that check a password or token in the body instead of a credential.
pub struct LoginProblems;

problems! {
    /// The problems of operations that need no credential and no body.
    PublicProblems =
        429 ["too_many_requests"] "Too many requests.",
        500 ["internal_error"] "The server failed; the reason is in its log.",
        503 ["unavailable", "overloaded"] "The database cannot serve now, or the server is overloaded.";
    /// The further problems of `POST /v1/events`.
    BatchProblems =
        400 ["invalid_parameter", "malformed_json", "not_an_object", "no_events", "invalid_gzip", "incomplete_body"]
            "The request as a whole is wrong. A wrong event is refused in its own result.",
        413 ["body_too_large", "too_many_events"] "The request is larger than a limit, which `detail` names.";
    /// The further problems of a change of the caller's password.
    PasswordProblems =
        403 ["permission_denied", "wrong_password"] "The credential does not allow this, or the current password is wrong.",
        429 ["too_many_requests", "too_many_attempts"] "Too many requests, or too many attempts with a wrong password.";
    /// The further problems of the feed and of streams of events.
    FeedProblems =
        410 ["cursor_expired"] "The cursor is of the database before it was restored or replaced.",
        503 ["unavailable", "overloaded", "stopping", "too_many_listeners"]
            "The database cannot serve now, or the server is overloaded or stopping, or too many requests wait for events.";
    /// The further problems of exports of events.
    ExportProblems =
        410 ["cursor_expired", "events_removed"]
            "The cursor is of the database before it was restored or replaced, or events behind it were removed since.",
        503 ["unavailable", "overloaded", "stopping", "too_many_exports"]
            "The database cannot serve now, or the server is overloaded or stopping, or too many exports run.";
    /// An unknown tenant, or one that the caller has no access to.
    TenantNotFound = 404 ["tenant_not_found"] "The tenant does not exist, or the credential may not see it.";
    /// An unknown user, or one that the caller has no access to.
    UserNotFound = 404 ["user_not_found"] "The user does not exist, or the credential may not see it.";
    /// An unknown event, or one of a tenant that the caller has no access to.
    EventNotFound =
        404 ["event_not_found", "tenant_not_found"] "There is no such event, or the credential may not see it.";
    /// An unknown membership, or one of a tenant that the caller has no access to.
    MembershipNotFound =
        404 ["membership_not_found", "tenant_not_found"] "There is no such membership, or the credential may not see it.";
    /// An unknown account.
    AccountNotFound = 404 ["account_not_found"] "There is no such account.";
    /// An unknown API token.
    TokenNotFound = 404 ["token_not_found"] "There is no such API token.";
    /// An unknown signing key.
    SigningKeyNotFound = 404 ["signing_key_not_found"] "There is no such signing key.";
    /// An unknown rule of retention.
    RuleNotFound = 404 ["rule_not_found"] "There is no such rule of retention.";
    /// An unknown legal hold.
    HoldNotFound = 404 ["hold_not_found"] "There is no such legal hold.";
    /// An unknown forwarding stream.
    StreamNotFound = 404 ["stream_not_found"] "There is no such stream.";
    /// A stream beyond the most.
    TooManyStreams = 409 ["too_many_streams"] "There are as many streams as there can be.";
    /// A cursor of another history of the database.
    CursorExpired = 410 ["cursor_expired"] "The cursor is of the database before it was restored or replaced.";
    /// A rule beyond the most.
    TooManyRules = 409 ["too_many_rules"] "There are as many rules as there can be.";
    /// A hold beyond the most.
    TooManyHolds = 409 ["too_many_holds"] "There are as many legal holds as there can be.";
    /// An unknown session, or one of another person.
    SessionNotFound = 404 ["session_not_found"] "There is no such session, or the caller may not see it.";
    /// Several events with one id.
    AmbiguousEvent = 409 ["ambiguous_event"] "Several tenants have an event with this id; send `tenant_id`.";
    /// A user's e-mail address that another user of the pool has.
    AliasExists = 409 ["alias_exists"] "Another user of the pool has this e-mail address.";
    /// An account's e-mail address that another account has.
    EmailTaken = 409 ["email_taken"] "Another account has this e-mail address.";
    /// An account that is the last administrator.
    LastAdministrator = 409 ["last_administrator"] "It is the last account with the role admin.";
    /// A change that contradicts the accounts.
    AccountConflict =
        409 ["email_taken", "last_administrator"] "Another account has this e-mail address, or it is the last account with the role admin.";
    /// A change of a token that has ended.
    TokenEnded = 409 ["token_revoked", "token_expired"] "The token is revoked or expired.";
    /// A change of a key that is revoked.
    SigningKeyRevoked = 409 ["signing_key_revoked"] "The key is revoked.";
}

impl IntoResponses for CommonProblems {
    fn responses() -> Responses {
        COMMON.into_iter().map(|errors| problem(errors, common(errors.0))).collect()
    }
}

impl IntoResponses for BodyProblems {
    fn responses() -> Responses {
        BODY.into_iter().map(|errors| problem(errors, common(errors.0))).collect()
    }
}

impl IntoResponses for LoginProblems {
    fn responses() -> Responses {
        let mut problems = CommonProblems::responses();
        problems.remove("403");
        problems.extend([
            problem((401, &["unauthorized"]), "The password or token that was sent is not valid."),
            problem(
                (429, &["too_many_requests", "too_many_attempts"]),
                "Too many requests, or too many failed logins.",
            ),
        ]);
        problems
    }
}

fn common(status: u16) -> &'static str {
    match status {
        400 => "The request is wrong; `field` names the parameter or field at fault.",
        401 => "There is no valid credential.",
        403 => "The credential does not allow this.",
        413 => "The request is larger than a limit, which `detail` names.",
        429 => "Too many requests.",
        503 => "The database cannot serve now, or the server is overloaded or stopping; nothing was stored.",
        _ => "The server failed; the reason is in its log.",
    }
}

fn problem(errors: Errors, description: &str) -> (String, utoipa::openapi::RefOr<utoipa::openapi::Response>) {
    errors::response::<Native>(&Problem::name(), errors, description)
}
