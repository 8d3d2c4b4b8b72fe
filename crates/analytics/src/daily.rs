//! Answers with one entry for every day of a range, days without anything included.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use trailkeeper_domain::creation::DailyCount;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::time::next_day;

/// How many per tenant, tenants without any left out.
pub type PerTenant = BTreeMap<TenantId, u64>;

/// Spreads counts over the days from `first` to `last`, both inside.
pub fn every_day(first: NaiveDate, last: NaiveDate, counts: Vec<DailyCount>) -> BTreeMap<NaiveDate, PerTenant> {
    let mut days = BTreeMap::new();
    let mut day = first;
    while day <= last {
        days.insert(day, PerTenant::new());
        day = next_day(day);
    }
    for DailyCount { day, tenant_id, count } in counts {
        if let Some(tenants) = days.get_mut(&day).filter(|_| count > 0) {
            *tenants.entry(tenant_id).or_default() += count;
        }
    }
    days
}

#[cfg(test)]
mod tests {
    use trailkeeper_domain::time::parse_day;

    use super::*;

    #[test]
    fn days_without_anything_are_there_too() {
        let day = |text| parse_day("day", text).unwrap();
        let cell = |text, count| DailyCount { day: day(text), tenant_id: TenantId::NONE, count };
        let days = every_day(day("2024-02-28"), day("2024-03-01"), vec![cell("2024-02-29", 3), cell("2024-03-01", 0)]);
        let expected = [
            (day("2024-02-28"), PerTenant::new()),
            (day("2024-02-29"), PerTenant::from([(TenantId::NONE, 3)])),
            (day("2024-03-01"), PerTenant::new()),
        ];
        assert_eq!(days, BTreeMap::from(expected));
    }
}
