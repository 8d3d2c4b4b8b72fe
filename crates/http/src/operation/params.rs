//! Parameters of queries and paths: one struct defines the names, the schemas and the reading.

use actix_web::HttpRequest;
use serde_json::Value;
use trailkeeper_domain::visibility::Visibility;
use trailkeeper_domain::{Error, Result};
use utoipa::ToSchema;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::ArrayBuilder;
use utoipa::openapi::{Ref, RefOr, Required, Schema};

use super::named_schema::{self, NamedSchema};
use crate::request::path;
use crate::request::query::Query;

/// A struct of query parameters. `#[derive(QueryParams)]` implements it.
pub trait QueryParams: Sized {
    /// Adds the parameters to the declaration `out`.
    fn declare(out: &mut Parameters);

    /// Reads the parameters. [`Error::Invalid`] names the parameter.
    fn read(query: &Query) -> Result<Self>;
}

/// A struct of the parameters in a path. `#[derive(PathParams)]` implements it.
pub trait PathParams: Sized {
    /// Adds the parameters to the declaration `out`.
    fn declare(out: &mut Parameters);

    /// Reads the parameters. [`Error::Invalid`] names the parameter.
    fn read(path: &PathValues<'_>) -> Result<Self>;

    /// Writes the value of the parameter `name` in its canonical form: two texts of the same value become equal. A value
    /// that is not valid stays as it is.
    fn canonical(name: &str, value: String) -> String;

    /// Checks that the caller may see the objects that the parameters with `#[param(visible)]` name;
    /// [`Error::NotFound`] otherwise. `visibility` is the caller's; `None` if the operation needs no credential.
    fn check(&self, visibility: Option<Visibility>) -> Result<()> {
        let _ = visibility;
        Ok(())
    }
}

/// A type that parameters, and text fields of bodies, are parsed into.
pub trait ParamValue: Sized {
    /// The expected value, for the error message of a value of another JSON type: completes "send …".
    const EXPECTED: &'static str;

    /// Parses the value. [`Error::Invalid`] names the parameter, the value and the correction.
    fn parse(name: &str, value: &str) -> Result<Self>;
}

/// The parameters in the path of a request.
pub struct PathValues<'a>(&'a HttpRequest);

impl<'a> PathValues<'a> {
    /// The path parameters of `request`.
    pub fn of(request: &'a HttpRequest) -> Self {
        Self(request)
    }

    /// The decoded text of the parameter. [`Error::Invalid`] for escapes that are not UTF-8.
    pub fn text(&self, name: &str) -> Result<String> {
        path::text(self.0, name)
    }
}

/// Reads a list parameter. The values may be repeated parameters, joined by commas, or both. At most `max` values.
pub fn list<T, E: Into<Error>>(
    query: &Query,
    name: &str,
    max: usize,
    parse: impl Fn(&str, &str) -> Result<T, E>,
) -> Result<Vec<T>> {
    bounded(query.list(name), name, max, parse)
}

/// Reads a list parameter whose values may contain commas: one value for each time that the parameter is sent. At most
/// `max` values.
pub fn repeated<T, E: Into<Error>>(
    query: &Query,
    name: &str,
    max: usize,
    parse: impl Fn(&str, &str) -> Result<T, E>,
) -> Result<Vec<T>> {
    bounded(query.repeated(name), name, max, parse)
}

fn bounded<T, E: Into<Error>>(
    values: Vec<&str>,
    name: &str,
    max: usize,
    parse: impl Fn(&str, &str) -> Result<T, E>,
) -> Result<Vec<T>> {
    if values.len() > max {
        return Err(Error::invalid(name, format!("has {} values; at most {max} are allowed", values.len())));
    }
    values.into_iter().map(|value| parse(name, value).map_err(Into::into)).collect()
}

/// The number of values that a parameter has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    /// Exactly one value.
    Required,
    /// One value or none.
    Optional,
    /// Any number of values, within these bounds if the parameter is sent.
    List {
        /// The smallest number of values.
        min_items: Option<usize>,
        /// The largest number of values.
        max_items: Option<usize>,
    },
}

/// The declared parameters of one place (path or query), in the order of their declaration.
pub struct Parameters {
    parameter_in: ParameterIn,
    names: Vec<&'static str>,
    required: Vec<&'static str>,
    declared: Vec<Parameter>,
    schemas: Vec<NamedSchema>,
}

impl Parameters {
    /// An empty list of parameters.
    pub fn new(parameter_in: ParameterIn) -> Self {
        Self { parameter_in, names: Vec::new(), required: Vec::new(), declared: Vec::new(), schemas: Vec::new() }
    }

    /// Adds a parameter with the schema `S`.
    ///
    /// Swagger UI fills in the `example` of a parameter and sends it. A condition that nobody typed would narrow the
    /// answer, and the days of an example would leave it empty. So a query parameter has an `x-example`, which Swagger
    /// UI shows only.
    pub fn add<S: ToSchema>(
        &mut self,
        name: &'static str,
        description: &'static str,
        arity: Arity,
        inline: bool,
        example: Option<Value>,
    ) {
        let one: RefOr<Schema> = if inline { S::schema() } else { Ref::from_schema_name(S::name()).into() };
        if !inline {
            named_schema::add::<S>(&mut self.schemas);
        }
        let schema = match arity {
            Arity::Required | Arity::Optional => one,
            Arity::List { min_items, max_items } => {
                RefOr::T(ArrayBuilder::new().items(one).min_items(min_items).max_items(max_items).into())
            }
        };
        let required = if arity == Arity::Required { Required::True } else { Required::False };
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(self.parameter_in.clone())
            .description(Some(description))
            .required(required)
            .schema(Some(schema));
        let parameter = match example {
            Some(example) if self.parameter_in == ParameterIn::Query => {
                parameter.extensions(Some(ExtensionsBuilder::new().add("x-example", example).build()))
            }
            example => parameter.example(example),
        };
        self.names.push(name);
        if arity == Arity::Required {
            self.required.push(name);
        }
        self.declared.push(parameter.build());
    }

    /// The names of the parameters, in the order of their declaration.
    pub fn names(&self) -> &[&'static str] {
        &self.names
    }

    /// The names of the required parameters, in the order of their declaration.
    pub fn required(&self) -> &[&'static str] {
        &self.required
    }

    /// The parameters as OpenAPI objects. Adds their schemas to `schemas`.
    pub fn finish(self, schemas: &mut Vec<NamedSchema>) -> Vec<Parameter> {
        schemas.extend(self.schemas);
        self.declared
    }
}
