//! Forwarding streams.

use diesel::prelude::*;
use trailkeeper_domain::Result;
use trailkeeper_domain::id::StreamId;
use trailkeeper_domain::ports::{StreamReads, StreamWrites};
use trailkeeper_domain::stream::Stream;

use super::{Db, Tx, count};
use crate::columns::DbUuid;
use crate::rows::StreamRow;
use crate::schema::streams;

const STREAMS: &str = "streams";

impl StreamReads for Tx<'_> {
    fn streams(&mut self, after: Option<StreamId>, limit: usize) -> Result<Vec<Stream>> {
        let mut list = streams::table.into_boxed::<Db>();
        if let Some(after) = after {
            list = list.filter(streams::id.gt(DbUuid(after.0)));
        }
        let list = list.order(streams::id.asc()).limit(count(limit)).select(StreamRow::as_select());
        let rows: Vec<StreamRow> = self.run(STREAMS, |conn| list.load(conn))?;
        rows.into_iter().map(StreamRow::into_stream).collect()
    }

    fn stream(&mut self, id: StreamId) -> Result<Option<Stream>> {
        let one = streams::table.find(DbUuid(id.0)).select(StreamRow::as_select());
        let row: Option<StreamRow> = self.run(STREAMS, |conn| one.first(conn).optional())?;
        row.map(StreamRow::into_stream).transpose()
    }
}

impl StreamWrites for Tx<'_> {
    fn insert_stream(&mut self, stream: &Stream) -> Result<()> {
        let row = StreamRow::new(stream, stream.revision)?;
        self.run(STREAMS, |conn| diesel::insert_into(streams::table).values(&row).execute(conn)).map(drop)
    }

    fn update_stream(&mut self, stream: &Stream) -> Result<bool> {
        let row = StreamRow::new(stream, stream.revision + 1)?;
        let same = streams::table.find(DbUuid(stream.id.0)).filter(streams::revision.eq(stream.revision));
        Ok(self.run(STREAMS, |conn| diesel::update(same).set(&row).execute(conn))? > 0)
    }

    fn delete_stream(&mut self, id: StreamId) -> Result<bool> {
        let stream = streams::table.find(DbUuid(id.0));
        Ok(self.run(STREAMS, |conn| diesel::delete(stream).execute(conn))? > 0)
    }
}
