//! Lines in the format that a server was configured with: nginx's `log_format` or Apache's `LogFormat`.
//!
//! A format is cut into literal texts and fields. Fields that are used here are read, the others are skipped. Each
//! field must have one possible end: a text in quotes ends at the quote, which servers escape in it, and any other
//! field at a blank or at the text after it. A format for which this does not hold is refused.

mod apache;
mod field;
mod matching;
mod nginx;

use field::{Field, Part, Segment};
pub(super) use matching::unix_time;
use trailkeeper_domain::text::shown;

use crate::access_log::LogLine;

/// The longest format, in bytes.
const MAX_FORMAT: usize = 4096;

/// The format of the lines of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    segments: Vec<Segment>,
}

impl Format {
    /// Reads a format: the text in quotes of nginx's `log_format`, with `$variables`, or of Apache's `LogFormat`, with
    /// `%` directives. The error is a sentence that says why lines of this format cannot be read.
    ///
    /// ```
    /// use trailkeeper_parsers::access_log::Format;
    ///
    /// let format = Format::parse(r#"$remote_addr $host [$time_local] "$request" $status $request_time"#)?;
    /// let line = format.read(r#"192.0.2.7 shop.example [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 0.003"#)?;
    /// assert_eq!((line.client.virtual_host, line.status), (Some("shop.example"), Some(200)));
    ///
    /// let error = Format::parse("$remote_addr$status [$time_local] \"$request\"").unwrap_err();
    /// assert!(error.starts_with("'$remote_addr' and '$status' stand side by side"));
    /// # Ok::<(), String>(())
    /// ```
    pub fn parse(format: &str) -> Result<Self, String> {
        if format.len() > MAX_FORMAT {
            return Err(format!("is longer than {MAX_FORMAT} bytes"));
        }
        if format.trim_start().starts_with('{') {
            return Err("JSON lines are read by the names of their fields; leave --format out".to_owned());
        }
        let parts = match (nginx::is_nginx(format), format.contains('%')) {
            (true, _) => nginx::parts(format)?,
            (false, true) => apache::parts(format)?,
            (false, false) => {
                return Err(format!(
                    "'{}' has neither variables of nginx, such as $remote_addr, nor directives of Apache, such as %h",
                    shown(format)
                ));
            }
        };
        let segments = segments(parts)?;
        check(&segments)?;
        Ok(Self { segments })
    }

    /// Reads a line. The error is a sentence that names the field that does not fit.
    pub fn read<'a>(&self, line: &'a str) -> Result<LogLine<'a>, String> {
        matching::read(&self.segments, line)
    }
}

/// Takes the parts between two quotes together.
fn segments(parts: Vec<Part>) -> Result<Vec<Segment>, String> {
    let mut segments = Vec::new();
    let mut quoted: Option<Vec<Part>> = None;
    for part in parts {
        let Part::Literal(text) = part else {
            match (&mut quoted, part) {
                (Some(inside), part) => inside.push(part),
                (None, Part::Field(field)) => segments.push(Segment::Bare(field)),
                (None, Part::Literal(_)) => {}
            }
            continue;
        };
        for (at, text) in text.split('"').enumerate() {
            if at > 0 {
                // A quote: one begins or ends here.
                quoted = match quoted.take() {
                    Some(inside) => {
                        segments.push(Segment::Quoted(inside));
                        None
                    }
                    None => Some(Vec::new()),
                };
            }
            match (&mut quoted, text) {
                (_, "") => {}
                (Some(inside), text) => inside.push(Part::Literal(text.to_owned())),
                (None, text) => segments.push(Segment::Literal(text.to_owned())),
            }
        }
    }
    match quoted {
        Some(_) => Err("the closing quote is missing".to_owned()),
        None => Ok(segments),
    }
}

/// Checks that each field has one possible end, and that lines say what an event needs.
fn check(segments: &[Segment]) -> Result<(), String> {
    let mut fields: Vec<&Field> = Vec::new();
    for (at, segment) in segments.iter().enumerate() {
        match segment {
            Segment::Literal(_) => {}
            Segment::Bare(field) => {
                let next = match segments.get(at + 1) {
                    Some(Segment::Bare(next)) => Some(next),
                    _ => None,
                };
                check_neighbours(field, next)?;
                if field.is_free() {
                    return Err(format!(
                        "'{}' may contain blanks that a client chose, so its end is not clear: put it in quotes",
                        field.name
                    ));
                }
                fields.push(field);
            }
            Segment::Quoted(parts) => {
                let inside: Vec<&Field> = parts.iter().filter_map(Part::field).collect();
                for pair in parts.windows(2) {
                    if let [Part::Field(one), Part::Field(next)] = pair {
                        check_neighbours(one, Some(next))?;
                    }
                }
                let is_open = |field: &&&Field| field.is_free() || field.is_user();
                if let [one, other, ..] = inside.iter().filter(is_open).collect::<Vec<_>>().as_slice() {
                    return Err(format!(
                        "'{}' and '{}' may both contain blanks that a client chose: put each in quotes of its own",
                        one.name, other.name
                    ));
                }
                fields.extend(inside);
            }
        }
    }
    field::check_set(&fields)
}

/// Two fields side by side have no clear border, unless the second begins with a slash, which the first has not.
fn check_neighbours(field: &Field, next: Option<&Field>) -> Result<(), String> {
    match next {
        Some(next) if !(next.begins_with_slash() && field.has_no_slash()) => Err(format!(
            "'{}' and '{}' stand side by side, so it is not clear where the first ends: put a text between them",
            field.name, next.name
        )),
        _ => Ok(()),
    }
}
