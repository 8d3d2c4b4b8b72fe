//! Stores many new events by `COPY`, the quickest way into a table.
//!
//! `COPY` knows no `ON CONFLICT`. So the events that are stored already are looked up first. If another transaction stores
//! one of the others before this one ends, the database refuses the whole, and the transaction runs again: it then finds
//! that event.

use std::collections::HashSet;

use bytes::{BufMut as _, Bytes, BytesMut};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, SmallInt};

use super::Conn;
use crate::columns::{DbTenant, DbUuid, JSONB_VERSION, JsonText, TenantKey, Uuid128};
use crate::rows::NewEventRow;

/// From so many events on, `COPY` and the two queries before it cost less than one statement with an array per column.
pub const FEWEST: usize = 200;

/// What [`encoded`] encodes.
const COPY: &str = "COPY events (bucket, seq, tenant_id, id, env_id, occurred_at, received_at, user_ref, user_name_ref, \
    kind_ref, outcome, source_ref, user_agent_ref, page_ref, page, page_key, session_id, trace_id, target_type, target_id, \
    target_name, metadata, original) FROM STDIN (FORMAT binary)";
const COLUMNS: i16 = 23;

/// The start of data in the binary format: signature, flags, and no extension.
const START: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// The end of the data.
const END: i16 = -1;

/// The limit keeps the database from joining in another way than by the primary key: each event costs one look-up, however
/// many are stored.
const STORED: &str = "\
SELECT sent.tenant_id, sent.id FROM UNNEST($2, $3) AS sent (tenant_id, id) CROSS JOIN LATERAL (SELECT FROM events \
WHERE events.bucket = $1 AND events.id = sent.id AND events.tenant_id = sent.tenant_id LIMIT 1) AS stored";

/// Like [`STORED`], for events of several buckets.
const STORED_IN_BUCKETS: &str = "\
SELECT sent.tenant_id, sent.id FROM UNNEST($1, $2, $3) AS sent (bucket, tenant_id, id) CROSS JOIN LATERAL (SELECT FROM events \
WHERE events.bucket = sent.bucket AND events.id = sent.id AND events.tenant_id = sent.tenant_id LIMIT 1) AS stored";

/// The transaction gets its id before the first number: see `settled`.
const NUMBERS: &str =
    "SELECT nextval('events_seq_seq') AS seq FROM generate_series(1, $1) WHERE pg_current_xact_id() IS NOT NULL";

#[derive(QueryableByName)]
struct Key {
    #[diesel(sql_type = TenantKey)]
    tenant_id: DbTenant,
    #[diesel(sql_type = Uuid128)]
    id: DbUuid,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    seq: i64,
}

/// Stores the events that are not stored yet. Returns the number of each new one in the order of storage; `None` for the
/// others.
pub fn insert_events(conn: &mut Conn, rows: &[NewEventRow<'_>]) -> QueryResult<Vec<Option<i64>>> {
    let stored = if let Some(bucket) = NewEventRow::only_bucket(rows) {
        sql_query(STORED).into_boxed().bind::<SmallInt, _>(bucket.code())
    } else {
        let buckets: Vec<i16> = rows.iter().map(|row| row.bucket.code()).collect();
        sql_query(STORED_IN_BUCKETS).into_boxed().bind::<Array<SmallInt>, _>(buckets)
    };
    let stored: Vec<Key> = stored
        .bind::<Array<TenantKey>, _>(rows.iter().map(|row| row.tenant_id).collect::<Vec<_>>())
        .bind::<Array<Uuid128>, _>(rows.iter().map(|row| row.id).collect::<Vec<_>>())
        .load(conn)?;
    let mut known: HashSet<(DbTenant, DbUuid)> = stored.into_iter().map(|key| (key.tenant_id, key.id)).collect();
    // Of events with the same key, the first that was sent is stored.
    let is_new: Vec<bool> = rows.iter().map(|row| known.insert((row.tenant_id, row.id))).collect();
    let new = i64::try_from(is_new.iter().filter(|new| **new).count()).unwrap_or(i64::MAX);
    if new == 0 {
        return Ok(vec![None; rows.len()]);
    }
    let numbers: Vec<Number> = sql_query(NUMBERS).bind::<BigInt, _>(new).load(conn)?;
    let mut numbers = numbers.into_iter();
    let numbers: Vec<Option<i64>> =
        is_new.iter().map(|new| if *new { numbers.next().map(|number| number.seq) } else { None }).collect();
    conn.copy_in(COPY, encoded(rows, &numbers)?).map_err(again_if_stored)?;
    Ok(numbers)
}

/// The error of the `COPY`. If another transaction has stored one of the events meanwhile, this one is to run again.
fn again_if_stored(error: DieselError) -> DieselError {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => {
            let text = "40001: another transaction has stored one of the events".to_owned();
            DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, Box::new(text))
        }
        error => error,
    }
}

/// The rows that have a number, in the order of their keys: of two transactions with common events, one waits at the first
/// of these, and no deadlock is possible.
fn encoded(rows: &[NewEventRow<'_>], numbers: &[Option<i64>]) -> QueryResult<Bytes> {
    let mut new = Vec::with_capacity(rows.len());
    for (row, seq) in rows.iter().zip(numbers) {
        if let Some(seq) = seq {
            let DbTenant::Id(tenant) = row.tenant_id else {
                return Err(DieselError::SerializationError("a tenant without its UUID".into()));
            };
            new.push((row.id.0, tenant, *seq, row));
        }
    }
    new.sort_unstable_by_key(|(id, tenant, ..)| (*id, *tenant));
    let mut out = Encoder(BytesMut::with_capacity(new.len() * 256 + 64));
    out.0.put_slice(START);
    for (id, tenant, seq, row) in new {
        out.0.put_i16(COLUMNS);
        out.smallint(row.bucket.code());
        out.bigint(seq);
        out.bytes(tenant.as_bytes())?;
        out.bytes(id.as_bytes())?;
        out.bigint(row.env_id);
        out.bigint(row.occurred_at.pg_micros());
        out.bigint(row.received_at.pg_micros());
        out.integer(row.user_ref);
        out.integer(row.user_name_ref);
        out.integer(Some(row.kind_ref));
        out.smallint(row.outcome);
        out.integer(row.source_ref);
        out.integer(row.user_agent_ref);
        out.integer(row.page_ref);
        for text in
            [row.page, row.page_key, row.session_id, row.trace_id, row.target_type, row.target_id, row.target_name]
        {
            match text {
                Some(text) => out.bytes(text.as_bytes())?,
                None => out.null(),
            }
        }
        out.json(row.metadata.as_ref())?;
        out.json(row.original.as_ref())?;
    }
    out.0.put_i16(END);
    Ok(out.0.freeze())
}

/// Appends fields: the length and the bytes of each, or -1 for null.
struct Encoder(BytesMut);

impl Encoder {
    fn null(&mut self) {
        self.0.put_i32(-1);
    }

    fn smallint(&mut self, number: i16) {
        self.0.put_i32(2);
        self.0.put_i16(number);
    }

    fn integer(&mut self, number: Option<i32>) {
        match number {
            Some(number) => {
                self.0.put_i32(4);
                self.0.put_i32(number);
            }
            None => self.null(),
        }
    }

    fn bigint(&mut self, number: i64) {
        self.0.put_i32(8);
        self.0.put_i64(number);
    }

    fn bytes(&mut self, bytes: &[u8]) -> QueryResult<()> {
        self.length(bytes.len())?;
        self.0.put_slice(bytes);
        Ok(())
    }

    fn json(&mut self, json: Option<&JsonText>) -> QueryResult<()> {
        let Some(JsonText(text)) = json else {
            self.null();
            return Ok(());
        };
        self.length(text.len() + 1)?;
        self.0.put_u8(JSONB_VERSION);
        self.0.put_slice(text.as_bytes());
        Ok(())
    }

    fn length(&mut self, length: usize) -> QueryResult<()> {
        let length = i32::try_from(length).map_err(|error| DieselError::SerializationError(Box::new(error)))?;
        self.0.put_i32(length);
        Ok(())
    }
}
