//! Declarations of operations, as types and as values.

use actix_web::Route;
use actix_web::http::Method;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::Operation as OperationObject;
use utoipa::openapi::path::{HttpMethod, ParameterIn};

use super::access::{Access, AccessSpec, Requirement};
use super::body::BodySpec;
use super::named_schema::NamedSchema;
use super::params::Parameters;
use crate::api_error::ErrorFormat;
use crate::audit::DeclaredConditions;
use crate::contract::Contract;

/// An operation. The attribute [`super::operation`] implements this trait.
pub trait Operation: utoipa::Path + utoipa::__dev::SchemaReferences + utoipa::__dev::Tags<'static> + 'static {
    /// The error format of the operation's contract.
    type Format: ErrorFormat;
    /// The handler's argument that defines the permitted callers.
    type Access: Access;
    /// The operation's id in the OpenAPI document.
    const ID: &'static str;
    /// Whether the operation accepts, and ignores, parameters that it does not declare.
    const IGNORES_UNKNOWN_PARAMETERS: bool;

    /// Adds the parameters of the path to `out`.
    fn declare_path(out: &mut Parameters);
    /// Writes the value of the path's parameter `name` in its canonical form. A value that is not valid stays as it is.
    fn canonical(name: &str, value: String) -> String;
    /// Adds the parameters of the query to `out`.
    fn declare_query(out: &mut Parameters);
    /// The body that the server reads before the handler runs; `None` if there is no such body.
    fn body() -> Option<BodySpec>;
    /// The route. Its calls carry this declaration.
    fn route(declaration: &'static Declaration) -> Route;
}

/// The declaration of an operation as a value.
pub struct Declaration {
    /// The operation's id in the OpenAPI document.
    pub id: &'static str,
    /// The contract that the operation belongs to.
    pub contract: Contract,
    /// The HTTP method.
    pub method: Method,
    /// The path as the OpenAPI document writes it, without the contract's base.
    pub document_path: String,
    /// The permitted callers, the rate-limit group and the audit category.
    pub access: AccessSpec,
    /// The names of the query parameters.
    pub parameters: Vec<&'static str>,
    /// The names of the required query parameters.
    pub required_parameters: Vec<&'static str>,
    /// Whether an undeclared parameter is an error.
    pub refuses_unknown_parameters: bool,
    /// The body that the server reads before the handler runs; `None` if there is no such body.
    pub body: Option<BodySpec>,
    /// Writes the value of a path parameter in its canonical form: [`Operation::canonical`].
    pub(super) canonical: fn(&str, String) -> String,
    /// Makes the route from the declaration.
    pub(super) route: fn(&'static Self) -> Route,
    /// Makes the operation's entry in the OpenAPI document, and the schemas that the entry refers to.
    pub(super) document: fn() -> (HttpMethod, OperationObject, Vec<NamedSchema>),
}

impl Declaration {
    /// The declaration of the operation `O`.
    pub fn of<O: Operation>() -> Self {
        let mut query = Parameters::new(ParameterIn::Query);
        O::declare_query(&mut query);
        Self {
            id: O::ID,
            contract: O::Format::CONTRACT,
            method: method_of(&http_method_of::<O>()),
            document_path: O::path(),
            access: O::Access::SPEC,
            parameters: query.names().to_vec(),
            required_parameters: query.required().to_vec(),
            refuses_unknown_parameters: O::Format::REFUSES_UNKNOWN_PARAMETERS && !O::IGNORES_UNKNOWN_PARAMETERS,
            body: O::body(),
            canonical: O::canonical,
            route: |declaration| O::Format::wrap(O::route(declaration)),
            document: document_of::<O>,
        }
    }

    /// The full path under which the server answers the operation.
    pub fn path(&self) -> String {
        format!("{}{}", self.contract.base(), self.document_path)
    }

    /// The conditions that the audit events of the operation record.
    pub fn conditions(&'static self) -> DeclaredConditions {
        DeclaredConditions { parameters: &self.parameters, canonical: self.canonical }
    }
}

/// The one method of the operation.
fn http_method_of<O: Operation>() -> HttpMethod {
    O::methods().into_iter().next().unwrap_or(HttpMethod::Get)
}

fn document_of<O: Operation>() -> (HttpMethod, OperationObject, Vec<NamedSchema>) {
    let mut operation = O::operation();
    let tags = O::tags();
    operation.tags = (!tags.is_empty()).then(|| tags.into_iter().map(ToOwned::to_owned).collect());
    let mut schemas = Vec::new();
    O::schemas(&mut schemas);
    let (mut path, mut query) = (Parameters::new(ParameterIn::Path), Parameters::new(ParameterIn::Query));
    O::declare_path(&mut path);
    O::declare_query(&mut query);
    let mut parameters = path.finish(&mut schemas);
    parameters.extend(query.finish(&mut schemas));
    if !parameters.is_empty() {
        operation.parameters = Some(parameters.into_iter().map(RefOr::T).collect());
    }
    if let Some(body) = O::body().and_then(|body| body.request_body(&mut schemas)) {
        operation.request_body = Some(RefOr::T(body));
    }
    (http_method_of::<O>(), operation, schemas)
}

fn method_of(method: &HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Delete => Method::DELETE,
        HttpMethod::Options => Method::OPTIONS,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Trace => Method::TRACE,
    }
}

/// The content of a declaration, for tests and for generated documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationInfo {
    /// The operation's id in the OpenAPI document.
    pub id: &'static str,
    /// The contract that the operation belongs to.
    pub contract: Contract,
    /// The HTTP method, in upper case.
    pub method: String,
    /// The full path under which the server answers the operation, with the names of its parameters in braces.
    pub path: String,
    /// The requirement that a caller must meet.
    pub requirement: Requirement,
    /// The rate-limit group of the operation; `None` if its calls are not counted.
    pub rate_limit_group: Option<&'static str>,
    /// The type of the audit event that a person's call creates; `None` if a successful call creates none of its own.
    pub audit_event: Option<&'static str>,
    /// Whether the call changes data of the audit category, so that the change and `audit_event` share one transaction.
    pub is_audited_change: bool,
    /// The names of the query parameters.
    pub parameters: Vec<&'static str>,
    /// The names of the required query parameters.
    pub required_parameters: Vec<&'static str>,
}

impl From<&Declaration> for OperationInfo {
    fn from(declaration: &Declaration) -> Self {
        let category = declaration.access.category;
        Self {
            id: declaration.id,
            contract: declaration.contract,
            method: declaration.method.to_string(),
            path: declaration.path(),
            requirement: declaration.access.requirement,
            rate_limit_group: declaration.access.group.map(crate::limits::Group::as_str),
            audit_event: category.map(trailkeeper_auth::audit::AuditCategory::kind),
            is_audited_change: category.is_some_and(trailkeeper_auth::audit::AuditCategory::is_change),
            parameters: declaration.parameters.clone(),
            required_parameters: declaration.required_parameters.clone(),
        }
    }
}
