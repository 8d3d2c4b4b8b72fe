//! Damaged and forged runs: an error that names its place, or an answer, and never a panic.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::bits::seal;
use trailkeeper_postings::dimension::{Column, Dimension};
use trailkeeper_postings::segment::Segment;

use crate::histories::{History, Random, histories};
use crate::stored::{StoredRun, positions_of};

fn built(history: &History) -> StoredRun {
    StoredRun::built(history.scope(), &history.events())
}

/// Asks everything. Each answer must be one that a run can give.
fn ask(stored: &StoredRun, history: &History) -> Vec<Error> {
    let mut errors = Vec::new();
    let mut note = |result: Result<()>| errors.extend(result.err());
    let mut run = match stored.try_open() {
        Ok(run) => run,
        Err(error) => return vec![error],
    };
    let len = run.len();
    assert!(len <= 1 << 20);
    let mut random = Random(history.seed);
    let some: Vec<u32> = (0..len).step_by(97).collect();
    note(run.keys(&some).map(|keys| assert_eq!(keys.len(), some.len())));
    for event in history.events().iter().take(10) {
        note(run.rank(event.position()).map(|rank| assert!(rank <= len)));
    }
    for dimension in Dimension::ALL {
        for value in [0, 1, 2, 3, 5, u32::MAX, random.below(20_000)] {
            note(run.frequency(dimension, value).map(drop));
            for within in [0..len, len / 3..len / 2] {
                note(run.postings(dimension, value, within.clone()).map(|set| {
                    let positions = positions_of(&set);
                    assert!(positions.iter().all(|position| within.contains(position)), "{dimension:?} {value}");
                    assert!(positions.is_sorted_by(|one, other| one < other));
                }));
            }
        }
    }
    for column in [Column::Env, Column::Kind, Column::Outcome, Column::User, Column::Source, Column::Page] {
        note(run.column(column, &some).map(|values| assert_eq!(values.len(), some.len())));
    }
    note(run.events(history.scope(), &mut |_| Ok(())));
    note(StoredRun::merged(std::slice::from_ref(stored)).map(drop));
    errors
}

/// Replaces bytes, and repairs the checksum.
fn forge(bytes: &mut Vec<u8>, damage: &[(Index, u8)]) {
    bytes.truncate(bytes.len() - 4);
    for (at, byte) in damage {
        let at = at.index(bytes.len());
        bytes[at] = *byte;
    }
    seal(bytes);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_forged_header_survives(history in histories(0_u32..120), damage in vec((any::<Index>(), any::<u8>()), 1..6)) {
        let mut run = built(&history);
        forge(&mut run.header, &damage);
        for error in ask(&run, &history) {
            prop_assert!(matches!(error, Error::Internal { .. }), "{}", error);
        }
    }

    #[test]
    fn a_damaged_header_is_an_error(history in histories(0_u32..60), at: Index, bit in 0_u32..8) {
        let mut run = built(&history);
        let at = at.index(run.header.len());
        run.header[at] ^= 1_u8 << bit;
        let error = run.try_open().unwrap_err().chain().to_string();
        prop_assert!(error.contains("the header of posting run 7 is unreadable at byte"), "{}", error);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn forged_pages_survive(
        history in histories(3_000_u32..9_000),
        damage in vec((any::<Index>(), vec((any::<Index>(), any::<u8>()), 1..6)), 1..20),
    ) {
        let mut run = built(&history);
        prop_assume!(!run.pages.is_empty());
        for (page, damage) in damage {
            let page = page.index(run.pages.len());
            forge(&mut run.pages[page], &damage);
        }
        for error in ask(&run, &history) {
            prop_assert!(matches!(error, Error::Internal { .. }), "{}", error);
        }
    }

    #[test]
    fn a_forged_header_of_many_pages_survives(
        history in histories(3_000_u32..9_000),
        damage in vec((any::<Index>(), any::<u8>()), 1..6),
    ) {
        let mut run = built(&history);
        forge(&mut run.header, &damage);
        for error in ask(&run, &history) {
            prop_assert!(matches!(error, Error::Internal { .. }), "{}", error);
        }
    }

    #[test]
    fn a_damaged_page_is_found_and_named(history in histories(3_000_u32..9_000), page: Index, at: Index, bit in 0_u32..8) {
        let mut run = built(&history);
        prop_assume!(!run.pages.is_empty());
        let page = page.index(run.pages.len());
        let at = at.index(run.pages[page].len());
        run.pages[page][at] ^= 1_u8 << bit;
        let mut reader = run.open();
        let error = reader.events(history.scope(), &mut |_| Ok(())).unwrap_err().chain().to_string();
        let place = format!("page {page} of posting run 7 is unreadable at byte ");
        prop_assert!(error.contains(&place), "{}", error);
        run.pages.truncate(page);
        let error = run.open().events(history.scope(), &mut |_| Ok(())).unwrap_err();
        prop_assert!(matches!(error, Error::Internal { .. }), "{}", error);
    }
}
