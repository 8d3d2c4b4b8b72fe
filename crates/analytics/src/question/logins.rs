//! Successful and failed logins, with their users and source addresses.

use trailkeeper_domain::Result;
use trailkeeper_domain::ports::{ReadTx, Store};

use super::tally::Tally;
use super::{Compared, Series, SeriesSpec};
use crate::engine::read;
use crate::sheet::{CellKey, Facet, Fold};
use crate::{Audience, Granularity, Span};

const FACETS: [Facet; 4] = [Facet::Logins, Facet::FailedLogins, Facet::LoginSources, Facet::FailedLoginSources];

/// Logins of one outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attempts {
    /// The number of logins.
    pub logins: u64,
    /// Distinct users of the logins that name one.
    pub users: u64,
    /// Distinct source addresses of the logins that name one.
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

/// Counts logins per bucket and over the whole range.
pub fn logins(store: &dyn Store, spec: SeriesSpec, audience: &Audience) -> Result<Compared<Series<Logins>>> {
    store.reading(|tx| spec.compared(|span| series(tx, audience, span, spec.granularity)))
}

fn series(tx: &mut dyn ReadTx, audience: &Audience, span: Span, granularity: Granularity) -> Result<Series<Logins>> {
    let ranges = span.buckets(granularity)?;
    let mut buckets = Vec::with_capacity(ranges.len());
    let mut all = Tallies::default();
    read::each(tx, audience, &ranges, &FACETS, |_, range, fold: &Fold| {
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
