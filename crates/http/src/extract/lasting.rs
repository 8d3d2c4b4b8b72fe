//! A caller whose answer lasts: its credential may end meanwhile.

use std::time::Duration;

use actix_web::web::Data;
use tokio::time::Instant;
use trailkeeper_auth::Principal;
use trailkeeper_domain::{Error, Result};

use crate::blocking;
use crate::state::AppState;

/// The longest time for which a check of the credential is valid.
pub const CHECK_EVERY: Duration = Duration::from_secs(2);

/// A caller, and its credential.
pub struct LastingCaller {
    /// The caller, as the last check found it.
    pub principal: Principal,
    token: String,
    requirement: fn(&Principal) -> Result<()>,
    checked: Instant,
}

impl LastingCaller {
    /// The caller that has just been authenticated by `token` and meets `requirement`.
    pub fn new(token: String, principal: Principal, requirement: fn(&Principal) -> Result<()>) -> Self {
        Self { principal, token, requirement, checked: Instant::now() }
    }

    /// The time at which the credential must be checked again.
    pub fn next_check(&self) -> Instant {
        self.checked + CHECK_EVERY
    }

    /// Checks the credential, if the last check is [`CHECK_EVERY`] ago. It asks the database only if no other request has
    /// just found the same token valid.
    ///
    /// [`Error::Unauthenticated`] if the credential has ended, or sees another tenant now; [`Error::Forbidden`] if it lost
    /// the permission; those of the store.
    pub async fn check(&mut self, state: &Data<AppState>) -> Result<()> {
        let now = Instant::now();
        if now < self.next_check() {
            return Ok(());
        }
        let principal = if let Some(principal) = state.access().recall_bearer(&self.token) {
            principal
        } else {
            let token = self.token.clone();
            blocking::run(state, move |state| state.access().authenticate_bearer(&token)).await?
        };
        (self.requirement)(&principal)?;
        if principal.visibility() != self.principal.visibility() {
            return Err(Error::unauthenticated("the credential shows other events than before; begin a new request"));
        }
        (self.principal, self.checked) = (principal, now);
        Ok(())
    }
}
