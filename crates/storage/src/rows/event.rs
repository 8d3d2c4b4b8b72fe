//! Rows of events.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use diesel::{Queryable, Selectable};
use serde_json::{Map, Value};
use trailkeeper_domain::bucket::Bucket;
use trailkeeper_domain::error::{BoxedError, Context};
use trailkeeper_domain::event::{
    Event, EventKind, Metadata, NamedField, Original, Outcome, StoredEvent, Target, missing_kind,
};
use trailkeeper_domain::fact::OTHER_PAGE;
use trailkeeper_domain::id::{EnvId, EventId, TenantId, UserId};
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::page::Page;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::outcome;

use super::unreadable;
use crate::columns::{DbTenant, DbTime, DbUuid, JsonText};
use crate::hash_key::{self, HashKey};
use crate::names::Dictionary;
use crate::schema::events;

const TABLE: &str = "events";

/// The number of an outcome.
pub fn outcome_code(outcome: Outcome) -> i16 {
    outcome::code(outcome).into()
}

/// The outcome with this number.
pub fn outcome_of_code(code: i16) -> Option<Outcome> {
    u32::try_from(code).ok().and_then(outcome::of_code)
}

/// A stored event.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = events)]
pub struct EventRow {
    seq: i64,
    tenant_id: DbTenant,
    id: DbUuid,
    env_id: i64,
    occurred_at: DbTime,
    received_at: DbTime,
    user_ref: Option<i32>,
    user_name_ref: Option<i32>,
    kind_ref: i32,
    outcome: i16,
    source_ref: Option<i32>,
    user_agent_ref: Option<i32>,
    page_ref: Option<i32>,
    page: Option<String>,
    page_key: Option<String>,
    session_id: Option<String>,
    trace_id: Option<String>,
    target_type: Option<String>,
    target_id: Option<String>,
    target_name: Option<String>,
    metadata: Option<JsonText>,
    original: Option<JsonText>,
}

/// Names by dictionary and number.
pub type Names = BTreeMap<Dictionary, HashMap<i32, Arc<str>>>;

impl EventRow {
    /// The tenant of the event, as the database stores it.
    pub fn tenant(&self) -> DbTenant {
        self.tenant_id
    }

    /// The position in lists: time, then order of storage.
    pub fn position(&self) -> (Timestamp, i64) {
        (self.occurred_at.0, self.seq)
    }

    /// Adds the numbers of the names of the event.
    pub fn add_numbers(&self, numbers: &mut BTreeMap<Dictionary, BTreeSet<i32>>) {
        for (dictionary, number) in [
            (Dictionary::Users, self.user_ref),
            (Dictionary::UserNames, self.user_name_ref),
            (Dictionary::Kinds, Some(self.kind_ref)),
            (Dictionary::Sources, self.source_ref),
            (Dictionary::UserAgents, self.user_agent_ref),
            (Dictionary::Pages, self.page_ref),
        ] {
            if let Some(number) = number {
                numbers.entry(dictionary).or_default().insert(number);
            }
        }
    }

    /// The event of `tenant`, with names from `names` in place of numbers.
    pub fn into_stored(self, tenant: TenantId, names: &Names) -> Result<StoredEvent> {
        let id = self.id.0;
        let wrong = |column: &'static str, reason: BoxedError| unreadable(TABLE, column, id, reason);
        let mut names = Lookup { names, missing: Vec::new() };
        if tenant.missing_number().is_some() {
            names.missing.push(NamedField::Tenant);
        }
        let outcome = outcome_of_code(self.outcome)
            .ok_or_else(|| wrong("outcome", format!("{} is not 0, 1 or 2", self.outcome).into()))?;
        let env_id = u32::try_from(self.env_id)
            .map_err(|error| wrong("env_id", Context::new(self.env_id.to_string(), error).into()))?;
        let kind = names.name(NamedField::Kind, Dictionary::Kinds, Some(self.kind_ref));
        let kind = kind.map_or_else(|| missing_kind(self.kind_ref.cast_unsigned()), str::to_owned);
        let source = names
            .name(NamedField::Source, Dictionary::Sources, self.source_ref)
            .map(|source| {
                source.parse::<IpAddr>().map_err(|error| wrong("source_ref", Context::new(source, error).into()))
            })
            .transpose()?;
        let counted = names.name(NamedField::Page, Dictionary::Pages, self.page_ref);
        let is_missing = counted.is_none() && self.page_ref.is_some();
        let page = match (counted, self.page_key, self.page) {
            (None, None, None) => None,
            // The name of the key is missing, but not the page as it was sent.
            (None, _, Some(sent)) | (None, Some(sent), None) if is_missing => Some(Page::stored(sent)),
            (Some(_), Some(key), sent) => Some(Page::stored(sent.unwrap_or(key))),
            (Some(key), None, sent) => Some(Page::stored(sent.unwrap_or_else(|| key.to_owned()))),
            (None, key, sent) => {
                return Err(wrong("page_ref", format!("is null, but the page is {sent:?} and its key {key:?}").into()));
            }
        };
        let metadata = self.metadata.map(|JsonText(text)| Metadata::parse(&text)).transpose();
        let metadata = metadata.map_err(|error| wrong("metadata", error.into()))?;
        let original = self.original.map(|JsonText(text)| original_of(&text)).transpose();
        let original = original.map_err(|error| wrong("original", error))?.unwrap_or_default();
        let target = Target { kind: self.target_type, id: self.target_id, name: self.target_name };
        let user = names.name(NamedField::User, Dictionary::Users, self.user_ref);
        let user_name = names.name(NamedField::UserName, Dictionary::UserNames, self.user_name_ref);
        let user_agent = names.name(NamedField::UserAgent, Dictionary::UserAgents, self.user_agent_ref);
        let mut missing_names = names.missing;
        missing_names.sort_unstable();
        Ok(StoredEvent {
            seq: self.seq,
            missing_names,
            event: Event {
                id: EventId(id),
                tenant_id: tenant,
                env_id: EnvId(env_id),
                occurred_at: self.occurred_at.0,
                received_at: self.received_at.0,
                user_id: user.map(|user| UserId::stored(user.to_owned())),
                user_name: user_name.map(str::to_owned),
                kind: EventKind::known(kind),
                outcome,
                source,
                user_agent: user_agent.map(str::to_owned),
                page,
                session_id: self.session_id,
                trace_id: self.trace_id,
                target: Some(target).filter(|target| *target != Target::default()),
                metadata,
                original,
            },
        })
    }
}

/// Looks names up, and collects the fields whose names are missing.
struct Lookup<'a> {
    names: &'a Names,
    missing: Vec<NamedField>,
}

impl<'a> Lookup<'a> {
    fn name(&mut self, field: NamedField, dictionary: Dictionary, number: Option<i32>) -> Option<&'a str> {
        let found = self.names.get(&dictionary).and_then(|names| names.get(&number?));
        if number.is_some() && found.is_none() {
            self.missing.push(field);
        }
        found.map(AsRef::as_ref)
    }
}

/// The page of a stored event, as far as its key depends on it.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = events)]
pub struct SentPageRow {
    pub seq: i64,
    pub tenant_id: DbTenant,
    id: DbUuid,
    pub occurred_at: DbTime,
    pub received_at: DbTime,
    page_ref: Option<i32>,
    page: Option<String>,
    page_key: Option<String>,
}

impl SentPageRow {
    /// Whether the event has a page.
    pub fn has_page(&self) -> bool {
        self.page_ref.is_some()
    }

    /// The number of the page under which the event counts; 0, which no page has, without a page.
    pub fn page_ref(&self) -> i32 {
        self.page_ref.unwrap_or_default()
    }

    /// The page as it was sent, and its present key. `counted` is the name of its number, if the database has not lost it:
    /// without it there is no key, and no page either unless the event has the page as it was sent.
    pub fn sent_and_key<'a>(&'a self, counted: Option<&'a str>) -> Result<Option<(&'a str, Option<&'a str>)>> {
        let key = if self.page_ref().cast_unsigned() == OTHER_PAGE {
            let wrong = || unreadable(TABLE, "page_ref", self.id.0, "counts as (other) without a page_key");
            Some(self.page_key.as_deref().ok_or_else(wrong)?)
        } else {
            counted
        };
        Ok(self.page.as_deref().or(key).map(|sent| (sent, key)))
    }
}

/// The new key of a stored event.
#[derive(Debug)]
pub struct PageUpdate<'a> {
    pub tenant_id: DbTenant,
    pub occurred_at: DbTime,
    pub seq: i64,
    pub page_ref: i32,
    pub page: Option<&'a str>,
    pub page_key: Option<&'a str>,
}

/// The numbers of the names of an event. `None` if the event has no such name, or until its number is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct EventRefs {
    pub tenant: Option<DbTenant>,
    pub user: Option<i32>,
    pub user_name: Option<i32>,
    pub kind: Option<i32>,
    pub source: Option<i32>,
    pub user_agent: Option<i32>,
    pub page: Option<i32>,
}

impl EventRefs {
    /// The fields by which lists find the event and analytics count it. `seq` is its number, and `page_key` the key of its
    /// page.
    pub fn indexed(&self, event: &Event, page_key: Option<&str>, seq: i64, hashes: HashKey) -> IndexedEvent {
        let hash = |domain, text: Option<&str>| text.map(|text| hashes.hash32(domain, text.as_bytes()));
        let target = event.target.as_ref();
        let page = self.page.map(i32::cast_unsigned);
        IndexedEvent {
            seq,
            occurred_at: event.occurred_at,
            tenant_id: event.tenant_id,
            env: event.env_id,
            kind: self.kind.map_or(0, i32::cast_unsigned),
            outcome: event.outcome,
            user: self.user.map(i32::cast_unsigned),
            source: self.source.map(i32::cast_unsigned),
            page,
            other_page: hash(hash_key::PAGE_KEY, page_key.filter(|_| page == Some(OTHER_PAGE))),
            session: hash(hash_key::SESSION, event.session_id.as_deref()),
            target_type: hash(hash_key::TARGET_TYPE, target.and_then(|target| target.kind.as_deref())),
            target_id: hash(hash_key::TARGET_ID, target.and_then(|target| target.id.as_deref())),
        }
    }
}

/// A new event. The database gives it its number in the order of storage.
#[derive(Debug)]
pub struct NewEventRow<'a> {
    /// The bucket of the tenant. SQLite stores none.
    pub bucket: Bucket,
    pub tenant_id: DbTenant,
    pub id: DbUuid,
    pub env_id: i64,
    pub occurred_at: DbTime,
    pub received_at: DbTime,
    pub user_ref: Option<i32>,
    pub user_name_ref: Option<i32>,
    pub kind_ref: i32,
    pub outcome: i16,
    pub source_ref: Option<i32>,
    pub user_agent_ref: Option<i32>,
    pub page_ref: Option<i32>,
    pub page: Option<&'a str>,
    pub page_key: Option<&'a str>,
    pub session_id: Option<&'a str>,
    pub trace_id: Option<&'a str>,
    pub target_type: Option<&'a str>,
    pub target_id: Option<&'a str>,
    pub target_name: Option<&'a str>,
    pub metadata: Option<JsonText>,
    pub original: Option<JsonText>,
}

impl<'a> NewEventRow<'a> {
    /// The bucket of all rows; `None` if they have several.
    pub fn only_bucket(rows: &[Self]) -> Option<Bucket> {
        let first = rows.first()?.bucket;
        rows.iter().all(|row| row.bucket == first).then_some(first)
    }

    /// The row, in this bucket, of an event whose page has this key, and whose names have the numbers in `refs`.
    pub fn new(bucket: Bucket, event: &'a Event, page_key: Option<&'a str>, refs: &EventRefs) -> Result<Self> {
        let unnumbered = |what: &str| Error::internal(format!("the {what} of the event {} has no number", event.id));
        let target = event.target.as_ref();
        let page = event.page.as_ref().map(Page::as_str);
        // A page whose own name is `(other)` is stored in full, like the pages that count under that name.
        let other = refs.page.map(i32::cast_unsigned) == Some(OTHER_PAGE);
        Ok(Self {
            bucket,
            tenant_id: refs.tenant.ok_or_else(|| unnumbered("tenant"))?,
            id: DbUuid(event.id.0),
            env_id: i64::from(event.env_id.0),
            occurred_at: DbTime(event.occurred_at),
            received_at: DbTime(event.received_at),
            user_ref: refs.user,
            user_name_ref: refs.user_name,
            kind_ref: refs.kind.ok_or_else(|| unnumbered("type"))?,
            outcome: outcome_code(event.outcome),
            source_ref: refs.source,
            user_agent_ref: refs.user_agent,
            page_ref: refs.page,
            page: page.filter(|_| other || page != page_key),
            page_key: page_key.filter(|_| other),
            session_id: event.session_id.as_deref(),
            trace_id: event.trace_id.as_deref(),
            target_type: target.and_then(|target| target.kind.as_deref()),
            target_id: target.and_then(|target| target.id.as_deref()),
            target_name: target.and_then(|target| target.name.as_deref()),
            metadata: event.metadata.as_ref().map(|metadata| JsonText(metadata.as_str().to_owned())),
            original: (!event.original.is_empty()).then(|| original_json(&event.original)),
        })
    }
}

/// The texts of the fields that could not be stored, as JSON: `{"user_id":{"text":"…","sha256":"…"}}`.
fn original_json(original: &BTreeMap<String, Original>) -> JsonText {
    let entry = |(field, original): (&String, &Original)| {
        let text = ("text".to_owned(), Value::from(original.text.as_str()));
        let sha256 = original.sha256.as_deref().map(|hash| ("sha256".to_owned(), Value::from(hash)));
        (field.clone(), Value::Object([text].into_iter().chain(sha256).collect()))
    };
    JsonText(Value::Object(original.iter().map(entry).collect()).to_string())
}

/// The inverse of [`original_json`].
fn original_of(json: &str) -> Result<BTreeMap<String, Original>, BoxedError> {
    let fields: Map<String, Value> = serde_json::from_str(json)?;
    let original = |(field, value): (String, Value)| -> Result<(String, Original), BoxedError> {
        let text = value.get("text").and_then(Value::as_str).ok_or_else(|| format!("{field} has no text"))?;
        let sha256 = value.get("sha256").and_then(Value::as_str).map(str::to_owned);
        Ok((field, Original { text: text.to_owned(), sha256 }))
    };
    fields.into_iter().map(original).collect()
}
