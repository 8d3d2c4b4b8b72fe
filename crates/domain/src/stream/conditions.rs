//! The conditions on the events of a stream.

use serde_json::{Map, Value};

use crate::address::AddressRange;
use crate::error::Result;
use crate::event::{EventFilter, EventKind, MAX_TARGET, Outcome, Values};
use crate::id::{EnvId, UserId};
use crate::json::{Items, JsonObject};
use crate::page::MAX_PAGE;
use crate::text;
use crate::visibility::Visibility;

/// The most values of a condition.
const MAX_VALUES: usize = 50;

/// The conditions on the events of a stream: those of the list of events, without tenant and time. An event must meet every
/// condition that is present.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    /// The environments.
    pub env_id: Values<EnvId>,
    /// The users.
    pub user_id: Values<UserId>,
    /// The types.
    pub kind: Values<EventKind>,
    /// The outcomes.
    pub outcome: Values<Outcome>,
    /// The addresses and networks of sources.
    pub source: Values<AddressRange>,
    /// The pages.
    pub page: Values<String>,
    /// The sessions of the application.
    pub session_id: Values<String>,
    /// The types of targets.
    pub target_type: Values<String>,
    /// The ids of targets.
    pub target_id: Values<String>,
}

impl Conditions {
    /// The names of the fields in JSON; each also exists with `_not` behind it, for the values that an event must not have.
    pub const FIELDS: [&'static str; 9] =
        ["env_id", "user_id", "type", "outcome", "source", "page", "session_id", "target_type", "target_id"];

    /// Reads an object with a list of values per condition.
    ///
    /// ```
    /// use trailkeeper_domain::json::JsonObject;
    /// use trailkeeper_domain::stream::Conditions;
    ///
    /// let json = r#"{"type": ["login_fail"], "source_not": ["10.0.0.0/8"]}"#;
    /// let conditions = Conditions::read(JsonObject::parse("a filter", json.as_bytes())?)?;
    /// assert_eq!(conditions.kind.any_of[0].as_str(), "login_fail");
    /// assert_eq!(serde_json::Value::from(conditions.to_json()), serde_json::from_str::<serde_json::Value>(json).unwrap());
    /// # Ok::<(), trailkeeper_domain::Error>(())
    /// ```
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) names the field.
    pub fn read(mut json: JsonObject) -> Result<Self> {
        let conditions = Self {
            env_id: items(&mut json, "env_id", Items::Numbers, "a list of numbers, for example [1]", EnvId::parse)?,
            user_id: values(&mut json, "user_id", |name, value| UserId::parse(name, value))?,
            kind: values(&mut json, "type", |name, value| EventKind::parse(name, value))?,
            outcome: values(&mut json, "outcome", Outcome::parse)?,
            source: values(&mut json, "source", AddressRange::parse)?,
            page: values(&mut json, "page", |name, value| checked(name, value, MAX_PAGE))?,
            session_id: values(&mut json, "session_id", |name, value| checked(name, value, 128))?,
            target_type: values(&mut json, "target_type", |name, value| checked(name, value, 64))?,
            target_id: values(&mut json, "target_id", |name, value| checked(name, value, MAX_TARGET))?,
        };
        let names = Self::FIELDS.iter().flat_map(|name| [(*name).to_owned(), format!("{name}_not")]);
        let names: Vec<String> = names.collect();
        json.finish(&names.iter().map(String::as_str).collect::<Vec<_>>())?;
        Ok(conditions)
    }

    /// The object that [`read`](Self::read) reads as the same conditions.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut json = Map::new();
        write(&mut json, "env_id", &self.env_id, |env| env.0.into());
        write(&mut json, "user_id", &self.user_id, |user| user.as_str().into());
        write(&mut json, "type", &self.kind, |kind| kind.as_str().into());
        write(&mut json, "outcome", &self.outcome, |outcome| outcome.as_str().into());
        write(&mut json, "source", &self.source, |range| range.to_string().into());
        write(&mut json, "page", &self.page, |page| page.as_str().into());
        write(&mut json, "session_id", &self.session_id, |session| session.as_str().into());
        write(&mut json, "target_type", &self.target_type, |kind| kind.as_str().into());
        write(&mut json, "target_id", &self.target_id, |id| id.as_str().into());
        json
    }

    /// The filter of the events that may be seen and meet these conditions.
    pub fn filter(&self, visibility: Visibility) -> EventFilter {
        let Self { env_id, user_id, kind, outcome, source, page, session_id, target_type, target_id } = self.clone();
        EventFilter {
            env_id,
            user_id,
            kind,
            outcome,
            source,
            page,
            session_id,
            target_type,
            target_id,
            ..EventFilter::within(visibility)
        }
    }
}

fn values<T>(json: &mut JsonObject, field: &str, parse: impl Fn(&str, &str) -> Result<T>) -> Result<Values<T>> {
    items(json, field, Items::Texts, "a list of texts, for example [\"login_fail\"]", parse)
}

fn items<T>(
    json: &mut JsonObject,
    field: &str,
    items: Items,
    way_out: &str,
    parse: impl Fn(&str, &str) -> Result<T>,
) -> Result<Values<T>> {
    Ok(Values {
        any_of: json.list(field, (MAX_VALUES, items), way_out, &parse)?,
        none_of: json.list(&format!("{field}_not"), (MAX_VALUES, items), way_out, &parse)?,
    })
}

fn write<T>(json: &mut Map<String, Value>, field: &str, values: &Values<T>, value: impl Fn(&T) -> Value) {
    for (name, list) in [(field.to_owned(), &values.any_of), (format!("{field}_not"), &values.none_of)] {
        if !list.is_empty() {
            json.insert(name, list.iter().map(&value).collect());
        }
    }
}

fn checked(name: &str, value: &str, most: usize) -> Result<String> {
    text::checked(name, value, most).map(|()| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Target;
    use crate::page::PageRule;
    use crate::testing::{EVERYTHING, code_and_field, event, user_id};

    fn read(json: &str) -> Result<Conditions> {
        Conditions::read(JsonObject::parse("a filter", json.as_bytes()).unwrap())
    }

    #[test]
    fn conditions_survive_the_way_through_json() {
        let all = r#"{"env_id":[1,4294967295],"env_id_not":[2],"user_id":["a, b"],"user_id_not":["c"],"type":["login"],
            "type_not":["page_load"],"outcome":["failure"],"outcome_not":["unknown"],
            "source":["10.0.0.0/8","192.0.2.1","2001:db8::/32","::/0"],"source_not":["192.0.2.128/25"],"page":["/a?b"],
            "page_not":["/c"],"session_id":["s"],"session_id_not":["t"],"target_type":["invoice"],
            "target_type_not":["user"],"target_id":["7"],"target_id_not":["8"]}"#;
        let conditions = read(all).unwrap();
        let written = Value::from(conditions.to_json());
        assert_eq!(written, serde_json::from_str::<Value>(all).unwrap());
        assert_eq!(read(&written.to_string()).unwrap(), conditions);
        assert_eq!(read("{}").unwrap(), Conditions::default());
        assert_eq!(conditions.to_json().len(), 2 * Conditions::FIELDS.len());
    }

    #[test]
    fn errors_name_the_value() {
        for (json, field) in [
            (r#"{"types":["a"]}"#, "types"),
            (r#"{"type":"a"}"#, "type"),
            (r#"{"type":["a","A b"]}"#, "type[1]"),
            (r#"{"env_id":[-1]}"#, "env_id[0]"),
            (r#"{"outcome_not":["bad"]}"#, "outcome_not[0]"),
            (r#"{"source":["crawler.example"]}"#, "source[0]"),
            (r#"{"page":[""]}"#, "page[0]"),
        ] {
            assert_eq!(code_and_field(&read(json).unwrap_err()).1, Some(field));
        }
    }

    #[test]
    fn the_filter_has_every_condition() {
        let rule = PageRule::default();
        let matching = crate::event::Event {
            user_id: Some(user_id("ann")),
            target: Some(Target { kind: Some("invoice".to_owned()), id: Some("7".to_owned()), name: None }),
            ..event(1)
        };
        let base = Conditions::default();
        assert!(base.filter(EVERYTHING).matches(&matching, &rule));
        for json in [
            r#"{"env_id":[99]}"#,
            r#"{"user_id":["bob"]}"#,
            r#"{"type":["never_sent"]}"#,
            r#"{"outcome_not":["success","failure","unknown"]}"#,
            r#"{"source":["192.0.2.77"]}"#,
            r#"{"page":["/never"]}"#,
            r#"{"session_id":["never"]}"#,
            r#"{"target_type_not":["invoice"]}"#,
            r#"{"target_id":["8"]}"#,
        ] {
            assert!(!read(json).unwrap().filter(EVERYTHING).matches(&matching, &rule), "{json}");
        }
    }
}
