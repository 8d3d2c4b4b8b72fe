//! Counts for every day of a range, empty days included.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use trailkeeper_domain::creation::DailyCount;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::time::next_day;

/// A count per tenant; tenants with a count of zero are left out.
pub type TenantCounts = BTreeMap<TenantId, u64>;

/// Spreads counts over the days from `first` to `last`, both included. Counts of other days are left out.
pub fn by_day(first: NaiveDate, last: NaiveDate, counts: Vec<DailyCount>) -> BTreeMap<NaiveDate, TenantCounts> {
    let mut days = BTreeMap::new();
    let mut day = first;
    while day <= last {
        days.insert(day, TenantCounts::new());
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
    fn empty_days_are_included() {
        let day = |text| parse_day("day", text).unwrap();
        let cell = |text, count| DailyCount { day: day(text), tenant_id: TenantId::NONE, count };
        let days = by_day(day("2024-02-28"), day("2024-03-01"), vec![cell("2024-02-29", 3), cell("2024-03-01", 0)]);
        let expected = [
            (day("2024-02-28"), TenantCounts::new()),
            (day("2024-02-29"), TenantCounts::from([(TenantId::NONE, 3)])),
            (day("2024-03-01"), TenantCounts::new()),
        ];
        assert_eq!(days, BTreeMap::from(expected));
    }
}
