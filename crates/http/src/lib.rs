//! The HTTP server: three published contracts and the native API, one folder each.
//!
//! A handler reads the request, calls one use case on a blocking thread, and renders the answer. Errors are
//! [`trailkeeper_domain::Error`]; `api_error` gives them a status, `error_formats` a body. Each contract's `mod.rs`
//! registers its routes; each endpoint has its own file beside it.

mod acceptor;
mod api_error;
mod audit;
mod bearer_scheme;
mod blocking;
mod body_budget;
mod connection;
mod contract;
mod cripsa;
mod cursors;
mod documented;
mod documents;
mod error_formats;
mod extract;
mod follow;
mod keyed_locks;
mod limits;
mod login;
mod native;
mod octopai;
mod openapi;
mod operation;
mod ops;
mod problems;
mod readiness;
mod request;
mod saasus;
mod server;
mod settings;
mod state;
mod timezone;
mod tls;
mod trace;
mod validity;

pub use contract::Contract;
pub use limits::LimitSettings;
pub use openapi::{merged_json, openapi_json, operations};
pub use operation::{OperationInfo, Requirement};
pub use server::{configure, serve};
pub use settings::{ConnectionSettings, HttpSettings, MAX_BODY_BYTES, MAX_EVENTS};
pub use state::{AppState, Services};
pub use tls::{Tls, TlsError};
pub use trace::traced;
