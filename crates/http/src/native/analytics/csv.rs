//! Answers of analytics as CSV: the same numbers as in JSON, one row per bucket, cohort, page or source.

use actix_web::HttpResponse;
use serde::Serialize;
use serde_json::Value;
use trailkeeper_domain::{Error, Result, text};
use trailkeeper_export::{CsvRows, Format, Formulas};

use crate::native::schemas;
use crate::operation::{QueryParams, param_values};

/// The format of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AnswerFormat {
    /// JSON.
    #[default]
    Json,
    /// CSV with a line of names.
    Csv,
}

fn format(name: &str, value: &str) -> Result<AnswerFormat> {
    match value {
        "json" => Ok(AnswerFormat::Json),
        "csv" => Ok(AnswerFormat::Csv),
        other => Err(Error::invalid(name, format!("'{}' is not a format; send json or csv", text::shown(other)))),
    }
}

param_values! {
    AnswerFormat, "json or csv", format;
}

/// The format of the answer.
#[derive(QueryParams)]
pub struct FormatParam {
    /// `json`, the default, or `csv`: the same numbers in rows, with a line of names. A column `period` says which rows are
    /// of the period before, if there is a comparison. Texts that begin like a formula get a `'` in front.
    #[param(schema = schemas::AnswerFormat, example = "json")]
    format: Option<AnswerFormat>,
}

/// The rows of an answer.
pub struct Table {
    /// The field with the rows: of each period, or of the answer.
    pub rows: &'static str,
    /// The fields of a row that are columns: `current.users` is a field of a field, and `active[]` a list, which has a column
    /// for each of its numbers.
    pub columns: &'static [&'static str],
}

impl FormatParam {
    /// The answer in this format.
    pub fn answer(&self, view: &impl Serialize, table: &Table) -> Result<HttpResponse> {
        match self.format.unwrap_or_default() {
            AnswerFormat::Json => Ok(HttpResponse::Ok().json(view)),
            AnswerFormat::Csv => {
                let lines = table.lines(&serde_json::to_value(view).map_err(Error::internal)?)?;
                Ok(HttpResponse::Ok().content_type(Format::Csv.content_type()).body(lines))
            }
        }
    }
}

impl Table {
    fn lines(&self, answer: &Value) -> Result<Vec<u8>> {
        let rows = self.rows_of(answer);
        let is_series = answer.get(self.rows).is_none();
        let columns: Vec<Column> = self.columns.iter().flat_map(|path| Column::of(path, &rows)).collect();
        let mut out = CsvRows::new(Formulas::Quote);
        let period = is_series.then(|| "period".to_owned());
        out.names(period.into_iter().chain(columns.iter().map(|column| column.name.clone())))?;
        for (period, row) in rows {
            let period = is_series.then(|| Value::from(period));
            out.values(period.iter().chain(columns.iter().map(|column| column.value(row))))?;
        }
        out.finish()
    }

    /// The rows, each with the name of its period.
    fn rows_of<'a>(&self, answer: &'a Value) -> Vec<(&'static str, &'a Value)> {
        let rows = |name, part: Option<&'a Value>| {
            let rows = part.and_then(|part| part.get(self.rows)).and_then(Value::as_array);
            rows.into_iter().flatten().map(move |row| (name, row))
        };
        let of_answer = rows("", Some(answer));
        of_answer
            .chain(rows("current", answer.get("current")))
            .chain(rows("previous", answer.get("previous")))
            .collect()
    }
}

/// A column: its name, and the way to its value.
struct Column {
    name: String,
    pointer: String,
}

impl Column {
    /// The columns of a field: one, or one for each number of the longest list.
    fn of(path: &str, rows: &[(&str, &Value)]) -> Vec<Self> {
        let pointer = |path: &str| format!("/{}", path.replace('.', "/"));
        let Some(list) = path.strip_suffix("[]") else {
            return vec![Self { name: path.replace('.', "_"), pointer: pointer(path) }];
        };
        let length = |row: &Value| row.pointer(&pointer(list)).and_then(Value::as_array).map_or(0, Vec::len);
        let longest = rows.iter().map(|(_, row)| length(row)).max().unwrap_or_default();
        let name = list.replace('.', "_");
        (0..longest)
            .map(|nth| Self { name: format!("{name}_{nth}"), pointer: format!("{}/{nth}", pointer(list)) })
            .collect()
    }

    fn value<'a>(&self, row: &'a Value) -> &'a Value {
        row.pointer(&self.pointer).unwrap_or(&Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(table: &Table, answer: &Value) -> String {
        String::from_utf8(table.lines(answer).unwrap()).unwrap()
    }

    #[test]
    fn a_series_has_rows_of_both_periods() {
        let table = Table { rows: "buckets", columns: &["start", "success.users"] };
        let bucket = |start: &str, users: u32| json!({"start": start, "success": {"users": users}, "more": 1});
        let current = json!({"buckets": [bucket("a", 1), bucket("b", 2)]});
        let single = json!({"timezone": "UTC", "current": current, "previous": null});
        assert_eq!(lines(&table, &single), "period,start,success_users\ncurrent,a,1\ncurrent,b,2\n");
        let both = json!({"current": current, "previous": {"buckets": [bucket("c", 3)]}});
        assert_eq!(lines(&table, &both), "period,start,success_users\ncurrent,a,1\ncurrent,b,2\nprevious,c,3\n");
    }

    #[test]
    fn a_ranking_has_one_row_per_name_and_no_formulas() {
        let table = Table { rows: "pages", columns: &["page", "current.views", "previous.views"] };
        let row = json!({"page": "=1+1", "current": {"views": -1}, "previous": null});
        let answer = json!({"current": {"totals": 1}, "pages": [row]});
        assert_eq!(lines(&table, &answer), "page,current_views,previous_views\n'=1+1,-1,\n");
        assert_eq!(lines(&table, &json!({"pages": []})), "page,current_views,previous_views\n");
    }

    #[test]
    fn a_list_has_as_many_columns_as_the_longest_row() {
        let table = Table { rows: "cohorts", columns: &["users", "active[]"] };
        let answer = json!({"current": {"cohorts": [{"users": 9, "active": [9, 4]}, {"users": 5, "active": [5]}]}});
        assert_eq!(lines(&table, &answer), "period,users,active_0,active_1\ncurrent,9,9,4\ncurrent,5,5,\n");
    }
}
