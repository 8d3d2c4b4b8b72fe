//! Runs of the index of events, and their pages.

use std::collections::BTreeSet;

use trailkeeper_domain::ports::{PostingRun, PostingRunKey};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};
use trailkeeper_testkit::at;

use crate::TestStore;
use crate::sheets::{EVERYONE, of};

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    runs_are_found_by_generation_scope_and_month,
    sizes_are_those_of_headers_and_pages,
    pages_are_read_in_the_order_of_the_question,
    a_missing_page_is_an_error,
    a_run_of_many_megabytes_comes_back,
    a_run_is_visible_from_its_transaction_on,
    a_snapshot_keeps_the_runs_that_it_saw,
    keys_are_used_once,
);

pub(crate) fn month(month: &str) -> Timestamp {
    at(&format!("{month}-01T00:00:00Z"))
}

pub(crate) fn key(scope: Scope, of: &str, run: u32) -> PostingRunKey {
    PostingRunKey { scope, month: month(of), run }
}

/// A run whose events and header differ from those of other keys.
pub(crate) fn run(key: PostingRunKey) -> PostingRun {
    let header = format!("header of {key:?}").into_bytes();
    PostingRun { key, events: 1 + key.run, header, removed: (key.run % 2 == 1).then(|| vec![7; 3]) }
}

/// The months from the first to the one before the last.
fn months(first: &str, end: &str) -> TimeRange {
    TimeRange { start: month(first), end: month(end) }
}

impl TestStore {
    pub(crate) fn put_runs(&self, generation: i64, keys: &[PostingRunKey]) {
        let runs: Vec<PostingRun> = keys.iter().map(|key| run(*key)).collect();
        self.store.writing(|tx| tx.put_posting_runs(generation, &runs)).unwrap();
    }

    pub(crate) fn put_pages(&self, generation: i64, key: PostingRunKey, first: u32, pages: &[Vec<u8>]) {
        self.store.writing(|tx| tx.put_posting_pages(generation, key, first, pages)).unwrap();
    }

    pub(crate) fn runs_of(&self, generation: i64, scope: Scope) -> Vec<PostingRun> {
        self.store.reading(|tx| tx.posting_runs(generation, scope, months("1970-01", "9999-01"))).unwrap()
    }

    pub(crate) fn pages(&self, generation: i64, key: PostingRunKey, pages: &[u32]) -> Result<Vec<Vec<u8>>> {
        self.store.reading(|tx| tx.posting_pages(generation, key, pages))
    }
}

/// Numbers that look random, so that no database can compress them.
pub(crate) fn noise(seed: u32, bytes: usize) -> Vec<u8> {
    let mut state = u64::from(seed) + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    (0..bytes).map(|_| next()).collect()
}

fn runs_are_found_by_generation_scope_and_month(t: &TestStore) {
    let mine = [
        key(of(1), "2026-03", 0),
        key(of(1), "2026-03", 7),
        key(of(1), "2026-02", 1),
        key(of(1), "2026-02", 2),
        key(of(1), "2025-12", 0),
    ];
    let others = [key(of(2), "2026-02", 1), key(EVERYONE, "2026-02", 1), key(EVERYONE, "2026-03", 0)];
    // The order of writing is not that of reading.
    t.put_runs(1, &mine.iter().rev().chain(&others).copied().collect::<Vec<_>>());
    t.put_runs(2, &[key(of(1), "2026-02", 9)]);
    let found = |generation, scope, range| {
        let runs = t.store.reading(|tx| tx.posting_runs(generation, scope, range)).unwrap();
        runs.into_iter().inspect(|found| assert_eq!(found, &run(found.key))).map(|run| run.key).collect::<Vec<_>>()
    };
    let all = months("1970-01", "9999-01");
    assert_eq!(found(1, of(1), all), mine, "newest month first, then by number");
    assert_eq!(found(1, of(1), months("2026-02", "2026-03")), mine[2..4], "a range is half-open");
    assert_eq!(found(1, of(1), months("2025-12", "2026-03")), mine[2..]);
    assert_eq!(found(1, of(1), months("2026-01", "2026-02")), []);
    assert_eq!(found(1, of(2), all), others[..1]);
    assert_eq!(found(1, EVERYONE, all), [others[2], others[1]]);
    assert_eq!(found(2, of(1), all), [key(of(1), "2026-02", 9)]);
    assert_eq!(found(1, of(9), all), []);
    assert_eq!(found(3, of(1), all), []);
}

fn sizes_are_those_of_headers_and_pages(t: &TestStore) {
    let (small, large, other) = (key(of(2), "2026-02", 3), key(of(1), "2026-03", 1), key(EVERYONE, "2026-02", 0));
    t.put_pages(1, large, 0, &[noise(1, 40_000), noise(2, 10)]);
    t.put_pages(1, large, 2, &[noise(3, 500)]);
    // The pages of another generation and of another run count there.
    t.put_pages(2, large, 0, &[noise(1, 77)]);
    t.put_pages(1, key(of(1), "2026-03", 2), 0, &[noise(1, 99)]);
    t.put_runs(1, &[small, large, other]);
    let sizes = |scopes: &[Scope]| t.store.reading(|tx| tx.posting_run_keys(1, scopes)).unwrap();
    let header = |key| u64::try_from(run(key).header.len()).unwrap();
    let (small, large) = ((small, 4, header(small)), (large, 2, header(large) + 40_510));
    assert_eq!(sizes(&[of(2), of(1), of(9)]), [large, small], "in the order of keys");
    assert_eq!(sizes(&[EVERYONE, of(2)]), [(other, 1, header(other)), small]);
    assert_eq!(sizes(&[]), []);
    let scopes = |generation| -> BTreeSet<Scope> {
        t.store.reading(|tx| tx.posting_scopes(generation)).unwrap().into_iter().collect()
    };
    assert_eq!(scopes(1), BTreeSet::from([EVERYONE, of(1), of(2)]));
    assert_eq!(scopes(2), BTreeSet::new(), "its run is not visible");
}

fn pages_are_read_in_the_order_of_the_question(t: &TestStore) {
    let run = key(of(1), "2026-02", 1);
    let payloads: Vec<Vec<u8>> = (0..10).map(|page| noise(page, 3_990 + usize::try_from(page).unwrap())).collect();
    t.put_pages(1, run, 0, &payloads[..4]);
    t.put_pages(1, run, 4, &payloads[4..]);
    t.put_pages(1, key(of(2), "2026-02", 1), 0, &[b"another scope".to_vec()]);
    t.put_pages(2, run, 0, &[b"another generation".to_vec()]);
    t.put_runs(1, &[run]);
    assert_eq!(t.pages(1, run, &[7]).unwrap(), [payloads[7].clone()]);
    let (asked, expected): (Vec<u32>, Vec<Vec<u8>>) =
        [9_u8, 0, 4, 3].iter().map(|page| (u32::from(*page), payloads[usize::from(*page)].clone())).unzip();
    assert_eq!(t.pages(1, run, &asked).unwrap(), expected);
    assert_eq!(t.pages(1, run, &[]).unwrap(), [] as [Vec<u8>; 0]);
    assert_eq!(t.pages(2, run, &[0]).unwrap(), [b"another generation".to_vec()]);
}

fn a_missing_page_is_an_error(t: &TestStore) {
    let stored = key(of(1), "2026-02", 1);
    t.put_pages(1, stored, 0, &[vec![1], vec![2]]);
    t.put_runs(1, &[stored]);
    let unknown = PostingRunKey { scope: of(9), ..stored };
    for (key, pages, page) in
        [(stored, &[2_u32][..], 2), (stored, &[0, 3, 1], 3), (stored, &[u32::MAX], u32::MAX), (unknown, &[0], 0)]
    {
        let Err(Error::Internal { cause }) = t.pages(1, key, pages) else { panic!("{key:?} {pages:?}") };
        assert!(cause.to_string().contains(&format!("no page {page} ")), "{cause}");
    }
    assert_eq!(t.pages(1, unknown, &[]).unwrap(), [] as [Vec<u8>; 0]);
}

fn a_run_of_many_megabytes_comes_back(t: &TestStore) {
    let large = key(EVERYONE, "2026-02", 0);
    let pages: Vec<Vec<u8>> = (0..300).map(|page| noise(page, 32 * 1024)).collect();
    t.put_pages(1, large, 0, &pages);
    t.put_runs(1, &[large]);
    let all: Vec<u32> = (0..300).collect();
    assert!(t.pages(1, large, &all).unwrap() == pages, "a page differs");
    // Headers are small, but nobody limits them.
    let runs: Vec<PostingRun> = (0..3)
        .map(|number| PostingRun { header: noise(number, 3 << 20), ..run(key(of(1), "2026-02", number)) })
        .collect();
    t.store.writing(|tx| tx.put_posting_runs(1, &runs)).unwrap();
    assert!(t.runs_of(1, of(1)) == runs, "a header differs");
}

fn a_run_is_visible_from_its_transaction_on(t: &TestStore) {
    let (old, new) = (key(of(1), "2026-02", 0), key(of(1), "2026-02", 1));
    let visible = || -> Vec<PostingRunKey> {
        let keys: Vec<_> = t.runs_of(1, of(1)).into_iter().map(|run| run.key).collect();
        let listed = t.store.reading(|tx| tx.posting_run_keys(1, &[of(1)])).unwrap();
        assert_eq!(listed.into_iter().map(|(key, ..)| key).collect::<Vec<_>>(), keys);
        keys
    };
    t.put_pages(1, old, 0, &[b"old".to_vec()]);
    assert_eq!(visible(), []);
    t.put_runs(1, &[old]);
    t.put_pages(1, new, 0, &[b"new".to_vec()]);
    assert_eq!(visible(), [old]);
    let switch = |fail: bool| -> Result<()> {
        t.store.writing(|tx| {
            tx.put_posting_runs(1, &[run(new)])?;
            tx.delete_posting_runs(1, &[old, key(of(9), "2026-02", 0), key(of(1), "2026-03", 0)])?;
            if fail { Err(Error::forbidden("no")) } else { Ok(()) }
        })
    };
    assert!(switch(true).is_err());
    assert_eq!(visible(), [old]);
    switch(false).unwrap();
    assert_eq!(visible(), [new]);
    assert_eq!(t.pages(1, new, &[0]).unwrap(), [b"new".to_vec()]);
}

fn a_snapshot_keeps_the_runs_that_it_saw(t: &TestStore) {
    let (old, new) = (key(of(1), "2026-02", 0), key(of(1), "2026-02", 1));
    t.put_pages(1, old, 0, &[noise(1, 32_000)]);
    t.put_runs(1, &[old]);
    let seen = t.store.reading(|tx| {
        let before = tx.posting_runs(1, of(1), months("2026-02", "2026-03"))?;
        t.store.writing(|tx| {
            tx.put_posting_runs(1, &[run(new)])?;
            tx.delete_posting_runs(1, &[old])
        })?;
        assert_eq!(t.store.writing(|tx| tx.delete_replaced_posting_pages(10))?, 1);
        assert_eq!(tx.posting_runs(1, of(1), months("2026-02", "2026-03"))?, before);
        tx.posting_pages(1, old, &[0])
    });
    assert_eq!(seen.unwrap(), [noise(1, 32_000)]);
    assert_eq!(t.runs_of(1, of(1)), [run(new)]);
    assert!(t.pages(1, old, &[0]).is_err());
}

fn keys_are_used_once(t: &TestStore) {
    let (used, next) = (key(of(1), "2026-02", 0), key(of(1), "2026-02", 1));
    t.put_pages(1, used, 0, &[b"page".to_vec()]);
    let again = |key, page| t.store.writing(|tx| tx.put_posting_pages(1, key, page, &[b"other".to_vec()])).is_err();
    let shown = |key| t.store.writing(|tx| tx.put_posting_runs(1, &[run(key)])).is_err();
    assert!(again(used, 0), "the page exists");
    t.put_runs(1, &[used]);
    assert!(again(used, 1), "a visible run gets no other page");
    assert!(shown(used), "the run exists");
    t.store
        .writing(|tx| {
            tx.put_posting_runs(1, &[run(next)])?;
            tx.delete_posting_runs(1, &[used])
        })
        .unwrap();
    assert!(again(used, 1), "pages of the replaced run are still there");
    assert!(shown(used), "pages of the replaced run are still there");
    assert_eq!(t.runs_of(1, of(1)), [run(next)]);
    // Another generation has numbers of its own.
    t.put_pages(2, used, 0, &[b"its page".to_vec()]);
    t.put_runs(2, &[used]);
    assert_eq!(t.runs_of(2, of(1)), [run(used)]);
}
