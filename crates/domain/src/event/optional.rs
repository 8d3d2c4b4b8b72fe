//! The optional fields of an event. None of them can lose the event.
//!
//! Strangers choose some of these fields, such as the name at a failed login. If a bad one refused the event, they could
//! keep out of the trail.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::event::{Metadata, Original, Target};
use crate::text;

/// The longest type of a target, in characters.
const MAX_TARGET_TYPE: usize = 64;

/// The longest id or name of a target, in characters.
pub const MAX_TARGET: usize = 256;

/// A field of an event that is not stored as it was sent. The event is stored nevertheless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The name of the field, for example `user_id` or `target.name`.
    pub field: &'static str,
    /// The problem, and what is stored in place of the value.
    pub what: String,
}

/// Validates the optional fields one after the other, and collects what is not stored as it was sent.
pub struct OptionalFields {
    mistyped: BTreeMap<&'static str, String>,
    original: BTreeMap<String, Original>,
    warnings: Vec<Warning>,
}

impl OptionalFields {
    /// The fields of another type than theirs, and the warnings so far.
    pub fn new(mistyped: BTreeMap<&'static str, String>, warnings: Vec<Warning>) -> Self {
        Self { mistyped, original: BTreeMap::new(), warnings }
    }

    /// Whether the field was sent, with whatever value.
    pub fn was_sent(&self, field: &str, text: Option<&str>) -> bool {
        self.mistyped.contains_key(field) || text.is_some_and(|text| !text.is_empty())
    }

    /// A field that identifies something: stored as it was sent, or not at all. A cut name would be another name.
    pub fn identifying<T>(
        &mut self,
        field: &'static str,
        sent: Option<String>,
        parse: impl FnOnce(&str) -> Result<T>,
    ) -> Option<T> {
        if self.is_mistyped(field, "a text") {
            return None;
        }
        let sent = sent.filter(|sent| !sent.is_empty())?;
        parse(&sent).map_err(|error| self.reject(field, &sent, &error)).ok()
    }

    /// A text for display: cut to `max` characters, with a space in place of each control character.
    pub fn free(&mut self, field: &'static str, sent: Option<String>, max: usize) -> Option<String> {
        if self.is_mistyped(field, "a text") {
            return None;
        }
        let sent = sent.filter(|sent| !sent.is_empty())?;
        let Err(error) = text::checked_or_empty(field, &sent, max) else { return Some(sent) };
        let stored = format!("its first {max} characters are stored, with a space in place of each control character");
        self.warn(field, format!("{}; {stored}", reason(&error)));
        Some(text::cut(&sent, max))
    }

    /// The target; `None` if nothing of it is stored.
    pub fn target(&mut self, sent: Option<Target>) -> Option<Target> {
        if self.is_mistyped("target", "an object") {
            return None;
        }
        let Target { kind, id, name } = sent.unwrap_or_default();
        let target = Target {
            kind: self.identifying("target.type", kind, short("target.type", MAX_TARGET_TYPE)),
            id: self.identifying("target.id", id, short("target.id", MAX_TARGET)),
            name: self.free("target.name", name, MAX_TARGET),
        };
        (target != Target::default()).then_some(target)
    }

    /// The metadata: stored as a whole, or not at all.
    pub fn metadata(&mut self, sent: Option<Metadata>) -> Option<Metadata> {
        if self.is_mistyped("metadata", "an object") {
            return None;
        }
        let sent = sent?;
        match sent.check() {
            Ok(()) => Some(sent),
            Err(error) => {
                self.reject("metadata", sent.as_str(), &error);
                None
            }
        }
    }

    /// The texts of the fields that are not stored, by name, and the warnings.
    pub fn finish(self) -> (BTreeMap<String, Original>, Vec<Warning>) {
        (self.original, self.warnings)
    }

    /// Whether the field has another type than `expected`. Keeps its text if it has.
    fn is_mistyped(&mut self, field: &'static str, expected: &str) -> bool {
        let Some(sent) = self.mistyped.remove(field) else { return false };
        let error = Error::invalid(field, format!("'{}' is not {expected}", text::shown(&sent)));
        self.reject(field, &sent, &error);
        true
    }

    /// Keeps the text of a field that is not stored.
    fn reject(&mut self, field: &'static str, sent: &str, error: &Error) {
        self.original.insert(field.to_owned(), Original::of(sent));
        self.warn(field, format!("{}; null is stored, and the text is in original.{field}", reason(error)));
    }

    fn warn(&mut self, field: &'static str, what: String) {
        self.warnings.push(Warning { field, what });
    }
}

/// The check of a text of 1 to `max` characters.
pub fn short(field: &str, max: usize) -> impl FnOnce(&str) -> Result<String> {
    move |value| text::checked(field, value, max).map(|()| value.to_owned())
}

/// The text of an error without the name of the field.
fn reason(error: &Error) -> &str {
    error.detail().map_or("cannot be stored", |detail| &detail.detail)
}
