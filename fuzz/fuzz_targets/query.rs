//! Query strings, compared with a simple implementation of the same rules.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trailkeeper_fuzz::{refused, texts};
use trailkeeper_parsers::query::{Query, whole_number};

fuzz_target!(|data: &[u8]| {
    let Some([raw]) = texts(data) else { return };
    let expected: Option<Vec<(String, String)>> = raw.split('&').filter(|pair| !pair.is_empty()).map(pair).collect();
    let query = match (Query::parse(raw), &expected) {
        (Ok(query), Some(_)) => query,
        (Err(error), None) => return refused(&error),
        (Ok(_), None) => panic!("{raw:?} was read"),
        (Err(error), Some(_)) => panic!("{raw:?} was refused: {error}"),
    };
    let expected = expected.unwrap_or_default();
    for (name, _) in &expected {
        let values: Vec<&str> =
            expected.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect();
        match query.optional(name) {
            Ok(value) => assert_eq!([value], [Some(values[0])], "{raw:?}"),
            Err(error) => assert!(values.len() > 1, "{error}"),
        }
        if !name.contains('[') {
            let listed = query.list(name);
            assert!(values.iter().flat_map(|value| value.split(',')).all(|value| listed.contains(&value)));
        }
        number(values[0]);
    }
    let known = ["limit", "cursor", "user_id"];
    match query.only(&known) {
        Ok(_) => assert!(expected.iter().all(|(name, _)| known.contains(&name.as_str()))),
        Err(error) => {
            refused(&error);
            assert!(expected.iter().any(|(name, _)| !known.contains(&name.as_str())));
        }
    }
});

/// Operations declare the names of their parameters, so only the value is a stranger's.
fn number(value: &str) {
    let expected = value.parse().ok().filter(|number| (-7..=1_000).contains(number) && !value.starts_with('+'));
    match whole_number("limit", value, -7, 1_000) {
        Ok(number) => assert_eq!(Some(number), expected, "{value:?}"),
        Err(error) => {
            refused(&error);
            assert_eq!(expected, None, "{value:?}");
        }
    }
}

fn pair(raw: &str) -> Option<(String, String)> {
    let (name, value) = raw.split_once('=').unwrap_or((raw, ""));
    Some((decoded(name)?, decoded(value)?))
}

fn decoded(raw: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut rest = raw.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        let escape = match behind {
            [high, low, ..] if *first == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match (first, escape) {
            (_, Some((high, low))) => {
                out.push(high * 16 + low);
                rest = &behind[2..];
            }
            (b'+', None) => out.push(b' '),
            (byte, None) => out.push(*byte),
        }
    }
    String::from_utf8(out).ok().filter(|text| !text.contains('\0'))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|digit| digit as u8)
}
