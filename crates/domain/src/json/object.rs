//! JSON objects that are read field by field, so that an error names the field, the value and the remedy.
//!
//! The derived readers of serde say "invalid type: integer `5`, expected a string at line 1 column 9", take the last of
//! two equal keys, and ignore misspelt fields. An audit trail must not guess: nobody can ask a sender later which user
//! `{"user_id":"a","user_id":"b"}` meant.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::json::value::{JsonValue, utf8_or_escapes, without_mark};
use crate::json::walk::{Walk, key_of, name_part};
use crate::text;

/// The error code of a body or line that is not valid JSON.
pub const MALFORMED_JSON: &str = "malformed_json";

/// Completes "send …" in the error for a time that is missing or invalid.
pub const A_TIME: &str = "an RFC 3339 time with an offset, for example 2026-01-31T12:00:00Z";

/// An object whose fields are taken out one by one. An explicit `null` counts as absent.
#[derive(Debug)]
pub struct JsonObject {
    /// Empty for the outermost object, otherwise the full name of the object and a dot.
    prefix: String,
    fields: BTreeMap<String, JsonValue>,
}

impl JsonObject {
    /// Parses one object. A byte order mark before it is skipped. Bytes after it, other than whitespace, are an error.
    /// `what` names the object in errors, with its article: "an event".
    pub fn parse(what: &str, bytes: &[u8]) -> Result<Self> {
        let bytes = without_mark(bytes.trim_ascii_start());
        if bytes.trim_ascii().is_empty() {
            return Err(Error::malformed(
                MALFORMED_JSON,
                format!("this is not valid JSON: there is nothing here; send {what} as a JSON object"),
            ));
        }
        let text = utf8_or_escapes(bytes);
        let json: &RawValue = serde_json::from_str(&text).map_err(|error| {
            Error::malformed(MALFORMED_JSON, format!("this is not valid JSON: {error}; send {what} as a JSON object"))
        })?;
        if !json.get().starts_with('{') {
            let sent = JsonValue::of(json.get()).shown();
            return Err(Error::malformed("not_an_object", format!("{sent} is not {what}; send a JSON object")));
        }
        Ok(Self { prefix: String::new(), fields: fields_of(json.get(), "")? })
    }

    /// Takes a field that must be a text. `way_out` completes "send …" in the error.
    pub fn text(&mut self, field: &str, way_out: &str) -> Result<Option<String>> {
        match self.take(field) {
            None => Ok(None),
            Some(JsonValue::Text(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(field, &other, "a text", way_out)),
        }
    }

    /// Takes a field that must be a text, Unicode or not: [`JsonValue::Text`] or [`JsonValue::NoUnicode`]. `way_out`
    /// completes "send …" in the error.
    pub fn any_text(&mut self, field: &str, way_out: &str) -> Result<Option<JsonValue>> {
        match self.take(field) {
            Some(value @ (JsonValue::Text(_) | JsonValue::NoUnicode(_))) => Ok(Some(value)),
            None => Ok(None),
            Some(other) => Err(self.wrong(field, &other, "a text", way_out)),
        }
    }

    /// Takes a text field and parses it with `parse`, which gets the full name of the field and the text.
    pub fn parsed<T>(
        &mut self,
        field: &str,
        way_out: &str,
        parse: impl FnOnce(&str, &str) -> Result<T>,
    ) -> Result<Option<T>> {
        let Some(text) = self.text(field, way_out)? else { return Ok(None) };
        parse(&self.named(field), &text).map(Some)
    }

    /// Takes a required field with `take`, the method for an optional one. `way_out` completes "send …" in both errors:
    /// `json.required("name", "a name in quotes", JsonObject::text)`.
    pub fn required<T>(
        &mut self,
        field: &str,
        way_out: &str,
        take: impl FnOnce(&mut Self, &str, &str) -> Result<Option<T>>,
    ) -> Result<T> {
        take(self, field, way_out)?.ok_or_else(|| self.missing(field, way_out))
    }

    /// Takes a required text field and parses it with `parse`, as [`JsonObject::parsed`] does.
    pub fn required_parsed<T>(
        &mut self,
        field: &str,
        way_out: &str,
        parse: impl FnOnce(&str, &str) -> Result<T>,
    ) -> Result<T> {
        self.required(field, way_out, |json, field, way_out| json.parsed(field, way_out, parse))
    }

    /// Whether the field was sent as an explicit `null`. A change needs the difference: `null` clears a value, and an
    /// absent field leaves it. The field itself must still be taken.
    pub fn is_null(&self, field: &str) -> bool {
        self.fields.get(field) == Some(&JsonValue::Null)
    }

    /// Takes a field that must be a whole number from 0 to 2³²−1. A number with a fraction is an error, even `1.0`, and
    /// so is a text.
    pub fn unsigned(&mut self, field: &str) -> Result<Option<u32>> {
        let Some(value) = self.take(field) else { return Ok(None) };
        match whole(&value) {
            Some(number) => Ok(Some(number)),
            None => Err(self.wrong(field, &value, "a whole number from 0 to 4294967295", "for example 1")),
        }
    }

    /// Takes a field that must be a whole number from `min` to `max`. `way_out` completes "send …" in the error.
    pub fn integer(&mut self, field: &str, min: i64, max: i64, way_out: &str) -> Result<Option<i64>> {
        let Some(value) = self.take(field) else { return Ok(None) };
        match whole(&value) {
            Some(number) if (min..=max).contains(&number) => Ok(Some(number)),
            _ => Err(self.wrong(field, &value, &format!("a whole number from {min} to {max}"), way_out)),
        }
    }

    /// Takes a field that must be `true` or `false`.
    pub fn boolean(&mut self, field: &str) -> Result<Option<bool>> {
        match self.take(field) {
            None => Ok(None),
            Some(JsonValue::Bool(value)) => Ok(Some(value)),
            Some(other) => Err(self.wrong(field, &other, "a truth value", "true or false")),
        }
    }

    /// Takes a field that must be an object, for reading it field by field. `way_out` completes "send …" in the error.
    pub fn object(&mut self, field: &str, way_out: &str) -> Result<Option<Self>> {
        match self.take(field) {
            None => Ok(None),
            Some(JsonValue::Object(json)) => self.inner(field, &json).map(Some),
            Some(other) => Err(self.wrong(field, &other, "an object", way_out)),
        }
    }

    /// The object in a field that was taken, for reading it field by field. `json` is the object.
    pub fn inner(&self, field: &str, json: &str) -> Result<Self> {
        let prefix = format!("{}.", self.named(field));
        Ok(Self { fields: fields_of(json, &prefix)?, prefix })
    }

    /// Takes a field that must be a list of objects, for reading each field by field. `way_out` completes "send …" in
    /// the error.
    pub fn objects(&mut self, field: &str, way_out: &str) -> Result<Option<Vec<Self>>> {
        let items = match self.take(field) {
            None => return Ok(None),
            Some(JsonValue::List(items)) => items,
            Some(other) => return Err(self.wrong(field, &other, "a list", way_out)),
        };
        let read = |(at, (_, item))| {
            let name = format!("{field}[{at}]");
            match JsonValue::of(item) {
                JsonValue::Object(json) => self.inner(&name, &json),
                other => Err(self.wrong(&name, &other, "an object", way_out)),
            }
        };
        Walk::new(&items).parts().enumerate().map(read).collect::<Result<_>>().map(Some)
    }

    /// Ends the reading. Rejects a field that was not taken, because it is unknown. `known` lists the names for the
    /// error.
    pub fn finish(self, known: &[&str]) -> Result<()> {
        match self.fields.keys().next() {
            None => Ok(()),
            Some(unknown) => Err(Error::invalid(
                self.named(&text::shown(unknown)),
                format!("is not a field that is known here; send any of {}", known.join(", ")),
            )),
        }
    }

    /// The error for a required field that is missing. `way_out` completes "send …".
    pub fn missing(&self, field: &str, way_out: &str) -> Error {
        Error::invalid(self.named(field), format!("is missing; send {way_out}"))
    }

    /// The full name of a field, with the names of the objects around it: `target.type`, `attributes[2].name`.
    pub fn named(&self, field: &str) -> String {
        format!("{}{field}", self.prefix)
    }

    /// Renames each field that equals one of `names` except for its case to that name, for contracts whose documents
    /// disagree on the case. Rejects two fields that then have the same name.
    pub fn regardless_of_case(self, names: &[&str]) -> Result<Self> {
        let mut fields = BTreeMap::new();
        for (sent, value) in self.fields {
            let name = names.iter().find(|name| name.eq_ignore_ascii_case(&sent));
            let name = name.map_or_else(|| sent.clone(), |name| (*name).to_owned());
            if fields.insert(name.clone(), value).is_some() {
                let field = format!("{}{}", self.prefix, text::shown(&name));
                return Err(Error::invalid(field, "stands twice, in different case; send each field once"));
            }
        }
        Ok(Self { prefix: self.prefix, fields })
    }

    /// Makes a field absent that was sent as an empty text.
    pub fn drop_empty(&mut self, field: &str) {
        if matches!(self.fields.get(field), Some(JsonValue::Text(text)) if text.is_empty()) {
            self.fields.remove(field);
        }
    }

    /// Takes a field of any type, unchanged.
    pub fn take(&mut self, field: &str) -> Option<JsonValue> {
        self.fields.remove(field).filter(|value| *value != JsonValue::Null)
    }

    /// All fields that were not taken, by name; those that are `null` too.
    pub fn into_fields(self) -> BTreeMap<String, JsonValue> {
        self.fields
    }

    /// The error for a value of another kind than `expected`.
    pub(super) fn wrong(&self, field: &str, value: &JsonValue, expected: &str, way_out: &str) -> Error {
        Error::invalid(self.named(field), format!("{} is not {expected}; send {way_out}", value.shown()))
    }
}

/// The value of a number without fraction and exponent, if the type has it.
fn whole<T: FromStr>(value: &JsonValue) -> Option<T> {
    match value {
        JsonValue::Number(number) => number.parse().ok(),
        _ => None,
    }
}

/// The fields of an object, or of any value none, in a text that is JSON. Rejects a key that occurs twice in one object,
/// at any depth.
fn fields_of(text: &str, prefix: &str) -> Result<BTreeMap<String, JsonValue>> {
    let twice =
        |name: &str| Error::invalid(format!("{prefix}{}", text::shown(name)), "stands twice; send each field once");
    let mut fields = BTreeMap::new();
    let mut parts = Walk::new(text).parts();
    while let Some(part) = parts.next_unique() {
        let (key, value) = part.map_err(|name| twice(&name))?;
        let key = key.map(key_of).unwrap_or_default();
        if fields.insert(key.clone().into_owned(), JsonValue::of(value)).is_some() {
            return Err(twice(&name_part(&key)));
        }
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;
    use crate::id::TenantId;

    #[test]
    fn a_field_that_must_be_there_is_named_with_the_way_out_when_it_is_not() {
        let mut json =
            JsonObject::parse("a thing", br#"{"inner":{"a":"x","n":7,"null":null,"id":"no uuid"}}"#).unwrap();
        let mut inner = json.required("inner", "an object", JsonObject::object).unwrap();
        assert_eq!(inner.required("a", "a letter", JsonObject::text).unwrap(), "x");
        assert_eq!(inner.required("n", "a number", |json, field, _| json.unsigned(field)).unwrap(), 7);
        for (field, told) in [("a", "taken already"), ("null", "absent"), ("other", "never sent")] {
            let error = inner.required(field, "a letter", JsonObject::text).unwrap_err();
            assert_eq!(error.to_string(), format!("inner.{field}: is missing; send a letter"), "{told}");
        }
        let error = inner.required_parsed("id", "a UUID", TenantId::parse).unwrap_err();
        assert!(error.to_string().starts_with("inner.id: 'no uuid'"), "{error}");
        let error = inner.required_parsed("id", "a UUID", TenantId::parse).unwrap_err();
        assert_eq!(error.to_string(), "inner.id: is missing; send a UUID");
        inner.finish(&["a", "n", "id"]).unwrap();
    }

    #[test]
    fn a_byte_order_mark_and_bytes_that_are_not_utf_8_leave_the_other_fields_alone() {
        for json in ["\u{feff}{\"a\":\"x\"}", " \n\u{feff} {\"a\":\"x\"}"] {
            assert_eq!(
                JsonObject::parse("a thing", json.as_bytes()).unwrap().text("a", "a").unwrap(),
                Some("x".to_owned())
            );
        }
        assert!(JsonObject::parse("a thing", "\u{feff}".as_bytes()).unwrap_err().to_string().contains("nothing here"));
        let twice = JsonObject::parse("a thing", "\u{feff}\u{feff}{}".as_bytes());
        assert!(twice.unwrap_err().to_string().starts_with("this is not valid JSON"));

        let mut json = JsonObject::parse("a thing", b"{\"a\":\"caf\xe9\",\"b\":\"x\",\"c\":\"\\ud83d\"}").unwrap();
        assert_eq!(json.text("b", "b").unwrap(), Some("x".to_owned()));
        let error = json.text("c", "a letter").unwrap_err().to_string();
        assert_eq!(error, "c: '\u{fffd}' (no Unicode) is not a text; send a letter");
        assert_eq!(json.take("a"), Some(JsonValue::NoUnicode("\"caf\\udce9\"".to_owned())));
        assert!(JsonObject::parse("a thing", b"{\"a\":\xff}").is_err());
    }

    #[test]
    fn numbers_keep_their_digits_and_only_whole_ones_are_whole() {
        let sent = ["12345678901234567890123", "3.14159265358979323846", "1E-400", "-0", "1e999999999"];
        for number in sent {
            let mut json = JsonObject::parse("a thing", format!("{{\"n\":{number}}}").as_bytes()).unwrap();
            assert_eq!(json.take("n"), Some(JsonValue::Number(number.to_owned())));
        }
        let unsigned = |number: &str| {
            JsonObject::parse("a thing", format!("{{\"n\":{number}}}").as_bytes()).unwrap().unsigned("n").ok()
        };
        assert_eq!(unsigned("4294967295"), Some(Some(u32::MAX)));
        for number in ["4294967296", "1.0", "1e0", "-1", "-0", "1e400", "\"1\""] {
            assert_eq!(unsigned(number), None, "{number}");
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_named_at_any_depth() {
        for (json, field) in [
            (r#"{"a":1,"a":1}"#, "a"),
            (r#"{"a":1,"\u0061":1}"#, "a"),
            (r#"{"a":{"b":[0,{"c":1,"c":2}]}}"#, "a.b[1].c"),
            (r#"{"a":[[{"c":1,"c":2}]]}"#, "a[0][0].c"),
            (r#"{"a":{"":1,"":1}}"#, "a."),
        ] {
            let error = JsonObject::parse("a thing", json.as_bytes()).unwrap_err().to_string();
            assert_eq!(error, format!("{field}: stands twice; send each field once"), "{json}");
        }
        for json in [r#"{"a":{"a":1},"b":{"a":[{"a":1},{"a":2}]}}"#, r#"{"\ud83d":1,"\ud83e":2}"#] {
            assert!(JsonObject::parse("a thing", json.as_bytes()).is_ok(), "{json}");
        }
    }

    /// JSON of any form, as text.
    fn json() -> impl Strategy<Value = String> {
        let scalar = prop_oneof![
            Just("null".to_owned()),
            any::<bool>().prop_map(|value| value.to_string()),
            "-?(0|[1-9][0-9]{0,4})([.][0-9]{1,4})?([eE][+-]?[0-9]{1,2})?",
            any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
        ];
        let key = || "[ab\"\\\\{é]{0,2}".prop_map(|key| serde_json::Value::from(key).to_string());
        scalar.prop_recursive(4, 40, 5, move |inner| {
            prop_oneof![
                vec(inner.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(" ,"))),
                vec((key(), inner), 0..5).prop_map(|members| {
                    let members: Vec<_> = members.iter().map(|(key, value)| format!("{key} : {value}")).collect();
                    format!("{{ {}\n}}", members.join(","))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn objects_are_read_as_serde_json_reads_them(json in json(), at in any::<Index>(), change in 0..4_usize) {
            // Some texts have a character too many or too few.
            let mut chars: Vec<char> = json.chars().collect();
            let at = at.index(chars.len() + 1);
            match change {
                0 if at < chars.len() => drop(chars.remove(at)),
                1 => chars.insert(at, ['"', '\\', '{', ']', ',', '0', 'e'][at % 7]),
                _ => {}
            }
            let text: String = chars.into_iter().collect();
            let read = JsonObject::parse("a thing", text.as_bytes());
            match (read, serde_json::from_str::<serde_json::Value>(&text)) {
                (Ok(read), Ok(serde_json::Value::Object(expected))) => {
                    let fields = read.into_fields();
                    prop_assert_eq!(fields.len(), expected.len());
                    for (name, value) in fields {
                        prop_assert_eq!(value.to_string().parse().ok(), expected.get(&name).cloned(), "{}", name);
                    }
                }
                (Err(Error::Invalid(fault)), Ok(serde_json::Value::Object(_))) => {
                    prop_assert!(fault.detail.starts_with("stands twice"), "{fault}");
                }
                (Err(Error::Invalid(fault)), Ok(_)) => prop_assert_eq!(fault.code, "not_an_object"),
                // An escape of half a character may have lost its partner.
                (Ok(read), Err(error)) => prop_assert!(
                    text.contains("\\u") || text.contains(['e', 'E']),
                    "{read:?}, which serde_json does not read: {error}"
                ),
                (Err(_), _) => {}
                (Ok(read), Ok(other)) => prop_assert!(false, "{other} was read as {read:?}"),
            }
        }
    }
}
