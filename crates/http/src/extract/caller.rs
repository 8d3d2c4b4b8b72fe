//! Who asks. The permission stands in the handler's signature: without it, it does not compile.

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
use crate::audit;
use crate::blocking;
use crate::error_formats::Saasus;
use crate::extract::admission::{self, AuthAttempt, PresentedCredential};
use crate::limits::Group;
use crate::operation::{Access, AccessSpec, Call, FromCall, Requirement};
use crate::request::{body, origin};
use crate::settings::MAX_SIGNED_BODY_BYTES;
use crate::state::AppState;

/// What a caller must have or be, as a type.
pub trait Requires: 'static {
    /// What it shows or changes that people may not without a trace: whatever asks for it is recorded.
    const CATEGORY: Option<AuditCategory> = None;

    /// Among which requests it is counted.
    const GROUP: Group;

    /// The same, for the operation's declaration.
    const REQUIREMENT: Requirement;

    /// [`Error::Forbidden`] unless the caller has it.
    fn check(principal: &Principal) -> Result<()>;
}

/// The need of those who change tenants, users or memberships, or who report. Only they get what such use cases ask for:
/// [`Caller::changing`], [`SaasusCaller::changing`].
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
    (@Users $name:ident) => {};
    (@Analytics $name:ident) => {};
    (@group ($($permission:ident)+)) => { group_of(requirements!(@permission $($permission)+)) };
    (@group ($($permission:ident)+) $group:ident) => { Group::$group };
    (@permission $name:ident) => { Permission::$name };
    (@permission $name:ident $permission:ident) => { Permission::$permission };
}

/// Among which requests those are counted that need this permission.
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
    /// Record events.
    WriteEvents,
    /// Read events.
    ReadEvents leaves Events,
    /// Read what one user did.
    ReadUserActivity is ReadEvents leaves Analytics counts Analytics,
    /// Read analytic answers.
    ReadAnalytics,
    /// Report numbers of active users.
    WriteAnalytics leaves Reports,
    /// Report the pages that a user was on.
    ReportBehavior is WriteEvents leaves Reports,
    /// Read tenants, and how many users there are.
    ReadDirectory,
    /// Read users and memberships.
    ReadUsers is ReadDirectory leaves Users,
    /// Change tenants, users and memberships.
    WriteDirectory leaves Directory,
    /// Change users, who belong to all tenants.
    WriteUsers is WriteDirectory of everyone leaves Directory,
    /// Change a user without knowing all of it, and see it then.
    ChangeUsers is WriteDirectory of everyone leaves Directory,
    /// Read the whole trail, the server's own included.
    ReadAuditTrail leaves Events,
    /// Manage accounts, tokens and keys.
    Administer is Administer of everyone,
}

/// Be a person, which is a login, whatever its role: for what is everyone's own.
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

/// Be a person, or manage accounts: for sessions, which people end for themselves and administrators for all.
pub struct PersonOrAdminister;

impl Requires for PersonOrAdminister {
    const GROUP: Group = Group::Administer;
    const REQUIREMENT: Requirement = Requirement::PersonOrAdministrator;

    fn check(principal: &Principal) -> Result<()> {
        Person::check(principal).or_else(|refused| Administer::check(principal).map_err(|_| refused))
    }
}

/// A caller with a bearer credential (access token or API token) that has the permission `N`.
///
/// It is the only extractor of a handler that can refuse: what else the request says is read inside
/// the handler, so that a stranger learns nothing but 401.
pub struct Caller<N, S> {
    /// Who asks.
    pub principal: Principal,
    request: HttpRequest,
    marker: PhantomData<(N, S)>,
}

impl<N: Requires, S: ErrorFormat> Caller<N, S> {
    async fn of(request: &HttpRequest, parameters: &'static [&'static str]) -> Result<Self> {
        let principal = match credential(request)? {
            Credential::Bearer(token) => by_bearer(request, token, N::GROUP).await?,
            Credential::Signature(_) => {
                return Err(Error::unauthenticated("signatures open the SaaSus operations only; send a Bearer token"));
            }
        };
        audit::watch(request, &principal, N::CATEGORY, parameters);
        N::check(&principal)?;
        Ok(Self { principal, request: request.clone(), marker: PhantomData })
    }
}

impl<N, S> Caller<N, S> {
    /// Notes for the audit event the conditions that stood in a body. Those of path and query are noted anyway.
    pub fn audit_conditions(&self, conditions: &[(&str, impl ToString)]) {
        audit::asked_in_body(&self.request, conditions);
    }

    /// Who changes something, and from where, for the audit event of the change.
    pub fn audit_context(&self, state: &AppState) -> AuditContext {
        AuditContext { actor: self.principal.actor(), origin: origin::of(&self.request, &state.settings) }
    }
}

impl<N: Requires, S> Access for Caller<N, S> {
    const SPEC: AccessSpec = AccessSpec { requirement: N::REQUIREMENT, group: Some(N::GROUP), category: N::CATEGORY };
}

impl<N: Requires, S: ErrorFormat> FromCall<S> for Caller<N, S> {
    async fn from_call(call: &mut Call) -> Result<Self, ApiError<S>> {
        let caller = Self::of(&call.request, &call.declaration.parameters).await?;
        call.keep_caller(&caller.principal);
        Ok(caller)
    }
}

impl<N: MakesChanges, S> Caller<N, S> {
    /// Runs the use case that does what `request` asks for, and tells of it in its transaction where the caller is a
    /// person. Nothing else in this crate makes a [`Change`], so that no handler can leave that out.
    pub async fn changing<T: Send + 'static>(
        &self,
        state: &Data<AppState>,
        work: impl FnOnce(Change<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        audit::changing(&self.request, state, &self.principal, N::CATEGORY, work).await
    }
}

/// A caller of a SaaSus operation: a bearer credential, or a signature over the whole request. It
/// holds the body, because the signature covers it.
pub struct SaasusCaller<N> {
    /// Who asks.
    pub principal: Principal,
    request: HttpRequest,
    /// The body as it was sent.
    pub body: Bytes,
    /// The signature, where the request is signed.
    pub signature: Option<[u8; 32]>,
    marker: PhantomData<N>,
}

impl<N: Requires> SaasusCaller<N> {
    async fn of(request: &HttpRequest, payload: web::Payload, parameters: &'static [&'static str]) -> Result<Self> {
        let (principal, body, signature) = match credential(request)? {
            Credential::Bearer(token) => {
                let principal = by_bearer(request, token, N::GROUP).await?;
                audit::watch(request, &principal, N::CATEGORY, parameters);
                // Before the body is read: who may not send one need not know its limit.
                N::check(&principal)?;
                (principal, body::read(request, payload, MAX_SIGNED_BODY_BYTES).await?, None)
            }
            Credential::Signature(header) => {
                let body = body::read(request, payload, MAX_SIGNED_BODY_BYTES).await?;
                let signature = Credentials::parse(&header)?.sig;
                let principal = by_signature(request, header, body.clone(), N::GROUP).await?;
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
        let caller = Self::of(&call.request, payload, &call.declaration.parameters).await?;
        call.keep_caller(&caller.principal);
        call.keep_body(caller.body.clone());
        Ok(caller)
    }
}

impl<N: MakesChanges> SaasusCaller<N> {
    /// Notes for the audit event what a body reports, and about which user where it is one: small fields, no lists.
    pub fn audit_report(&self, user: Option<&UserId>, reported: Vec<(&'static str, Value)>) {
        audit::reported_in_body(&self.request, user, reported);
    }

    /// As [`Caller::changing`].
    pub async fn changing<T: Send + 'static>(
        &self,
        state: &Data<AppState>,
        work: impl FnOnce(Change<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        audit::changing(&self.request, state, &self.principal, N::CATEGORY, work).await
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
        attempt.end(blocking::run(&state, move |state| state.access().authenticate_bearer(&token)).await)?
    };
    admission::admit_principal(request, &state, group, &principal)?;
    Ok(principal)
}

async fn by_signature(request: &HttpRequest, header: String, body: Bytes, group: Group) -> Result<Principal> {
    let state = state(request)?;
    // The signature differs in each request; the part after it names the key.
    let key = header.split_once("SaaSID").map_or(header.as_str(), |(_, key)| key);
    let attempt = AuthAttempt::begin(request, &state, &PresentedCredential::Lasting(key))?;
    let method = request.method().to_string();
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    let path_and_query = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let outcome = blocking::run(&state, move |state| {
        let signed = SignedRequest { method: &method, host: &host, path_and_query: &path_and_query, body: &body };
        state.access().authenticate_signature(&header, &signed)
    })
    .await;
    let principal = attempt.end(outcome)?;
    admission::admit_principal(request, &state, group, &principal)?;
    Ok(principal)
}

fn state(request: &HttpRequest) -> Result<Data<AppState>> {
    request
        .app_data::<Data<AppState>>()
        .cloned()
        .ok_or_else(|| Error::internal("the server was built without its state"))
}
