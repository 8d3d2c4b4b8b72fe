//! Folding, compared with Python's Unicode tables.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use proptest::prelude::*;
use trailkeeper_domain::folding::folded;
use unicode_normalization::UnicodeNormalization;

/// Written by `scripts/folding-vectors`.
const VECTORS: &str = include_str!("vectors.txt");

fn text(points: &str) -> String {
    points.split(' ').map(|point| char::from_u32(u32::from_str_radix(point, 16).unwrap()).unwrap()).collect()
}

fn vectors() -> impl Iterator<Item = (String, String)> {
    let lines = VECTORS.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once(';').map(|(from, to)| (text(from), text(to))).unwrap())
}

#[test]
fn texts_fold_as_python_folds_them() {
    let wrong: Vec<_> = vectors().filter(|(from, to)| folded(from) != *to).collect();
    assert!(wrong.is_empty(), "{} differ: {wrong:x?}", wrong.len());
    assert!(vectors().count() > 2_000);
}

#[test]
fn a_folded_text_stays_as_it_is() {
    for (_, to) in vectors() {
        assert_eq!(folded(&to), to);
    }
    for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
        let once = folded(c.encode_utf8(&mut [0; 4]));
        assert_eq!(folded(&once), once, "U+{:04X}", u32::from(c));
    }
}

/// Addresses that differ in case, composition or final sigma: each row is one address.
#[test]
fn addresses_that_differ_in_case_or_composition_are_one() {
    for same in [
        ["straße@x.example", "STRASSE@x.example", "Straẞe@X.EXAMPLE"],
        ["οδος@x", "οδοσ@x", "ΟΔΟΣ@X"],
        ["ren\u{e9}@x", "rene\u{301}@x", "RENE\u{301}@x"],
        ["a\u{323}\u{307}@x", "a\u{307}\u{323}@x", "\u{1ea0}\u{307}@X"],
        ["\u{390}@x", "\u{1fd3}@x", "\u{399}\u{308}\u{301}@x"],
        ["ﬁn@x", "FIN@x", "fin@x"],
    ] {
        for other in &same[1..] {
            assert_eq!(folded(same[0]), folded(other), "{same:?}");
        }
    }
    for [a, b] in [["rene@x", "ren\u{e9}@x"], ["ı@x", "i@x"], ["İ@x", "i@x"]] {
        assert_ne!(folded(a), folded(b));
    }
}

proptest! {
    #[test]
    fn neither_case_nor_composition_matters(text in "\\PC{0,12}") {
        let once = folded(&text);
        prop_assert_eq!(folded(&once), once.clone());
        for other in [text.nfc().collect::<String>(), text.nfd().collect(), text.to_lowercase()] {
            prop_assert_eq!(folded(&other), once.clone(), "{:?}", other);
        }
    }
}
