//! Distinct active users per day or month, tenant and environment; computed ones and those that callers reported.

use chrono::NaiveDate;
use trailkeeper_domain::activity::{ActiveUsers, ActiveUsersQuery, Period};
use trailkeeper_domain::clock::Clock;
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::ports::{ReadTx, Scopes, Store};
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_domain::{Error, Result};

use crate::engine::{TenantCells, per_tenant};
use crate::question::local_periods::LocalPeriods;
use crate::sheet::{Facet, Folded};
use crate::span::bounds::{self, MAX_YEARS_OF_DAYS, MAX_YEARS_OF_MONTHS};
use crate::{EachTenant, Zone};

/// A question for the active users of a range of periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveUsersQuestion {
    /// Days or months.
    pub period: Period,
    /// Any day of the first period.
    pub date_from: NaiveDate,
    /// Any day of the last period, which is included; `None`: until now.
    pub date_to: Option<NaiveDate>,
    /// The time zone of the periods.
    pub zone: Zone,
}

/// One row per period, tenant and environment that has a value, in this order. A reported value replaces the computed
/// one, because its reporter knows of activity that was never recorded here as events. A reported value names a day or a
/// month and no time zone, so it stands for the period of that name in every zone.
///
/// # Errors
/// [`Error::Invalid`] for a range that ends before it begins, or is longer than ten years of days or a hundred years of
/// months. Without `date_to`, a range that begins in the future is empty and no error.
pub fn active_users(
    store: &dyn Store,
    clock: &dyn Clock,
    question: &ActiveUsersQuestion,
    tenants: &EachTenant,
) -> Result<Vec<ActiveUsers>> {
    let queries = queries(question, question.zone.counted_day_of(clock.now()), tenants)?;
    let Some(ActiveUsersQuery { period, first, last, .. }) = queries.first().copied() else { return Ok(Vec::new()) };
    let periods = LocalPeriods::of(question.zone, period, first, last);
    store.reading(|tx| {
        let (mut computed, mut reported) = (Vec::new(), Vec::new());
        if !periods.are_of_utc() {
            periods.per_tenant(tx, tenants, Facet::Active, &mut |tenant, first_day, cell| {
                computed.push(row(tenant, first_day, cell)?);
                Ok(())
            })?;
        }
        for query in &queries {
            if periods.are_of_utc() {
                compute(tx, query, &mut computed)?;
            }
            reported.extend(tx.reported_active_users(query)?);
        }
        Ok(merged(computed, reported))
    })
}

/// Checks the question, and splits it into parts that the database answers at once: every tenant, or one.
fn queries(question: &ActiveUsersQuestion, today: NaiveDate, tenants: &EachTenant) -> Result<Vec<ActiveUsersQuery>> {
    let ActiveUsersQuestion { period, date_from, date_to, .. } = *question;
    let first = period.start_of(date_from);
    let last = period.start_of(date_to.unwrap_or(today));
    if date_to.is_none() && first > last {
        return Ok(Vec::new());
    }
    let years = match period {
        Period::Daily => MAX_YEARS_OF_DAYS,
        Period::Monthly => MAX_YEARS_OF_MONTHS,
    };
    bounds::check_days(("date_from", first), ("date_to", last), years)?;
    let query = |tenant_id| ActiveUsersQuery { period, first, last, tenant_id, env_id: tenants.env() };
    Ok(match tenants.tenants() {
        None => vec![query(None)],
        Some(tenants) => tenants.iter().map(|tenant| query(Some(*tenant))).collect(),
    })
}

/// Adds the distinct users with at least one event that did not fail, for each UTC period, tenant and environment that
/// has any; in no particular order.
fn compute(tx: &mut dyn ReadTx, query: &ActiveUsersQuery, cells: &mut Vec<ActiveUsers>) -> Result<()> {
    let level = match query.period {
        Period::Daily => Level::Day,
        Period::Monthly => Level::Month,
    };
    let scopes = query.tenant_id.map_or(Scopes::EveryTenant, |tenant| Scopes::One(Scope::Tenant(tenant)));
    let only = query.env_id.map(|env| u64::from(env.0));
    let wanted = TenantCells { scopes, level, starts: query.range(), facet: Facet::Active, only };
    per_tenant(tx, &wanted, &mut |tenant, start, cell| {
        cells.push(row(tenant, start.date_naive(), cell)?);
        Ok(())
    })
}

fn row(tenant_id: TenantId, start: NaiveDate, cell: Folded) -> Result<ActiveUsers> {
    let env = u32::try_from(cell.id)
        .map_err(|_| Error::internal(format!("{} is no environment of tenant {tenant_id}", cell.id)))?;
    Ok(ActiveUsers { start, tenant_id, env_id: EnvId(env), users: cell.distinct })
}

fn merged(mut cells: Vec<ActiveUsers>, reported: Vec<ActiveUsers>) -> Vec<ActiveUsers> {
    let key = |cell: &ActiveUsers| (cell.start, cell.tenant_id, cell.env_id);
    cells.extend(reported);
    // The sort is stable: a reported value comes after the computed one, and replaces it.
    cells.sort_by_key(key);
    cells.dedup_by(|next, kept| {
        let same = key(next) == key(kept);
        if same {
            *kept = *next;
        }
        same
    });
    cells
}

#[cfg(test)]
mod tests {
    use trailkeeper_domain::time::parse_day;
    use trailkeeper_testkit::visibility::EVERYTHING;
    use uuid::Uuid;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        parse_day("day", text).unwrap()
    }

    fn tenant(number: u128) -> TenantId {
        TenantId(Uuid::from_u128(number))
    }

    fn asked(period: Period, from: &str, to: Option<&str>, tenants: &EachTenant) -> Result<Vec<ActiveUsersQuery>> {
        let question = ActiveUsersQuestion { period, date_from: day(from), date_to: to.map(day), zone: Zone::UTC };
        queries(&question, day("2026-11-22"), tenants)
    }

    fn everyone() -> EachTenant {
        EachTenant::of(EVERYTHING, None, None).unwrap()
    }

    #[test]
    fn reported_values_replace_computed_ones_and_rows_are_in_order() {
        let cell = |start, number, env, users| ActiveUsers {
            start: day(start),
            tenant_id: tenant(number),
            env_id: EnvId(env),
            users,
        };
        let computed = vec![cell("2026-01-01", 1, 1, 5), cell("2026-01-01", 2, 1, 7), cell("2026-01-02", 1, 2, 9)];
        let reported = vec![cell("2026-01-01", 1, 1, 0), cell("2026-01-02", 1, 1, 4)];
        let expected = vec![
            cell("2026-01-01", 1, 1, 0),
            cell("2026-01-01", 2, 1, 7),
            cell("2026-01-02", 1, 1, 4),
            cell("2026-01-02", 1, 2, 9),
        ];
        assert_eq!(merged(computed, reported), expected);
    }

    #[test]
    fn an_open_range_ends_now() {
        let asked = |period, from| asked(period, from, None, &everyone()).unwrap();
        let ends = |queries: Vec<ActiveUsersQuery>| (queries[0].first, queries[0].last);
        assert_eq!(ends(asked(Period::Monthly, "2026-09-01")), (day("2026-09-01"), day("2026-11-01")));
        assert_eq!(ends(asked(Period::Daily, "2026-11-22")), (day("2026-11-22"), day("2026-11-22")));
        assert_eq!(asked(Period::Daily, "2026-11-23"), []);
    }

    #[test]
    fn wrong_ranges_name_their_field() {
        for (period, from, to, field) in [
            (Period::Daily, "2026-01-02", "2026-01-01", "date_from"),
            (Period::Daily, "2016-01-01", "2026-01-02", "date_to"),
            (Period::Monthly, "1970-01-01", "2070-02-01", "date_to"),
        ] {
            let error = asked(period, from, Some(to), &everyone()).unwrap_err();
            assert_eq!(error.detail().unwrap().field.as_deref(), Some(field), "{error}");
        }
    }

    #[test]
    fn each_tenant_is_one_query() {
        let queried = |tenants: &[TenantId]| {
            let tenants = EachTenant::of(EVERYTHING, Some(tenants), Some(EnvId(2))).unwrap();
            let queries = asked(Period::Daily, "2026-11-01", None, &tenants).unwrap();
            queries.iter().map(|query| (query.tenant_id, query.env_id)).collect::<Vec<_>>()
        };
        let env = Some(EnvId(2));
        assert_eq!(queried(&[tenant(2), tenant(1)]), [(Some(tenant(1)), env), (Some(tenant(2)), env)]);
        assert_eq!(queried(&[TenantId::SYSTEM]), [], "nothing counts it");
        assert_eq!(asked(Period::Daily, "2026-11-01", None, &everyone()).unwrap()[0].tenant_id, None);
    }
}
