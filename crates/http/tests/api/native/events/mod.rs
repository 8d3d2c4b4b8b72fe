//! Events of the native API: recording, lists and pages.

mod bodies;
mod cloud_events;
mod days;
mod exact_metadata;
mod export;
mod feed;
mod filters;
mod lost_names;
mod numbers;
mod optional_fields;
mod pages;
mod record;
mod source;
