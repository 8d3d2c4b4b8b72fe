//! Extractors for callers without a credential. Their requests are counted by source; the handler's signature names the
//! rate-limit group.

use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use trailkeeper_domain::Error;

use crate::api_error::{ApiError, ErrorFormat};
use crate::extract::admission;
use crate::limits::Group;
use crate::operation::{Access, AccessSpec, Call, FromCall, Requirement};
use crate::state::AppState;

/// The rate-limit group of routes that need no credential, as a type.
pub trait PublicGroup: 'static {
    /// The rate-limit group.
    const GROUP: Group;
}

/// The routes that start or continue a login.
pub struct LogIn;

/// The routes that return public data.
pub struct ReadPublic;

/// The routes that report whether the server can serve.
pub struct Probe;

impl PublicGroup for LogIn {
    const GROUP: Group = Group::Login;
}

impl PublicGroup for ReadPublic {
    const GROUP: Group = Group::Public;
}

impl PublicGroup for Probe {
    const GROUP: Group = Group::Probe;
}

/// A caller without a credential, within the rate limit of its source.
pub struct Anyone<D, S>(PhantomData<(D, S)>);

impl<D: PublicGroup, S> Access for Anyone<D, S> {
    const SPEC: AccessSpec = AccessSpec { requirement: Requirement::Nothing, group: Some(D::GROUP), category: None };
}

impl<D: PublicGroup, S: ErrorFormat> FromCall<S> for Anyone<D, S> {
    async fn from_call(call: &mut Call) -> Result<Self, ApiError<S>> {
        <Self as FromRequest>::from_request(&call.request, &mut Payload::None).await
    }
}

/// A caller without a credential and without a rate limit: for routes that a limit would make unavailable to the
/// server's supervisor.
pub struct Everyone;

impl Access for Everyone {
    const SPEC: AccessSpec = AccessSpec { requirement: Requirement::Nothing, group: None, category: None };
}

impl<S> FromCall<S> for Everyone {
    async fn from_call(_: &mut Call) -> Result<Self, ApiError<S>> {
        Ok(Self)
    }
}

impl<D: PublicGroup, S: ErrorFormat> FromRequest for Anyone<D, S> {
    type Error = ApiError<S>;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError<S>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let counted = match request.app_data::<Data<AppState>>() {
                Some(state) => admission::admit_source(&request, state, D::GROUP).await,
                None => Err(Error::internal("the server was built without its state")),
            };
            counted.map(|()| Self(PhantomData)).map_err(ApiError::from)
        })
    }
}
