//! Declarations, as types and as values.

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
use crate::contract::Contract;

/// An operation. The attribute [`super::operation`] implements it.
pub trait Operation: utoipa::Path + utoipa::__dev::SchemaReferences + utoipa::__dev::Tags<'static> + 'static {
    /// How its contract writes errors.
    type Format: ErrorFormat;
    /// Who may call it.
    type Access: Access;
    /// The operation's id in the document.
    const ID: &'static str;
    /// Whether calls may have parameters that the operation does not know.
    const IGNORES_UNKNOWN_PARAMETERS: bool;

    /// Adds the parameters of the path.
    fn declare_path(out: &mut Parameters);
    /// Adds the parameters of the query.
    fn declare_query(out: &mut Parameters);
    /// The body that the server reads before the handler runs.
    fn body() -> Option<BodySpec>;
    /// The route, whose calls know this declaration.
    fn route(declaration: &'static Declaration) -> Route;
}

/// An operation as a value.
pub struct Declaration {
    /// The operation's id in the document.
    pub id: &'static str,
    /// The contract that it belongs to.
    pub contract: Contract,
    /// The method.
    pub method: Method,
    /// The path as its document writes it, without the contract's base.
    pub document_path: String,
    /// Who may call it.
    pub access: AccessSpec,
    /// The names of its query parameters.
    pub parameters: Vec<&'static str>,
    /// The names of those that must be sent.
    pub required_parameters: Vec<&'static str>,
    /// Whether a parameter that is not among them is an error.
    pub refuses_unknown_parameters: bool,
    /// The body, where the server reads it before the handler runs.
    pub body: Option<BodySpec>,
    /// Makes the route.
    pub(super) route: fn(&'static Self) -> Route,
    /// Makes the entry in the document, and the schemas that it names.
    pub(super) document: fn() -> (HttpMethod, OperationObject, Vec<NamedSchema>),
}

impl Declaration {
    /// The declaration of this operation.
    pub fn of<O: Operation>() -> Self {
        let mut query = Parameters::new(ParameterIn::Query);
        O::declare_query(&mut query);
        let (http_method, ..) = document_of::<O>();
        Self {
            id: O::ID,
            contract: O::Format::CONTRACT,
            method: method_of(&http_method),
            document_path: O::path(),
            access: O::Access::SPEC,
            parameters: query.names().to_vec(),
            required_parameters: query.required().to_vec(),
            refuses_unknown_parameters: O::Format::REFUSES_UNKNOWN_PARAMETERS && !O::IGNORES_UNKNOWN_PARAMETERS,
            body: O::body(),
            route: O::route,
            document: document_of::<O>,
        }
    }

    /// The path under which the server answers it.
    pub fn path(&self) -> String {
        format!("{}{}", self.contract.base(), self.document_path)
    }
}

fn document_of<O: Operation>() -> (HttpMethod, OperationObject, Vec<NamedSchema>) {
    let method = O::methods().into_iter().next().unwrap_or(HttpMethod::Get);
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
    if let Some(body) = O::body() {
        operation.request_body = Some(RefOr::T(body.request_body(&mut schemas)));
    }
    (method, operation, schemas)
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

/// What a declaration says, for tests and for generated documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationInfo {
    /// The operation's id in the document.
    pub id: &'static str,
    /// The contract that it belongs to.
    pub contract: Contract,
    /// The method, in upper case.
    pub method: String,
    /// The path under which the server answers it, with the names of its parameters in braces.
    pub path: String,
    /// Who may call it.
    pub requirement: Requirement,
    /// The rate-limit group that its calls count in; `None`: they are not counted.
    pub rate_limit_group: Option<&'static str>,
    /// The type of the audit event that a person's call leaves; `None`: a successful call leaves none of its own.
    pub audit_event: Option<&'static str>,
    /// Whether the call changes what `audit_event` is about, in the transaction of the change.
    pub is_audited_change: bool,
    /// The names of its query parameters.
    pub parameters: Vec<&'static str>,
    /// The names of those that must be sent.
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
