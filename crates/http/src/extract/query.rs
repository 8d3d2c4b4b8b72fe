//! Query parameters, with errors that name them. Free of actix: `fuzz/` reads this file too.

use std::borrow::Cow;

use trailkeeper_domain::{Error, Result, text};

/// The query parameters of a request, in the order sent.
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query string. Escapes that are not UTF-8 are refused, not replaced.
    pub fn parse(raw: &str) -> Result<Self> {
        let pairs = raw.split('&').filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                let name = decoded("query", name)?;
                let value = decoded(&name, value)?;
                Ok((name, value))
            })
            .collect::<Result<_>>()
            .map(Self)
    }

    /// Every parameter with its value.
    pub fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }

    /// Refuses parameters that are not among `known`: a misspelt filter must not silently show everything.
    pub fn only(self, known: &[&str]) -> Result<Self> {
        match self.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => Err(Error::invalid(
                text::shown(name),
                format!("is not a parameter here; the parameters are: {}", known.join(", ")),
            )),
            None => Ok(self),
        }
    }

    /// The parameter's value, where it was sent. Sent twice, it is ambiguous and refused.
    pub fn optional(&self, name: &str) -> Result<Option<&str>> {
        let mut values = self.0.iter().filter(|(sent, _)| sent == name).map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() {
            return Err(Error::invalid(name, "was sent more than once; send it once"));
        }
        Ok(first)
    }

    /// The parameter's value.
    pub fn required(&self, name: &str) -> Result<&str> {
        self.optional(name)?.ok_or_else(|| Error::invalid(name, "is missing; add it to the query"))
    }

    /// All values of a list parameter, sent as repeated parameters, joined by commas, or both.
    ///
    /// PHP writes lists as `name[0]=…&name[1]=…`, other frameworks as `name[]=…`: both are the same list.
    pub fn list(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(sent, _)| unindexed(sent) == name).flat_map(|(_, value)| value.split(',')).collect()
    }

    /// The parameter as a whole number from `min` to `max`.
    pub fn number(&self, name: &str, min: i64, max: i64) -> Result<Option<i64>> {
        let Some(value) = self.optional(name)? else { return Ok(None) };
        let digits = value.strip_prefix('-').unwrap_or(value);
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        match value.parse() {
            Ok(number) if plain && (min..=max).contains(&number) => Ok(Some(number)),
            _ => Err(Error::invalid(
                name,
                format!("'{}' is not allowed; send a whole number from {min} to {max}", text::shown(value)),
            )),
        }
    }

    /// The parameter as `true` or `false`; `false` where it was not sent.
    pub fn flag(&self, name: &str) -> Result<bool> {
        match self.optional(name)? {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => {
                Err(Error::invalid(name, format!("'{}' is not a truth value; send true or false", text::shown(other))))
            }
        }
    }

    /// The page size `limit`, from 1 to `max`.
    pub fn limit(&self, default: usize, max: usize) -> Result<usize> {
        let top = i64::try_from(max).map_err(Error::internal)?;
        let limit = self.number("limit", 1, top)?;
        limit.map_or(Ok(default), |limit| usize::try_from(limit).map_err(Error::internal))
    }
}

/// The name without the index in brackets that some clients give each element of a list.
fn unindexed(name: &str) -> &str {
    let split = name.strip_suffix(']').and_then(|name| name.split_once('['));
    split.filter(|(_, index)| index.bytes().all(|b| b.is_ascii_digit())).map_or(name, |(list, _)| list)
}

fn decoded(field: &str, raw: &str) -> Result<String> {
    let spaced = if raw.contains('+') { Cow::Owned(raw.replace('+', " ")) } else { Cow::Borrowed(raw) };
    let value = percent_encoding::percent_decode_str(&spaced).decode_utf8().map_err(|_| {
        Error::invalid(text::shown(field), "has percent escapes that are not UTF-8; encode the text as UTF-8 first")
    })?;
    if value.contains('\0') {
        return Err(Error::invalid(text::shown(field), "contains a NUL character (%00); remove it"));
    }
    Ok(value.into_owned())
}
