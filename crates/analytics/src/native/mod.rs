//! The questions of the native API: over any range, in any time zone, for everyone, a tenant or one of its
//! environments.

pub mod active_users;
pub mod buckets;
mod granularity;
pub mod logins;
pub mod page_statistics;
pub mod profile;
pub mod ranking;
pub mod registrations;
pub mod retention;
mod tally;
pub mod timeline;
pub mod traffic;
mod zone;

use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::{Error, Result};

pub use zone::Zone;

use buckets::{Granularity, Span};
use tally::{Folding, ScopeFilter};

use crate::{Source, bounds};

/// Whose events a question is about, as it was asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Audience {
    /// Only this tenant's; absent: everyone's, or the asker's own tenant's where it is confined to one.
    pub tenant_id: Option<TenantId>,
    /// Only this environment's. Needs a tenant.
    pub env_id: Option<EnvId>,
}

impl Audience {
    /// Whose sheets answer an asker who is confined to a tenant, or to none. Another tenant than its own does
    /// not exist for it: [`Error::NotFound`], as in lists.
    pub fn scope(self, tenant_scoped: Option<TenantId>) -> Result<Scope> {
        let scope = Scope::of(narrowed(self.tenant_id, tenant_scoped)?);
        bounds::check_env(scope, self.env_id)?;
        Ok(scope)
    }

    /// The same with the environment.
    fn scope_filter(self, tenant_scoped: Option<TenantId>) -> Result<ScopeFilter> {
        Ok(ScopeFilter { scope: self.scope(tenant_scoped)?, env: self.env_id })
    }

    /// The same, to be folded from this source.
    fn folding(self, source: Source<'_>, tenant_scoped: Option<TenantId>) -> Result<Folding<'_>> {
        Ok(self.scope_filter(tenant_scoped)?.with(source.folds))
    }
}

/// The tenant that an answer is narrowed to, where it is narrowed to one.
pub fn narrowed(asked: Option<TenantId>, tenant_scoped: Option<TenantId>) -> Result<Option<TenantId>> {
    match (tenant_scoped, asked) {
        (Some(own), Some(asked)) if own != asked => {
            Err(Error::not_found("tenant_not_found", format!("there is no tenant '{asked}'")))
        }
        (_, Some(TenantId::SYSTEM)) => Err(Error::invalid(
            "tenant_id",
            format!(
                "'{}' is the server's own trail, which no analytic answer counts; send a customer's id, or list the trail with GET /v1/events",
                TenantId::SYSTEM
            ),
        )),
        (own, asked) => Ok(own.or(asked)),
    }
}

/// Over which time a question is asked, how finely, and whether the period before is asked for too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesSpec {
    /// The range and its zone.
    pub span: Span,
    /// How long a bucket is.
    pub granularity: Granularity,
    /// Whether to answer the previous period too.
    pub compare: bool,
}

impl SeriesSpec {
    /// The previous period's span, where it was asked for.
    pub fn previous(self) -> Option<Span> {
        self.compare.then(|| self.span.previous(self.granularity))
    }

    /// Answers the period, and the one before it where that was asked for. `answer` gets them in order of time.
    pub fn compared<A>(self, mut answer: impl FnMut(Span) -> Result<A>) -> Result<Compared<A>> {
        let previous = self.previous().map(&mut answer).transpose()?;
        Ok(Compared { previous, current: answer(self.span)? })
    }
}

/// What was counted in one period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series<T, B = T> {
    /// The period.
    pub span: Span,
    /// What was counted in it as a whole; distinct users are no sums.
    pub totals: T,
    /// What was counted in each bucket, ascending, those without anything included.
    pub buckets: Vec<(TimeRange, B)>,
}

/// The answer for a period, beside the one for the period before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared<A> {
    /// The period that was asked for.
    pub current: A,
    /// The period before it, where it was asked for.
    pub previous: Option<A>,
}

#[cfg(test)]
mod tests {
    use trailkeeper_domain::id::{EnvId, TenantId};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_audience_is_a_scope_that_its_asker_may_see() {
        let (own, other) = (TenantId(Uuid::from_u128(1)), TenantId(Uuid::from_u128(2)));
        let scope = |tenant_id, env, tenant_scoped| Audience { tenant_id, env_id: env }.scope(tenant_scoped);
        let env = Some(EnvId(2));
        assert_eq!(scope(None, None, None).unwrap(), Scope::Everyone);
        assert_eq!(scope(Some(other), env, None).unwrap(), Scope::Tenant(other));
        assert_eq!(scope(None, env, Some(own)).unwrap(), Scope::Tenant(own));
        assert_eq!(scope(Some(own), None, Some(own)).unwrap(), Scope::Tenant(own));
        assert_eq!(scope(Some(TenantId::NONE), None, None).unwrap(), Scope::Tenant(TenantId::NONE));
        let hidden = scope(Some(other), None, Some(own)).unwrap_err();
        assert_eq!(hidden.detail().unwrap().code, "tenant_not_found");
        let homeless = scope(None, env, None).unwrap_err();
        assert_eq!(homeless.detail().unwrap().field.as_deref(), Some("env_id"));
        // Its key is everyone's: it must never get as far as the sheets.
        let system = scope(Some(TenantId::SYSTEM), None, None).unwrap_err();
        assert_eq!(system.detail().unwrap().field.as_deref(), Some("tenant_id"));
    }
}
