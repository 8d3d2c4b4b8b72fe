//! Macros that declare HTTP operations: one attribute on a handler, and derives for its parameters and body.
//!
//! The generated code names items of `trailkeeper-http` by `crate::operation`, so these macros work in that crate only.
//!
//! - [`macro@operation`] declares a handler: method, path and texts are its arguments and its doc comment; permission,
//!   rate-limit group, audit category, parameters and body are the types of its arguments.
//! - [`macro@QueryParams`] and [`macro@PathParams`] declare parameters: one struct gives their names, their schemas and
//!   the code that reads them.
//! - [`macro@Body`] declares a JSON body the same way.

mod attributes;
mod body;
mod operation;
mod params;

use proc_macro::TokenStream;
use syn::{DeriveInput, ItemFn, parse_macro_input};

/// Declares an HTTP operation.
///
/// `#[operation(get, "/v1/tenants", tag = "tenants", responses(…))]` on an `async fn` whose name is the operation's id
/// (or with `operation_id = "…"`). Arguments besides method and path:
///
/// - `tag`, `operation_id`, `responses(…)`: as in `utoipa::path`.
/// - `body = "The tenant."`: the description of the request body, which is the handler's `FromBody` argument.
/// - `request_body(…)`: as in `utoipa::path`, for a body that the handler reads by itself, or with an example of its
///   own.
/// - `unknown_parameters = "ignored"`: the operation accepts and ignores parameters that it does not declare.
///
/// The first argument of the handler names the permitted callers (`Caller<ReadEvents, Native>`, `Anyone<LogIn,
/// Native>`, …); the server reads the other arguments afterwards, in their order, so that a stranger learns nothing but
/// 401.
#[proc_macro_attribute]
pub fn operation(arguments: TokenStream, handler: TokenStream) -> TokenStream {
    let arguments = parse_macro_input!(arguments as operation::Arguments);
    let handler = parse_macro_input!(handler as ItemFn);
    operation::expand(arguments, &handler).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Derives `crate::operation::QueryParams` for a struct of parameters.
///
/// A field is a parameter with the field's name; its doc comment is the description. `Option<T>` may be absent,
/// `Vec<T>` is a list (repeated or joined by commas), any other type is required. Attribute `#[param(…)]`:
///
/// - `schema = schemas::TenantId`: the schema, a type of the document's components; `inline` writes it out.
/// - `with = path`: reads the value by `fn(name: &str, value: &str) -> Result<T>` instead of `ParamValue`.
/// - `read = path`: reads the parameter by `fn(&Query, name: &str) -> Result<FieldType>`, absent or not.
/// - `example = expression`: becomes `x-example`, which Swagger UI shows and does not fill in.
/// - `min_items = 1`, `max_items = 50`: as in OpenAPI; a list is held to `max_items`.
/// - `list = path`: reads a list instead of `crate::operation::list`, which splits values at commas.
/// - `flatten`: the field is another struct of parameters.
#[proc_macro_derive(QueryParams, attributes(param))]
pub fn query_params(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    params::expand(&input, params::Location::Query).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Derives `crate::operation::PathParams` for a struct of the parameters in a path.
///
/// It works as [`macro@QueryParams`], except that every field is required. `#[param(visible)]` on a tenant's id: the
/// server answers 404 unless the caller may see that tenant, and reads no body before this check.
#[proc_macro_derive(PathParams, attributes(param))]
pub fn path_params(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    params::expand(&input, params::Location::Path).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Derives `crate::operation::Body` for the struct of a JSON object.
///
/// It is used together with `utoipa::ToSchema`, which describes the fields. `Option<T>` may be absent or null,
/// `Patch<T>` distinguishes absent from null, any other type is required. Attribute `#[body(…)]`:
///
/// - on the struct: `name = "an account"`, the noun of error messages with its article; `max_bytes = expression`;
///   `optional`: no body at all is the same as an empty object; `any_case`: names of fields may come in any case, and
///   with `optional` null is an empty object too; `ignores_unknown_fields`: fields that are not declared may be sent;
///   `parsed_as = UserDraft`: the domain reads the object by `UserDraft::take_from`, because imports read the same, and
///   this struct describes it; the names of its fields must be `UserDraft::FIELDS`, which the compiler checks.
/// - on a field: `expected = "the name in quotes"`, the value to send instead of a wrong one; `with = path`: takes the
///   value by `fn(&mut JsonObject, &str) -> Result<FieldType>`.
#[proc_macro_derive(Body, attributes(body))]
pub fn body(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    body::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
