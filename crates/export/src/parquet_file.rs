//! Apache Parquet.

use std::io::{self, Write};
use std::sync::Arc;

use parking_lot::Mutex;
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;
use trailkeeper_domain::{Error, Result};

use crate::cell::{Cell, Kind};
use crate::column::Column;

/// The most rows of a row group, which is held in memory.
const GROUP_ROWS: usize = 32 * 1024;

/// The bytes of texts from which on a row group is written.
const GROUP_BYTES: usize = 16 * 1024 * 1024;

/// A Parquet file that is being written.
pub struct ParquetFile {
    writer: SerializedFileWriter<Sink>,
    ready: Sink,
    group: Vec<Buffer>,
    rows: usize,
    bytes: usize,
}

/// The bytes that are ready. The writer writes here, and counts offsets itself.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The values of one column in the row group, and for each row whether it has one.
struct Buffer {
    values: Values,
    /// 1 for a row with a value, 0 for one without: the definition levels of an optional column.
    present: Vec<i16>,
}

enum Values {
    Texts(Vec<ByteArray>),
    Integers(Vec<i64>),
    Booleans(Vec<bool>),
    Uuids(Vec<FixedLenByteArray>),
}

impl Buffer {
    fn of(kind: Kind) -> Self {
        let values = match kind {
            Kind::Text | Kind::Json => Values::Texts(Vec::new()),
            Kind::Integer | Kind::Time => Values::Integers(Vec::new()),
            Kind::Boolean => Values::Booleans(Vec::new()),
            Kind::Uuid => Values::Uuids(Vec::new()),
        };
        Self { values, present: Vec::new() }
    }

    /// Appends a value. Returns the bytes that it occupies beside a few.
    fn push(&mut self, cell: Cell<'_>) -> Result<usize> {
        self.present.push(i16::from(cell != Cell::Empty));
        match (&mut self.values, cell) {
            (_, Cell::Empty) => {}
            (Values::Texts(values), Cell::Text(text) | Cell::Json(text)) => {
                let length = text.len();
                values.push(ByteArray::from(text.into_owned().into_bytes()));
                return Ok(length);
            }
            (Values::Integers(values), Cell::Integer(number)) => values.push(number),
            (Values::Integers(values), Cell::Time(time)) => values.push(time.timestamp_micros()),
            (Values::Booleans(values), Cell::Boolean(truth)) => values.push(truth),
            (Values::Uuids(values), Cell::Uuid(id)) => values.push(ByteArray::from(id.as_bytes().to_vec()).into()),
            _ => return Err(Error::internal("a column has a value of another type")),
        }
        Ok(0)
    }

    /// Writes the column into the row group.
    fn write(&mut self, group: &mut SerializedRowGroupWriter<'_, Sink>) -> Result<(), ParquetError> {
        let present = std::mem::take(&mut self.present);
        match &mut self.values {
            Values::Texts(values) => write_column::<ByteArrayType>(group, values, &present),
            Values::Integers(values) => write_column::<Int64Type>(group, values, &present),
            Values::Booleans(values) => write_column::<BoolType>(group, values, &present),
            Values::Uuids(values) => write_column::<FixedLenByteArrayType>(group, values, &present),
        }
    }
}

fn write_column<D: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Sink>,
    values: &mut Vec<D::T>,
    present: &[i16],
) -> Result<(), ParquetError> {
    let missing = || ParquetError::General("the row group has fewer columns than the schema".to_owned());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<D>().write_batch(&std::mem::take(values), Some(present), None)?;
    column.close()
}

impl ParquetFile {
    /// A file with these columns.
    pub fn new<T>(columns: &[&Column<T>]) -> Result<Self> {
        let ready = Sink::default();
        let level = ZstdLevel::try_new(3).map_err(Error::internal)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_created_by(concat!("trailkeeper ", env!("CARGO_PKG_VERSION")).to_owned());
        let schema = schema(columns).map_err(Error::internal)?;
        let writer = SerializedFileWriter::new(ready.clone(), schema, Arc::new(properties.build()));
        let group = columns.iter().map(|column| Buffer::of(column.kind)).collect();
        Ok(Self { writer: writer.map_err(Error::internal)?, ready, group, rows: 0, bytes: 0 })
    }

    /// Appends a row.
    pub fn push<T>(&mut self, columns: &[&Column<T>], row: &T) -> Result<()> {
        for (column, buffer) in columns.iter().zip(&mut self.group) {
            self.bytes += buffer.push((column.cell)(row))?;
        }
        self.rows += 1;
        if self.rows >= GROUP_ROWS || self.bytes >= GROUP_BYTES { self.write_group() } else { Ok(()) }
    }

    fn write_group(&mut self) -> Result<()> {
        (self.rows, self.bytes) = (0, 0);
        let mut write = || {
            let mut group = self.writer.next_row_group()?;
            for column in &mut self.group {
                column.write(&mut group)?;
            }
            group.close().map(drop)
        };
        write().map_err(Error::internal)
    }

    /// The bytes that are ready.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.ready.0.lock())
    }

    /// The rest of the file.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        if self.rows > 0 {
            self.write_group()?;
        }
        self.writer.close().map_err(Error::internal)?;
        Ok(std::mem::take(&mut self.ready.0.lock()))
    }
}

/// The schema: optional columns without nesting.
fn schema<T>(columns: &[&Column<T>]) -> Result<Arc<Type>, ParquetError> {
    let fields = columns.iter().map(|column| {
        let (physical, logical, length) = match column.kind {
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String), -1),
            Kind::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json), -1),
            Kind::Integer => (Physical::INT64, None, -1),
            Kind::Boolean => (Physical::BOOLEAN, None, -1),
            Kind::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS)), -1),
            Kind::Uuid => (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Uuid), 16),
        };
        let name = column.flat_name();
        Type::primitive_type_builder(&name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical)
            .with_length(length)
            .build()
            .map(Arc::new)
    });
    let fields = fields.collect::<Result<Vec<_>, _>>()?;
    Type::group_type_builder("trailkeeper").with_fields(fields).build().map(Arc::new)
}
