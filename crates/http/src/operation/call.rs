//! One call of an operation. The server reads the caller first, then the other arguments.

use actix_web::HttpRequest;
use actix_web::web::{Bytes, Data, Payload};
use trailkeeper_auth::Principal;
use trailkeeper_domain::visibility::Visibility;
use trailkeeper_domain::{Error, Result};

use super::body::Body;
use super::declaration::Declaration;
use super::params::{PathParams, PathValues, QueryParams};
use crate::api_error::ApiError;
use crate::body_budget::Sender;
use crate::request::body;
use crate::request::query::Query;
use crate::state::AppState;

/// A request on its way to the handler of its operation.
pub struct Call {
    /// The request.
    pub request: HttpRequest,
    /// The declaration of the operation.
    pub declaration: &'static Declaration,
    payload: Option<Payload>,
    visibility: Option<Visibility>,
    body: Option<Bytes>,
    query: Option<Query>,
}

impl Call {
    /// A call whose body is not read yet.
    pub fn new(request: HttpRequest, payload: Payload, declaration: &'static Declaration) -> Self {
        Self { request, declaration, payload: Some(payload), visibility: None, body: None, query: None }
    }

    /// Refuses parameters that the operation does not declare: without this, a misspelt filter would silently show
    /// everything.
    pub fn check_parameters(&mut self) -> Result<()> {
        if !self.declaration.refuses_unknown_parameters {
            return Ok(());
        }
        let known = &self.declaration.parameters;
        let query = Query::of(&self.request)?.with_negations(known).only(known)?;
        self.query = Some(query);
        Ok(())
    }

    /// Keeps the caller's visibility for the arguments that are read afterwards.
    pub fn keep_caller(&mut self, principal: &Principal) {
        self.visibility = Some(principal.visibility());
    }

    /// Takes the stream of the body. Only one extractor can take it; a later one gets an internal error.
    pub fn take_payload(&mut self) -> Result<Payload> {
        self.payload.take().ok_or_else(|| Error::internal("two arguments of a handler read the body"))
    }

    /// Keeps a body that an extractor read to check a signature.
    pub fn keep_body(&mut self, body: Bytes) {
        self.body = Some(body);
    }
}

/// A type that can be an argument of a handler.
pub trait FromCall<S>: Sized {
    /// Reads the argument from the call.
    async fn from_call(call: &mut Call) -> Result<Self, ApiError<S>>;
}

/// The argument with the parameters of the query.
pub struct FromQuery<T>(pub T);

/// The argument with the parameters of the path.
pub struct FromPath<T>(pub T);

/// The argument with the JSON body.
pub struct FromBody<T: Body>(pub T::Parsed);

impl<T: QueryParams, S> FromCall<S> for FromQuery<T> {
    async fn from_call(call: &mut Call) -> Result<Self, ApiError<S>> {
        if call.query.is_none() {
            call.query = Some(Query::of(&call.request)?);
        }
        let query = call.query.as_ref().ok_or_else(|| Error::internal("a query was read and is gone"))?;
        Ok(Self(T::read(query)?))
    }
}

impl<T: PathParams, S> FromCall<S> for FromPath<T> {
    async fn from_call(call: &mut Call) -> Result<Self, ApiError<S>> {
        let path = T::read(&PathValues::of(&call.request))?;
        path.check(call.visibility)?;
        Ok(Self(path))
    }
}

impl<T: Body, S> FromCall<S> for FromBody<T> {
    async fn from_call(call: &mut Call) -> Result<Self, ApiError<S>> {
        body::must_be_json(&call.request)?;
        let bytes = if let Some(bytes) = call.body.take() {
            bytes
        } else {
            let payload = call.take_payload()?;
            let sender = if call.visibility.is_some() { Sender::Verified } else { Sender::Unverified };
            body::read(&call.request, payload, T::MAX_BYTES, sender).await?
        };
        Ok(Self(T::from_bytes(&bytes)?))
    }
}

impl<S> FromCall<S> for HttpRequest {
    async fn from_call(call: &mut Call) -> Result<Self, ApiError<S>> {
        Ok(call.request.clone())
    }
}

impl<S> FromCall<S> for Payload {
    async fn from_call(call: &mut Call) -> Result<Self, ApiError<S>> {
        Ok(call.take_payload()?)
    }
}

impl<S> FromCall<S> for Data<AppState> {
    async fn from_call(call: &mut Call) -> Result<Self, ApiError<S>> {
        let state = call.request.app_data::<Self>().cloned();
        Ok(state.ok_or_else(|| Error::internal("the server was built without its state"))?)
    }
}
