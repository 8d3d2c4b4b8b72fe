//! Sheets by their keys, one or many at once.

use chrono::Duration;
use trailkeeper_domain::ports::{SheetKey, SheetPeriod};
use trailkeeper_domain::scope::{Level, Part};
use trailkeeper_testkit::at;

use crate::TestStore;
use crate::sheets::{EVERYONE, day, of, with_payloads};

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    runs_of_periods_have_lengths,
    sheets_are_removed_by_key,
    one_call_takes_any_number_of_sheets,
    a_sheet_is_written_once,
);

impl TestStore {
    fn runs(&self, generation: i64, periods: &[SheetPeriod]) -> Vec<(SheetKey, u64)> {
        self.store.reading(|tx| tx.runs(generation, periods)).unwrap()
    }
}

fn runs_of_periods_have_lengths(t: &TestStore) {
    let period = day(of(1), "2026-02-02", 0).period();
    assert_eq!(t.runs(1, &[period]), []);
    let sheet = |run, bytes| (period.run(run), vec![0_u8; bytes]);
    t.put_sheets(1, &[sheet(5, 100_000), sheet(0, 3), sheet(2, 0)]);
    let others =
        with_payloads(&[day(of(1), "2026-02-03", 9), day(of(2), "2026-02-02", 9), day(EVERYONE, "2026-02-02", 4)]);
    t.put_sheets(1, &others);
    t.put_sheets(2, &[sheet(1, 7)]);
    let expected = [(period.run(0), 3), (period.run(2), 0), (period.run(5), 100_000)];
    assert_eq!(t.runs(1, &[period]), expected);
    assert_eq!(t.runs(2, &[period]), [(period.run(1), 7)]);
    assert_eq!(t.runs(1, &[SheetPeriod { part: Part::Pages, ..period }]), []);
    assert_eq!(t.runs(1, &[SheetPeriod { level: Level::Month, ..period }]), []);
    assert_eq!(t.runs(1, &[]), []);
    // Many periods at once: some have no runs, and one is of an unknown tenant.
    let periods = [day(of(77), "2026-02-02", 0), others[2].0, others[0].0, period.run(8), day(of(2), "2026-02-07", 0)];
    let found = t.runs(1, &periods.map(SheetKey::period));
    let expected: Vec<(SheetKey, u64)> =
        [(others[2].0, 7)].into_iter().chain(expected).chain([(others[0].0, 7)]).collect();
    assert_eq!(found, expected, "in the order of keys");
}

fn sheets_are_removed_by_key(t: &TestStore) {
    let period = day(of(1), "2026-02-02", 0).period();
    let sheets = with_payloads(&[
        period.run(0),
        period.run(2),
        period.run(5),
        day(of(2), "2026-02-02", 2),
        day(EVERYONE, "2026-02-02", 2),
    ]);
    t.put_sheets(1, &sheets);
    t.put_sheets(2, &sheets);
    let removed = [period.run(5), period.run(1), day(of(77), "2026-02-02", 0), day(of(2), "2026-02-02", 2)];
    t.store.writing(|tx| tx.delete_sheets(1, &removed)).unwrap();
    t.store.writing(|tx| tx.delete_sheets(1, &[])).unwrap();
    let left =
        |generation| -> Vec<bool> { sheets.iter().map(|(key, _)| t.sheet(generation, *key).is_some()).collect() };
    assert_eq!(left(1), [true, true, false, false, true]);
    assert_eq!(left(2), [true; 5], "the other generation keeps its sheets");
}

fn one_call_takes_any_number_of_sheets(t: &TestStore) {
    // More than fit into one statement, by number and by bytes.
    let day_of = |number: i64| at("2026-01-01T00:00:00Z") + Duration::days(number);
    let small = (0..4_500).map(|number| {
        let scope = if number % 2 == 0 { of(1) } else { of(2) };
        (SheetKey { start: day_of(number), ..day(scope, "2026-01-01", 0) }, format!("sheet {number}").into_bytes())
    });
    let large = (0..3).map(|run| (day(EVERYONE, "2026-01-01", run), vec![b'.'; (3 << 20) + run as usize]));
    let sheets: Vec<(SheetKey, Vec<u8>)> = large.chain(small).collect();
    t.put_sheets(1, &sheets);
    let keys: Vec<SheetKey> = sheets.iter().map(|(key, _)| *key).collect();
    let found = t.store.reading(|tx| tx.sheets_by_key(1, &keys)).unwrap();
    assert!(found == sheets.iter().cloned().collect(), "a payload differs");
    let mut periods: Vec<SheetPeriod> = keys.iter().map(|key| key.period()).collect();
    periods.dedup();
    let mut lengths: Vec<(SheetKey, u64)> = sheets.iter().map(|(key, payload)| (*key, payload.len() as u64)).collect();
    lengths.sort_unstable();
    assert!(t.runs(1, &periods) == lengths, "a length differs");
    t.store.writing(|tx| tx.delete_sheets(1, &keys[1..])).unwrap();
    assert_eq!(t.runs(1, &periods), [(keys[0], 3 << 20)]);
}

fn a_sheet_is_written_once(t: &TestStore) {
    let (sheet, other) = (day(EVERYONE, "2026-02-02", 0), day(EVERYONE, "2026-02-03", 0));
    t.put_sheets(1, &[(sheet, b"one".to_vec())]);
    assert!(t.store.writing(|tx| tx.put_sheets(1, &[(other, b"new".to_vec()), (sheet, b"two".to_vec())])).is_err());
    assert_eq!(t.sheet(1, sheet).as_deref(), Some(b"one".as_slice()));
    assert_eq!(t.sheet(1, other), None, "the whole call fails");
}
