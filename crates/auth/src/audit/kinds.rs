//! Types of the events of the system tenant. `docs/glossary.md` describes each.

/// A server started.
pub const SERVER_START: &str = "server_start";
/// The command line imported a file or demo data.
pub const IMPORT: &str = "import";
/// The command line exported events or records into a file.
pub const EXPORT: &str = "export";
/// The command line rebuilt all sheets from the events.
pub const SHEETS_REBUILD: &str = "sheets_rebuild";
/// The command line wrote a backup of a SQLite database.
pub const BACKUP: &str = "backup";
/// The command line restored this database from a backup.
pub const RESTORE: &str = "restore";
/// A rule of retention was made, changed or removed.
pub const RETENTION_CHANGE: &str = "retention_change";
/// Events were removed by rules of retention.
pub const RETENTION_RUN: &str = "retention_run";
/// A legal hold was placed.
pub const HOLD_PLACE: &str = "hold_place";
/// A legal hold was lifted.
pub const HOLD_LIFT: &str = "hold_lift";
/// The server refused a person an operation that has no audit category.
pub const ACCESS_DENIED: &str = "access_denied";

/// Failed logins begin to delay further ones. Recorded when a delay begins, not for each attempt that it refuses.
pub(crate) const LOGIN_BLOCKED: &str = "login_blocked";
/// A spent refresh token got a second successor, because its first one was never used.
pub(crate) const REFRESH_TOKEN_REISSUE: &str = "refresh_token_reissue";
/// A refresh token was used again that must not be; its session was ended.
pub(crate) const REFRESH_TOKEN_REUSE: &str = "refresh_token_reuse";
/// Someone other than its own account ended a session.
pub(crate) const SESSION_END: &str = "session_end";

pub(crate) const ACCOUNT_CREATE: &str = "account_create";
pub(crate) const ACCOUNT_CHANGE: &str = "account_change";
pub(crate) const ACCOUNT_DELETE: &str = "account_delete";
pub(crate) const ACCOUNT_PASSWORD_CHANGE: &str = "account_password_change";
pub(crate) const ACCOUNT_DISABLE: &str = "account_disable";
pub(crate) const ACCOUNT_ENABLE: &str = "account_enable";
pub(crate) const TOKEN_CREATE: &str = "token_create";
pub(crate) const TOKEN_CHANGE: &str = "token_change";
pub(crate) const TOKEN_REVOKE: &str = "token_revoke";
pub(crate) const SIGNING_KEY_CREATE: &str = "signing_key_create";
pub(crate) const SIGNING_KEY_CHANGE: &str = "signing_key_change";
pub(crate) const SIGNING_KEY_REVOKE: &str = "signing_key_revoke";
pub(crate) const STREAM_CREATE: &str = "stream_create";
pub(crate) const STREAM_CHANGE: &str = "stream_change";
pub(crate) const STREAM_DELETE: &str = "stream_delete";
pub(crate) const STREAM_SECRET_ROTATE: &str = "stream_secret_rotate";
pub(crate) const TOKEN_KEY_ROTATE: &str = "token_key_rotate";
pub(crate) const MASTER_KEY_ROTATE: &str = "master_key_rotate";
