//! The removal of pages that no visible run has, and of other generations of the index of events.

use trailkeeper_domain::ports::PostingRunKey;

use crate::TestStore;
use crate::postings::{key, noise, run};
use crate::sheets::{EVERYONE, of};

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    pages_of_replaced_runs_are_removed_in_steps,
    pages_that_were_never_shown_are_swept,
    small_runs_leave_nothing_to_remove,
    runs_and_pages_of_other_generations_are_removed_in_steps,
    the_current_generation_says_whether_it_has_postings,
);

impl TestStore {
    /// The numbers of pages of each run, and of notes about invisible runs, as the tables have them.
    fn stored_pages(&self) -> (Vec<Vec<String>>, usize) {
        let pages = self.ask(
            "SELECT CAST(generation AS text), CAST(run AS text), CAST(count(*) AS text) FROM posting_pages \
             GROUP BY generation, run ORDER BY generation, run",
        );
        (pages, self.ask("SELECT CAST(run AS text) FROM hidden_posting_runs").len())
    }

    fn remove_replaced(&self, limit: usize) -> u64 {
        self.store.writing(|tx| tx.delete_replaced_posting_pages(limit)).unwrap()
    }

    fn sweep(&self, limit: usize) -> u64 {
        self.store.writing(|tx| tx.sweep_posting_pages(limit)).unwrap()
    }

    fn put_run_with_pages(&self, generation: i64, key: PostingRunKey, pages: u32) {
        self.put_pages(generation, key, 0, &(0..pages).map(|page| noise(page, 5_000)).collect::<Vec<_>>());
        self.put_runs(generation, &[key]);
    }
}

fn rows(rows: &[[u32; 3]]) -> Vec<Vec<String>> {
    rows.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect()
}

fn pages_of_replaced_runs_are_removed_in_steps(t: &TestStore) {
    let [first, second, third, made] = [0, 1, 2, 3].map(|number| key(of(1), "2026-02", number));
    t.put_run_with_pages(1, first, 5);
    t.put_run_with_pages(1, second, 7);
    t.put_run_with_pages(2, first, 2);
    t.put_run_with_pages(1, third, 1);
    t.put_pages(1, made, 0, &[noise(1, 10)]);
    assert_eq!(t.remove_replaced(100), 0, "nothing was replaced");
    t.store.writing(|tx| tx.delete_posting_runs(1, &[first, second])).unwrap();
    t.store.writing(|tx| tx.delete_posting_runs(2, &[first])).unwrap();
    assert_eq!(t.stored_pages(), (rows(&[[1, 0, 5], [1, 1, 7], [1, 2, 1], [1, 3, 1], [2, 0, 2]]), 4));
    assert_eq!(t.remove_replaced(0), 0);
    assert_eq!([t.remove_replaced(5), t.remove_replaced(8), t.remove_replaced(8)], [5, 8, 1]);
    assert_eq!(t.stored_pages(), (rows(&[[1, 2, 1], [1, 3, 1]]), 1), "a run in the making stays");
    assert_eq!(t.remove_replaced(8), 0);
    // The run in the making can be continued and shown.
    t.put_pages(1, made, 1, &[noise(2, 10)]);
    t.put_runs(1, &[made]);
    assert_eq!((t.remove_replaced(8), t.sweep(8)), (0, 0));
    assert_eq!(t.stored_pages(), (rows(&[[1, 2, 1], [1, 3, 2]]), 0));
    assert_eq!(t.pages(1, made, &[1, 0]).unwrap(), [noise(2, 10), noise(1, 10)]);
}

fn pages_that_were_never_shown_are_swept(t: &TestStore) {
    let (shown, orphan, replaced) =
        (key(EVERYONE, "2026-02", 0), key(EVERYONE, "2026-02", 1), key(of(3), "2026-01", 4));
    t.put_run_with_pages(1, shown, 3);
    t.put_run_with_pages(1, replaced, 2);
    t.put_pages(1, orphan, 0, &[noise(1, 10), noise(2, 40_000)]);
    t.put_pages(1, orphan, 2, &[noise(3, 10)]);
    t.put_pages(5, orphan, 0, &[noise(4, 10)]);
    t.store.writing(|tx| tx.delete_posting_runs(1, &[replaced])).unwrap();
    assert_eq!(t.sweep(2), 2);
    assert_eq!(t.sweep(100), 4);
    assert_eq!(t.sweep(100), 0);
    assert_eq!(t.stored_pages(), (rows(&[[1, 0, 3]]), 0));
    // The number is free again, because nobody ever saw its run.
    t.put_run_with_pages(1, orphan, 1);
    assert_eq!(t.runs_of(1, EVERYONE), [run(shown), run(orphan)]);
    assert_eq!(t.pages(1, orphan, &[0]).unwrap(), [noise(0, 5_000)]);
}

fn small_runs_leave_nothing_to_remove(t: &TestStore) {
    let small = [0, 1, 2].map(|number| key(of(1), "2026-02", number));
    t.put_runs(1, &small);
    t.store.writing(|tx| tx.delete_posting_runs(1, &small[..2])).unwrap();
    assert_eq!(t.stored_pages(), (Vec::new(), 0));
    assert!(!t.store.reading(|tx| tx.has_hidden_posting_pages()).unwrap());
    assert_eq!(t.runs_of(1, of(1)), [run(small[2])]);
}

fn runs_and_pages_of_other_generations_are_removed_in_steps(t: &TestStore) {
    for generation in 1..=5 {
        for tenant in 1..=3 {
            t.put_run_with_pages(generation, key(of(tenant), "2026-02", 0), 2);
        }
        // Of a rebuild that died.
        t.put_pages(generation, key(of(1), "2026-02", 1), 0, &[noise(1, 10)]);
    }
    t.store.writing(|tx| tx.set_generation(3, true)).unwrap();
    let delete = |keep, limit| t.store.writing(|tx| tx.delete_other_generations(keep, limit)).unwrap();
    let left = |table: &str| -> Vec<String> {
        let sql = format!("SELECT DISTINCT CAST(generation AS text) FROM {table} ORDER BY 1");
        t.ask(&sql).into_iter().map(|mut row| row.remove(0)).collect()
    };
    let mut removed = 0;
    loop {
        let step = delete(Some(4), 4);
        assert!(step <= 4, "{step}");
        if step == 0 {
            break;
        }
        removed += step;
    }
    // Three generations of three runs with two pages each, a page without a run, and the note about that one.
    assert_eq!(removed, 3 * (3 + 6 + 1 + 1));
    for table in ["posting_runs", "posting_pages", "hidden_posting_runs"] {
        assert_eq!(left(table), ["3", "4"], "{table}");
    }
    assert_eq!(delete(None, 1_000), 3 + 6 + 1 + 1);
    for tenant in 1..=3 {
        let kept = key(of(tenant), "2026-02", 0);
        assert_eq!(t.runs_of(3, of(tenant)), [run(kept)]);
        assert_eq!(t.pages(3, kept, &[1, 0]).unwrap(), [noise(1, 5_000), noise(0, 5_000)]);
    }
}

fn the_current_generation_says_whether_it_has_postings(t: &TestStore) {
    let state = || t.store.reading(|tx| Ok((tx.generation()?, tx.has_postings()?))).unwrap();
    assert_eq!(state(), (1, true));
    t.store.writing(|tx| tx.set_generation(2, true)).unwrap();
    assert_eq!(state(), (2, true));
    t.store.writing(|tx| tx.set_generation(3, false)).unwrap();
    assert_eq!(state(), (3, false));
}
