//! Runs of the index of events: forged, damaged, and made by Trailkeeper itself.
#![no_main]

use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use trailkeeper_domain::event::Outcome;
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::{Error, Result};
use trailkeeper_fuzz::sheets::sealed;
use trailkeeper_postings::dimension::{Column, Dimension};
use trailkeeper_postings::page_source::PageSource;
use trailkeeper_postings::run::{RunBuilder, RunReader, decode_removed, encode_removed, merge_runs};
use trailkeeper_postings::segment::Segment;

fuzz_target!(|data: &[u8]| {
    if let Ok(removed) = decode_removed(&sealed(data)) {
        assert_eq!(decode_removed(&encode_removed(&removed)).expect("what is written is read"), removed);
    }
    let Some((length, rest)) = data.split_first() else { return };
    let (header, pages) = rest.split_at(usize::from(*length).min(rest.len()));
    ask(&Run { header: sealed(header), pages: pages.chunks(64).map(sealed).collect() });
    written(rest);
});

struct Run {
    header: Vec<u8>,
    pages: Vec<Vec<u8>>,
}

struct Pages<'a>(&'a Run);

impl PageSource for Pages<'_> {
    fn pages(&mut self, pages: &[u32]) -> Result<Vec<Vec<u8>>> {
        Ok(pages.iter().filter_map(|page| self.0.pages.get(*page as usize).cloned()).collect())
    }
}

/// Asks everything: each answer is an error of damage, or one that a run can give.
fn ask(run: &Run) {
    let Some(mut reader) = sound(RunReader::open(&run.header, None, Pages(run))) else { return };
    let len = reader.len();
    assert!(len <= 1 << 20);
    let some: Vec<u32> = (0..len).step_by(61).take(400).collect();
    let keys = sound(reader.keys(&some)).unwrap_or_default();
    for key in keys.iter().take(8) {
        assert!(sound(reader.rank(*key)).is_none_or(|rank| rank <= len));
    }
    for dimension in Dimension::ALL {
        for value in [0, 1, 2, 77, u32::MAX] {
            assert!(sound(reader.frequency(dimension, value)).is_none_or(|count| count <= len));
            let within = len / 5..len;
            let positions = sound(reader.postings(dimension, value, within.clone()));
            assert!(positions.is_none_or(|set| set.iter().all(|position| within.contains(&position))));
        }
    }
    for column in [Column::Env, Column::User] {
        assert!(sound(reader.column(column, &some)).is_none_or(|values| values.len() == some.len()));
    }
    sound(reader.events(Scope::Everyone, &mut |_| Ok(())));
}

/// The answer; `None` for an error of damage. Panics on any other error.
fn sound<T>(result: Result<T>) -> Option<T> {
    match result {
        Ok(answer) => Some(answer),
        Err(Error::Internal { .. }) => None,
        Err(other) => panic!("{other}"),
    }
}

/// An event for each twelve bytes: a run gives them back, and a merge of two halves equals the run of all.
fn written(bytes: &[u8]) {
    let events: Vec<IndexedEvent> = bytes.as_chunks::<12>().0.iter().zip(1..).map(event).collect();
    let whole = built(&events);
    let mut back = Vec::new();
    let mut reader = RunReader::open(&whole.header, None, Pages(&whole)).expect("what is written is read");
    reader.events(Scope::Everyone, &mut |event| Ok(back.push(*event))).expect("what is written is read");
    let mut expected = events.clone();
    expected.sort_by_key(|event| (event.occurred_at, event.seq));
    assert_eq!(back, expected);
    let (odd, even): (Vec<_>, Vec<_>) = events.iter().copied().partition(|event| event.seq % 2 == 1);
    let halves = [built(&odd), built(&even)];
    let mut readers: Vec<_> =
        halves.iter().map(|run| RunReader::open(&run.header, None, Pages(run)).expect("it is read")).collect();
    let mut pages = Vec::new();
    let merged = merge_runs(&mut readers, &mut |_, page| Ok(pages.push(page))).expect("halves merge");
    assert!(merged.header == whole.header && pages == whole.pages);
}

fn built(events: &[IndexedEvent]) -> Run {
    let mut builder = RunBuilder::new(Scope::Everyone);
    for event in events {
        builder.add(event).expect("few events fit");
    }
    let mut pages = Vec::new();
    let header = builder.finish(&mut |_, page| Ok(pages.push(page))).expect("each has its own number");
    Run { header, pages }
}

fn event((bytes, seq): (&[u8; 12], i64)) -> IndexedEvent {
    let [flags, time, env, kind, a, b, c, d, page, session, target, more] = *bytes;
    let user = u32::from_le_bytes(if flags & 1 == 0 { [a, b, 0, 0] } else { [a, b, c, d] });
    let hash = |byte: u8| u32::from(byte).wrapping_mul(0x9e37_79b9);
    IndexedEvent {
        seq,
        occurred_at: DateTime::from_timestamp_micros(i64::from(time) << (more % 48)).expect("a year of this age"),
        tenant_id: if flags & 2 == 0 { TenantId::NONE } else { TenantId::SYSTEM },
        env: EnvId(u32::from(env % 4)),
        kind: u32::from(kind),
        outcome: Outcome::ALL[usize::from(more % 3)],
        user: (flags & 4 != 0).then_some(user),
        source: (flags & 8 != 0).then_some(u32::from(c)),
        page: (flags & 16 != 0).then_some(u32::from(page)),
        other_page: (flags & 32 != 0).then_some(hash(page)),
        session: (flags & 64 != 0).then_some(hash(session)),
        target_type: (flags & 128 != 0).then_some(hash(target % 8)),
        target_id: (flags & 128 != 0).then_some(hash(target)),
    }
}
