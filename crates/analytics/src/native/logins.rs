//! Logins that succeeded and logins that were refused, their users and where they came from.

use trailkeeper_domain::Result;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::ReadTx;

use super::buckets::{Granularity, Span};
use super::tally::{Folding, Tally};
use super::{Audience, Compared, Series, SeriesSpec};
use crate::Source;
use crate::sheet::{CellKey, Facet, Fold};

const FACETS: [Facet; 4] = [Facet::Logins, Facet::FailedLogins, Facet::LoginSources, Facet::FailedLoginSources];

/// Logins of one outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attempts {
    /// Logins.
    pub logins: u64,
    /// Distinct users, as far as they are known.
    pub users: u64,
    /// Distinct source addresses, as far as they are known.
    pub sources: u64,
}

/// Logins by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Logins {
    /// Events of type `login_success`.
    pub success: Attempts,
    /// Events of type `login_fail`.
    pub failure: Attempts,
}

/// Logins per bucket and over the whole range, in one snapshot.
pub fn logins(
    source: Source<'_>,
    audience: Audience,
    spec: SeriesSpec,
    tenant_scoped: Option<TenantId>,
) -> Result<Compared<Series<Logins>>> {
    let scope_filter = audience.folding(source, tenant_scoped)?;
    source.store.reading(|tx| spec.compared(|span| series(tx, scope_filter, span, spec.granularity)))
}

fn series(
    tx: &mut dyn ReadTx,
    scope_filter: Folding<'_>,
    span: Span,
    granularity: Granularity,
) -> Result<Series<Logins>> {
    let ranges = span.buckets(granularity)?;
    let mut buckets = Vec::with_capacity(ranges.len());
    let mut all = Tallies::default();
    scope_filter.each(tx, &ranges, &FACETS, |_, range, fold| {
        let mut here = Tallies::default();
        here.add(fold);
        all.add(fold);
        buckets.push((range, here.counted()));
        Ok(())
    })?;
    Ok(Series { span, totals: all.counted(), buckets })
}

#[derive(Debug, Default)]
struct Tallies {
    success: Outcome,
    failure: Outcome,
}

#[derive(Debug, Default)]
struct Outcome {
    users: Tally,
    sources: Tally,
}

impl Tallies {
    fn add(&mut self, fold: &Fold) {
        self.success.add(fold, Facet::Logins, Facet::LoginSources);
        self.failure.add(fold, Facet::FailedLogins, Facet::FailedLoginSources);
    }

    fn counted(&self) -> Logins {
        Logins { success: self.success.counted(), failure: self.failure.counted() }
    }
}

impl Outcome {
    fn add(&mut self, fold: &Fold, users: Facet, sources: Facet) {
        self.users.add(fold, CellKey::single(users));
        self.sources.add(fold, CellKey::single(sources));
    }

    fn counted(&self) -> Attempts {
        Attempts { logins: self.users.count, users: self.users.distinct(), sources: self.sources.distinct() }
    }
}
