//! Accounts of the native API.

mod effects;
mod manage;
mod own;
