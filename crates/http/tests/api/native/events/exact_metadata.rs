//! Metadata comes back equal by value, to the last digit.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use trailkeeper_testkit::DatabaseKind;

use crate::support::{TestApp, numbered};

/// The one form of all numbers of a value: sign, digits without zeros at their ends, and the power of ten of the last.
fn decimal(number: &str) -> String {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (sign, magnitude) = mantissa.strip_prefix('-').map_or(("", mantissa), |magnitude| ("-", magnitude));
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
    let mut power = exponent.parse::<i64>().unwrap() - i64::try_from(fraction.len()).unwrap();
    let mut digits = format!("{whole}{fraction}").trim_start_matches('0').to_owned();
    while digits.ends_with('0') {
        digits.pop();
        power += 1;
    }
    if digits.is_empty() { "0".to_owned() } else { format!("{sign}{digits}*10^{power}") }
}

/// The value of a JSON text in one form, read by `serde_json` with every number as its text.
fn value(json: &str) -> String {
    match json.trim_start().as_bytes()[0] {
        b'{' => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(json).unwrap();
            members
                .into_iter()
                .fold("{".to_owned(), |out, (key, inner)| format!("{out}{key:?}:{};", value(inner.get())))
                + "}"
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(json).unwrap();
            items.into_iter().fold("[".to_owned(), |out, inner| format!("{out}{};", value(inner.get()))) + "]"
        }
        b'"' => format!("{:?}", serde_json::from_str::<String>(json).unwrap()),
        b't' | b'f' | b'n' => json.trim().to_owned(),
        _ => decimal(json.trim()),
    }
}

/// The metadata of a stored event, as the answer has it.
fn metadata(app: &TestApp, number: u128) -> String {
    let text = app.admin().get(&format!("/v1/events/{}", numbered(number))).text();
    let event: BTreeMap<String, &RawValue> = serde_json::from_str(&text).unwrap();
    assert_eq!(event["original"].get(), "null", "{text}");
    event["metadata"].get().to_owned()
}

fn record(app: &TestApp, metadata: &[String]) {
    let event = |(at, json): (usize, &String)| {
        format!("{{\"id\":\"{}\",\"type\":\"x\",\"metadata\":{json}}}", numbered(at as u128))
    };
    let events: Vec<String> = metadata.iter().enumerate().map(event).collect();
    let answer = app.admin().call("POST", "/v1/events").body(format!("[{}]", events.join(","))).send().ok();
    assert_eq!(answer["stored"], metadata.len(), "{answer:.300}");
    for (result, json) in answer["results"].as_array().unwrap().iter().zip(metadata) {
        assert!(result.get("warnings").is_none(), "{json}: {result}");
    }
}

#[test]
fn numbers_come_back_with_their_digits() {
    const NUMBERS: [&str; 13] = [
        "12345678901234567890123",
        "3.14159265358979323846",
        "1E-400",
        "-0",
        "-0.0",
        "0e-7",
        "1e400",
        "-1.50E+3",
        "0.1",
        "9007199254740993",
        "18446744073709551616",
        "5e-324",
        "1.7976931348623159e308",
    ];
    for app in TestApp::on_both() {
        record(&app, &NUMBERS.map(|number| format!("{{ \"n\" : {number} }}")));
        for (at, number) in NUMBERS.into_iter().enumerate() {
            let seen = metadata(&app, at as u128);
            let seen = seen.strip_prefix("{\"n\":").and_then(|seen| seen.strip_suffix('}')).unwrap();
            assert_eq!(decimal(seen), decimal(number), "{seen:.50}");
        }
        // The same in a list.
        let list = app.admin().get("/v1/events?type=x").text();
        assert!(
            list.contains("\"n\":12345678901234567890123}") && list.contains("\"n\":3.14159265358979323846}"),
            "{list}"
        );
    }
}

/// Draws JSON in an order that is the same in every run.
struct Generator(u64);

impl Generator {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b"0123456789"[self.below(10)])).collect()
    }

    fn number(&mut self) -> String {
        let whole = if self.below(3) == 0 {
            "0".to_owned()
        } else {
            let first = 1 + self.below(9);
            let count = [0, 1, 15, 16, 17, 40][self.below(6)];
            format!("{first}{}", self.digits(count))
        };
        let fraction = if self.below(2) == 0 {
            String::new()
        } else {
            let count = [1, 2, 17, 30][self.below(4)];
            format!(".{}", self.digits(count))
        };
        let exponent = ["", "", "e5", "E-5", "e+17", "E-17", "e308", "e309", "E-324", "e-400", "e00"][self.below(11)];
        format!("{}{whole}{fraction}{exponent}", ["", "-"][self.below(2)])
    }

    fn text(&mut self) -> String {
        let parts = [
            "a",
            "é",
            "\\n",
            "\\u00e9",
            "\\ud83d\\ude00",
            "👩",
            "\\\"",
            "\\\\",
            "{",
            "]",
            ",",
            " ",
            "\\/",
            "\\u001f",
            "\u{7f}",
        ];
        let count = self.below(6);
        format!("\"{}\"", (0..count).map(|_| parts[self.below(parts.len())]).collect::<String>())
    }

    fn space(&mut self) -> &'static str {
        ["", "", " ", "\n\t", "\r\n"][self.below(5)]
    }

    fn value(&mut self, depth: usize) -> String {
        let kind = self.below(if depth < 5 { 7 } else { 5 });
        let inner = match kind {
            0 | 1 => self.number(),
            2 => self.text(),
            3 => ["true", "false", "null"][self.below(3)].to_owned(),
            4 => ["{}", "[]"][self.below(2)].to_owned(),
            5 => self.object(depth + 1),
            _ => {
                let count = self.below(4);
                let items: Vec<String> = (0..count).map(|_| self.value(depth + 1)).collect();
                format!("[{}{}]", self.space(), items.join(","))
            }
        };
        format!("{}{inner}{}", self.space(), self.space())
    }

    fn object(&mut self, depth: usize) -> String {
        let count = self.below(4);
        // The number makes each key unlike the others; their order is not that of any sorting.
        let members: Vec<String> = (0..count)
            .map(|at| {
                let key = self.text();
                format!("\"{}{}{}:{}", 9 - at, key.strip_prefix('"').unwrap(), self.space(), self.value(depth))
            })
            .collect();
        format!("{{{}{}}}", self.space(), members.join(","))
    }
}

#[test]
fn any_json_comes_back_equal_by_value() {
    for kind in DatabaseKind::ALL {
        let app = TestApp::on(kind);
        let mut generator = Generator(23);
        let sent: Vec<String> = (0..600).map(|_| generator.object(0)).collect();
        record(&app, &sent);
        let mut numbers = 0;
        for (at, json) in sent.iter().enumerate() {
            assert_eq!(value(&metadata(&app, at as u128)), value(json), "{kind:?}: {json}");
            numbers += usize::from(value(json).contains("*10^"));
        }
        assert!(numbers > 100, "{numbers} of the objects have numbers");
    }
}
