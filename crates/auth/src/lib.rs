//! Who may do what: passwords, access tokens, refresh families, API tokens, request signatures, roles.
//!
//! Decisions only: no HTTP types, no database. [`Access`] is the one service that the server and the
//! command line use; the modules beside it are its parts, each of which can be tested without a store.
//!
//! What opens a door is never stored: passwords as bcrypt hashes, tokens as SHA-256, and the two kinds of
//! secrets that must be readable again (signing keys, the key pair of access tokens) sealed with the
//! [`MasterKey`], which lies outside the database.

mod access;
mod accounts;
mod authenticate;
mod credentials;
mod entropy;
mod hex;
pub mod jwt;
mod listing;
mod login;
mod master;
pub mod password;
mod permission;
mod refresh;
mod remembered;
pub mod signature;
mod token;
mod trail;

pub use access::{Access, AccessSettings};
pub use accounts::NewAccount;
pub use credentials::{NewSigningKey, NewToken};
pub use entropy::SystemEntropy;
pub use login::LoggedIn;
pub use master::MasterKey;
pub use permission::{Permission, Principal, PrincipalKind};
pub use signature::SignedRequest;
pub use token::{PlainSecret, PlainToken, TokenHash, TokenKind};
pub use trail::Origin;
