//! The audit trail: actions on the server itself, as events of the system tenant.
//!
//! The event about a change is stored in the transaction of the change: the database has both, or neither.

mod changes;
mod context;
mod event;
mod kinds;
mod page;
mod request;
mod text;

/// Stores an audit event in the transaction of the action that it is about.
pub(crate) use trailkeeper_domain::usecase::append;

pub(crate) use changes::{Changes, credential_metadata};
pub use context::{AuditContext, Origin};
pub use event::AuditEvent;
pub(crate) use event::{about_session, target};
pub use kinds::{ACCESS_DENIED, BACKUP, EXPORT, IMPORT, RESTORE, RETENTION_RUN, SERVER_START, SHEETS_REBUILD};
pub(crate) use kinds::{
    ACCOUNT_CHANGE, ACCOUNT_CREATE, ACCOUNT_DELETE, ACCOUNT_DISABLE, ACCOUNT_ENABLE, ACCOUNT_PASSWORD_CHANGE,
    LOGIN_BLOCKED, MASTER_KEY_ROTATE, REFRESH_TOKEN_REISSUE, REFRESH_TOKEN_REUSE, SESSION_END, SIGNING_KEY_CHANGE,
    SIGNING_KEY_CREATE, SIGNING_KEY_REVOKE, TOKEN_CHANGE, TOKEN_CREATE, TOKEN_KEY_ROTATE, TOKEN_REVOKE,
};
pub(crate) use kinds::{HOLD_LIFT, HOLD_PLACE, RETENTION_CHANGE};
pub(crate) use kinds::{STREAM_CHANGE, STREAM_CREATE, STREAM_DELETE, STREAM_SECRET_ROTATE};
pub use request::{AuditCategory, Ended, Request};
pub(crate) use text::cleaned;
