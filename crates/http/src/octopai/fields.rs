//! The body fields of this contract, read as its clients write them: names in any case, numbers as texts or as
//! integers.

use trailkeeper_domain::json::{JsonObject, JsonValue};
use trailkeeper_domain::{Error, Result, text};

pub use crate::request::credential::MAX_CREDENTIAL_BYTES;

/// The largest page number. With a larger one, the number of rows before the page would not fit into the database's
/// integers.
pub const MAX_PAGE_NUMBER: i64 = 999_999_999_999_999;
/// The largest number of rows in a page.
pub const MAX_ROWS: i64 = 1000;

/// Reads a number from 1 to `max`, sent as an integer or as a text of digits; `default` if the field is absent. `50.0`
/// is an integer, as JSON Schema defines it. [`Error::Invalid`] names the field.
pub fn number(json: &mut JsonObject, field: &str, default: i64, max: i64) -> Result<i64> {
    let Some(value) = json.take(field) else { return Ok(default) };
    let sent = match &value {
        JsonValue::Number(number) if number.contains(['.', 'e', 'E']) => {
            number.parse::<f64>().map_or_else(|_| number.clone(), |number| number.to_string())
        }
        JsonValue::Text(digits) => digits.clone(),
        _ => value.to_string(),
    };
    let digits = !sent.is_empty() && sent.bytes().all(|b| b.is_ascii_digit());
    match sent.parse() {
        Ok(number) if digits && (1..=max).contains(&number) => Ok(number),
        _ => Err(Error::invalid(
            field,
            format!("'{}' is not allowed; send a whole number from 1 to {max}", text::shown(&sent)),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<i64> {
        let json = JsonObject::parse("an object", json.as_bytes())?;
        number(&mut json.regardless_of_case(&["RowsInPage"])?, "RowsInPage", 50, MAX_ROWS)
    }

    #[test]
    fn numbers_come_as_texts_or_integers_under_names_in_any_case() {
        for (json, expected) in [
            (r#"{"RowsInPage":"50"}"#, 50),
            (r#"{"rowsInPage":1000}"#, 1000),
            (r#"{"ROWSINPAGE":"007"}"#, 7),
            (r#"{"RowsInPage":25.0}"#, 25),
            (r#"{"RowsInPage":1e2}"#, 100),
            (r#"{"rowsinpage":null}"#, 50),
            ("{}", 50),
        ] {
            assert_eq!(read(json).unwrap(), expected, "{json}");
        }
        for json in ["0", "1001", "-1", "1.5", "\"\"", "\"+5\"", "\" 5\"", "true", "[5]", "99999999999999999999"] {
            let error = read(&format!("{{\"RowsInPage\":{json}}}")).unwrap_err();
            assert!(error.to_string().starts_with("RowsInPage: "), "{error}");
        }
        let error = read(r#"{"RowsInPage":1,"rowsInPage":1}"#).unwrap_err();
        assert_eq!(error.to_string(), "RowsInPage: stands twice, in different case; send each field once");
    }
}
