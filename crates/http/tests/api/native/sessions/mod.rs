//! Sessions of the native API.

mod others;
mod own;
