//! The parameters of an export.

use trailkeeper_domain::{Error, Result, text};
use trailkeeper_export::{Format, Formulas};

use crate::native::events::conditions::EventFilterParams;
use crate::native::schemas;
use crate::operation::{QueryParams, param_values};

/// The events of an export, and their form.
#[derive(QueryParams)]
pub struct ExportParams {
    #[param(flatten)]
    pub filter: EventFilterParams,
    /// The format; `ndjson` where it is not sent.
    #[param(schema = schemas::ExportFormat, example = "csv")]
    pub format: Option<Format>,
    /// The position of an event: the export goes on behind it. It was exported with `positions=true`, or is that of an
    /// event of the feed. A CSV file that goes on has no line of names. Not for `parquet`.
    #[param(schema = schemas::FeedCursor)]
    pub cursor: Option<String>,
    /// The header `Export-End` of an export that was interrupted: this one then ends where that one would have.
    #[param(schema = schemas::FeedCursor)]
    pub end: Option<String>,
    /// Whether each event has its `position`, from which an interrupted export can go on, and the feed after the last one.
    #[param(schema = schemas::TruthValue, inline)]
    pub positions: Option<bool>,
    /// What happens in CSV to texts that begin with `=`, `+`, `-`, `@`, a tab or a carriage return, which a spreadsheet
    /// would compute: `quote`, the default, puts a `'` in front; `keep` leaves them.
    #[param(schema = schemas::FormulaHandling)]
    pub formulas: Option<Formulas>,
}

impl ExportParams {
    /// The format. [`Error::Invalid`] for a combination of parameters that means nothing.
    pub fn checked_format(&self) -> Result<Format> {
        let format = self.format.unwrap_or(Format::Ndjson);
        if self.cursor.is_some() && !format.is_resumable() {
            let detail = format!(
                "a file of {} is whole or not at all; leave the cursor out, or send format=ndjson or format=csv",
                format.as_str()
            );
            return Err(Error::invalid("cursor", detail));
        }
        if self.formulas.is_some() && format != Format::Csv {
            let detail =
                format!("has a meaning for format=csv only, and the format is {}; leave it out", format.as_str());
            return Err(Error::invalid("formulas", detail));
        }
        Ok(format)
    }
}

fn formulas(name: &str, value: &str) -> Result<Formulas> {
    match value {
        "quote" => Ok(Formulas::Quote),
        "keep" => Ok(Formulas::Keep),
        other => Err(Error::invalid(name, format!("'{}' is not allowed; send quote or keep", text::shown(other)))),
    }
}

param_values! {
    Format, "ndjson, csv or parquet", Format::parse;
    Formulas, "quote or keep", formulas;
}
