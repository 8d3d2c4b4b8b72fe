//! Makes a file from pages of rows.

use trailkeeper_domain::{Error, Result};

use crate::column::Column;
use crate::compression::{Compression, Compressor};
use crate::csv_file::{self, Formulas};
use crate::format::Format;
use crate::ndjson;
use crate::parquet_file::ParquetFile;

/// Makes a file from pages of rows. It holds at most one page, or one row group of a Parquet file.
pub struct Encoder<T: 'static> {
    columns: Vec<&'static Column<T>>,
    formulas: Formulas,
    file: File,
}

enum File {
    Ndjson(Compressor),
    Csv(Compressor),
    Parquet(ParquetFile),
}

impl<T> Encoder<T> {
    /// The file before its first row. A CSV file begins with the line of names.
    ///
    /// # Errors
    /// [`Error::Internal`] for a whole Parquet file that is to be compressed: its columns are.
    pub fn new(
        format: Format,
        compression: Compression,
        formulas: Formulas,
        columns: Vec<&'static Column<T>>,
    ) -> Result<Self> {
        let mut encoder = Self::resumed(format, compression, formulas, columns)?;
        if let File::Csv(out) = &mut encoder.file {
            out.write(&csv_file::names(&encoder.columns)?)?;
        }
        Ok(encoder)
    }

    /// The rest of a file whose beginning is written. Not for a Parquet file, which has one table of contents.
    ///
    /// # Errors
    /// As those of [`new`](Self::new).
    pub fn resumed(
        format: Format,
        compression: Compression,
        formulas: Formulas,
        columns: Vec<&'static Column<T>>,
    ) -> Result<Self> {
        let file = match format {
            Format::Ndjson => File::Ndjson(Compressor::new(compression)?),
            Format::Csv => File::Csv(Compressor::new(compression)?),
            Format::Parquet if compression == Compression::None => File::Parquet(ParquetFile::new(&columns)?),
            Format::Parquet => return Err(Error::internal("a Parquet file is compressed by columns")),
        };
        Ok(Self { columns, formulas, file })
    }

    /// Appends rows.
    ///
    /// # Errors
    /// [`Error::Internal`] for a value that the format cannot hold: a defect.
    pub fn write(&mut self, rows: &[T]) -> Result<()> {
        match &mut self.file {
            File::Ndjson(out) => {
                let mut lines = Vec::new();
                for row in rows {
                    ndjson::write_line(&self.columns, row, &mut lines)?;
                }
                out.write(&lines)
            }
            File::Csv(out) => out.write(&csv_file::lines(&self.columns, rows, self.formulas)?),
            File::Parquet(file) => rows.iter().try_for_each(|row| file.push(&self.columns, row)),
        }
    }

    /// The bytes that are ready. The rest follows from later calls.
    pub fn take(&mut self) -> Vec<u8> {
        match &mut self.file {
            File::Ndjson(out) | File::Csv(out) => out.take(),
            File::Parquet(file) => file.take(),
        }
    }

    /// The bytes of all rows so far: the file can be cut behind them and be [`resumed`](Self::resumed).
    ///
    /// # Errors
    /// [`Error::Internal`] for a Parquet file.
    pub fn take_whole(&mut self) -> Result<Vec<u8>> {
        match &mut self.file {
            File::Ndjson(out) | File::Csv(out) => out.take_whole(),
            File::Parquet(_) => Err(Error::internal("a Parquet file cannot be cut")),
        }
    }

    /// The rest of the file.
    ///
    /// # Errors
    /// As those of [`write`](Self::write).
    pub fn finish(self) -> Result<Vec<u8>> {
        match self.file {
            File::Ndjson(out) | File::Csv(out) => out.finish(),
            File::Parquet(file) => file.finish(),
        }
    }
}
