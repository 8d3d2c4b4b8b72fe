//! Small runs are small, and answers read few pages.

use trailkeeper_postings::dimension::Dimension;
use trailkeeper_postings::segment::Segment;

use crate::histories::{History, Times, Values};
use crate::stored::StoredRun;

const USUAL: [Values; 10] = [
    Values::One(1),
    Values::Often,
    Values::Few,
    Values::Many,
    Values::Many,
    Values::Often,
    Values::Never,
    Values::Never,
    Values::Never,
    Values::Never,
];

fn history(len: u32, values: [Values; 10]) -> History {
    History { seed: 5, len, everyone: false, times: Times::Month, late: 10, values }
}

fn built(history: &History) -> StoredRun {
    StoredRun::built(history.scope(), &history.events())
}

#[test]
fn a_small_run_is_one_blob_with_little_overhead() {
    let none = built(&history(0, USUAL));
    assert!(none.len() < 16 && none.pages.is_empty(), "{}", none.len());
    let mut all = [Values::Hashes; 10];
    all[..6].copy_from_slice(&[1, 4, 2, 70_000, 35_000, 120].map(Values::One));
    let one = built(&history(1, all));
    assert!(one.len() < 100 && one.pages.is_empty(), "{}", one.len());
    let fifty = built(&history(50, USUAL));
    assert!(fifty.len() < 50 * 20 && fifty.pages.is_empty(), "{}", fifty.len());
}

#[test]
fn a_run_of_a_constant_stream_is_tiny() {
    let constant = History { times: Times::Steady, late: 0, ..history(50_000, [Values::One(3); 10]) };
    let run = built(&constant);
    assert!(run.len() < 8 << 10 && run.pages.is_empty(), "{}", run.len());
    assert_eq!(run.open().frequency(Dimension::User, 3).unwrap(), 50_000);
}

#[test]
fn answers_read_few_pages() {
    let history = history(60_000, USUAL);
    let run = built(&history);
    let events = history.events();
    let read = |ask: &dyn Fn(&mut dyn Segment)| {
        let mut reader = run.open();
        ask(&mut reader);
        reader.into_source().read
    };
    let key = events[0].position();
    assert_eq!(read(&|run| assert!(run.rank(key).is_ok())), [1]);
    assert_eq!(read(&|run| assert!(run.frequency(Dimension::User, 77).unwrap() > 0)), [1]);
    assert_eq!(read(&|run| assert!(run.frequency(Dimension::Kind, 1).unwrap() > 50_000)).len(), 1);
    assert_eq!(read(&|run| drop(run.postings(Dimension::User, 77, 0..60_000).unwrap())), [1]);
    assert_eq!(read(&|run| drop(run.keys(&[1, 2, 30_000, 30_001, 59_999]).unwrap())), [3]);
    assert_eq!(read(&|run| drop(run.postings(Dimension::Env, 9, 0..60_000).unwrap())).len(), 1);
    assert_eq!(read(&|run| drop(run.postings(Dimension::Session, 9, 0..60_000).unwrap())).len(), 0);
}
