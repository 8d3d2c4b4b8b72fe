//! The keys of pages.

use std::borrow::Cow;

use super::escapes;
use super::rule::{PageHash, PageQueries, PageRule, TrailingSlash};

/// The maximum length of a page and of its key, in characters.
pub const MAX_PAGE: usize = 2048;

/// The default ports of schemes (RFC 3986, section 6.2.3).
const DEFAULT_PORTS: [(&str, &str); 5] =
    [("http", "80"), ("https", "443"), ("ws", "80"), ("wss", "443"), ("ftp", "21")];

impl PageRule {
    /// The key of a page. It is never empty and never longer than [`MAX_PAGE`], and it is its own key.
    ///
    /// In version 1, pages are compared as RFC 3986 (section 6.2.2 and 6.2.3) does, in the form of RFC 3987: percent
    /// escapes of letters, digits, `-._~` and visible characters outside ASCII are those characters; all other escapes
    /// are in upper case, and a space is `%20`; scheme and host are in lower case, the default port is absent, and dot
    /// segments are resolved. An invalid escape stays as it is.
    pub fn key<'a>(&self, sent: &'a str) -> Cow<'a, str> {
        match self.version {
            0 => Cow::Borrowed(as_sent(sent, self.queries)),
            _ => normal(sent, *self),
        }
    }
}

/// The key by version 0: the page without fragment and, by the setting, without query. A page that consists of these
/// only has the key `/`, so that no key is empty.
fn as_sent(sent: &str, queries: PageQueries) -> &str {
    let end = match queries {
        PageQueries::Dropped => sent.find(['?', '#']),
        PageQueries::Kept => sent.find('#'),
    };
    match sent.split_at(end.unwrap_or(sent.len())).0 {
        "" => "/",
        key => key,
    }
}

/// The key by version 1.
fn normal(sent: &str, rule: PageRule) -> Cow<'_, str> {
    if is_normal(sent) {
        return Cow::Borrowed(sent);
    }
    let text = escapes::normal(sent);
    let (base, fragment) = text.split_once('#').unwrap_or((&text, ""));
    let key = base_key(base, rule);
    if let Some(route) = route_key(fragment, rule) {
        let whole = format!("{key}#{route}");
        if fits(&whole) {
            return Cow::Owned(whole);
        }
    }
    if fits(&key) {
        return Cow::Owned(key);
    }
    // Its spaces were sent as they are, and as escapes they take three times the room.
    Cow::Borrowed(as_sent(sent, rule.queries))
}

/// Whether the page is a path that is its own key by every setting. Most pages are.
fn is_normal(sent: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_~.".contains(&byte);
    sent.starts_with('/')
        && (sent.len() == 1 || !sent.ends_with('/'))
        && sent.bytes().all(plain)
        && !sent.contains("/.")
}

fn fits(key: &str) -> bool {
    key.len() <= MAX_PAGE || key.chars().count() <= MAX_PAGE
}

/// The key of the part before the fragment.
fn base_key(base: &str, rule: PageRule) -> String {
    let (hierarchy, query) = apart(base, '?');
    let (mut key, path) = match with_authority(hierarchy) {
        Some((scheme, authority, path)) => {
            let scheme = scheme.to_ascii_lowercase();
            (format!("{scheme}://{}", authority_key(&scheme, authority)), if path.is_empty() { "/" } else { path })
        }
        None => (String::new(), hierarchy),
    };
    let path = if path.starts_with('/') { without_dot_segments(path) } else { path.to_owned() };
    key.push_str(slashed(&path, rule.trailing_slash));
    if rule.queries == PageQueries::Kept {
        key.push_str(query);
    }
    if key.is_empty() || key.starts_with('?') {
        key.insert(0, '/');
    }
    key
}

/// The route in a fragment, if the rule keeps routes.
fn route_key(fragment: &str, rule: PageRule) -> Option<String> {
    let path = fragment.strip_prefix('!').unwrap_or(fragment);
    if rule.hash == PageHash::Dropped || !path.starts_with('/') {
        return None;
    }
    let (path, _) = apart(path, '#');
    let (path, query) = apart(path, '?');
    let query = if rule.queries == PageQueries::Kept { query } else { "" };
    let bang = if fragment.starts_with('!') { "!" } else { "" };
    Some(format!("{bang}{}{query}", slashed(path, rule.trailing_slash)))
}

/// The text before the separator, and the text from it on.
fn apart(text: &str, separator: char) -> (&str, &str) {
    text.split_at(text.find(separator).unwrap_or(text.len()))
}

/// Scheme, authority and path of a URL with an authority. `//host/path` is not one: such a page is a path with two
/// slashes in practice.
fn with_authority(hierarchy: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = hierarchy.split_once("://")?;
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    if !scheme.starts_with(|first: char| first.is_ascii_alphabetic()) || !scheme.bytes().all(good) {
        return None;
    }
    let (authority, path) = apart(rest, '/');
    Some((scheme, authority, path))
}

/// The host in lower case, without the default port of the scheme.
fn authority_key(scheme: &str, authority: &str) -> String {
    let (user, place) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    // A colon inside brackets belongs to an IPv6 address; with more than one outside, the text has no valid port.
    let at = place.rfind(':').filter(|at| {
        let host = place.split_at(*at).0;
        !host.contains(':') || host.starts_with('[') && host.ends_with(']')
    });
    let (host, port) = place.split_at(at.unwrap_or(place.len()));
    let host = in_lower_case(host);
    let digits = port.strip_prefix(':').unwrap_or_default();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return format!("{user}{host}{port}");
    }
    let significant = digits.trim_start_matches('0');
    let number = if significant.is_empty() && !digits.is_empty() { "0" } else { significant };
    if number.is_empty() || DEFAULT_PORTS.contains(&(scheme, number)) {
        return format!("{user}{host}");
    }
    format!("{user}{host}:{number}")
}

/// The host in lower case, its escapes apart, which stay in upper case.
fn in_lower_case(host: &str) -> String {
    let mut parts = host.split('%');
    let mut key = parts.next().unwrap_or_default().to_lowercase();
    for part in parts {
        let escape = part.bytes().take(2).take_while(u8::is_ascii_hexdigit).count();
        let (escape, rest) = part.split_at(if escape == 2 { 2 } else { 0 });
        key.extend(["%", escape, &rest.to_lowercase()]);
    }
    key
}

/// The path without the segments `.` and `..` (RFC 3986, section 5.2.4).
fn without_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            segment => {
                kept.push(segment);
                continue;
            }
        }
        // The path names what is in the folder that the segment led to.
        if is_last {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

/// The path, by the setting without slashes at its end. The path `/` stays.
fn slashed(path: &str, slash: TrailingSlash) -> &str {
    if slash == TrailingSlash::Kept {
        return path;
    }
    match path.trim_end_matches('/') {
        "" if path.starts_with('/') => "/",
        short => short,
    }
}
