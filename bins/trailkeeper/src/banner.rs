//! The text that a started server prints: its address, its administrator, and three commands to try it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use chrono::Duration;
use serde_json::json;
use trailkeeper_domain::time::{self, Timestamp};

/// The state of the administrator account.
pub enum Administrator {
    /// Created by this start with a generated password.
    Generated {
        /// E-mail.
        email: String,
        /// Password. It is printed here and nowhere else.
        password: String,
    },
    /// Created by this start with the password of the settings.
    Chosen {
        /// E-mail.
        email: String,
    },
    /// Created earlier.
    Existing,
}

/// The contents of the text.
pub struct Banner {
    /// Time of the start.
    pub now: Timestamp,
    /// Address of the database, without its password.
    pub database: String,
    /// The flags that make other commands use the same database.
    pub database_flags: Vec<String>,
    /// Whether other commands also need `TRAILKEEPER_DATABASE_URL` in their environment.
    pub needs_database_url: bool,
    /// State of the administrator account.
    pub administrator: Administrator,
    /// `http`, or `https` with a certificate.
    pub scheme: &'static str,
    /// Path of this program.
    pub program: PathBuf,
}

impl Banner {
    /// The text for a server that listens on `address`. Its commands work when pasted into a POSIX shell on this machine.
    pub fn text(&self, address: SocketAddr) -> String {
        let url = format!("{}://{}", self.scheme, reachable(address));
        let [token, event, answer] = self.first_steps(&url);
        format!(
            "\nTrailkeeper listens on {url}\n  documentation  {url}/docs\n  database       {}\n{}\nCreate a token, send a first event and ask a first question{}:\n\n{token}\n\n{event}\n\n{answer}\n\n",
            self.database,
            self.credentials(),
            if self.needs_environment() {
                " (with this server's TRAILKEEPER_DATABASE_URL in the environment)"
            } else {
                ""
            },
        )
    }

    /// The lines about the administrator, which must not be lost. One or two lines.
    pub fn credentials(&self) -> String {
        let administrator = match &self.administrator {
            Administrator::Generated { email, password } => {
                format!("{email}\n  password       {password}   (generated; shown only this once)")
            }
            Administrator::Chosen { email } => format!("{email}, with the password of TRAILKEEPER_ADMIN_PASSWORD"),
            Administrator::Existing => format!(
                "created earlier; `{} account list` lists the accounts, `… account set-password E-MAIL` sets a new password",
                self.command(&[])
            ),
        };
        format!("  administrator  {administrator}\n")
    }

    fn needs_environment(&self) -> bool {
        self.needs_database_url && !matches!(self.administrator, Administrator::Generated { .. })
    }

    fn first_steps(&self, url: &str) -> [String; 3] {
        let (source, field) = match &self.administrator {
            Administrator::Generated { email, password } => {
                let body = json!({"Username": email, "Password": password}).to_string();
                let login = format!(
                    "curl -sS {url}/api/UserAccount/Login -H 'Content-Type: application/json' -d {}",
                    quoted(&body)
                );
                (login, "accessToken")
            }
            Administrator::Chosen { .. } | Administrator::Existing => {
                let create =
                    ["token", "create", "--role", "admin", "--name", "curl", "--expires-in-days", "1", "--json"];
                (self.command(&create), "token")
            }
        };
        let end = time::midnight(time::next_day(self.now.date_naive()));
        let start = end - Duration::days(30);
        let event = json!({"type": "page_load", "user_id": "jane", "page": "/welcome"}).to_string();
        let bearer = "-H \"Authorization: Bearer $TOKEN\"";
        [
            format!(r#"TOKEN=$({source} | sed -n 's/.*"{field}":"\([^"]*\)".*/\1/p')"#),
            format!(
                "curl -sS {url}/v1/events {bearer} -H 'Content-Type: application/json' -d {}; echo",
                quoted(&event)
            ),
            format!(
                "curl -sS '{url}/v1/analysis/metrics/page-statistics?start_timestamp={}&end_timestamp={}' {bearer}; echo",
                start.timestamp(),
                end.timestamp() - 1
            ),
        ]
    }

    /// A shell command that runs this program on the same database.
    fn command(&self, arguments: &[&str]) -> String {
        let program = self.program.display().to_string();
        let words = std::iter::once(program.as_str())
            .chain(arguments.iter().copied())
            .chain(self.database_flags.iter().map(String::as_str));
        words.map(quoted).collect::<Vec<_>>().join(" ")
    }
}

/// The address at which a client on this machine reaches the server.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        other => other,
    };
    SocketAddr::new(ip, address.port())
}

/// A word, quoted for a POSIX shell.
fn quoted(word: &str) -> String {
    let plain = !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./:=@%+,".contains(&b));
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn banner(administrator: Administrator) -> Banner {
        Banner {
            now: time::parse_rfc3339("now", "2026-03-01T12:00:00Z").unwrap(),
            database: "sqlite:./data/trailkeeper.db".to_owned(),
            database_flags: vec!["--data-dir".to_owned(), "/srv/it's data".to_owned()],
            needs_database_url: false,
            administrator,
            scheme: "http",
            program: "/usr/bin/trailkeeper".into(),
        }
    }

    #[test]
    fn a_generated_password_is_shown_and_used() {
        let generated = Administrator::Generated { email: "a@example.com".to_owned(), password: "s3cret".to_owned() };
        let text = banner(generated).text("0.0.0.0:8080".parse().unwrap());
        assert!(text.contains("Trailkeeper listens on http://127.0.0.1:8080\n"), "{text}");
        assert!(text.contains("password       s3cret"), "{text}");
        assert!(text.contains(r#"-d '{"Password":"s3cret","Username":"a@example.com"}' | sed"#), "{text}");
        assert!(text.contains("start_timestamp=1769817600&end_timestamp=1772409599"), "{text}");
    }

    #[test]
    fn without_a_generated_password_a_token_is_created_on_the_same_database() {
        let text = banner(Administrator::Existing).text("[::]:80".parse().unwrap());
        assert!(text.contains("http://[::1]:80/docs"), "{text}");
        let command = r"TOKEN=$(/usr/bin/trailkeeper token create --role admin --name curl --expires-in-days 1 --json --data-dir '/srv/it'\''s data' | sed";
        assert!(text.contains(command) && text.contains("first question:"), "{text}");
        let elsewhere = Banner { needs_database_url: true, ..banner(Administrator::Existing) };
        assert!(elsewhere.text("[::]:80".parse().unwrap()).contains("TRAILKEEPER_DATABASE_URL in the environment"));
    }
}
