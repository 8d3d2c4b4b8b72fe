//! The HTTP API, from outside.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking, helpers included")]

mod access;
mod audit;
mod connection;
mod cripsa;
mod limits;
mod native;
mod octopai;
mod openapi;
mod ops;
mod saasus;
mod support;
