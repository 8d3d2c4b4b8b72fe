//! Query parameters of a request.

use std::ops::Deref;

use actix_web::HttpRequest;
use trailkeeper_domain::Result;
use trailkeeper_parsers::query;

/// The query parameters of a request, in the order sent.
pub struct Query(query::Query);

impl Query {
    /// The query parameters of a request.
    pub fn of(request: &HttpRequest) -> Result<Self> {
        query::Query::parse(request.query_string()).map(Self)
    }

    /// Reads `name!=value` as `name_not=value`, if `name_not` is among `known`.
    pub fn with_negations(self, known: &[&str]) -> Self {
        Self(self.0.with_negations(known))
    }

    /// Rejects parameters that are not among `known`.
    pub fn only(self, known: &[&str]) -> Result<Self> {
        self.0.only(known).map(Self)
    }

    /// The parameters of a request that are among `names`, as pairs of name and value, with negations under their own names.
    pub fn declared(request: &HttpRequest, names: &[&str]) -> Result<Vec<(String, String)>> {
        let pairs = Self::of(request)?.with_negations(names).0.into_pairs();
        Ok(pairs.into_iter().filter(|(name, _)| names.contains(&name.as_str())).collect())
    }
}

impl Deref for Query {
    type Target = query::Query;

    fn deref(&self) -> &query::Query {
        &self.0
    }
}
