//! The address of the system to which a stream sends.

use std::net::IpAddr;

use crate::error::{Error, Result};
use crate::text;

/// The longest address of a destination, in characters.
pub const MAX_DESTINATION: usize = 2048;
/// The port of HTTPS.
const HTTPS_PORT: u16 = 443;
/// The longest host name, in characters (RFC 1035, section 2.3.4).
const MAX_HOST: usize = 253;

/// An `https` URL, taken apart. The whole of it may be a secret: many systems put a key into the path or query, so logs and
/// audit events have only the [host](Self::host).
#[derive(Clone, PartialEq, Eq)]
pub struct Destination {
    url: String,
    host: String,
    port: u16,
    target: String,
}

impl Destination {
    /// Parses the URL; `field` names it in the error.
    ///
    /// ```
    /// use trailkeeper_domain::stream::Destination;
    ///
    /// let siem = Destination::parse("destination", "https://siem.example:8443/in?key=7")?;
    /// assert_eq!((siem.host(), siem.port(), siem.target()), ("siem.example", 8443, "/in?key=7"));
    /// assert!(Destination::parse("destination", "http://siem.example/in").is_err());
    /// # Ok::<(), trailkeeper_domain::Error>(())
    /// ```
    ///
    /// [`Error::Invalid`] for another scheme, for a user name, a password or a fragment in it, and for characters that a URL
    /// cannot have. The message shows the host at most.
    pub fn parse(field: &str, url: &str) -> Result<Self> {
        // The message does not show the value, which may have a key in it.
        let refused = |reason: &str| {
            Err(Error::invalid(field, format!("{reason}; send an https URL, for example https://siem.example/events")))
        };
        if url.len() > MAX_DESTINATION {
            return refused("has more than 2048 characters");
        }
        if let Some(other) = url.chars().find(|c| !is_url_character(*c)) {
            return refused(&format!(
                "has the character '{}', which a URL can only have as an escape (%20)",
                other.escape_default()
            ));
        }
        let Some(rest) = url.strip_prefix("https://") else { return refused("does not begin with https://") };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if authority.contains('@') {
            return refused("has a user name or password in it, which streams do not send; put the key into the path");
        }
        if target.contains('#') {
            return refused("has a fragment (#…), which is never sent");
        }
        let Some((host, port)) = split_port(authority) else {
            return refused(&format!("has no port from 1 to 65535 in '{}'", text::shown(authority)));
        };
        if !is_host(host) {
            return refused(&format!("has no host name or address in '{}'", text::shown(authority)));
        }
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Ok(Self { url: url.to_owned(), host: host.to_ascii_lowercase(), port, target })
    }

    /// The whole URL, as it was sent.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The host in lower case, an IPv6 address in brackets: all that logs and audit events show.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The address, if the host is one.
    pub fn address(&self) -> Option<IpAddr> {
        let bare = self.host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        bare.unwrap_or(&self.host).parse().ok()
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path and query.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The value of the header `Host`.
    pub fn authority(&self) -> String {
        if self.port == HTTPS_PORT { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }
}

impl std::fmt::Debug for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Destination({})", self.host)
    }
}

/// The characters of RFC 3986, section 2.
fn is_url_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c)
}

/// The host and the port of an authority.
fn split_port(authority: &str) -> Option<(&str, u16)> {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
            let port = port.parse().ok().filter(|port| digits && *port > 0)?;
            Some((host, port))
        }
        _ => Some((authority, HTTPS_PORT)),
    }
}

fn is_host(host: &str) -> bool {
    if let Some(v6) = host.strip_prefix('[') {
        return v6.strip_suffix(']').is_some_and(|v6| v6.parse::<std::net::Ipv6Addr>().is_ok());
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    host.len() <= MAX_HOST && host.strip_suffix('.').unwrap_or(host).split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::code_and_field;

    fn parsed(url: &str) -> Destination {
        Destination::parse("destination", url).unwrap()
    }

    #[test]
    fn a_url_is_taken_apart_as_another_reader_of_urls_does_it() {
        for url in [
            "https://siem.example",
            "https://siem.example/",
            "https://siem.example/in/a%20b?key=7&x=y",
            "https://SIEM.example:8443?q",
            "https://192.0.2.1:9/in",
            "https://[2001:db8::1]/in",
            "https://[2001:db8::1]:8443/in",
        ] {
            let (ours, other) = (parsed(url), url::Url::parse(url).unwrap());
            assert_eq!(Some(ours.host()), other.host_str(), "{url}");
            assert_eq!(Some(ours.port()), other.port_or_known_default(), "{url}");
            let query = other.query().map_or_else(String::new, |query| format!("?{query}"));
            assert_eq!(ours.target(), format!("{}{query}", other.path()), "{url}");
            assert_eq!(ours.url(), url);
        }
        assert_eq!(parsed("https://[2001:db8::1]:8443/in").authority(), "[2001:db8::1]:8443");
        assert_eq!(parsed("https://siem.example:443/in").authority(), "siem.example");
        assert_eq!(parsed("https://[::1]/").address(), Some("::1".parse().unwrap()));
        assert_eq!(parsed("https://siem.example/").address(), None);
    }

    #[test]
    fn other_texts_are_refused_and_not_shown() {
        for url in [
            "",
            "http://siem.example/SECRET",
            "https://",
            "https:///SECRET",
            "https://user:SECRET@siem.example/",
            "https://siem.example/SECRET#fragment",
            "https://siem.example/SECRET b",
            "https://siem.example/SECRET\\b",
            "https://siem.example/SECRET\r\nHost: x",
            "https://siem.example:0/SECRET",
            "https://siem.example:65536/SECRET",
            "https://siem.example:+1/SECRET",
            "https://siem.example:/SECRET",
            "https://siem..example/SECRET",
            "https://[2001:db8::1/SECRET",
            "https://[siem]/SECRET",
            "https://straße.example/SECRET",
            &format!("https://siem.example/{}", "x".repeat(2048)),
        ] {
            let error = Destination::parse("destination", url).unwrap_err();
            assert_eq!(code_and_field(&error).1, Some("destination"), "{error}");
            assert!(!error.to_string().contains("SECRET"), "{error}");
        }
        assert_eq!(format!("{:?}", parsed("https://siem.example/SECRET")), "Destination(siem.example)");
    }
}
