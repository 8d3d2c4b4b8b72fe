//! The records of JSON files, read through buffers so small that everything crosses their edges.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, helpers included")]

use std::io::{BufReader, Cursor, Read, repeat};

use trailkeeper_parsers::json_records::{Record, Records};
use trailkeeper_parsers::lines::MAX_LINE;

const WRAPPERS: &[&str] = &["Records", "logs"];

/// The records, and `!` if the end is an error.
fn records(text: &str) -> Vec<String> {
    let mut all: Vec<Vec<String>> = Vec::new();
    for capacity in [1, 2, 3, 7, 8_192] {
        let mut reader = Records::new(BufReader::with_capacity(capacity, text.as_bytes()), WRAPPERS);
        let mut found = Vec::new();
        loop {
            match reader.next_record() {
                Ok(Some((number, Record::Whole(record)))) => {
                    assert_eq!(number, found.len() as u64 + 1);
                    found.push(String::from_utf8(record.to_vec()).unwrap());
                }
                Ok(Some((_, Record::TooLong))) => found.push("too long".to_owned()),
                Ok(None) => break,
                Err(_) => {
                    found.push("!".to_owned());
                    break;
                }
            }
        }
        all.push(found);
    }
    assert!(all.iter().all(|found| Some(found) == all.first()), "{text}: {all:?}");
    all.pop().unwrap()
}

#[test]
fn lists_wrapped_lists_and_lines_are_read() {
    for (text, expected) in [
        ("", vec![]),
        (" \r\n", vec![]),
        ("[]", vec![]),
        ("[{\"a\":1},{\"b\":[1,2]}]", vec!["{\"a\":1}", "{\"b\":[1,2]}"]),
        ("\u{feff}[\n  {\n\"a\": \"]}\\\"\"\n}\n,\n{}\n]\n", vec!["{\n\"a\": \"]}\\\"\"\n}", "{}"]),
        ("{\"Records\":[{\"a\":1},{}]}", vec!["{\"a\":1}", "{}"]),
        ("{\"start\":0,\"x\":{\"logs\":[1]},\"logs\" : [ {\"a\":1} ],\"total\":7,\"y\":[{}]}", vec!["{\"a\":1}"]),
        ("{\"Records\":[{\"a\":1}]}\n{\"Records\":[{\"b\":1}],\"n\":\"]\"}", vec!["{\"a\":1}", "{\"b\":1}"]),
        ("{\"a\":1}\r\n{\"b\":[1]}\n\n{\"c\":{}}", vec!["{\"a\":1}", "{\"b\":[1]}", "{\"c\":{}}"]),
        ("{\n\"a\":1\n}\n{\n\"b\":2\n}", vec!["{\n\"a\":1\n}", "{\n\"b\":2\n}"]),
        // A value of a field is no name of one.
        ("{\"a\":\"logs\",\"b\":[1]}", vec!["{\"a\":\"logs\",\"b\":[1]}"]),
        ("[1,\"a,]\",null,[{}]]", vec!["1", "\"a,]\"", "null", "[{}]"]),
    ] {
        assert_eq!(records(text), expected, "{text}");
    }
}

#[test]
fn a_broken_record_leaves_the_others_alone() {
    for (text, expected) in [
        (
            "{\"a\":1}\n{\"b\":\n{\"c\":1}\nx\n\"{\n7\n{\"d\":1}",
            vec!["{\"a\":1}", "{\"b\":", "{\"c\":1}", "x", "\"{", "7", "{\"d\":1}"],
        ),
        ("cut off\":1}\n{\"a\":1}\n", vec!["cut off\":1}", "{\"a\":1}"]),
        ("]\n}\n{\"a\":1}", vec!["]", "}", "{\"a\":1}"]),
        ("[{\"a\":1},{\"b\":", vec!["{\"a\":1}", "{\"b\":", "!"]),
        ("[{\"a\":1},", vec!["{\"a\":1}", "!"]),
        ("{\"Records\":[{\"a\":1}]", vec!["{\"a\":1}", "!"]),
    ] {
        assert_eq!(records(text), expected, "{text}");
    }
}

#[test]
fn a_record_that_is_too_long_is_skipped() {
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_LINE));
    assert_eq!(records(&format!("[{long},{{\"b\":1}}]")), ["too long", "{\"b\":1}"]);
    assert_eq!(records(&format!("{{\"b\":1}}\n{long}\n{{\"c\":1}}")), ["{\"b\":1}", "too long", "{\"c\":1}"]);
}

#[test]
fn a_long_list_is_read_record_by_record() {
    // A list whose only record is endless text, behind a million small ones: memory holds one record.
    let small = "{\"a\":1},".repeat(1_000);
    let many = (0..1_000).fold(Box::new(Cursor::new("[")) as Box<dyn Read>, |before, _| {
        Box::new(before.chain(Cursor::new(small.clone())))
    });
    let endless = Cursor::new("\"").chain(repeat(b'x').take(8 << 20)).chain(Cursor::new("\"]"));
    let mut reader = Records::new(BufReader::new(many.chain(endless)), WRAPPERS);
    let mut count = 0;
    while let Some((_, record)) = reader.next_record().unwrap() {
        count += 1;
        assert_eq!(record == Record::TooLong, count == 1_000_001);
    }
    assert_eq!(count, 1_000_001);
}
