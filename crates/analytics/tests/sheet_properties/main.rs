//! Compares sheets with a recount by ordinary maps and sets.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod algebra;
mod cover;
mod facts;
mod fold;
mod payload;
