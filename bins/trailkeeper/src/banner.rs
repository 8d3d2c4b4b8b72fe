//! The text that a started server prints: its address, its administrator, and three commands to try it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use serde_json::json;

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
        let [token, event, question] = self.first_steps(&url);
        format!(
            "\nTrailkeeper listens on {url}\n  documentation  {url}/docs/\n  database       {}\n{}\nGet a token, send a first event and ask a first question{}:\n\n{token}\n\n{event}\n\n{question}\n\n",
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
        // The certificate of the server is for its public name, and these commands use an address of this machine.
        let curl = if self.scheme == "https" { "curl -sSk" } else { "curl -sS" };
        let (source, field) = match &self.administrator {
            Administrator::Generated { email, password } => {
                let body = json!({"email": email, "password": password}).to_string();
                let login =
                    format!("{curl} {url}/v1/sessions -H 'Content-Type: application/json' -d {}", quoted(&body));
                (login, "access_token")
            }
            Administrator::Chosen { .. } | Administrator::Existing => {
                let create =
                    ["token", "create", "--role", "admin", "--name", "curl", "--expires-in-days", "1", "--json"];
                (self.command(&create), "token")
            }
        };
        let event = json!({"type": "page_load", "user_id": "jane", "page": "/welcome"}).to_string();
        let bearer = "-H \"Authorization: Bearer $TOKEN\"";
        [
            format!(r#"TOKEN=$({source} | sed -n 's/.*"{field}":"\([^"]*\)".*/\1/p')"#),
            format!("{curl} {url}/v1/events {bearer} -H 'Content-Type: application/json' -d {}; echo", quoted(&event)),
            format!("{curl} '{url}/v1/analytics/page-statistics?limit=3' {bearer}; echo"),
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
        let login = r#"TOKEN=$(curl -sS http://127.0.0.1:8080/v1/sessions -H 'Content-Type: application/json' -d '{"email":"a@example.com","password":"s3cret"}' | sed"#;
        assert!(text.contains(login), "{text}");
    }

    #[test]
    fn the_first_question_is_one_of_the_native_api_and_has_no_dates() {
        let text = banner(Administrator::Existing).text("127.0.0.1:8080".parse().unwrap());
        let question = r#"curl -sS 'http://127.0.0.1:8080/v1/analytics/page-statistics?limit=3' -H "Authorization: Bearer $TOKEN""#;
        assert!(text.contains(question), "{text}");
        assert!(!text.contains("/api/UserAccount") && !text.contains("/v1/analysis"), "{text}");
    }

    #[test]
    fn the_commands_accept_the_certificate_of_another_name() {
        let generated = || Administrator::Generated { email: "a@example.com".to_owned(), password: "x".to_owned() };
        let secure = Banner { scheme: "https", ..banner(generated()) }.text("127.0.0.1:8443".parse().unwrap());
        assert_eq!(secure.matches("curl -sSk ").count(), 3, "{secure}");
        let plain = banner(generated()).text("127.0.0.1:8080".parse().unwrap());
        assert_eq!((plain.matches("curl -sS ").count(), plain.matches("-sSk").count()), (3, 0), "{plain}");
    }

    #[test]
    fn without_a_generated_password_a_token_is_created_on_the_same_database() {
        let text = banner(Administrator::Existing).text("[::]:80".parse().unwrap());
        assert!(text.contains("http://[::1]:80/docs/"), "{text}");
        let command = r"TOKEN=$(/usr/bin/trailkeeper token create --role admin --name curl --expires-in-days 1 --json --data-dir '/srv/it'\''s data' | sed";
        assert!(text.contains(command) && text.contains("first question:"), "{text}");
        let elsewhere = Banner { needs_database_url: true, ..banner(Administrator::Existing) };
        assert!(elsewhere.text("[::]:80".parse().unwrap()).contains("TRAILKEEPER_DATABASE_URL in the environment"));
    }
}
