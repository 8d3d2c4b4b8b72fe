//! How many distinct users were active per day or month, tenant and environment.

use chrono::NaiveDate;
use trailkeeper_domain::activity::{ActiveUsers, ActiveUsersQuery, Period};
use trailkeeper_domain::clock::Clock;
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::ports::{ReadTx, Scopes, Store};
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_domain::{Error, Result};

use crate::bounds::{self, MAX_YEARS_OF_DAYS, MAX_YEARS_OF_MONTHS};
use crate::engine::{TenantCells, per_tenant};
use crate::sheet::Facet;

/// Which active users are asked for, as the published API asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveUsersQuestion {
    /// By day or by month.
    pub period: Period,
    /// The first day of the first period.
    pub date_from: NaiveDate,
    /// The first day of the last period, included; absent: until now.
    pub date_to: Option<NaiveDate>,
    /// Only this tenant's.
    pub tenant_id: Option<TenantId>,
    /// Only this environment's; needs `tenant_id`.
    pub env_id: Option<EnvId>,
}

/// One row per period, tenant and environment that has a value, in this order. A reported value wins
/// over the computed one, because whoever reports knows of activity that never became an event here.
///
/// An asker confined to a tenant sees that one alone; asking for another gives an empty list, as it
/// does for a tenant that nobody knows.
pub fn active_users(
    store: &dyn Store,
    clock: &dyn Clock,
    question: &ActiveUsersQuestion,
    tenant_scoped: Option<TenantId>,
) -> Result<Vec<ActiveUsers>> {
    let Some(query) = query_of(question, clock.now().date_naive(), tenant_scoped)? else { return Ok(Vec::new()) };
    store.reading(|tx| {
        let computed = computed_of(tx, &query)?;
        let reported = tx.reported_active_users(&query)?;
        Ok(merged(computed, reported))
    })
}

/// Checks the question; `None` where the answer is empty without asking the database.
fn query_of(
    question: &ActiveUsersQuestion,
    today: NaiveDate,
    tenant_scoped: Option<TenantId>,
) -> Result<Option<ActiveUsersQuery>> {
    let ActiveUsersQuestion { period, date_from, date_to, tenant_id, env_id } = *question;
    bounds::check_env(Scope::of(tenant_id), env_id)?;
    let first = period.start_of(date_from);
    let last = period.start_of(date_to.unwrap_or(today));
    if date_to.is_none() && first > last {
        // Without an end the range is open: one that begins in the future is empty, not wrong.
        return Ok(None);
    }
    let years = match period {
        Period::Daily => MAX_YEARS_OF_DAYS,
        Period::Monthly => MAX_YEARS_OF_MONTHS,
    };
    bounds::check_days(("date_from", first), ("date_to", last), years)?;
    if tenant_scoped.is_some() && tenant_id.is_some() && tenant_scoped != tenant_id {
        return Ok(None);
    }
    Ok(Some(ActiveUsersQuery { period, first, last, tenant_id: tenant_scoped.or(tenant_id), env_id }))
}

/// Distinct users with at least one event that did not fail, per period, tenant and environment that has any; in no
/// particular order.
fn computed_of(tx: &mut dyn ReadTx, query: &ActiveUsersQuery) -> Result<Vec<ActiveUsers>> {
    let level = match query.period {
        Period::Daily => Level::Day,
        Period::Monthly => Level::Month,
    };
    let scopes = query.tenant_id.map_or(Scopes::EveryTenant, |tenant| Scopes::One(Scope::Tenant(tenant)));
    let only = query.env_id.map(|env| u64::from(env.0));
    let wanted = TenantCells { scopes, level, starts: query.range(), facet: Facet::Active, only };
    let mut cells = Vec::new();
    per_tenant(tx, &wanted, &mut |tenant_id, start, cell| {
        let env = u32::try_from(cell.id)
            .map_err(|_| Error::internal(format!("{} is no environment of tenant {tenant_id}", cell.id)))?;
        cells.push(ActiveUsers { start: start.date_naive(), tenant_id, env_id: EnvId(env), users: cell.distinct });
        Ok(())
    })?;
    Ok(cells)
}

fn merged(mut cells: Vec<ActiveUsers>, reported: Vec<ActiveUsers>) -> Vec<ActiveUsers> {
    let key = |cell: &ActiveUsers| (cell.start, cell.tenant_id, cell.env_id);
    cells.extend(reported);
    // A stable sort leaves what was reported behind what was computed.
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
    use uuid::Uuid;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        parse_day("day", text).unwrap()
    }

    fn tenant(number: u128) -> TenantId {
        TenantId(Uuid::from_u128(number))
    }

    fn question(period: Period, from: &str, to: Option<&str>) -> ActiveUsersQuestion {
        ActiveUsersQuestion { period, date_from: day(from), date_to: to.map(day), tenant_id: None, env_id: None }
    }

    #[test]
    fn reported_values_win_and_rows_are_in_order() {
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
        let today = day("2026-11-22");
        let monthly = query_of(&question(Period::Monthly, "2026-09-01", None), today, None).unwrap().unwrap();
        assert_eq!((monthly.first, monthly.last), (day("2026-09-01"), day("2026-11-01")));
        let daily = query_of(&question(Period::Daily, "2026-11-22", None), today, None).unwrap().unwrap();
        assert_eq!((daily.first, daily.last), (today, today));
        assert_eq!(query_of(&question(Period::Daily, "2026-11-23", None), today, None).unwrap(), None);
    }

    #[test]
    fn wrong_questions_name_their_field() {
        let today = day("2026-11-22");
        let backwards = question(Period::Daily, "2026-01-02", Some("2026-01-01"));
        let long = question(Period::Daily, "2016-01-01", Some("2026-01-02"));
        let longest = question(Period::Monthly, "1970-01-01", Some("2070-02-01"));
        let homeless = ActiveUsersQuestion { env_id: Some(EnvId(1)), ..question(Period::Daily, "2026-01-01", None) };
        for (question, field) in
            [(backwards, "date_from"), (long, "date_to"), (longest, "date_to"), (homeless, "env_id")]
        {
            let error = query_of(&question, today, None).unwrap_err();
            assert_eq!(error.detail().unwrap().field.as_deref(), Some(field), "{error}");
        }
    }

    #[test]
    fn a_confined_asker_sees_its_tenant_alone() {
        let today = day("2026-11-22");
        let everyone = question(Period::Daily, "2026-11-01", None);
        let other = ActiveUsersQuestion { tenant_id: Some(tenant(2)), ..everyone };
        let own = query_of(&everyone, today, Some(tenant(1))).unwrap().unwrap();
        assert_eq!(own.tenant_id, Some(tenant(1)));
        assert_eq!(query_of(&other, today, Some(tenant(1))).unwrap(), None);
    }
}
