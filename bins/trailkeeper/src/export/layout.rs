//! The format and the compression of a file, by its name.

use std::path::Path;

use trailkeeper_domain::Result as DomainResult;
use trailkeeper_export::{Column, Compression, Encoder, Format, Formulas};

use crate::failure::Failure;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// The format.
    pub format: Format,
    /// The compression of the whole file.
    pub compression: Compression,
    /// What happens to formulas in CSV.
    pub formulas: Formulas,
}

impl Layout {
    /// The form that the name of a file says: `events.csv.gz`. `format` replaces what it says of the format.
    pub fn of(file: &Path, format: Option<Format>, formulas: Formulas) -> Result<Self, Failure> {
        let name = file.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let (name, compression) = if let Some(name) = name.strip_suffix(".gz") {
            (name.to_owned(), Compression::Gzip)
        } else if let Some(name) = name.strip_suffix(".zst") {
            (name.to_owned(), Compression::Zstd)
        } else {
            (name, Compression::None)
        };
        let end = Path::new(&name).extension().and_then(|end| end.to_str()).unwrap_or_default();
        let named = Format::ALL.into_iter().find(|format| format.as_str() == end);
        let named = named.or_else(|| (end == "jsonl").then_some(Format::Ndjson));
        let Some(format) = format.or(named) else {
            return Err(Failure::Refused(format!(
                "{}: the name does not say the format; end it with .ndjson, .csv or .parquet, or add --format",
                file.display()
            )));
        };
        if format == Format::Parquet && compression != Compression::None {
            return Err(Failure::Refused(format!(
                "{}: the columns of a Parquet file are compressed already; leave .gz or .zst away",
                file.display()
            )));
        }
        Ok(Self { format, compression, formulas })
    }

    /// Makes a file, or the rest of one.
    pub fn encoder<T>(self, columns: Vec<&'static Column<T>>, is_rest: bool) -> DomainResult<Encoder<T>> {
        let Self { format, compression, formulas } = self;
        if is_rest {
            Encoder::resumed(format, compression, formulas, columns)
        } else {
            Encoder::new(format, compression, formulas, columns)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_the_form() {
        let of = |name: &str, format| Layout::of(Path::new(name), format, Formulas::Quote);
        let form = |name| of(name, None).map(|layout| (layout.format, layout.compression)).unwrap();
        assert_eq!(form("/a/events.ndjson"), (Format::Ndjson, Compression::None));
        assert_eq!(form("events.jsonl.zst"), (Format::Ndjson, Compression::Zstd));
        assert_eq!(form("EVENTS.CSV.GZ"), (Format::Csv, Compression::Gzip));
        assert_eq!(form("e.parquet"), (Format::Parquet, Compression::None));
        assert_eq!(of("events.gz", Some(Format::Csv)).unwrap().compression, Compression::Gzip);
        for (name, format) in
            [("events", None), ("events.txt", None), ("e.parquet.gz", None), ("e.gz", Some(Format::Parquet))]
        {
            assert!(of(name, format).is_err(), "{name}");
        }
    }
}
