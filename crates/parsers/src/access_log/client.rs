//! The fields before the time: the virtual host, where a log has it, the client's address or host name, and its names.
//!
//! A client can choose the name that it logs in with, with blanks in it. So the reader distinguishes the
//! fields by the text that servers write in front of it, and a line that can be read in two ways is refused.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use trailkeeper_domain::address::{parse_address, read_address};
use trailkeeper_domain::text::shown;

use crate::access_log::escape::unescaped;

const BLANKS: [char; 2] = [' ', '\t'];
/// Ports below this one belong to servers: no client connects from them.
const FIRST_CLIENT_PORT: u16 = 1024;
/// The longest host name, in characters, and the longest part of it between dots.
const MAX_HOST: usize = 253;
const MAX_LABEL: usize = 63;

/// The fields before the time of a line, as the log has them but for escapes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Client<'a> {
    /// Virtual host that served the request, with its port if the log has it.
    pub virtual_host: Option<&'a str>,
    /// Address of the client, list of addresses as proxies write it, or host name.
    pub host: Option<&'a str>,
    /// Name of the connection's owner, as the client's machine gave it.
    pub ident: Option<Cow<'a, str>>,
    /// Name that the client logged in with.
    pub user: Option<Cow<'a, str>>,
    /// Text in the place of the user that is hardly a name: blanks, an address, or words with a `-` between them.
    /// Either the client chose it, or the log has fields that are not known here.
    pub unclear_user: Option<Cow<'a, str>>,
}

impl<'a> Client<'a> {
    /// The address or, without one, the host name of the client, as one word.
    pub fn address_or_name(&self) -> Option<Cow<'a, str>> {
        let host = self.host.filter(|host| !is_nothing(host))?;
        match parse_address("host", host) {
            Ok(address) => Some(address.to_string().into()),
            Err(_) => Some(host).filter(|host| is_host_name(host)).map(Cow::Borrowed),
        }
    }

    /// Reads the fields: `host ident user`, with or without a virtual host in front. The error is a sentence that names
    /// the broken field.
    pub(super) fn read(fields: &'a str) -> Result<Self, String> {
        // One blank stands in front of the time. A client can choose a name with more of them at its end.
        let text = fields.strip_suffix(BLANKS).unwrap_or(fields).trim_start_matches(BLANKS);
        if text.is_empty() {
            return Err("has no host before the time; this is not the common or the combined log format".to_owned());
        }
        let (first, rest) = host_field(text);
        let (second, after) = second_field(rest);
        if is_client(second) {
            let virtual_host = virtual_host(first).map_err(|reason| match reason {
                NoVirtualHost::Address => format!(
                    "begins with two addresses, '{}' and '{}', and only one of them is the client's; log one of them, or the port of the virtual host",
                    shown(first),
                    shown(second)
                ),
                NoVirtualHost::Other => not_a_host(first),
            })?;
            return Self { virtual_host, host: Some(second), ..Self::default() }.with_names(after);
        }
        // In `host - user` after a virtual host, a name never stands without an identity.
        let is_shifted = after.split_once(BLANKS).is_some_and(|(ident, name)| ident == "-" && !name.is_empty());
        let is_name_with_port = !is_client(first) && port_of(first).is_some();
        let is_no_ident = is_full_host_name(second) || second != "-" && is_nothing(second);
        if is_name_with_port || is_shifted && is_no_ident && virtual_host(first).is_ok() {
            let virtual_host = virtual_host(first).map_err(|_| not_a_host(first))?;
            if !is_shifted || !(is_host_name(second) || is_nothing(second)) {
                return Err(format!(
                    "begins with the virtual host '{}'; expected the client, an identity and a user after it",
                    shown(first)
                ));
            }
            return Self { virtual_host, host: present(second), ..Self::default() }.with_names(after);
        }
        if first == "-" && fields.starts_with(BLANKS) && rest.trim_end_matches(BLANKS) == second {
            // Some servers write nothing at all for a client without an address, such as one of a UNIX socket.
            return Self::default().with_names(text);
        }
        let is_address = is_client(first);
        if !is_address && !is_host_name(first) && !is_nothing(first) {
            return Err(not_a_host(first));
        }
        if !is_address && second != "-" && !word(after).1.is_empty() {
            return Err(format!(
                "has more fields before the time than host, identity and user, and '{}' is no address",
                shown(first)
            ));
        }
        Self { host: present(first), ..Self::default() }.with_names(rest)
    }

    /// Reads the names: an identity, one blank, and a user that may have blanks, also at both ends. Some servers write
    /// nothing for an empty name.
    fn with_names(self, names: &'a str) -> Result<Self, String> {
        let Some((ident, user)) = names.split_once(BLANKS).filter(|(ident, user)| *ident == "-" || !user.is_empty())
        else {
            return Err("has no user before the time; a '-' is missing".to_owned());
        };
        if ident != "-" && !is_ident(ident) {
            return Err(format!("'{}' is not an identity, the field after the host", shown(ident)));
        }
        // lighttpd writes the virtual host in the place of the identity.
        if self.virtual_host.is_none() && self.host.is_some_and(is_client) && is_full_host_name(ident) {
            return Ok(Self { virtual_host: Some(ident), ..self }.with_user(user));
        }
        Ok(Self { ident: Some(ident).filter(|ident| *ident != "-").map(unescaped), ..self }.with_user(user))
    }

    /// Adds the name that the client logged in with, as the log has it.
    pub(super) fn with_user(self, user: &'a str) -> Self {
        // The ingress controllers of Kubernetes once wrote the client's address twice: `address - [address] - user`.
        let user = user
            .strip_prefix('[')
            .and_then(|user| user.split_once("] - "))
            .filter(|(again, _)| self.host.is_some_and(|host| host == *again))
            .map_or(user, |(_, user)| user);
        // Blanks around a `-` are hardly a name: the log has more of them between its fields.
        if user.is_empty() || matches!(user.trim_matches(BLANKS), "-" | "\"\"") {
            return self;
        }
        let is_unclear = parse_address("user", user).is_ok() || user.split(BLANKS).any(|word| word == "-");
        let name = unescaped(user);
        if is_unclear || name.trim().is_empty() {
            Self { unclear_user: Some(name), ..self }
        } else {
            Self { user: Some(name), ..self }
        }
    }

    /// Adds a name in which nothing is escaped, from a field that has nothing else.
    pub(super) fn with_name(self, name: &'a str) -> Self {
        if name.trim().is_empty() { self } else { Self { user: Some(name.into()), ..self } }
    }
}

/// Checks that a text of a field that names the client does so: an address, a list of them, a host name, or what
/// servers write for nothing.
pub(super) fn check_host(host: Option<&str>) -> Result<(), String> {
    match host {
        Some(host) if !is_client(host) && !is_host_name(host) && !is_nothing(host) => {
            Err(format!("'{}' is neither an address nor a host name", shown(host)))
        }
        _ => Ok(()),
    }
}

enum NoVirtualHost {
    Address,
    Other,
}

/// The name of a virtual host; `None` for `-`, as servers write it if the client named no host.
fn virtual_host(text: &str) -> Result<Option<&str>, NoVirtualHost> {
    if text == "-" {
        return Ok(None);
    }
    if is_client(text) {
        // The address of a client can have a port as well.
        return match port_of(text) {
            Some(port) if port < FIRST_CLIENT_PORT => Ok(Some(text)),
            _ => Err(NoVirtualHost::Address),
        };
    }
    let name = text.rsplit_once(':').filter(|_| port_of(text).is_some()).map_or(text, |(name, _)| name);
    // nginx names its default host `_`, and hosts of many names `*.example.com`.
    let is_name = name == "_" || is_host_name(name.strip_prefix("*.").unwrap_or(name));
    if is_name { Ok(Some(text)) } else { Err(NoVirtualHost::Other) }
}

/// The port of `name:port` or of an address with a port.
fn port_of(text: &str) -> Option<u16> {
    let (name, port) = text.rsplit_once(':').filter(|(name, _)| !name.contains(','))?;
    let is_whole = name.ends_with(']') || name.parse::<Ipv4Addr>().is_ok() || !name.contains(':');
    let is_digits = port.bytes().all(|b| b.is_ascii_digit());
    port.parse().ok().filter(|_| is_whole && is_digits)
}

/// Whether this is an address, or a list that a proxy ended with an address. A client can begin a list with any words.
fn is_client(text: &str) -> bool {
    let has_members = || text.split(',').all(|member| !member.trim_matches(BLANKS).is_empty());
    let ends_with_address = || text.rsplit_once(',').is_some_and(|(_, last)| read_address(last).is_some());
    parse_address("host", text).is_ok() || ends_with_address() && has_members()
}

/// Whether this stands for a client without an address: nothing is known, or the connection was a UNIX socket.
fn is_nothing(text: &str) -> bool {
    matches!(text, "-" | "unix:" | "unknown")
}

fn is_host_name(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    // Numbers, dates and wrong addresses are no host names: the last part of a name has a letter.
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= MAX_HOST && name.split('.').all(is_label) && last.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Whether this is a host name that cannot be the name of a person.
fn is_full_host_name(text: &str) -> bool {
    is_host_name(text) && (text.contains('.') || text == "localhost")
}

fn is_ident(text: &str) -> bool {
    let is_word = text.chars().all(|c| c.is_alphanumeric() || "_-.+@$\\/".contains(c));
    is_word && text.contains(char::is_alphanumeric) && read_address(text).is_none()
}

fn present(host: &str) -> Option<&str> {
    Some(host).filter(|host| *host != "-")
}

fn not_a_host(text: &str) -> String {
    format!(
        "'{}' is neither an address nor a host name; this is not the common or the combined log format, with or without a virtual host in front",
        shown(text)
    )
}

/// Takes the first word, and gives it with the rest from the next word on.
fn word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_at(text.find(BLANKS).unwrap_or(text.len()));
    (word, rest.trim_start_matches(BLANKS))
}

/// Takes the first field, which may be a list with blanks around its commas.
fn host_field(text: &str) -> (&str, &str) {
    let (mut field, mut rest) = word(text);
    while !rest.is_empty() && (field.ends_with(',') || rest.starts_with(',')) {
        let (_, after) = word(rest);
        field = text.split_at(text.len() - after.len()).0.trim_end_matches(BLANKS);
        rest = after;
    }
    (field, rest)
}

/// Takes the second field: like the first, but a user may have a comma after the `-` of the identity.
fn second_field(text: &str) -> (&str, &str) {
    let (field, rest) = host_field(text);
    if word(text).0 != "-" && is_client(field) { (field, rest) } else { word(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields in the order of [`Client`], with `.` for one that is absent.
    fn read(fields: &str) -> Result<[String; 5], String> {
        let client = Client::read(fields)?;
        let text = |text: Option<&str>| text.unwrap_or(".").to_owned();
        Ok([
            text(client.virtual_host),
            text(client.host),
            text(client.ident.as_deref()),
            text(client.user.as_deref()),
            text(client.unclear_user.as_deref()),
        ])
    }

    #[test]
    fn host_identity_and_user_are_told_apart() {
        for (fields, expected) in [
            ("203.0.113.7 - -", [".", "203.0.113.7", ".", ".", "."]),
            ("203.0.113.7 - jane ", [".", "203.0.113.7", ".", "jane", "."]),
            ("203.0.113.7   -\t-  ", [".", "203.0.113.7", ".", ".", "."]),
            ("203.0.113.7 - jane  doe", [".", "203.0.113.7", ".", "jane  doe", "."]),
            ("203.0.113.7 - jane [doe] ", [".", "203.0.113.7", ".", "jane [doe]", "."]),
            ("203.0.113.7 - \"\" ", [".", "203.0.113.7", ".", ".", "."]),
            // Blanks that a client put around its name.
            ("203.0.113.7 - jane  ", [".", "203.0.113.7", ".", "jane ", "."]),
            ("203.0.113.7 -  jane ", [".", "203.0.113.7", ".", " jane", "."]),
            ("203.0.113.7 jdoe  jane doe   ", [".", "203.0.113.7", "jdoe", " jane doe  ", "."]),
            ("crawler.example jdoe jane   ", [".", "crawler.example", "jdoe", "jane  ", "."]),
            ("203.0.113.7 shop.example jane  ", ["shop.example", "203.0.113.7", ".", "jane ", "."]),
            (" - jane  ", [".", ".", ".", "jane ", "."]),
            // Names of nothing but blanks.
            ("203.0.113.7 -   ", [".", "203.0.113.7", ".", ".", " "]),
            ("203.0.113.7   -     ", [".", "203.0.113.7", ".", ".", "   "]),
            ("203.0.113.7 jdoe   ", [".", "203.0.113.7", "jdoe", ".", " "]),
            ("crawler.example -   ", [".", "crawler.example", ".", ".", " "]),
            ("crawler.example jdoe   ", [".", "crawler.example", "jdoe", ".", " "]),
            ("203.0.113.7, 10.0.0.1 -   ", [".", "203.0.113.7, 10.0.0.1", ".", ".", " "]),
            ("- -   ", [".", ".", ".", ".", " "]),
            (" -   ", [".", ".", ".", ".", " "]),
            ("203.0.113.7 - [203.0.113.7] -   ", [".", "203.0.113.7", ".", ".", " "]),
            ("203.0.113.7 shop.example   ", ["shop.example", "203.0.113.7", ".", ".", " "]),
            ("shop.example:443 203.0.113.7 -   ", ["shop.example:443", "203.0.113.7", ".", ".", " "]),
            ("shop.example 203.0.113.7 -   ", ["shop.example", "203.0.113.7", ".", ".", " "]),
            ("shop.example:443 - -   ", ["shop.example:443", ".", ".", ".", " "]),
            ("shop.example unix: -   ", ["shop.example", "unix:", ".", ".", " "]),
            (r"203.0.113.7 - \x20\xE3\x80\x80", [".", "203.0.113.7", ".", ".", " \u{3000}"]),
            // An empty name, of which nothing is written.
            ("203.0.113.7 -  ", [".", "203.0.113.7", ".", ".", "."]),
            ("shop.example 203.0.113.7 -  ", ["shop.example", "203.0.113.7", ".", ".", "."]),
            ("203.0.113.7 jdoe jane doe", [".", "203.0.113.7", "jdoe", "jane doe", "."]),
            ("crawler.example jdoe jane", [".", "crawler.example", "jdoe", "jane", "."]),
            ("crawler.example - jane doe", [".", "crawler.example", ".", "jane doe", "."]),
            ("localhost - -", [".", "localhost", ".", ".", "."]),
            ("ip6-loopback. - -", [".", "ip6-loopback.", ".", ".", "."]),
            ("::1 - -", [".", "::1", ".", ".", "."]),
            ("fe80::1%eth0 - -", [".", "fe80::1%eth0", ".", ".", "."]),
            ("203.0.113.7:51234 - jane", [".", "203.0.113.7:51234", ".", "jane", "."]),
            ("[2001:db8::1]:443 - jane", [".", "[2001:db8::1]:443", ".", "jane", "."]),
            ("- - jane", [".", ".", ".", "jane", "."]),
            ("unix: - -", [".", "unix:", ".", ".", "."]),
            ("unknown - -", [".", "unknown", ".", ".", "."]),
            // Some servers write nothing for a client of a UNIX socket.
            (" - - ", [".", ".", ".", ".", "."]),
            // Lists of proxies.
            ("203.0.113.7, 10.0.0.1 - jane", [".", "203.0.113.7, 10.0.0.1", ".", "jane", "."]),
            ("203.0.113.7,10.0.0.1 - jane", [".", "203.0.113.7,10.0.0.1", ".", "jane", "."]),
            ("203.0.113.7 , 10.0.0.1 - jane", [".", "203.0.113.7 , 10.0.0.1", ".", "jane", "."]),
            ("unknown, 10.0.0.1:443 - jane", [".", "unknown, 10.0.0.1:443", ".", "jane", "."]),
            ("x\\\"y, 10.0.0.1 - jane", [".", "x\\\"y, 10.0.0.1", ".", "jane", "."]),
            ("203.0.113.7 - doe, jane", [".", "203.0.113.7", ".", "doe, jane", "."]),
            ("203.0.113.7 - , 10.0.0.1", [".", "203.0.113.7", ".", ", 10.0.0.1", "."]),
            // lighttpd: the virtual host stands in the place of the identity.
            ("203.0.113.7 shop.example jane", ["shop.example", "203.0.113.7", ".", "jane", "."]),
            // Ingress controllers: the address twice.
            ("203.0.113.7 - [203.0.113.7] - jane doe", [".", "203.0.113.7", ".", "jane doe", "."]),
            ("203.0.113.7 - [203.0.113.7] - -", [".", "203.0.113.7", ".", ".", "."]),
            // Escapes.
            (r"203.0.113.7 CORP\\jd CORP\\jane", [".", "203.0.113.7", r"CORP\jd", r"CORP\jane", "."]),
            (r#"203.0.113.7 - \"bob\""#, [".", "203.0.113.7", ".", "\"bob\"", "."]),
            (r"203.0.113.7 - J\xC3\xBCrgen", [".", "203.0.113.7", ".", "Jürgen", "."]),
            // Hardly a name, whether the client chose it or the log has other fields.
            ("203.0.113.7 - - jane", [".", "203.0.113.7", ".", ".", "- jane"]),
            ("shop.example - - jane", [".", "shop.example", ".", ".", "- jane"]),
            ("203.0.113.7 - x - y", [".", "203.0.113.7", ".", ".", "x - y"]),
            ("203.0.113.7 - 10.0.0.1", [".", "203.0.113.7", ".", ".", "10.0.0.1"]),
            ("203.0.113.7 -  10.0.0.1  ", [".", "203.0.113.7", ".", ".", " 10.0.0.1 "]),
            ("203.0.113.7 - 10.0.0.1 - jane", [".", "203.0.113.7", ".", ".", "10.0.0.1 - jane"]),
            ("203.0.113.7 jdoe - x", [".", "203.0.113.7", "jdoe", ".", "- x"]),
            ("203.0.113.7 - [10.0.0.1] - jane", [".", "203.0.113.7", ".", ".", "[10.0.0.1] - jane"]),
        ] {
            assert_eq!(read(fields), Ok(expected.map(str::to_owned)), "{fields}");
        }
    }

    #[test]
    fn a_virtual_host_may_stand_first() {
        for (fields, virtual_host, host, user) in [
            ("shop.example:443 203.0.113.7 - jane", "shop.example:443", "203.0.113.7", "jane"),
            ("shop.example 203.0.113.7 - jane doe", "shop.example", "203.0.113.7", "jane doe"),
            ("shop.example:80  ::1  -  -", "shop.example:80", "::1", "."),
            ("shop.example:443 203.0.113.7, 10.0.0.1 - jane", "shop.example:443", "203.0.113.7, 10.0.0.1", "jane"),
            ("shop.example:443 x, 10.0.0.1 - jane", "shop.example:443", "x, 10.0.0.1", "jane"),
            ("shop.example:443 crawler.example - jane", "shop.example:443", "crawler.example", "jane"),
            ("shop.example crawler.example - jane", "shop.example", "crawler.example", "jane"),
            ("shop.example:443 - - jane", "shop.example:443", ".", "jane"),
            ("shop.example:443 unix: - -", "shop.example:443", "unix:", "."),
            ("shop.example unix: - jane", "shop.example", "unix:", "jane"),
            ("localhost:8080 web1 - -", "localhost:8080", "web1", "."),
            ("127.0.1.1:80 203.0.113.7 - jane", "127.0.1.1:80", "203.0.113.7", "jane"),
            ("[2001:db8::1]:443 2001:db8::2 - jane", "[2001:db8::1]:443", "2001:db8::2", "jane"),
            ("127.0.1.1:80 crawler.example - jane", "127.0.1.1:80", "crawler.example", "jane"),
            ("_ 203.0.113.7 - jane", "_", "203.0.113.7", "jane"),
            ("*.shop.example 203.0.113.7 - jane", "*.shop.example", "203.0.113.7", "jane"),
            // The client named no host.
            ("- 203.0.113.7 - jane", ".", "203.0.113.7", "jane"),
        ] {
            let expected = [virtual_host, host, ".", user, "."].map(str::to_owned);
            assert_eq!(read(fields), Ok(expected), "{fields}");
        }
    }

    #[test]
    fn other_formats_are_refused() {
        for (fields, reason) in [
            ("", "has no host before the time"),
            ("203.0.113.7", "has no user before the time"),
            ("203.0.113.7 -", "has no user before the time"),
            ("203.0.113.7 - ", "has no user before the time"),
            ("203.0.113.7 jane  ", "has no user before the time"),
            ("- -", "has no user before the time"),
            ("shop.example:443 203.0.113.7 -", "has no user before the time"),
            ("shop.example:443 - -  ", "begins with the virtual host 'shop.example:443'"),
            ("shop.example:443 - jane", "begins with the virtual host 'shop.example:443'"),
            ("shop.example:443 - jane doe", "begins with the virtual host 'shop.example:443'"),
            ("shop.example:443 jdoe jane doe", "begins with the virtual host 'shop.example:443'"),
            // The client's address may be the first or the second.
            ("203.0.113.7 10.0.0.1 - -", "begins with two addresses, '203.0.113.7' and '10.0.0.1'"),
            ("203.0.113.7:51234 10.0.0.1 - -", "begins with two addresses"),
            ("203.0.113.7, 10.0.0.1:443 10.0.0.2 - -", "begins with two addresses"),
            // Syslog, journald, containers.
            ("Oct 10 13:55:36 web1 nginx: 203.0.113.7 - - ", "has more fields before the time"),
            ("<190>Oct 10 13:55:36 web1 nginx: 203.0.113.7 - - ", "'<190>Oct' is neither an address nor a host name"),
            ("2026-10-10T13:55:36Z 203.0.113.7 - - ", "'2026-10-10T13:55:36Z' is neither"),
            ("2026-10-10 13:55:36 203.0.113.7 - - ", "'2026-10-10' is neither"),
            ("web-1  | 203.0.113.7 - - ", "has more fields before the time"),
            ("nginx: 203.0.113.7 - - ", "'nginx:' is neither"),
            ("web1 nginx: 203.0.113.7 - - ", "has more fields before the time"),
            ("203.0.113.7 | - - ", "'|' is not an identity"),
            ("shop.example 203.0.113.7 10.0.0.1 - -", "'10.0.0.1' is not an identity"),
            ("{\"host\":\"203.0.113.7\", - -", "is neither an address nor a host name"),
            ("1286536309.123 - -", "'1286536309.123' is neither"),
            ("203.0.113.256 - -", "'203.0.113.256' is neither"),
            ("10 - jane", "'10' is neither"),
            ("\"203.0.113.7\" - -", "is neither an address nor a host name"),
            (", 10.0.0.1 - jane", "', 10.0.0.1' is neither an address nor a host name"),
            ("a..b - -", "is neither an address nor a host name"),
        ] {
            let message = read(fields).unwrap_err();
            assert!(message.contains(reason), "{fields}: {message}");
        }
        for (length, is_name) in [(253, true), (254, false)] {
            let name = "abcdefghi.".repeat(30).split_at(length).0.trim_end_matches('.').to_owned();
            assert_eq!(name.len(), length);
            assert_eq!(read(&format!("{name} - -")).is_ok(), is_name);
        }
        assert!(read(&format!("{} - -", "h".repeat(64))).is_err());
    }
}
