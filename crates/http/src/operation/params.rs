//! Parameters of queries and paths: one struct gives names, schemas and reading.

use actix_web::HttpRequest;
use serde_json::Value;
use trailkeeper_domain::visibility::Visibility;
use trailkeeper_domain::{Error, Result};
use utoipa::ToSchema;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::ArrayBuilder;
use utoipa::openapi::{Ref, RefOr, Required, Schema};

use super::named_schema::NamedSchema;
use crate::request::path;
use crate::request::query::Query;

/// A struct of query parameters. Derived by `#[derive(QueryParams)]`.
pub trait QueryParams: Sized {
    /// Adds the parameters to the declaration.
    fn declare(out: &mut Parameters);

    /// Reads them. [`Error::Invalid`] names the parameter.
    fn read(query: &Query) -> Result<Self>;
}

/// A struct of the parameters in a path. Derived by `#[derive(PathParams)]`.
pub trait PathParams: Sized {
    /// Adds the parameters to the declaration.
    fn declare(out: &mut Parameters);

    /// Reads them. [`Error::Invalid`] names the parameter.
    fn read(path: &PathValues<'_>) -> Result<Self>;

    /// [`Error::NotFound`] unless the caller may see what a parameter with `#[param(visible)]` names. `visibility` is
    /// the caller's; `None` where the operation needs no credential.
    fn check(&self, visibility: Option<Visibility>) -> Result<()> {
        let _ = visibility;
        Ok(())
    }
}

/// A value that parameters and texts of bodies are read as.
pub trait ParamValue: Sized {
    /// What to send instead of a value of another JSON type: completes "send …".
    const EXPECTED: &'static str;

    /// Reads it. [`Error::Invalid`] names the parameter, the value and the way out.
    fn parse(name: &str, value: &str) -> Result<Self>;
}

/// The parameters inside a request's path.
pub struct PathValues<'a>(&'a HttpRequest);

impl<'a> PathValues<'a> {
    /// Those of `request`.
    pub fn of(request: &'a HttpRequest) -> Self {
        Self(request)
    }

    /// The parameter's text, decoded. [`Error::Invalid`] for escapes that are not UTF-8.
    pub fn text(&self, name: &str) -> Result<String> {
        path::text(self.0, name)
    }
}

/// Reads a list parameter: repeated, joined by commas, or both. At most `max` values.
pub fn list<T, E: Into<Error>>(
    query: &Query,
    name: &str,
    max: usize,
    parse: impl Fn(&str, &str) -> Result<T, E>,
) -> Result<Vec<T>> {
    let values = query.list(name);
    if values.len() > max {
        return Err(Error::invalid(name, format!("has {} values; at most {max} are allowed", values.len())));
    }
    values.into_iter().map(|value| parse(name, value).map_err(Into::into)).collect()
}

/// How many values a parameter has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    /// One.
    Required,
    /// One or none.
    Optional,
    /// Any number, within these bounds where it is sent.
    List {
        /// The least number.
        min_items: Option<usize>,
        /// The largest number.
        max_items: Option<usize>,
    },
}

/// The declared parameters of one place, in their order.
pub struct Parameters {
    parameter_in: ParameterIn,
    names: Vec<&'static str>,
    required: Vec<&'static str>,
    declared: Vec<Parameter>,
    schemas: Vec<NamedSchema>,
}

impl Parameters {
    /// None yet.
    pub fn new(parameter_in: ParameterIn) -> Self {
        Self { parameter_in, names: Vec::new(), required: Vec::new(), declared: Vec::new(), schemas: Vec::new() }
    }

    /// Adds a parameter that the schema `S` describes.
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
            self.schemas.push((S::name().into_owned(), S::schema()));
            S::schemas(&mut self.schemas);
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
            .schema(Some(schema))
            .example(example);
        self.names.push(name);
        if arity == Arity::Required {
            self.required.push(name);
        }
        self.declared.push(parameter.build());
    }

    /// The names, in their order.
    pub fn names(&self) -> &[&'static str] {
        &self.names
    }

    /// The names of those that must be sent, in their order.
    pub fn required(&self) -> &[&'static str] {
        &self.required
    }

    /// The parameters; their schemas join `schemas`.
    pub fn finish(self, schemas: &mut Vec<NamedSchema>) -> Vec<Parameter> {
        schemas.extend(self.schemas);
        self.declared
    }
}
