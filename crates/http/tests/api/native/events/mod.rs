//! Events of the native API: recording, lists and pages.

mod bodies;
mod filters;
mod pages;
mod record;
mod source;
