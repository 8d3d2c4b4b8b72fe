use crate::error::Result;
use crate::id::StreamId;
use crate::stream::Stream;

/// Read access to forwarding streams.
pub trait StreamReads {
    /// At most `limit` streams in ascending order of id, after `after`.
    fn streams(&mut self, after: Option<StreamId>, limit: usize) -> Result<Vec<Stream>>;

    /// The stream with this id.
    fn stream(&mut self, id: StreamId) -> Result<Option<Stream>>;
}

/// Write access to forwarding streams.
pub trait StreamWrites {
    /// Adds a stream.
    fn insert_stream(&mut self, stream: &Stream) -> Result<()>;

    /// Replaces a stream of the same revision, and gives it the next revision. `false`, and no change, if there is none with
    /// this id and revision: another transaction changed or removed it.
    fn update_stream(&mut self, stream: &Stream) -> Result<bool>;

    /// Removes a stream; `false` if it does not exist.
    fn delete_stream(&mut self, id: StreamId) -> Result<bool>;
}
