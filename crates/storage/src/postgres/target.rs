//! A PostgreSQL URL in libpq's form, and the parameters that this crate adds to it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::SslMode;
use trailkeeper_domain::{Error, Result};

use super::tls::{self, Verification};

/// The default of `connect_timeout`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The default of `keepalives_idle`.
const KEEPALIVES_IDLE: Duration = Duration::from_secs(30);

/// The parameters of connections to a database.
#[derive(Clone)]
pub struct PgTarget {
    shown: String,
    config: Config,
    verification: Verification,
}

impl PgTarget {
    /// Parses a URL. Errors name `field` and never show the URL, which may hold a password.
    pub fn parse(field: &str, url: &str) -> Result<Self> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut mode = SslMode::Prefer;
        let mut full = false;
        let mut root = None;
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", value)) => (mode, full) = ssl_mode(field, value)?,
                Some(("sslrootcert", value)) => root = Some(PathBuf::from(percent_decoded(value))),
                _ => rest.push(pair),
            }
        }
        let plain = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
        let mut config: Config =
            plain.parse().map_err(|error| Error::invalid(field, format!("is not a PostgreSQL URL: {error}")))?;
        config.ssl_mode(mode);
        if config.get_application_name().is_none() {
            config.application_name("trailkeeper");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if !query.contains("keepalives_idle") {
            config.keepalives_idle(KEEPALIVES_IDLE);
        }
        let verification = if full { tls::verified(field, root.as_deref())? } else { Verification::None };
        Ok(Self { shown: without_password(url), config, verification })
    }

    /// The parameters of a connection whose statements end after `statement_timeout`.
    pub fn config(&self, statement_timeout: Duration) -> Config {
        let mut config = self.config.clone();
        // Statements stay prepared. A generic plan that was made for a small table reads the whole table later, until its
        // statistics are updated. Planning each run costs less than one such read. With `jit` PostgreSQL would also compile
        // each run: the planner expects many rows for an array of keys, and compiling took more time of the merger than
        // all its statements.
        let ours = format!(
            "-c TimeZone=UTC -c plan_cache_mode=force_custom_plan -c jit=off -c statement_timeout={}",
            statement_timeout.as_millis()
        );
        // The last value of an option counts, so those of the URL come last.
        config.options(match config.get_options() {
            Some(theirs) => format!("{ours} {theirs}"),
            None => ours,
        });
        config
    }

    /// The longest time in which a connection to one address is opened, from TCP to the login.
    pub fn connect_timeout(&self) -> Duration {
        self.config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT)
    }

    /// How the certificate of the server is verified.
    pub fn verification(&self) -> &Verification {
        &self.verification
    }
}

impl fmt::Display for PgTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// The mode of tokio-postgres, and whether the certificate is verified.
fn ssl_mode(field: &str, value: &str) -> Result<(SslMode, bool)> {
    match value {
        "disable" => Ok((SslMode::Disable, false)),
        "prefer" => Ok((SslMode::Prefer, false)),
        "require" => Ok((SslMode::Require, false)),
        "verify-full" => Ok((SslMode::Require, true)),
        other => Err(Error::invalid(
            field,
            format!(
                "has sslmode '{other}'; write disable, prefer, require or verify-full (for verify-ca: verify-full)"
            ),
        )),
    }
}

/// The URL for people. It hides everything that tokio-postgres may take for a password, also a password with a `/`, `?`
/// or `@` that should have been escaped: the driver ends a login at the first `@`, but a user who forgot to escape one
/// means the last `@`.
fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let login = rest.split_once('@').map_or("", |(login, _)| login);
    let (shown_login, rest) = match (login.split_once(':'), rest.rsplit_once('@')) {
        (Some((user, _)), Some((_, host))) if !user.contains(['/', '?']) => (format!("{user}:***@"), host),
        (Some(_), Some((_, host))) => ("***@".to_owned(), host),
        _ => (String::new(), rest),
    };
    let (address, query) = rest.split_once('?').map_or((rest, None), |(address, query)| (address, Some(query)));
    let mut shown = format!("{scheme}://{shown_login}{address}");
    if let Some(query) = query {
        let secret = |pair: &str| percent_decoded(pair.split('=').next().unwrap_or_default()) == "password";
        let pairs: Vec<&str> = query.split('&').map(|pair| if secret(pair) { "password=***" } else { pair }).collect();
        shown.push('?');
        shown.push_str(&pairs.join("&"));
    }
    shown
}

fn percent_decoded(value: &str) -> String {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = (first == b'%')
            .then(|| tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    String::from_utf8_lossy(&out).into_owned()
}
