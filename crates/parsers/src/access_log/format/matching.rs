//! Reads a line by a format.

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Utc};
use trailkeeper_domain::text::shown;
use trailkeeper_domain::time::{self, Timestamp};

use super::field::{Content, Field, Part, Segment};
use crate::access_log::LogLine;
use crate::access_log::client::{Client, check_host};
use crate::access_log::escape::{legible, unescaped};
use crate::access_log::line::{closing_quote, present, status_of};
use crate::access_log::request::{Request, of_parts};
use crate::access_log::stamp::time_of;

const BLANKS: [char; 2] = [' ', '\t'];
/// The longest name of a user outside quotes, in bytes: it is tried at every place where it can end.
const MAX_USER: usize = 1024;

/// The texts of the fields of a line.
#[derive(Debug, Default, Clone)]
struct Values<'a> {
    host: Option<&'a str>,
    forwarded_for: Option<&'a str>,
    virtual_host: Option<&'a str>,
    ident: Option<&'a str>,
    user: Option<&'a str>,
    at: Option<Timestamp>,
    request: Option<&'a str>,
    method: Option<&'a str>,
    path: Option<&'a str>,
    query: Option<&'a str>,
    status: Option<u16>,
    referer: Option<&'a str>,
    user_agent: Option<&'a str>,
}

/// Reads a line.
pub fn read<'a>(segments: &[Segment], line: &'a str) -> Result<LogLine<'a>, String> {
    let mut values = Values::default();
    outside(segments, line, &mut values)?;
    values.line()
}

/// Reads the rest of a line.
fn outside<'a>(segments: &[Segment], mut text: &'a str, values: &mut Values<'a>) -> Result<(), String> {
    let mut rest = segments;
    while let Some((segment, after)) = rest.split_first() {
        text = match segment {
            Segment::Literal(literal) => literal_at(text, literal)?,
            Segment::Quoted(parts) => {
                let inside = text.strip_prefix('"').ok_or_else(|| missing("\""))?;
                let end = closing_quote(inside).ok_or("a closing quote is missing; the line seems to be cut off")?;
                let (content, left) = inside.split_at(end);
                quoted(parts, content, values)?;
                left.get(1..).unwrap_or_default()
            }
            Segment::Bare(field) if field.is_user() => return user(field, after, text, values),
            Segment::Bare(field) => {
                let (value, left) = text.split_at(end_of(field, after.first(), text));
                values.put(field, value)?;
                left
            }
        };
        rest = after;
    }
    if text.is_empty() { Ok(()) } else { Err(format!("'{}' stands after the last field of the format", shown(text))) }
}

/// Reads the name of a user outside quotes, and the rest of the line. A name may have blanks, so each place where it
/// could end is tried, and only one may do.
fn user<'a>(field: &Field, rest: &[Segment], text: &'a str, values: &mut Values<'a>) -> Result<(), String> {
    let next = match rest.first() {
        Some(Segment::Literal(literal)) => literal.as_str(),
        Some(Segment::Quoted(_)) => "\"",
        _ => "",
    };
    // Servers escape quotes in names.
    let longest = text.find('"').unwrap_or(text.len()).min(MAX_USER);
    let ends: Vec<usize> = if next.is_empty() {
        [text.len()].into_iter().filter(|at| *at <= longest).collect()
    } else {
        text.match_indices(next).map(|(at, _)| at).take_while(|at| *at <= longest).collect()
    };
    let (mut found, mut reason) = (None, missing(next));
    for end in ends {
        let (name, left) = text.split_at(end);
        let mut tried = values.clone();
        match tried.put(field, name).and_then(|()| outside(rest, left, &mut tried)) {
            Ok(()) if found.is_some() => {
                return Err(format!("'{}' can end in two places, so the line can be read in two ways", field.name));
            }
            Ok(()) => found = Some(tried),
            Err(error) => reason = error,
        }
    }
    *values = found.ok_or(reason)?;
    Ok(())
}

/// The end of a field outside quotes.
fn end_of(field: &Field, next: Option<&Segment>, text: &str) -> usize {
    let literal = match next {
        Some(Segment::Literal(literal)) => literal.as_str(),
        Some(Segment::Bare(_)) => "/",
        Some(Segment::Quoted(_)) => "\"",
        None => "",
    };
    let end = |from: usize, text: &str| {
        let blank = text.find([BLANKS[0], BLANKS[1], '"']);
        let literal = Some(literal).filter(|literal| !literal.is_empty()).and_then(|literal| text.find(literal));
        from + blank.into_iter().chain(literal).min().unwrap_or(text.len())
    };
    match &field.content {
        Content::CommonTime => blanks_after(text, 1, literal),
        Content::BracketedTime => text.find(']').map_or(text.len(), |at| at + 1),
        Content::FormedTime(form) => blanks_after(text, form.matches(' ').count(), literal),
        Content::Skipped { .. } => {
            // Lists of what several servers behind the proxy did: `0.001, 0.002 : 0.003`.
            let mut at = end(0, text);
            while let Some(left) = text.get(at..) {
                let value = text.get(..at).unwrap_or_default();
                let joint = if value.ends_with(',') && left.starts_with(' ') {
                    1
                } else if left.starts_with(" : ") {
                    3
                } else {
                    break;
                };
                at = end(at + joint, left.get(joint..).unwrap_or_default());
            }
            at
        }
        _ => end(0, text),
    }
}

/// The place of the literal, or of the blank after so many blanks, whichever is first.
fn blanks_after(text: &str, blanks: usize, literal: &str) -> usize {
    let blank = text.match_indices(' ').nth(blanks).map(|(at, _)| at);
    let literal = literal.trim_start_matches(' ').chars().next().and_then(|first| text.find(first));
    blank.into_iter().chain(literal).min().unwrap_or(text.len())
}

/// Reads what stands between two quotes. One field in it may have blanks: the fields before it are read from the left,
/// and those after it from the right.
fn quoted<'a>(parts: &[Part], mut text: &'a str, values: &mut Values<'a>) -> Result<(), String> {
    // `-` is all that servers write for a request that could not be read.
    if text == "-" && parts.len() > 1 {
        return Ok(());
    }
    let is_open = |part: &Part| part.field().is_some_and(|field| field.is_free() || field.is_user());
    let open = parts.iter().position(is_open);
    let (left, right) = match open {
        Some(at) => (parts.get(..at).unwrap_or_default(), parts.get(at + 1..).unwrap_or_default()),
        None => (parts, [].as_slice()),
    };
    let mut rest = left;
    while let Some((part, after)) = rest.split_first() {
        text = match part {
            Part::Literal(literal) => literal_at(text, literal)?,
            Part::Field(field) => {
                let next = match after.first() {
                    Some(Part::Literal(literal)) => Some(Segment::Literal(literal.clone())),
                    Some(Part::Field(next)) => Some(Segment::Bare(next.clone())),
                    None if open.is_some() => Some(Segment::Literal("/".to_owned())),
                    None => None,
                };
                let (value, left) = text.split_at(end_of(field, next.as_ref(), text));
                values.put(field, value)?;
                left
            }
        };
        rest = after;
    }
    let Some(Part::Field(field)) = open.and_then(|at| parts.get(at)) else {
        let is_done = text.is_empty();
        return if is_done { Ok(()) } else { Err(format!("'{}' stands after the last field in quotes", shown(text))) };
    };
    let mut rest = right;
    while let Some((part, before)) = rest.split_last() {
        text = match part {
            Part::Literal(literal) => text.strip_suffix(literal.as_str()).ok_or_else(|| missing(literal))?,
            Part::Field(field) => {
                let literal = match before.last() {
                    Some(Part::Literal(literal)) => literal.as_str(),
                    _ => " ",
                };
                let at = text.rfind(literal).ok_or_else(|| missing(literal))? + literal.len();
                let (left, value) = text.split_at(at);
                values.put(field, value)?;
                left
            }
        };
        rest = before;
    }
    values.put(field, text)
}

fn literal_at<'a>(text: &'a str, literal: &str) -> Result<&'a str, String> {
    text.strip_prefix(literal).ok_or_else(|| format!("expected '{literal}', and found '{}'", shown(text)))
}

fn missing(literal: &str) -> String {
    format!("'{literal}' of the format is missing")
}

/// Sets a value that is not set yet, unless the field is empty: of several fields with one meaning, the first counts.
fn first<'a>(value: &mut Option<&'a str>, text: &'a str) {
    *value = value.or(present(text));
}

impl<'a> Values<'a> {
    /// Takes the text of a field. The error names the field.
    fn put(&mut self, field: &Field, text: &'a str) -> Result<(), String> {
        let refused = |reason: String| format!("{}: {reason}", field.name);
        let no_time = || refused(format!("'{}' is no time of this form", shown(text)));
        match &field.content {
            Content::Host => first(&mut self.host, text),
            Content::ForwardedFor => first(&mut self.forwarded_for, text),
            Content::VirtualHost => first(&mut self.virtual_host, text),
            Content::Ident => first(&mut self.ident, text),
            Content::User => first(&mut self.user, text),
            Content::CommonTime | Content::IsoTime => self.set_time(time_of(text).ok_or_else(no_time)??),
            Content::BracketedTime => {
                let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).ok_or_else(no_time)?;
                self.set_time(time_of(inside).ok_or_else(no_time)??);
            }
            Content::UnixTime { per_second } => self.set_time(unix_time(text, *per_second).ok_or_else(no_time)?),
            Content::FormedTime(form) => {
                let at = DateTime::parse_from_str(text, form).map_err(|_| no_time())?.with_timezone(&Utc);
                time::from_unix_seconds("time", at.timestamp()).map_err(|error| refused(error.to_string()))?;
                self.set_time(time::truncated(at));
            }
            Content::Request => first(&mut self.request, text),
            Content::Method => first(&mut self.method, text),
            Content::Uri | Content::Path | Content::PathAndQuery => first(&mut self.path, text),
            Content::Query => first(&mut self.query, text),
            Content::Status => {
                let status = status_of(text)?;
                self.status = self.status.or(status);
            }
            Content::Referer => first(&mut self.referer, text),
            Content::UserAgent => first(&mut self.user_agent, text),
            Content::Skipped { .. } => {}
        }
        Ok(())
    }

    fn set_time(&mut self, at: Timestamp) {
        self.at.get_or_insert(at);
    }

    fn line(self) -> Result<LogLine<'a>, String> {
        let at = self.at.ok_or("has no time")?;
        let host = self.host.or(self.forwarded_for);
        check_host(host)?;
        let client =
            Client { virtual_host: self.virtual_host, host, ident: self.ident.map(unescaped), ..Client::default() };
        let client = client.with_user(self.user.unwrap_or("-"));
        let request = match (self.request, self.method, self.path) {
            (Some(request), ..) => Request::read(request),
            (None, Some(method), Some(path)) => {
                let query = self.query.map(|query| query.strip_prefix('?').unwrap_or(query));
                let path: Cow<'_, str> = match query {
                    Some(query) if !query.is_empty() => format!("{}?{}", unescaped(path), unescaped(query)).into(),
                    _ => unescaped(path),
                };
                of_parts(method, &path)
            }
            _ => Request::Nothing,
        };
        let (referer, user_agent) = (self.referer.map(legible), self.user_agent.map(unescaped));
        Ok(LogLine { client, at, request, status: self.status, referer, user_agent })
    }
}

/// A number of units since 1970, with a fraction or without.
pub fn unix_time(text: &str, per_second: u32) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let micros = i128::from(whole.parse::<u64>().ok()?) * 1_000_000 + i128::from(digits.parse::<u32>().ok()?);
    let micros = i64::try_from(micros / i128::from(per_second)).ok()?;
    let second = time::from_unix_seconds("time", micros.div_euclid(1_000_000)).ok()?;
    Some(second + TimeDelta::microseconds(micros.rem_euclid(1_000_000)))
}
