//! Reads events as nearly all senders write them, in one pass over the text.
//!
//! It decides about no unusual event: such an event is left to the reader that takes fields one by one, which says what is
//! wrong, or keeps an odd value. So there is one place with the rules for odd values.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::event::{EventDraft, Metadata, Outcome, Target};
use crate::id::{self, EnvId, TenantId};
use crate::json::has_unique_keys;
use crate::time;

/// The draft of a text that is an event in which every field is known, stands once, and has its own type; `None` for any
/// other text.
pub fn usual_event(text: &str) -> Option<EventDraft> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let draft = reader.deserialize_map(EventVisitor).ok()?;
    reader.end().ok().map(|()| draft)
}

/// Ends the reading. Nobody sees the error.
fn unusual<E: Error>() -> E {
    E::custom("unusual")
}

fn valid<T, E: Error>(parsed: crate::Result<T>) -> Result<T, E> {
    parsed.map_err(|_| unusual())
}

struct EventVisitor;

impl<'de> Visitor<'de> for EventVisitor {
    type Value = EventDraft;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a usual event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<EventDraft, A::Error> {
        let mut draft = EventDraft::default();
        let mut kind = None;
        let mut seen = Seen::default();
        while let Some(field) = map.next_key::<Field>()? {
            seen.add(field)?;
            match field {
                Field::Id => draft.id = parsed(&mut map, |text| id::parse_uuid("id", text))?,
                Field::OccurredAt => {
                    draft.occurred_at = parsed(&mut map, |text| time::parse_rfc3339("occurred_at", text))?;
                }
                Field::TenantId => draft.tenant_id = parsed(&mut map, |text| TenantId::parse("tenant_id", text))?,
                Field::EnvId => {
                    draft.env_id = match map.next_value()? {
                        Scalar::Null => None,
                        Scalar::Number(number) => Some(EnvId(number)),
                        Scalar::Text(text) if text.is_empty() => None,
                        Scalar::Text(_) => return Err(unusual()),
                    };
                }
                Field::UserId => draft.user_id = text(&mut map)?,
                Field::UserName => draft.user_name = text(&mut map)?,
                Field::Type => kind = text(&mut map)?,
                Field::Outcome => draft.outcome = parsed(&mut map, |text| Outcome::parse("outcome", text))?,
                Field::Source => draft.source = text(&mut map)?,
                Field::UserAgent => draft.user_agent = text(&mut map)?,
                Field::Page => draft.page = text(&mut map)?,
                Field::SessionId => draft.session_id = text(&mut map)?,
                Field::TraceId => draft.trace_id = text(&mut map)?,
                Field::Target => draft.target = map.next_value::<UsualTarget>()?.0,
                Field::Metadata => draft.metadata = metadata(map.next_value()?)?,
                Field::Name => return Err(unusual()),
            }
        }
        draft.kind = kind.ok_or_else(unusual)?;
        Ok(draft)
    }
}

/// The text of a field, if it is not null.
fn text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<String>, A::Error> {
    match map.next_value()? {
        Scalar::Null => Ok(None),
        Scalar::Text(text) => Ok(Some(text.into_owned())),
        Scalar::Number(_) => Err(unusual()),
    }
}

/// The value of a text field; `None` if it is null or empty.
fn parsed<'de, A: MapAccess<'de>, T>(
    map: &mut A,
    parse: impl FnOnce(&str) -> crate::Result<T>,
) -> Result<Option<T>, A::Error> {
    match map.next_value()? {
        Scalar::Null => Ok(None),
        Scalar::Text(text) if text.is_empty() => Ok(None),
        Scalar::Text(text) => valid(parse(&text)).map(Some),
        Scalar::Number(_) => Err(unusual()),
    }
}

/// Metadata without a key that stands twice in one object; `None` if it is null.
fn metadata<E: Error>(json: &RawValue) -> Result<Option<Metadata>, E> {
    match json.get() {
        "null" => Ok(None),
        object if object.starts_with('{') && has_unique_keys(object) => Ok(Some(Metadata::of_object(object))),
        _ => Err(unusual()),
    }
}

/// The target of an event; `None` if it is null.
struct UsualTarget(Option<Target>);

impl<'de> Deserialize<'de> for UsualTarget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TargetVisitor).map(Self)
    }
}

struct TargetVisitor;

impl<'de> Visitor<'de> for TargetVisitor {
    type Value = Option<Target>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a usual target")
    }

    fn visit_unit<E: Error>(self) -> Result<Option<Target>, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Target>, A::Error> {
        let mut target = Target::default();
        let mut seen = Seen::default();
        while let Some(field) = map.next_key::<Field>()? {
            seen.add(field)?;
            match field {
                Field::Type => target.kind = text(&mut map)?,
                Field::Id => target.id = text(&mut map)?,
                Field::Name => target.name = text(&mut map)?,
                _ => return Err(unusual()),
            }
        }
        Ok(Some(target))
    }
}

/// The fields that an object had so far.
#[derive(Default)]
struct Seen(u32);

impl Seen {
    /// Adds a field. An error if it is there already.
    fn add<E: Error>(&mut self, field: Field) -> Result<(), E> {
        let bit = 1 << field as u32;
        if self.0 & bit != 0 {
            return Err(unusual());
        }
        self.0 |= bit;
        Ok(())
    }
}

/// The fields of events and targets.
#[derive(Clone, Copy)]
enum Field {
    Id,
    OccurredAt,
    TenantId,
    EnvId,
    UserId,
    UserName,
    Type,
    Outcome,
    Source,
    UserAgent,
    Page,
    SessionId,
    TraceId,
    Target,
    Metadata,
    Name,
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(FieldVisitor)
    }
}

struct FieldVisitor;

impl Visitor<'_> for FieldVisitor {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field of an event")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Field, E> {
        Ok(match name {
            "id" => Field::Id,
            "occurred_at" => Field::OccurredAt,
            "tenant_id" => Field::TenantId,
            "env_id" => Field::EnvId,
            "user_id" => Field::UserId,
            "user_name" => Field::UserName,
            "type" => Field::Type,
            "outcome" => Field::Outcome,
            "source" => Field::Source,
            "user_agent" => Field::UserAgent,
            "page" => Field::Page,
            "session_id" => Field::SessionId,
            "trace_id" => Field::TraceId,
            "target" => Field::Target,
            "metadata" => Field::Metadata,
            "name" => Field::Name,
            _ => return Err(unusual()),
        })
    }
}

/// A value that a usual field can have.
enum Scalar<'de> {
    Null,
    Number(u32),
    Text(Cow<'de, str>),
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("null, a number or a text")
    }

    fn visit_unit<E: Error>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Null)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Scalar<'de>, E> {
        u32::try_from(number).map(Scalar::Number).map_err(|_| unusual())
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    /// Values of fields, usual and odd ones.
    const VALUES: [&str; 36] = [
        "null",
        "true",
        "0",
        "1",
        "4294967295",
        "4294967296",
        "1.0",
        "-0",
        "-1",
        "1e2",
        "\"\"",
        "\" \"",
        "\"a\"",
        "\"é\\n\"",
        "\"\\u0061\"",
        "\"\\ud83d\"",
        "\"\\ud83d\\ude00\"",
        "\"success\"",
        "\"2026-01-31T13:00:00.5+01:00\"",
        "\"2026-01-31\"",
        "\"69e732d6-8ecc-45c4-a2eb-8438f7ffe775\"",
        "\"69e732d68ecc45c4a2eb8438f7ffe775\"",
        "\"ffffffff-ffff-ffff-ffff-ffffffffffff\"",
        "[]",
        "[1]",
        "{}",
        "{ \"a\" : 1.50 }",
        "{\"a\":{\"b\":1,\"b\":2}}",
        "{\"a\":1,\"a\":1}",
        "{\"type\":\"t\",\"id\":\"7\",\"name\":null}",
        "{\"type\":5}",
        "{\"id\":\"\",\"id\":\"\"}",
        "{\"kind\":\"x\"}",
        "{\"\\u0069d\":\"x\"}",
        "{\"id\":\"\\ud83d\"}",
        "{\"name\":\"x\"} ",
    ];
    /// Names of fields, known and odd ones.
    fn names() -> Vec<&'static str> {
        [&EventDraft::FIELDS[..], &["name", "kind", "Type", "\\u0069d", ""]].concat()
    }

    /// What is stored of a draft, with the text of its metadata: equal metadata may be different texts.
    fn shown(draft: &EventDraft) -> String {
        format!("{draft:?}")
    }

    proptest! {
        #[test]
        fn a_usual_event_is_read_as_one_field_after_the_other(
            fields in vec((select(names()), select(&VALUES[..])), 0..8), typed in any::<bool>(),
            around in select(&[("", ""), (" ", "\n"), ("", "x"), ("[", "]"), ("\u{feff}", "")][..]),
        ) {
            let fields = fields.into_iter().chain(typed.then_some(("type", "\"page_load\"")));
            let fields: Vec<String> = fields.map(|(name, value)| format!("\"{name}\" : {value}")).collect();
            let text = format!("{}{{{}}}{}", around.0, fields.join(","), around.1);
            let slow = EventDraft::by_fields(text.as_bytes());
            match usual_event(&text) {
                Some(draft) => prop_assert_eq!(Some(shown(&draft)), slow.ok().as_ref().map(shown), "{}", text),
                // Only what is odd is left to the other reader.
                None => prop_assert!(
                    slow.as_ref().map_or(true, |draft| {
                        !draft.mistyped.is_empty() || !draft.warnings.is_empty() || text.starts_with('\u{feff}')
                            || text.contains("\"target\" : \"\"") || text.contains("\"metadata\" : \"\"")
                    }),
                    "{}", text
                ),
            }
        }

        #[test]
        fn foreign_bytes_are_no_usual_event_or_a_valid_one(text in ".{0,60}") {
            if let Some(draft) = usual_event(&text) {
                prop_assert_eq!(shown(&draft), shown(&EventDraft::by_fields(text.as_bytes()).unwrap()));
            }
        }
    }

    #[test]
    fn the_fields_are_those_of_events_and_targets() {
        for name in EventDraft::FIELDS.into_iter().chain(Target::FIELDS) {
            assert!(FieldVisitor.visit_str::<serde::de::value::Error>(name).is_ok(), "{name}");
        }
    }
}
