//! Access control: passwords, access tokens, sessions, API tokens, request signatures, roles.
//!
//! This crate makes decisions only; it knows no HTTP and no database. [`Access`] is the service that the server and the
//! command line use. The other modules are its parts; each can be tested without a store.
//!
//! No secret is stored in plain text: passwords are stored as bcrypt hashes and tokens as SHA-256 hashes. The
//! secrets that must be readable again are sealed with the [`MasterKey`], which lies outside the database: signing keys,
//! the private keys of access tokens, the key of the cursors of the feed, and the secrets of streams.

mod access;
mod account_change;
mod accounts;
mod api_tokens;
pub mod audit;
mod authenticate;
mod common_passwords;
mod cursor_key;
mod entropy;
mod feed_cursor;
mod hex;
mod housekeeping;
pub mod jwt;
mod listing;
mod login;
mod master;
mod master_keys;
mod own_password;
pub mod password;
mod permission;
mod reading;
mod refresh;
mod reseal;
mod retention;
mod sealed_cursor;
mod sessions;
mod sha256;
pub mod signature;
mod signing_keys;
mod stream_progress;
mod stream_secret;
mod streams;
mod successor;
mod throttle;
mod token;
mod token_cache;
mod token_keys;

pub use access::{Access, AccessSettings};
pub use account_change::AccountChange;
pub use accounts::NewAccount;
pub use api_tokens::{NewToken, TokenChange};
pub use audit::{AuditContext, Origin};
pub use entropy::SystemEntropy;
pub use feed_cursor::FeedSealer;
pub use housekeeping::Housekept;
pub use login::LoggedIn;
pub use master::MasterKey;
pub use master_keys::{MasterKeyPair, MasterKeySource, MasterKeys};
pub use permission::{Permission, Principal, PrincipalKind};
pub use retention::RetentionChanges;
pub use signature::SignedRequest;
pub use signing_keys::NewSigningKey;
pub use stream_progress::StreamStep;
pub use stream_secret::StreamSecret;
pub use streams::StreamChange;
pub use token::{PlainSecret, PlainToken, TokenHash, TokenKind};
pub use token_keys::{OldKeys, RotatedTokenKey, TokenKeyInfo};
