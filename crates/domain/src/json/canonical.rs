//! One form for all JSON texts of one value.

use std::collections::BTreeMap;

use crate::json::number::canonical_number;
use crate::json::value::{JsonValue, compact};
use crate::json::walk::{Walk, key_of};

/// The depth below which the text itself is its form. It limits the stack.
const MAX_DEPTH: usize = 128;

/// The one form of all texts of this value: without spaces, with sorted keys, and with numbers in one form each.
pub fn canonical(json: &str) -> String {
    form(json.trim_ascii(), 0)
}

fn form(json: &str, depth: usize) -> String {
    let parts = || Walk::new(json).parts();
    match JsonValue::of(json) {
        JsonValue::Object(_) | JsonValue::List(_) if depth >= MAX_DEPTH => compact(json),
        JsonValue::Object(_) => {
            let sorted: BTreeMap<_, _> =
                parts().map(|(key, value)| (key.map(key_of), form(value, depth + 1))).collect();
            let entry = |(key, value): (Option<_>, String)| {
                format!("{}:{value}", JsonValue::Text(key.map(Into::into).unwrap_or_default()))
            };
            format!("{{{}}}", sorted.into_iter().map(entry).collect::<Vec<_>>().join(","))
        }
        JsonValue::List(_) => {
            format!("[{}]", parts().map(|(_, item)| form(item, depth + 1)).collect::<Vec<_>>().join(","))
        }
        JsonValue::Number(number) => canonical_number(&number),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_keys_spaces_and_the_form_of_numbers_do_not_matter() {
        let one = canonical(" { \"b\" : [ 1e3 , \"\\u00e9\", null ] , \"a\":{\"y\":-0,\"x\":0.50}} ");
        assert_eq!(one, "{\"a\":{\"x\":5e-1,\"y\":0},\"b\":[1e3,\"é\",null]}");
        assert_eq!(one, canonical("{\"a\":{\"x\":0.5,\"y\":0.0},\"b\":[1000,\"é\",null]}"));
        for other in ["{\"a\":1}", "{\"a\":\"1\"}", "{\"a\":[1]}", "{\"a\":true}", "{\"b\":1}", "[1]", "[1,1]", "{}"] {
            assert_ne!(canonical(other), canonical("{\"a\":1.1}"));
            assert_eq!(canonical(other) == canonical("{\"a\":10e-1}"), other == "{\"a\":1}", "{other}");
        }
    }
}
