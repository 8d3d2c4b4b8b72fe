//! Forwarding streams: lists, changes with their audit events, and secrets. A secret is shown only when it is made.

use chrono::TimeDelta;
use serde_json::Value;
use trailkeeper_domain::cursor::{self, Paged};
use trailkeeper_domain::event::{Event, Target};
use trailkeeper_domain::id::{StreamId, TenantId};
use trailkeeper_domain::stream::{
    Conditions, SealedSecrets, Stream, StreamDraft, StreamFormat, StreamStart, StreamState,
};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::usecase::{self, StreamLag};
use trailkeeper_domain::{Error, Result};

use crate::access::{Access, lock_accounts};
use crate::audit::{
    AuditContext, Changes, STREAM_CHANGE, STREAM_CREATE, STREAM_DELETE, STREAM_SECRET_ROTATE, append, target,
};
use crate::listing;
use crate::master_keys::stream_seal_context;
use crate::permission::stream_visibility;
use crate::stream_secret::StreamSecret;

/// The mark of the cursors of the list.
const CURSOR_KIND: char = 'w';
/// The type of streams as targets of audit events.
const TARGET: &str = "stream";
/// How long the secret before a rotation signs as well.
const OLD_SECRET_SIGNS: TimeDelta = TimeDelta::hours(24);

/// A change of a stream; absent fields stay as they are.
#[derive(Debug, Clone, Default)]
pub struct StreamChange {
    /// The new name; `Some(None)` removes it.
    pub name: Option<Option<String>>,
    /// The new conditions, in place of all of the old ones.
    pub conditions: Option<Conditions>,
    /// The new format.
    pub format: Option<StreamFormat>,
    /// Whether it is paused. `false` also makes a failing stream try again at once.
    pub paused: Option<bool>,
    /// Where it goes on.
    pub start: Option<StreamStart>,
}

impl Access {
    /// Creates a stream. The second value is its secret, which cannot be shown again.
    ///
    /// [`Error::Invalid`] for a name outside its limits, [`Error::Gone`] for a cursor of another history of the database,
    /// [`Error::Conflict`] if there are too many streams.
    pub fn create_stream(
        &self,
        context: &AuditContext,
        about: StreamDraft,
        start: StreamStart,
    ) -> Result<(Stream, StreamSecret)> {
        about.check()?;
        checked_tenant(about.tenant_id)?;
        let position =
            usecase::stream_position(self.store.as_ref(), start, stream_visibility(about.tenant_id), "start")?;
        let now = self.clock.now();
        let secret = StreamSecret::generate(self.entropy.as_ref());
        let mut stream = Stream {
            id: StreamId(self.fresh_uuid()),
            revision: 0,
            about,
            secrets: SealedSecrets { current: Vec::new(), previous: None },
            state: StreamState::Active,
            position,
            pending_until: None,
            failures: None,
            last_success_at: None,
            last_error: None,
            gap_at: None,
            created_at: now,
            changed_at: now,
        };
        let StreamDraft { tenant_id, conditions, destination, format, .. } = &stream.about;
        let metadata = [
            ("host", destination.host().into()),
            ("format", format.as_str().into()),
            ("tenant_id", tenant_id.map(|tenant| tenant.to_string()).into()),
            ("filter", Value::Object(conditions.to_json())),
            ("start", name_of(start).into()),
        ];
        let metadata = metadata.into_iter().map(|(name, value): (_, Value)| (name.to_owned(), value)).collect();
        let event = self.change_event(now, STREAM_CREATE, context, stream_target(&stream))?;
        let event = Event { metadata: Some(metadata), ..event };
        self.store.writing(|tx| {
            lock_accounts(tx)?;
            stream.secrets.current = self.sealed_stream_secret(stream.id, &secret)?;
            usecase::create_stream(tx, &stream)?;
            append(tx, &event)
        })?;
        Ok((stream, secret))
    }

    /// A page of the streams in the order of their creation.
    pub fn streams(&self, cursor: Option<&str>, limit: usize) -> Result<Paged<Stream>> {
        let limit = listing::checked_limit(limit)?;
        let after = listing::start_after(CURSOR_KIND, cursor)?.map(StreamId);
        let streams = self.store.reading(|tx| tx.streams(after, limit + 1))?;
        Ok(Paged::cut(streams, limit, |stream| cursor::encode(CURSOR_KIND, &stream.id.to_string())))
    }

    /// A stream. [`Error::NotFound`] with code `stream_not_found`.
    pub fn stream(&self, id: StreamId) -> Result<Stream> {
        self.store.reading(|tx| usecase::find_stream(tx, id))
    }

    /// What a stream has not passed yet; `None` if its position is of another history of the database.
    pub fn stream_lag(&self, stream: &Stream) -> Result<Option<StreamLag>> {
        let visibility = stream_visibility(stream.about.tenant_id);
        usecase::stream_lag(self.store.as_ref(), stream.position, visibility)
    }

    /// Changes a stream. Does nothing, and records nothing, if it already is as wanted.
    ///
    /// Errors as for [`Self::create_stream`]; [`Error::NotFound`] with code `stream_not_found`.
    pub fn change_stream(&self, context: &AuditContext, id: StreamId, change: &StreamChange) -> Result<Stream> {
        let known = self.stream(id)?;
        let position = change
            .start
            .map(|start| {
                let visibility = stream_visibility(known.about.tenant_id);
                usecase::stream_position(self.store.as_ref(), start, visibility, "start")
            })
            .transpose()?;
        let now = self.clock.now();
        self.store.writing(|tx| {
            let (before, after) = usecase::change_stream(tx, id, |stream| {
                let mut next = stream.clone();
                next.about.name = change.name.clone().unwrap_or(next.about.name);
                next.about.format = change.format.unwrap_or(next.about.format);
                if let Some(conditions) = &change.conditions {
                    next.about.conditions = conditions.clone();
                }
                next.about.check()?;
                if let Some(position) = position {
                    next = next.restarted(position);
                }
                next = match change.paused {
                    Some(true) => next.paused(),
                    Some(false) => next.resumed(),
                    // A new position is the way out of a failure.
                    None if position.is_some() && next.state == StreamState::Failing => next.resumed(),
                    None => next,
                };
                if next != stream {
                    next.changed_at = now;
                }
                Ok(next)
            })?;
            let mut changes = Changes::default();
            changes.note("name", before.about.name.clone(), after.about.name.clone());
            let filter = |stream: &Stream| Value::Object(stream.about.conditions.to_json());
            changes.note("filter", filter(&before), filter(&after));
            changes.note("format", before.about.format.as_str(), after.about.format.as_str());
            changes.note("state", before.state.as_str(), after.state.as_str());
            if let Some(start) = change.start {
                changes.note("start", None, Some(name_of(start)));
            }
            if !changes.is_empty() {
                let event = self.change_event(now, STREAM_CHANGE, context, stream_target(&before))?;
                append(tx, &Event { metadata: Some(changes.into_metadata().into()), ..event })?;
            }
            Ok(after)
        })
    }

    /// Deletes a stream. [`Error::NotFound`] with code `stream_not_found`.
    pub fn delete_stream(&self, context: &AuditContext, id: StreamId) -> Result<()> {
        let now = self.clock.now();
        self.store.writing(|tx| {
            let stream = usecase::find_stream(tx, id)?;
            if !tx.delete_stream(id)? {
                return usecase::find_stream(tx, id).map(drop);
            }
            let event = self.change_event(now, STREAM_DELETE, context, stream_target(&stream))?;
            let host = ("host".to_owned(), stream.about.destination.host().into());
            append(tx, &Event { metadata: Some([host].into_iter().collect()), ..event })
        })
    }

    /// Replaces the secret of a stream. The one before signs as well for 24 hours; one that was replaced earlier does not
    /// any more. The second value is the new secret, which cannot be shown again.
    ///
    /// [`Error::NotFound`] with code `stream_not_found`.
    pub fn rotate_stream_secret(&self, context: &AuditContext, id: StreamId) -> Result<(Stream, StreamSecret)> {
        let now = self.clock.now();
        let secret = StreamSecret::generate(self.entropy.as_ref());
        let stream = self.store.writing(|tx| {
            lock_accounts(tx)?;
            let sealed = self.sealed_stream_secret(id, &secret)?;
            let (before, after) = usecase::change_stream(tx, id, |stream| {
                let previous = Some((stream.secrets.current.clone(), now + OLD_SECRET_SIGNS));
                let secrets = SealedSecrets { current: sealed.clone(), previous };
                Ok(Stream { secrets, changed_at: now, ..stream })
            })?;
            append(tx, &self.change_event(now, STREAM_SECRET_ROTATE, context, stream_target(&before))?)?;
            Ok(after)
        })?;
        Ok((stream, secret))
    }

    /// The secrets that sign messages of a stream at this time: the present one, and the one before for a day.
    ///
    /// [`Error::Internal`] when no master key opens them.
    pub fn stream_secrets(&self, stream: &Stream, now: Timestamp) -> Result<Vec<StreamSecret>> {
        let SealedSecrets { current, previous } = &stream.secrets;
        let previous = previous.as_ref().filter(|(_, until)| now < *until).map(|(sealed, _)| sealed);
        let context = stream_seal_context(stream.id);
        [Some(current), previous]
            .into_iter()
            .flatten()
            .map(|sealed| {
                let plain = self.master.open(&context, sealed)?;
                StreamSecret::read(std::str::from_utf8(&plain).map_err(Error::internal)?)
            })
            .collect()
    }

    /// Sealed under the lock of accounts, for the reason given at `Access::reseal`.
    fn sealed_stream_secret(&self, id: StreamId, secret: &StreamSecret) -> Result<Vec<u8>> {
        self.master.seal(self.entropy.as_ref(), &stream_seal_context(id), secret.expose().as_bytes())
    }
}

/// The stream as the object of an audit event: by its name, or by the host to which it sends.
pub(crate) fn stream_target(stream: &Stream) -> Target {
    let StreamDraft { name, destination, .. } = &stream.about;
    target(TARGET, &stream.id, name.as_deref().unwrap_or_else(|| destination.host()))
}

fn name_of(start: StreamStart) -> &'static str {
    match start {
        StreamStart::Now => "now",
        StreamStart::Beginning => "beginning",
        StreamStart::At(_) => "cursor",
    }
}

/// A stream may be limited to the events outside any tenant, or to the audit trail; not to a tenant whose id stands for a
/// lost one.
fn checked_tenant(tenant: Option<TenantId>) -> Result<()> {
    match tenant {
        Some(id) if id.missing_number().is_some() => {
            Err(Error::invalid("tenant_id", format!("'{id}' stands for a lost id; send that of a tenant")))
        }
        _ => Ok(()),
    }
}
