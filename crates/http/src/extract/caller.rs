//! Extractors for callers with a credential. The handler's signature names the permission; a handler without one does
//! not compile.

use std::marker::PhantomData;

use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, web};
use serde_json::Value;
use trailkeeper_auth::audit::AuditCategory;
use trailkeeper_auth::signature::Credentials;
use trailkeeper_auth::{AuditContext, Permission, Principal, PrincipalKind, SignedRequest, TokenKind};
use trailkeeper_domain::id::UserId;
use trailkeeper_domain::usecase::Change;
use trailkeeper_domain::{Error, Result};

use crate::api_error::{ApiError, ErrorFormat};
use crate::audit::{self, DeclaredConditions};
use crate::blocking;
use crate::body_budget::Sender;
use crate::error_formats::Saasus;
use crate::extract::admission::{self, AuthAttempt, PresentedCredential};
use crate::extract::lasting::LastingCaller;
use crate::limits::Group;
use crate::operation::{Access, AccessSpec, Call, Declaration, FromCall, Requirement};
use crate::request::{body, origin};
use crate::settings::MAX_SIGNED_BODY_BYTES;
use crate::state::AppState;

/// The requirement that a caller must meet, as a type.
pub trait Requires: 'static {
    /// The audit category of the data that the operation shows or changes. If it is set, calls by people are recorded.
    const CATEGORY: Option<AuditCategory> = None;

    /// The rate-limit group of the requests.
    const GROUP: Group;

    /// The requirement as a value, for the operation's declaration.
    const REQUIREMENT: Requirement;

    /// Checks that the caller meets the requirement; [`Error::Forbidden`] otherwise.
    fn check(principal: &Principal) -> Result<()>;
}

/// A requirement of operations that change tenants, users or memberships, or that report. Only callers with such a
/// requirement can run the use cases that need a [`Change`]: [`Caller::changing`], [`SaasusCaller::changing`].
pub trait MakesChanges: Requires {}

macro_rules! requirements {
    ($($(#[$doc:meta])* $name:ident $(is $permission:ident)? $(of $everyone:ident)? $(leaves $traced:ident)? $(counts $group:ident)?),+ $(,)?) => {
        $(
            $(#[$doc])*
            pub struct $name;
            impl Requires for $name {
                $(const CATEGORY: Option<AuditCategory> = Some(AuditCategory::$traced);)?
                const GROUP: Group = requirements!(@group ($name $($permission)?) $($group)?);
                const REQUIREMENT: Requirement = Requirement::Permission {
                    permission: requirements!(@permission $name $($permission)?),
                    tenant_scoped: requirements!(@tenant_scoped $($everyone)?),
                };

                fn check(principal: &Principal) -> Result<()> {
                    principal.require(requirements!(@permission $name $($permission)?))?;
                    $(requirements!(@$everyone principal);)?
                    Ok(())
                }
            }
            $(requirements!(@$traced $name);)?
        )+
    };
    (@everyone $principal:ident) => { $principal.visibility().check_all_tenants()? };
    (@tenant_scoped) => { true };
    (@tenant_scoped everyone) => { false };
    (@Directory $name:ident) => { impl MakesChanges for $name {} };
    (@Reports $name:ident) => { impl MakesChanges for $name {} };
    (@Events $name:ident) => {};
    (@Feed $name:ident) => {};
    (@Users $name:ident) => {};
    (@Analytics $name:ident) => {};
    (@group ($($permission:ident)+)) => { group_of(requirements!(@permission $($permission)+)) };
    (@group ($($permission:ident)+) $group:ident) => { Group::$group };
    (@permission $name:ident) => { Permission::$name };
    (@permission $name:ident $permission:ident) => { Permission::$permission };
}

/// The rate-limit group of requests that need this permission, unless the requirement names another group.
const fn group_of(permission: Permission) -> Group {
    match permission {
        Permission::WriteEvents => Group::Ingest,
        Permission::ReadEvents | Permission::ReadDirectory | Permission::ReadAuditTrail => Group::Read,
        Permission::ReadAnalytics => Group::Analytics,
        Permission::WriteAnalytics | Permission::WriteDirectory => Group::Change,
        Permission::Administer => Group::Administer,
    }
}

requirements! {
    /// The permission to record events.
    WriteEvents,
    /// The permission to read events.
    ReadEvents leaves Events,
    /// The permission to read events, for the feed of events and the stream of it.
    FollowEvents is ReadEvents leaves Feed,
    /// The permission to read events, for exports, which are recorded for programs, too.
    ExportEvents is ReadEvents leaves Feed,
    /// The permission to count events.
    CountEvents is ReadEvents leaves Events counts Analytics,
    /// The permission to read the actions of one user.
    ReadUserActivity is ReadEvents leaves Analytics counts Analytics,
    /// The permission to read analytic answers.
    ReadAnalytics,
    /// The permission to report numbers of active users.
    WriteAnalytics leaves Reports,
    /// The permission to report the pages that a user was on.
    ReportBehavior is WriteEvents leaves Reports,
    /// The permission to read tenants and the number of users.
    ReadDirectory,
    /// The permission to read users and memberships.
    ReadUsers is ReadDirectory leaves Users,
    /// The permission to change tenants, users and memberships.
    WriteDirectory leaves Directory,
    /// The permission to change users, who belong to all tenants.
    WriteUsers is WriteDirectory of everyone leaves Directory,
    /// The permission to change a user without full knowledge of it, and to see it afterwards.
    ChangeUsers is WriteDirectory of everyone leaves Directory,
    /// The permission to read the whole audit trail, including the server's own.
    ReadAuditTrail leaves Events,
    /// The permission to manage accounts, tokens and keys.
    Administer is Administer of everyone,
}

/// The caller must be a person, which means a login, with any role: for operations on the person's own account.
pub struct Person;

impl Requires for Person {
    const GROUP: Group = Group::Administer;
    const REQUIREMENT: Requirement = Requirement::Person;

    fn check(principal: &Principal) -> Result<()> {
        let what = match principal.kind {
            PrincipalKind::Account(_) => return Ok(()),
            PrincipalKind::Token(_) => "an API token",
            PrincipalKind::SigningKey(_) => "a signing key",
        };
        Err(Error::forbidden(format!(
            "{what} belongs to a program (role '{}'), and this is about the account of a person; log in with POST /v1/sessions and send the access token",
            principal.role.as_str()
        )))
    }
}

/// The caller must be a person or have the permission to manage accounts: for sessions, which people end for themselves
/// and administrators for all.
pub struct PersonOrAdminister;

impl Requires for PersonOrAdminister {
    const GROUP: Group = Group::Administer;
    const REQUIREMENT: Requirement = Requirement::PersonOrAdministrator;

    fn check(principal: &Principal) -> Result<()> {
        Person::check(principal).or_else(|refused| Administer::check(principal).map_err(|_| refused))
    }
}

/// A caller with a bearer credential (access token or API token) that meets the requirement `N`.
///
/// It is the only extractor of a handler that can refuse the request. The other parts of the request are read
/// afterwards, so that a stranger learns nothing but 401.
pub struct Caller<N, S> {
    /// The authenticated caller.
    pub principal: Principal,
    request: HttpRequest,
    marker: PhantomData<(N, S)>,
}

impl<N: Requires, S: ErrorFormat> Caller<N, S> {
    async fn of(request: &HttpRequest, conditions: DeclaredConditions) -> Result<Self> {
        let principal = match credential(request)? {
            Credential::Bearer(token) => by_bearer(request, token, N::GROUP).await?,
            Credential::Signature(_) => {
                return Err(Error::unauthenticated("signatures open the SaaSus operations only; send a Bearer token"));
            }
        };
        audit::watch(request, &principal, N::CATEGORY, conditions);
        N::check(&principal)?;
        Ok(Self { principal, request: request.clone(), marker: PhantomData })
    }
}

impl<N: Requires, S> Caller<N, S> {
    /// The credential, which is to be checked again while an answer lasts.
    pub fn lasting(&self) -> Result<LastingCaller> {
        match credential(&self.request)? {
            Credential::Bearer(token) => Ok(LastingCaller::new(token, self.principal.clone(), N::check)),
            Credential::Signature(_) => Err(Error::internal("a caller without a bearer credential")),
        }
    }
}

impl<N, S> Caller<N, S> {
    /// Keeps the conditions of a body for the audit event. The conditions of path and query are recorded in any case.
    pub fn audit_conditions(&self, conditions: &[(&str, impl ToString)]) {
        audit::asked_in_body(&self.request, conditions);
    }

    /// Leaves out the audit event of this request, because it goes on with a reading whose start was recorded.
    pub fn continues_reading(&self) {
        audit::recorded_otherwise(&self.request);
    }

    /// The request, for what is no parameter of it.
    pub fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// The caller and its origin, for the audit event of a change.
    pub fn audit_context(&self, state: &AppState) -> AuditContext {
        AuditContext { actor: self.principal.actor(), origin: origin::of(&self.request, &state.settings) }
    }
}

impl<N: Requires, S> Access for Caller<N, S> {
    const SPEC: AccessSpec = AccessSpec { requirement: N::REQUIREMENT, group: Some(N::GROUP), category: N::CATEGORY };
}

impl<N: Requires, S: ErrorFormat> FromCall<S> for Caller<N, S> {
    async fn from_call(call: &mut Call) -> Result<Self, ApiError<S>> {
        let caller = Self::of(&call.request, call.declaration.conditions()).await?;
        call.keep_caller(&caller.principal);
        Ok(caller)
    }
}

impl<N: MakesChanges, S> Caller<N, S> {
    /// Runs the use case of `request`. If the caller is a person, the audit event is stored in the transaction of the
    /// change. Only this function makes a [`Change`] in this crate, so a handler cannot omit the event.
    pub async fn changing<T: Send + 'static>(
        &self,
        state: &Data<AppState>,
        work: impl FnOnce(Change<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        audit::changing(&self.request, state, &self.principal, work).await
    }
}

/// A caller of a SaaSus operation, with a bearer credential or a signature over the whole request. It holds the body,
/// because the signature covers the body.
pub struct SaasusCaller<N> {
    /// The authenticated caller.
    pub principal: Principal,
    request: HttpRequest,
    /// The body as the client sent it.
    pub body: Bytes,
    /// The signature, if the request is signed.
    pub signature: Option<[u8; 32]>,
    marker: PhantomData<N>,
}

impl<N: Requires> SaasusCaller<N> {
    async fn of(request: &HttpRequest, payload: web::Payload, declaration: &'static Declaration) -> Result<Self> {
        let takes_body = declaration.body.is_some();
        let (principal, body, signature) = match credential(request)? {
            Credential::Bearer(token) => {
                let principal = by_bearer(request, token, N::GROUP).await?;
                audit::watch(request, &principal, N::CATEGORY, declaration.conditions());
                // Checked before the body is read: a caller without the permission need not learn the size limit of the
                // body.
                N::check(&principal)?;
                let body = if takes_body {
                    body::read(request, payload, MAX_SIGNED_BODY_BYTES, Sender::Verified).await?
                } else {
                    Bytes::new()
                };
                (principal, body, None)
            }
            Credential::Signature(header) => {
                let signature = Credentials::parse(&header)?.sig;
                // Nothing stands between path and body in the signed text. Text that is moved from the path into the body
                // would widen the question, and the signature would still be valid.
                let body = if takes_body {
                    signed_body(request, payload, &header).await?
                } else {
                    body::must_be_absent(request, payload).await?;
                    Bytes::new()
                };
                let principal = by_signature(request, header, body.clone(), N::GROUP).await?;
                body::sender_is_verified(request);
                N::check(&principal)?;
                (principal, body, Some(signature))
            }
        };
        Ok(Self { principal, request: request.clone(), body, signature, marker: PhantomData })
    }
}

impl<N: Requires> Access for SaasusCaller<N> {
    const SPEC: AccessSpec = AccessSpec { requirement: N::REQUIREMENT, group: Some(N::GROUP), category: N::CATEGORY };
}

impl<N: Requires> FromCall<Saasus> for SaasusCaller<N> {
    async fn from_call(call: &mut Call) -> Result<Self, ApiError<Saasus>> {
        let payload = call.take_payload()?;
        let caller = Self::of(&call.request, payload, call.declaration).await?;
        call.keep_caller(&caller.principal);
        call.keep_body(caller.body.clone());
        Ok(caller)
    }
}

impl<N: MakesChanges> SaasusCaller<N> {
    /// Keeps small fields of a body's report for the audit event, without lists, and the user that they are about if
    /// there is exactly one.
    pub fn audit_report(&self, user: Option<&UserId>, reported: Vec<(&'static str, Value)>) {
        audit::reported_in_body(&self.request, user, reported);
    }

    /// Runs a use case like [`Caller::changing`].
    pub async fn changing<T: Send + 'static>(
        &self,
        state: &Data<AppState>,
        work: impl FnOnce(Change<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        audit::changing(&self.request, state, &self.principal, work).await
    }
}

enum Credential {
    Bearer(String),
    Signature(String),
}

fn credential(request: &HttpRequest) -> Result<Credential> {
    let missing = "send 'Authorization: Bearer <token>' with an access token or an API token";
    let value = request
        .headers()
        .get(header::AUTHORIZATION)
        .ok_or_else(|| Error::unauthenticated(format!("there is no credential; {missing}")))?;
    let (scheme, rest) = value.to_str().ok().and_then(|value| value.split_once(' ')).unwrap_or_default();
    let rest = rest.trim().to_owned();
    if scheme.eq_ignore_ascii_case("Bearer") {
        Ok(Credential::Bearer(rest))
    } else if scheme.eq_ignore_ascii_case("SAASUSSIGV1") {
        Ok(Credential::Signature(rest))
    } else {
        Err(Error::unauthenticated(format!("the Authorization header is not understood; {missing}")))
    }
}

async fn by_bearer(request: &HttpRequest, token: String, group: Group) -> Result<Principal> {
    let state = state(request)?;
    let principal = if let Some(principal) = state.access().recall_bearer(&token) {
        principal
    } else {
        let is_api_token = token.starts_with(TokenKind::Api.prefix());
        let credential =
            if is_api_token { PresentedCredential::Lasting(&token) } else { PresentedCredential::AccessToken(&token) };
        let attempt = AuthAttempt::begin(request, &state, &credential)?;
        attempt.end(blocking::run(&state, move |state| state.access().authenticate_bearer(&token)).await).await?
    };
    admission::admit_principal(request, &state, group, &principal).await?;
    Ok(principal)
}

/// Reads the body of a signed request. The key is looked up first, so that a stranger who knows none cannot make the server
/// hold a body.
async fn signed_body(request: &HttpRequest, payload: web::Payload, header: &str) -> Result<Bytes> {
    let state = state(request)?;
    let attempt = AuthAttempt::begin(request, &state, &PresentedCredential::Lasting(key_part(header)))?;
    let owned = header.to_owned();
    attempt.check(blocking::run(&state, move |state| state.access().check_signing_key(&owned)).await).await?;
    body::read(request, payload, MAX_SIGNED_BODY_BYTES, Sender::Unverified).await
}

/// The part of the header that names the key: the signature differs in each request.
fn key_part(header: &str) -> &str {
    header.split_once("SaaSID").map_or(header, |(_, key)| key)
}

async fn by_signature(request: &HttpRequest, header: String, body: Bytes, group: Group) -> Result<Principal> {
    let state = state(request)?;
    let attempt = AuthAttempt::begin(request, &state, &PresentedCredential::Lasting(key_part(&header)))?;
    let method = request.method().to_string();
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    let path_and_query = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let outcome = blocking::run(&state, move |state| {
        let signed = SignedRequest { method: &method, host: &host, path_and_query: &path_and_query, body: &body };
        state.access().authenticate_signature(&header, &signed)
    })
    .await;
    let principal = attempt.end(outcome).await?;
    admission::admit_principal(request, &state, group, &principal).await?;
    Ok(principal)
}

fn state(request: &HttpRequest) -> Result<Data<AppState>> {
    request
        .app_data::<Data<AppState>>()
        .cloned()
        .ok_or_else(|| Error::internal("the server was built without its state"))
}
