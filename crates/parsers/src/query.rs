//! Query parameters, with errors that name them.

use std::borrow::Cow;

use trailkeeper_domain::{Error, Result, text};

/// The query parameters of a request, in the order sent.
///
/// ```
/// use trailkeeper_parsers::query::Query;
///
/// let query = Query::parse("limit=20&type=login_success,logout&type=page_load")?;
/// assert_eq!(query.optional("limit")?, Some("20"));
/// assert_eq!(query.list("type"), ["login_success", "logout", "page_load"]);
/// assert_eq!(query.optional("cursor")?, None);
/// assert!(query.only(&["limit", "cursor"]).is_err());
/// # Ok::<(), trailkeeper_domain::Error>(())
/// ```
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Parses a query string. Rejects escapes that are not UTF-8, and NUL characters.
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

    /// All parameters as pairs of name and value.
    pub fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }

    /// Rejects parameters that are not among `known`: a misspelt filter must not silently match everything.
    pub fn only(self, known: &[&str]) -> Result<Self> {
        let Some((name, _)) = self.0.iter().find(|(name, _)| !known.contains(&name.as_str())) else { return Ok(self) };
        let detail = match known {
            [] => "is not a parameter here; this operation takes none, leave it out".to_owned(),
            [only] => format!("is not a parameter here; the only parameter is: {only}"),
            _ => format!("is not a parameter here; the parameters are: {}", known.join(", ")),
        };
        Err(Error::invalid(text::shown(name), detail))
    }

    /// Reads `name!=value` as `name_not=value`, if the parameter `name_not` is among `known`.
    ///
    /// `type!=page_load` is how people write a negation. A parameter whose name ends with `!` would have the same name in
    /// SDKs as the one without it, so documents declare `type_not`.
    #[must_use]
    pub fn with_negations(mut self, known: &[&str]) -> Self {
        for (name, _) in &mut self.0 {
            if let Some(negated) = name.strip_suffix('!').map(|negated| format!("{negated}_not"))
                && known.contains(&negated.as_str())
            {
                *name = negated;
            }
        }
        self
    }

    /// The value of a parameter; `None` if it was not sent. Rejects a parameter that was sent more than once.
    pub fn optional(&self, name: &str) -> Result<Option<&str>> {
        let mut values = self.0.iter().filter(|(sent, _)| sent == name).map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() {
            return Err(Error::invalid(name, "was sent more than once; send it once"));
        }
        Ok(first)
    }

    /// The value of a parameter. Rejects one that was not sent, or more than once.
    pub fn required(&self, name: &str) -> Result<&str> {
        self.optional(name)?.ok_or_else(|| Error::invalid(name, "is missing; add it to the query"))
    }

    /// All values of a parameter that may be repeated, unchanged: a comma is a part of the value.
    pub fn repeated(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(sent, _)| sent == name).map(|(_, value)| value.as_str()).collect()
    }

    /// All values of a list parameter, sent as repeated parameters, separated by commas, or both.
    ///
    /// PHP writes lists as `name[0]=…&name[1]=…`, other frameworks as `name[]=…`: both are read as the same list.
    pub fn list(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(sent, _)| unindexed(sent) == name).flat_map(|(_, value)| value.split(',')).collect()
    }
}

/// Reads a whole number from `min` to `max`. `name` names it in the error.
pub fn whole_number(name: &str, value: &str, min: i64, max: i64) -> Result<i64> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    match value.parse() {
        Ok(number) if plain && (min..=max).contains(&number) => Ok(number),
        _ => Err(Error::invalid(
            name,
            format!("'{}' is not allowed; send a whole number from {min} to {max}", text::shown(value)),
        )),
    }
}

/// Reads `true` or `false`. `name` names it in the error.
pub fn truth_value(name: &str, value: &str) -> Result<bool> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        other => {
            Err(Error::invalid(name, format!("'{}' is not a truth value; send true or false", text::shown(other))))
        }
    }
}

/// The name without the index in brackets that some clients append for each element of a list.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn query(raw: &str) -> Query {
        Query::parse(raw).unwrap_or_else(|error| panic!("{raw}: {error}"))
    }

    fn error<T>(result: Result<T>) -> String {
        result.err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn escapes_and_plus_signs_are_decoded_once() {
        let pairs = query("&a=1+2&b%3D=%2B%25&c&=d&").into_pairs();
        let expected = [("a", "1 2"), ("b=", "+%"), ("c", ""), ("", "d")];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        for raw in ["a=%ff", "a=%00", "%ff=a", "a%00=b"] {
            assert!(Query::parse(raw).is_err(), "{raw}");
        }
        assert_eq!(error(Query::parse("a=%00")), "a: contains a NUL character (%00); remove it");
    }

    #[test]
    fn an_exclamation_mark_negates_the_parameters_that_have_a_negation() {
        let query = query("type!=a,b&type!=c&type%21=d&type_not=e&type=f&colour!=g&!=h&type!!=i");
        let query = query.with_negations(&["type", "type_not"]);
        assert_eq!(query.list("type_not"), ["a", "b", "c", "d", "e"]);
        assert_eq!(query.list("type"), ["f"]);
        for (name, value) in [("colour!", "g"), ("!", "h"), ("type!!", "i")] {
            assert_eq!(query.repeated(name), [value]);
        }
    }

    #[test]
    fn a_parameter_is_sent_at_most_once_unless_it_is_a_list() {
        let query = query("a=1&a=2&b=&l=x,y&l[]=z&l[12]=&l[x]=no");
        assert_eq!(error(query.optional("a")), "a: was sent more than once; send it once");
        assert_eq!(query.optional("b").unwrap(), Some(""));
        assert_eq!(query.optional("c").unwrap(), None);
        assert_eq!(error(query.required("c")), "c: is missing; add it to the query");
        assert_eq!(query.list("l"), ["x", "y", "z", ""]);
        assert_eq!(query.repeated("l"), ["x,y"]);
        assert_eq!(query.repeated("a"), ["1", "2"]);
        assert_eq!(
            error(query.only(&["a", "b", "l", "l[]", "l[12]"])).split(';').next(),
            Some("l[x]: is not a parameter here")
        );
    }

    #[test]
    fn the_error_of_an_unknown_parameter_lists_the_known_ones() {
        for (known, expected) in [
            (&[][..], "x: is not a parameter here; this operation takes none, leave it out"),
            (&["limit"], "x: is not a parameter here; the only parameter is: limit"),
            (&["limit", "cursor"], "x: is not a parameter here; the parameters are: limit, cursor"),
        ] {
            assert_eq!(error(query("x=1").only(known)), expected);
        }
    }

    #[test]
    fn a_whole_number_is_plain_and_within_its_bounds() {
        let number = |value| whole_number("n", value, -7, 1_000);
        for (value, expected) in [("-7", -7), ("007", 7), ("0", 0), ("1000", 1_000)] {
            assert_eq!(number(value).unwrap(), expected, "{value}");
        }
        for value in ["-8", "1001", "+7", "", "-", "x", "1.0", " 1", "99999999999999999999"] {
            let expected = format!("n: '{value}' is not allowed; send a whole number from -7 to 1000");
            assert_eq!(error(number(value)), expected);
        }
    }

    #[test]
    fn a_truth_value_is_true_or_false() {
        assert_eq!((truth_value("f", "true").unwrap(), truth_value("f", "false").unwrap()), (true, false));
        for value in ["", "1", "True", "yes"] {
            assert_eq!(
                error(truth_value("f", value)),
                format!("f: '{value}' is not a truth value; send true or false")
            );
        }
    }
}
