//! HTTP operations, each declared once.
//!
//! A handler with the attribute [`operation`] is a declaration. Method, path and texts are arguments of the attribute
//! and the handler's doc comment; the types of the handler's arguments give the rest. The declaration determines the
//! operation's route ([`routes`]), its entry in the OpenAPI document ([`document`]), the refusal of undeclared
//! parameters, the permission, the rate limit, the conditions that its audit event records, and its rows in the tables
//! that the tests check ([`OperationInfo`]).
//!
//! ```text
//! #[operation(get, "/v1/events", tag = "events", responses(…))]
//! pub async fn list_events(
//!     caller: Caller<ReadEvents, Native>,               permission, rate-limit group, audit category, error format
//!     FromQuery(params): FromQuery<EventListParams>,    names, schemas, reading, audit conditions
//!     state: Data<AppState>,
//! ) -> ApiResult<Native>
//! ```

mod access;
mod body;
mod call;
mod declaration;
pub mod document;
pub mod named_schema;
mod params;
pub mod routes;
#[cfg(test)]
mod tests;
mod values;

pub use access::{Access, AccessSpec, Requirement};
pub use body::{Body, BodyField, BodySpec, Patch, optional, patch, required, same_names};
pub use call::{Call, FromBody, FromCall, FromPath, FromQuery};
pub use declaration::{Declaration, Operation, OperationInfo};
pub use params::{Arity, ParamValue, Parameters, PathParams, PathValues, QueryParams, list, repeated};
pub use trailkeeper_http_macros::{Body, PathParams, QueryParams, operation};
pub use values::Limit;
pub(crate) use values::param_values;

pub use crate::request::query::Query;

/// Makes the list of declarations of these handlers: `operations![list::list_events, get::get_event]`.
macro_rules! operations {
    ($($handler:path),* $(,)?) => {
        vec![$($crate::operation::Declaration::of::<$handler>()),*]
    };
}
pub(crate) use operations;
