//! A segment of sorted events keeps the promises of every segment.

use trailkeeper_domain::event::EventPosition;
use trailkeeper_postings::dimension::{Column, Dimension};
use trailkeeper_postings::query::SortedEvents;
use trailkeeper_postings::segment::Segment;

use crate::world::{at, event};

#[test]
fn positions_ascend_by_time_and_number() {
    let mut events = SortedEvents::new(vec![event(3, 10), event(1, 20), event(2, 10)]);
    let seqs: Vec<i64> = events.keys(&[0, 1, 2]).expect("keys").iter().map(|key| key.seq).collect();
    assert_eq!(seqs, [2, 3, 1]);
    for (micros, seq, rank) in [(9, 9, 0), (10, 2, 0), (10, 3, 1), (10, 4, 2), (20, 1, 2), (20, 2, 3)] {
        assert_eq!(events.rank(EventPosition { occurred_at: at(micros), seq }).expect("a rank"), rank);
    }
    assert_eq!(events.frequency(Dimension::Kind, 1).expect("a frequency"), 3);
    let within = events.postings(Dimension::Kind, 1, 1..2).expect("a list");
    assert_eq!(within.iter().collect::<Vec<_>>(), [1]);
    assert_eq!(events.column(Column::Page, &[1]).expect("values"), [None]);
}
