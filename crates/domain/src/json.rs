//! JSON objects that are read field by field, so that an error names the field, the value and the remedy.
//!
//! The derived readers of serde say "invalid type: integer `5`, expected a string at line 1 column 9", take the last of
//! two equal keys, and ignore misspelt fields. An audit trail must not guess: nobody can ask a sender later which user
//! `{"user_id":"a","user_id":"b"}` meant.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::error::{Error, Result};
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
    fields: Map<String, Value>,
}

impl JsonObject {
    /// Parses one object. Bytes after it, other than whitespace, are an error. `what` names the object in errors, with
    /// its article: "an event".
    pub fn parse(what: &str, bytes: &[u8]) -> Result<Self> {
        if bytes.trim_ascii().is_empty() {
            return Err(Error::malformed(
                MALFORMED_JSON,
                format!("this is not valid JSON: there is nothing here; send {what} as a JSON object"),
            ));
        }
        let repeated = RefCell::new(None);
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let value =
            Unique { repeated: &repeated }.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
        match (value, repeated.into_inner()) {
            (_, Some(field)) => Err(Error::invalid(text::shown(&field), "stands twice; send each field once")),
            (Ok(Value::Object(fields)), None) => Ok(Self { prefix: String::new(), fields }),
            (Ok(other), None) => {
                Err(Error::malformed("not_an_object", format!("{} is not {what}; send a JSON object", shown(&other))))
            }
            (Err(error), None) => Err(Error::malformed(
                MALFORMED_JSON,
                format!("this is not valid JSON: {error}; send {what} as a JSON object"),
            )),
        }
    }

    /// Takes a field that must be a text. `way_out` completes "send …" in the error.
    pub fn text(&mut self, field: &str, way_out: &str) -> Result<Option<String>> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
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
        self.fields.get(field).is_some_and(Value::is_null)
    }

    /// Takes a field that must be a whole number from 0 to 2³²−1. A number with a fraction is an error, even `1.0`, and
    /// so is a text.
    pub fn unsigned(&mut self, field: &str) -> Result<Option<u32>> {
        let Some(value) = self.take(field) else { return Ok(None) };
        match value.as_u64().map(u32::try_from) {
            Some(Ok(number)) => Ok(Some(number)),
            _ => Err(self.wrong(field, &value, "a whole number from 0 to 4294967295", "for example 1")),
        }
    }

    /// Takes a field that must be a whole number from `min` to `max`. `way_out` completes "send …" in the error.
    pub fn integer(&mut self, field: &str, min: i64, max: i64, way_out: &str) -> Result<Option<i64>> {
        let Some(value) = self.take(field) else { return Ok(None) };
        match value.as_i64() {
            Some(number) if (min..=max).contains(&number) => Ok(Some(number)),
            _ => Err(self.wrong(field, &value, &format!("a whole number from {min} to {max}"), way_out)),
        }
    }

    /// Takes a field that must be `true` or `false`.
    pub fn boolean(&mut self, field: &str) -> Result<Option<bool>> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(value)),
            Some(other) => Err(self.wrong(field, &other, "a truth value", "true or false")),
        }
    }

    /// Takes a field that must be an object, without reading its fields. `way_out` completes "send …" in the error.
    pub fn map(&mut self, field: &str, way_out: &str) -> Result<Option<Map<String, Value>>> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(fields)),
            Some(other) => Err(self.wrong(field, &other, "an object", way_out)),
        }
    }

    /// Takes a field that must be an object, for reading it field by field. `way_out` completes "send …" in the error.
    pub fn object(&mut self, field: &str, way_out: &str) -> Result<Option<Self>> {
        let prefix = format!("{}.", self.named(field));
        Ok(self.map(field, way_out)?.map(|fields| Self { prefix, fields }))
    }

    /// Takes a field that must be a list of objects, for reading each field by field. `way_out` completes "send …" in
    /// the error.
    pub fn objects(&mut self, field: &str, way_out: &str) -> Result<Option<Vec<Self>>> {
        let items = match self.take(field) {
            None => return Ok(None),
            Some(Value::Array(items)) => items,
            Some(other) => return Err(self.wrong(field, &other, "a list", way_out)),
        };
        let read = |(at, item)| {
            let name = format!("{field}[{at}]");
            match item {
                Value::Object(fields) => Ok(Self { prefix: format!("{}.", self.named(&name)), fields }),
                other => Err(self.wrong(&name, &other, "an object", way_out)),
            }
        };
        items.into_iter().enumerate().map(read).collect::<Result<_>>().map(Some)
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
        let mut fields = Map::new();
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

    /// Takes a field of any type, unchanged.
    pub fn take(&mut self, field: &str) -> Option<Value> {
        self.fields.remove(field).filter(|value| !value.is_null())
    }

    fn wrong(&self, field: &str, value: &Value, expected: &str, way_out: &str) -> Error {
        Error::invalid(self.named(field), format!("{} is not {expected}; send {way_out}", shown(value)))
    }
}

/// A value in the form in which an error message may show it.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => text::shown(&number.to_string()),
        Value::String(value) => format!("'{}'", text::shown(value)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// Reads any value, and stops at the first key that occurs twice in one object, at any depth.
#[derive(Clone, Copy)]
struct Unique<'a> {
    /// The key that occurred twice, with the names of the objects around it. The errors of serde are texts and cannot
    /// carry it.
    repeated: &'a RefCell<Option<String>>,
}

impl Unique<'_> {
    /// Passes on the result of reading an inner value. If a key occurred twice in it, puts `outer` before that key.
    fn within<T, E>(self, read: Result<T, E>, outer: impl FnOnce() -> String) -> Result<T, E> {
        if read.is_err()
            && let Some(inner) = self.repeated.borrow_mut().as_mut()
        {
            let dot = if inner.starts_with('[') { "" } else { "." };
            *inner = format!("{}{dot}{inner}", outer());
        }
        read
    }
}

/// A key as part of a field's name: its first 64 characters, which are enough to find it.
fn name_part(key: &str) -> String {
    key.chars().take(64).collect()
}

impl<'de> DeserializeSeed<'de> for Unique<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        loop {
            let item = access.next_element_seed(self);
            match self.within(item, || format!("[{}]", items.len()))? {
                Some(item) => items.push(item),
                None => break,
            }
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if fields.contains_key(&key) {
                *self.repeated.borrow_mut() = Some(name_part(&key));
                return Err(A::Error::custom("a field stands twice"));
            }
            let value = access.next_value_seed(self);
            let value = self.within(value, || name_part(&key))?;
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
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
}
