//! Parsers of flag values. Their errors are usage errors.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};
use tracing_subscriber::EnvFilter;
use trailkeeper_domain::Error;
use trailkeeper_domain::account::Role;
use trailkeeper_domain::id::TenantId;

/// The text of an error without the name of the field: clap names the flag itself.
pub fn detail(error: &Error) -> String {
    error.detail().map_or_else(|| error.chain().to_string(), |detail| detail.detail.clone())
}

/// Parses a role.
pub fn role(value: &str) -> Result<Role, String> {
    Role::parse("role", value).map_err(|error| detail(&error))
}

/// Parses the id of a tenant.
pub fn tenant(value: &str) -> Result<TenantId, String> {
    TenantId::parse("tenant", value).map_err(|error| detail(&error))
}

/// Parses the id of a tenant that events may be written to: any but the system tenant.
pub fn customer(value: &str) -> Result<TenantId, String> {
    match tenant(value)? {
        TenantId::SYSTEM => Err(
            "the all-ones UUID is the system tenant, which only the server writes; give the id of your tenant, or leave it out"
                .to_owned(),
        ),
        customer => Ok(customer),
    }
}

/// Parses the address and port to listen on.
pub fn listen(value: &str) -> Result<SocketAddr, String> {
    value.parse().map_err(|_| {
        "it is not an address with a port; give for example 127.0.0.1:8080, or 0.0.0.0:8080 to listen on every network"
            .to_owned()
    })
}

/// Checks a log filter.
pub fn log_filter(value: &str) -> Result<String, String> {
    match EnvFilter::builder().parse(value) {
        Ok(_) => Ok(value.to_owned()),
        Err(error) => Err(format!("{error}; give error, warn, info, debug, trace or TARGET=LEVEL, comma-separated")),
    }
}

/// Networks, comma-separated. A bare address is a network of one. Empty: none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Networks(pub Vec<IpNet>);

impl FromStr for Networks {
    type Err = String;

    fn from_str(value: &str) -> Result<Self, String> {
        parts(value)
            .map(|part| {
                network(part).ok_or_else(|| {
                    format!("'{part}' is neither an address nor a network; give for example 10.0.0.0/8,192.0.2.1")
                })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// Parses an address or a network. One of IPv4-mapped addresses becomes IPv4, as the addresses of peers do: else it would
/// contain none of them.
fn network(part: &str) -> Option<IpNet> {
    let network = part.parse::<IpNet>().or_else(|_| part.parse::<IpAddr>().map(IpNet::from)).ok()?;
    let mapped = match network {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96)),
        _ => None,
    };
    Some(mapped.and_then(|(address, length)| Ipv4Net::new(address, length).ok()).map_or(network, IpNet::V4))
}

impl fmt::Display for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(IpNet::to_string).collect::<Vec<_>>().join(","))
    }
}

/// Host names, comma-separated, each with or without a port. Empty: none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts(pub Vec<String>);

impl FromStr for Hosts {
    type Err = String;

    fn from_str(value: &str) -> Result<Self, String> {
        parts(value)
            .map(|part| {
                let good = part.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]_".contains(&b));
                if good { Ok(part.to_owned()) } else { Err(format!("'{part}' is not a host name; give for example audit.example.com,audit.example.com:8443 without scheme and path")) }
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

/// Origins of web pages, comma-separated, as browsers write them. Empty: none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origins(pub Vec<String>);

impl FromStr for Origins {
    type Err = String;

    fn from_str(value: &str) -> Result<Self, String> {
        parts(value)
            .map(|part| {
                if is_origin(part) {
                    return Ok(part.to_owned());
                }
                Err(format!(
                    "'{part}' is not an origin as browsers write it; give for example https://app.example,http://localhost:3000 in lower case, with the scheme, without a path and without '*'"
                ))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl fmt::Display for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

/// Whether the text is a scheme, a host and an optional port. Browsers leave out the default port of the scheme.
fn is_origin(text: &str) -> bool {
    let own_port = if text.starts_with("https:") { ":443" } else { ":80" };
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => port.parse::<u16>().ok().map(|_| name),
            _ => Some(host),
        };
        let name = name.map(|name| name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name));
        !host.ends_with(own_port)
            && name.is_some_and(|name| {
                !name.is_empty()
                    && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-:".contains(&b))
            })
    })
}

fn parts(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_comma_separated_and_may_be_empty() {
        assert_eq!("".parse::<Networks>().unwrap(), Networks(Vec::new()));
        let networks = "10.0.0.0/8, 192.0.2.1 ,::1,".parse::<Networks>().unwrap();
        assert_eq!(networks.to_string(), "10.0.0.0/8,192.0.2.1/32,::1/128");
        let mapped = "::ffff:192.0.2.1,::ffff:10.0.0.0/104,::/0".parse::<Networks>().unwrap();
        assert_eq!(mapped.to_string(), "192.0.2.1/32,10.0.0.0/8,::/0");
        assert!("10.0.0.0/40".parse::<Networks>().is_err());
        assert_eq!("a.example, b.example:8443".parse::<Hosts>().unwrap().to_string(), "a.example,b.example:8443");
        assert!("https://a.example".parse::<Hosts>().is_err());
    }

    #[test]
    fn origins_are_exact() {
        let origins = "https://app.example, http://localhost:3000,https://[2001:db8::1]:8443";
        assert_eq!(origins.parse::<Origins>().unwrap().0.len(), 3);
        assert_eq!("".parse::<Origins>().unwrap(), Origins(Vec::new()));
        for wrong in [
            "*",
            "null",
            "app.example",
            "https://",
            "https://*.example",
            "https://app.example/",
            "https://App.example",
            "ftp://app.example",
            "https://app.example:443",
            "http://app.example:80",
            "https://app.example:x",
            "https://app.example/path",
            "https://user@app.example",
            "https://a b",
            "https://app.example:99999",
        ] {
            let refused = wrong.parse::<Origins>().unwrap_err();
            assert!(refused.contains(wrong) && refused.contains("https://app.example,"), "{refused}");
        }
    }
}
