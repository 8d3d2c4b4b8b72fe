//! From requests to typed values: who asks, from where, what.

pub mod anyone;
pub mod body;
pub mod caller;
pub mod credential;
pub mod forwarded;
pub mod origin;
pub mod path;
pub mod query;
pub mod tenancy;

impl query::Query {
    /// The query parameters of a request.
    pub fn of(request: &actix_web::HttpRequest) -> trailkeeper_domain::Result<Self> {
        Self::parse(request.query_string())
    }
}
