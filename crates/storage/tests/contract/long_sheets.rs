//! The sheets of quarters and years.

use trailkeeper_domain::ports::SheetKey;
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::{Error, Result};
use trailkeeper_testkit::at;

use crate::TestStore;
use crate::sheets::{EVERYONE, day, of, with_payloads};

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    a_changed_sheet_of_everyone_removes_those_of_its_quarter_and_year,
);

fn long(level: Level, part: Part, start: &str) -> SheetKey {
    SheetKey { level, part, ..day(EVERYONE, start, 7) }
}

impl TestStore {
    fn long_sheets(&self, scope: Scope) -> Vec<SheetKey> {
        let starts = TimeRange { start: at("2020-01-01T00:00:00Z"), end: at("2030-01-01T00:00:00Z") };
        self.store
            .reading(|tx| {
                let mut found = Vec::new();
                for level in Level::LONG {
                    for part in Part::ALL {
                        found.extend(tx.sheet_keys(scope, level, part, starts)?);
                    }
                }
                Ok(found)
            })
            .unwrap()
    }
}

fn a_changed_sheet_of_everyone_removes_those_of_its_quarter_and_year(t: &TestStore) {
    let all = [
        long(Level::Quarter, Part::Totals, "2025-10-01"),
        long(Level::Quarter, Part::Totals, "2026-01-01"),
        long(Level::Quarter, Part::Pages, "2026-01-01"),
        long(Level::Year, Part::Totals, "2025-01-01"),
        long(Level::Year, Part::Totals, "2026-01-01"),
    ];
    t.put_sheets(1, &with_payloads(&all));
    assert_eq!(t.long_sheets(EVERYONE), all, "they do not remove each other");
    // Neither a tenant's sheets nor another generation count there.
    let of_tenant = SheetKey { level: Level::Quarter, ..day(of(1), "2026-01-01", 0) };
    t.put_sheets(1, &with_payloads(&[day(of(1), "2026-02-01", 0), of_tenant]));
    t.put_sheets(2, &with_payloads(&[day(EVERYONE, "2026-02-01", 0)]));
    assert_eq!(t.long_sheets(EVERYONE), all);
    let changed = SheetKey { level: Level::Month, part: Part::Pages, ..day(EVERYONE, "2026-03-01", 0) };
    let undone: Result<()> = t.store.writing(|tx| {
        tx.put_sheets(1, &with_payloads(&[changed]))?;
        Err(Error::internal("the test wants it so"))
    });
    undone.unwrap_err();
    assert_eq!(t.long_sheets(EVERYONE), all, "with the sheet");
    t.put_sheets(1, &with_payloads(&[changed]));
    assert_eq!(t.long_sheets(EVERYONE), [all[0], all[3]]);
    assert_eq!(t.long_sheets(of(1)), [of_tenant]);
    t.store.writing(|tx| tx.delete_sheets(1, &[day(EVERYONE, "2025-12-31", 0)])).unwrap();
    assert_eq!(t.long_sheets(EVERYONE), []);
}
