//! The OpenAPI documents.

mod documents;
mod examples;
mod generators;
