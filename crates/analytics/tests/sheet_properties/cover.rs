//! Covers of random ranges are disjoint, ordered, exact and as coarse as possible.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;
use trailkeeper_analytics::sheet::{Cover, Level, Piece, ScopeKind, cover};
use trailkeeper_domain::time::{TimeRange, Timestamp, parse_rfc3339};

use super::facts::scopes;

fn at(text: &str) -> Timestamp {
    parse_rfc3339("at", text).unwrap()
}

/// Instants of fourteen years around a leap day and before 1970, often at or next to the start of a period.
fn instants() -> impl Strategy<Value = Timestamp> {
    let level = proptest::sample::select(Level::ALL.to_vec());
    let decade = prop_oneof![4 => Just(946_684_800_i64), 1 => Just(-200_000_000_i64)];
    (decade, 0_i64..450_000_000_000_000, level, -2_i64..=2, any::<bool>()).prop_map(
        |(base, micros, level, offset, snap)| {
            let any = DateTime::from_timestamp(base, 0).unwrap() + TimeDelta::microseconds(micros);
            if snap { level.floor(any) + TimeDelta::microseconds(offset / 2) } else { any }
        },
    )
}

fn parts(cover: &Cover) -> Vec<TimeRange> {
    cover.head.into_iter().chain(cover.pieces.iter().map(|piece| piece.range())).chain(cover.tail).collect()
}

/// Whether a period may be part of a cover.
fn available(scope: ScopeKind, piece: Piece, long: &BTreeSet<Piece>) -> bool {
    scope.levels().contains(&piece.level) || long.contains(&piece)
}

/// Some of the quarters and years around these instants.
fn long_periods() -> impl Strategy<Value = BTreeSet<Piece>> {
    let piece = (prop_oneof![3 => Just(Level::Quarter), 1 => Just(Level::Year)], instants());
    let piece = piece.prop_map(|(level, at)| Piece { level, start: level.floor(at) });
    proptest::collection::btree_set(piece, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_cover_is_exact_and_coarsest(scope in scopes(), a in instants(), b in instants(), long in long_periods()) {
        let range = TimeRange { start: a.min(b), end: a.max(b) };
        let cover = cover(scope, range, &long);
        let mut next = range.start;
        for part in parts(&cover) {
            prop_assert_eq!(part.start, next);
            prop_assert!(part.start < part.end);
            next = part.end;
        }
        prop_assert_eq!(next, range.end);
        for raw in cover.raw() {
            let period = Piece { level: scope.finest(), start: scope.finest().floor(raw.start) }.range();
            prop_assert!(raw.end <= period.end && raw != period, "{:?} is not inside {:?}", raw, period);
        }
        for piece in &cover.pieces {
            prop_assert!(piece.level.begins(piece.start) && available(scope, *piece, &long), "{:?}", piece);
            let coarser = Level::ALL.iter().filter(|level| **level > piece.level);
            for level in coarser.map(|level| Piece { level: *level, start: level.floor(piece.start) }) {
                let inside = range.start <= level.range().start && level.range().end <= range.end;
                prop_assert!(!(inside && available(scope, level, &long)), "{:?} should be {:?}", piece, level);
            }
        }
    }

    #[test]
    fn a_period_begins_where_its_floor_is(at in instants(), level in proptest::sample::select(Level::ALL.to_vec())) {
        let start = level.floor(at);
        prop_assert!(level.begins(start) && start <= at && at < level.end(start).unwrap());
        prop_assert_eq!(level.begins(at), start == at);
    }
}

fn piece(level: Level, start: &str) -> Piece {
    Piece { level, start: at(start) }
}

#[test]
fn a_range_is_covered_by_the_longest_periods() {
    let range = TimeRange { start: at("2026-01-30T22:30:00Z"), end: at("2026-04-02T01:00:00.000001Z") };
    let everyone = cover(ScopeKind::Everyone, range, &BTreeSet::new());
    assert_eq!(everyone.head, Some(TimeRange { start: range.start, end: at("2026-01-30T23:00:00Z") }));
    assert_eq!(everyone.tail, Some(TimeRange { start: at("2026-04-02T01:00:00Z"), end: range.end }));
    let levels = |level| everyone.pieces.iter().filter(|piece| piece.level == level).count();
    // Hours: 23:00, and 00:00 of 2 April. Days: 31 January, 1 April. Months: February, March.
    assert_eq!(Level::ALL.map(levels), [2, 2, 2, 0, 0]);
    let tenant = cover(ScopeKind::Tenant, range, &BTreeSet::new());
    assert_eq!(tenant.head.unwrap().end, at("2026-01-31T00:00:00Z"));
    assert_eq!(tenant.tail.unwrap().start, at("2026-04-02T00:00:00Z"));
}

#[test]
fn quarters_and_years_are_used_where_they_are_and_fit() {
    use Level::{Month, Quarter, Year};
    let long = BTreeSet::from([
        piece(Level::Year, "2025-01-01T00:00:00Z"),
        piece(Level::Quarter, "2025-01-01T00:00:00Z"),
        piece(Level::Quarter, "2026-01-01T00:00:00Z"),
        piece(Level::Quarter, "2026-07-01T00:00:00Z"),
    ]);
    let pieces = |start: &str, end: &str| {
        let cover = cover(ScopeKind::Everyone, TimeRange { start: at(start), end: at(end) }, &long);
        assert_eq!(cover.raw().count(), 0);
        cover.pieces.into_iter().map(|piece| piece.level).collect::<Vec<_>>()
    };
    // The quarter from April on has none, the one from July on does not end in the range.
    assert_eq!(
        pieces("2024-12-01T00:00:00Z", "2026-09-01T00:00:00Z"),
        [Month, Year, Quarter, Month, Month, Month, Month, Month]
    );
    assert_eq!(pieces("2025-01-01T00:00:00Z", "2025-05-01T00:00:00Z"), [Quarter, Month]);
    assert_eq!(pieces("2025-02-01T00:00:00Z", "2025-05-01T00:00:00Z"), [Month; 3]);
}

#[test]
fn ranges_without_a_whole_period_have_only_edges() {
    let none = BTreeSet::new();
    let range = |start, end| TimeRange { start: at(start), end: at(end) };
    let inside = range("2026-01-01T10:05:00Z", "2026-01-01T10:55:00Z");
    assert_eq!(cover(ScopeKind::Everyone, inside, &none).raw().collect::<Vec<_>>(), [inside]);
    let across = cover(ScopeKind::Everyone, range("2026-01-01T10:30:00Z", "2026-01-01T11:30:00Z"), &none);
    assert_eq!((across.pieces.len(), across.raw().count()), (0, 2));
    let empty = range("2026-01-01T10:05:00Z", "2026-01-01T10:05:00Z");
    assert_eq!(cover(ScopeKind::Tenant, empty, &none), Cover::default());
}
