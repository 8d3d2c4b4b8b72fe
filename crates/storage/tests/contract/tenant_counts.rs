//! The counts of all tenants per period.

use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::SheetKey;
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};
use trailkeeper_testkit::at;

use crate::TestStore;
use crate::sheets::{EVERYONE, day, of, with_payloads};

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    counts_are_found_by_level_and_start,
    a_changed_sheet_of_a_tenant_removes_the_counts_of_its_period,
    counts_belong_to_a_generation,
);

fn midnight(day: &str) -> Timestamp {
    at(&format!("{day}T00:00:00Z"))
}

impl TestStore {
    fn put_counts(&self, generation: i64, level: Level, start: Timestamp, payload: &[u8]) {
        self.store.writing(|tx| tx.put_tenant_counts(generation, level, start, payload)).unwrap();
    }

    fn counts(&self, level: Level, first: &str, end: &str) -> Vec<(Timestamp, Vec<u8>)> {
        let starts = TimeRange { start: midnight(first), end: midnight(end) };
        let mut found = Vec::new();
        self.store
            .reading(|tx| {
                found.clear();
                tx.tenant_counts(level, starts, &mut |start, payload| {
                    found.push((start, payload.to_vec()));
                    Ok(())
                })
            })
            .unwrap();
        found
    }

    fn counted(&self, level: Level) -> Vec<Timestamp> {
        self.store.reading(|tx| tx.counted_periods(level)).unwrap()
    }
}

fn counts_are_found_by_level_and_start(t: &TestStore) {
    // More than one batch, two of which are larger than a batch.
    let starts: Vec<Timestamp> = (0..40).map(|day| midnight("2026-02-01") + chrono::Duration::days(day)).collect();
    let payload = |nth: usize| vec![u8::try_from(nth).unwrap(); if nth % 20 == 3 { 5 << 20 } else { nth }];
    for (nth, start) in starts.iter().enumerate().rev() {
        t.put_counts(1, Level::Day, *start, &payload(nth));
    }
    t.put_counts(1, Level::Month, starts[0], b"month");
    let all: Vec<(Timestamp, Vec<u8>)> = starts.iter().copied().zip((0..).map(payload)).collect();
    assert_eq!(t.counts(Level::Day, "2020-01-01", "2030-01-01"), all);
    assert_eq!(t.counts(Level::Day, "2026-02-03", "2026-02-09"), all[2..8], "a range is half-open");
    assert!(t.counts(Level::Day, "2026-02-03", "2026-02-03").is_empty());
    assert_eq!(t.counts(Level::Month, "2026-02-01", "2026-03-01"), [(starts[0], b"month".to_vec())]);
    assert_eq!((t.counted(Level::Day), t.counted(Level::Month)), (starts.clone(), vec![starts[0]]));
}

fn a_changed_sheet_of_a_tenant_removes_the_counts_of_its_period(t: &TestStore) {
    let days = ["2026-02-01", "2026-02-02", "2026-02-03"];
    for start in days {
        t.put_counts(1, Level::Day, midnight(start), b"counts");
    }
    t.put_counts(1, Level::Month, midnight("2026-02-01"), b"counts");
    let left = || (t.counted(Level::Day), t.counted(Level::Month).len());
    let all: Vec<Timestamp> = days.map(midnight).to_vec();
    // Neither everyone's sheets nor pages nor another generation count there.
    let mut pages = day(of(1), "2026-02-01", 0);
    pages.part = Part::Pages;
    t.put_sheets(1, &with_payloads(&[day(EVERYONE, "2026-02-01", 0), pages, day(of(1), "2026-02-09", 0)]));
    t.put_sheets(2, &with_payloads(&[day(of(1), "2026-02-01", 0)]));
    assert_eq!(left(), (all.clone(), 1));
    t.put_sheets(1, &with_payloads(&[day(of(1), "2026-02-02", 0), day(of(2), "2026-02-02", 0)]));
    assert_eq!(left(), (vec![all[0], all[2]], 1));
    t.store.writing(|tx| tx.delete_sheets(1, &[day(Scope::Tenant(TenantId::NONE), "2026-02-03", 0)])).unwrap();
    assert_eq!(left(), (vec![all[0]], 1));
    let month = SheetKey { level: Level::Month, ..day(of(1), "2026-02-01", 4) };
    let undone: Result<()> = t.store.writing(|tx| {
        tx.put_sheets(1, &with_payloads(&[month]))?;
        Err(Error::internal("the test wants it so"))
    });
    undone.unwrap_err();
    assert_eq!(left(), (vec![all[0]], 1), "with the sheet");
    t.put_sheets(1, &with_payloads(&[month]));
    assert_eq!(left(), (vec![all[0]], 0));
}

fn counts_belong_to_a_generation(t: &TestStore) {
    for generation in 1..=3 {
        t.put_counts(generation, Level::Day, midnight("2026-02-01"), &[u8::try_from(generation).unwrap()]);
    }
    t.store.writing(|tx| tx.set_generation(2, false)).unwrap();
    assert_eq!(t.counts(Level::Day, "2026-01-01", "2027-01-01"), [(midnight("2026-02-01"), vec![2])]);
    let deleted = |limit| t.store.writing(|tx| tx.delete_other_generations(None, limit)).unwrap();
    assert_eq!((deleted(1), deleted(100), deleted(100)), (1, 1, 0));
    assert_eq!(t.counts(Level::Day, "2026-01-01", "2027-01-01"), [(midnight("2026-02-01"), vec![2])]);
}
