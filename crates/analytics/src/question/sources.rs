//! Source addresses: their events, users and logins.

use chrono::TimeDelta;
use trailkeeper_domain::ports::{SourceActivity, SourceQuery, SourceTotals, Store};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::{Error, Result};

use crate::engine::retention::check_edges;
use crate::{Audience, Span};

/// The most sources that a request may ask for.
pub const MAX_SOURCES: usize = 10_000;

/// The longest range, in local days, of a question about all tenants. All events of the range are read, because no sheet
/// counts events per source.
pub const MAX_DAYS_OF_EVERYONE: i64 = 31;

/// A question for the source addresses of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourcesQuestion {
    /// The range.
    pub span: Span,
    /// The range to compare with: it ends where `span` begins.
    pub previous: Option<Span>,
    /// The most sources in the answer.
    pub limit: usize,
}

/// The source addresses of a range. Events without a source are not counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceStatistics {
    /// The totals over all sources.
    pub totals: SourceTotals,
    /// The totals of the range to compare with.
    pub previous: Option<SourceTotals>,
    /// The sources of the range with their counts in both ranges; by events descending, then by address, IPv4 first.
    pub sources: Vec<SourceActivity>,
}

/// The source addresses with the most events.
///
/// # Errors
/// [`Error::Invalid`] for `from` if the range is longer than [`MAX_DAYS_OF_EVERYONE`] and the audience is everyone, and if
/// retention has removed events in it.
pub fn sources(store: &dyn Store, question: &SourcesQuestion, audience: &Audience) -> Result<SourceStatistics> {
    check(question.span, audience)?;
    let query = SourceQuery {
        tenant_id: audience.tenant(),
        env_id: audience.env(),
        range: question.span.range,
        previous_start: question.previous.map(|span| span.range.start),
    };
    let needed = TimeRange { start: query.previous_start.unwrap_or(query.range.start), ..query.range };
    store.reading(|tx| {
        check_edges(tx, audience.scope(), &[needed])?;
        let (totals, previous) = tx.source_totals(&query)?;
        let sources = tx.source_activity(&query, question.limit)?;
        Ok(SourceStatistics { totals, previous: question.previous.map(|_| previous), sources })
    })
}

fn check(span: Span, audience: &Audience) -> Result<()> {
    let (start, end) = (span.zone.local(span.range.start), span.zone.local(span.range.end));
    if audience.tenant().is_some() || end - start <= TimeDelta::days(MAX_DAYS_OF_EVERYONE) {
        return Ok(());
    }
    Err(Error::invalid(
        "from",
        format!(
            "'{}' begins a range of more than {MAX_DAYS_OF_EVERYONE} days, which is too long for all tenants; send tenant_id or a range of at most {MAX_DAYS_OF_EVERYONE} days",
            span.zone.rfc3339(span.range.start)
        ),
    ))
}

#[cfg(test)]
mod tests {
    use trailkeeper_domain::id::TenantId;
    use trailkeeper_domain::time::parse_rfc3339;
    use trailkeeper_testkit::visibility::{EVERYTHING, of_tenant};

    use super::*;
    use crate::{Edge, Zone};

    fn checked(audience: &Audience, from: &str, to: &str) -> Result<()> {
        let edge = |field, value| Edge::parse(field, value).map(Some);
        let now = parse_rfc3339("now", "2026-11-22T00:00:00Z")?;
        let zone = Zone::parse("timezone", "Europe/Berlin")?;
        check(Span::of(zone, edge("from", from)?, edge("to", to)?, now)?, audience)
    }

    #[test]
    fn a_long_range_needs_a_tenant() {
        let everyone = Audience::of(EVERYTHING, None, None).unwrap();
        // 31 local days, which are an hour longer than 31 times 24 hours.
        assert!(checked(&everyone, "2026-10-01", "2026-10-31").is_ok());
        let error = checked(&everyone, "2026-09-30", "2026-10-31").unwrap_err();
        assert_eq!(
            error.to_string(),
            "from: '2026-09-30T00:00:00+02:00' begins a range of more than 31 days, which is too long for all tenants; \
             send tenant_id or a range of at most 31 days"
        );
        let named = Audience::of(EVERYTHING, Some(TenantId::NONE), None).unwrap();
        let own = Audience::of(of_tenant(TenantId::NONE), None, None).unwrap();
        for audience in [named, own] {
            assert!(checked(&audience, "2017-01-01", "2026-10-31").is_ok());
        }
    }
}
