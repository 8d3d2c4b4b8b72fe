//! Messages of the OpenSSH server.

use trailkeeper_domain::text::shown;

/// The method of a failure that PAM reported.
pub const PAM: &str = "pam";

/// Reasons of PAM that are failed attempts.
const PAM_FAILURES: [&str; 3] =
    ["Authentication failure", "User not known to the underlying authentication module", "User account has expired"];

/// A login, a failed attempt or a logout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Which of them.
    pub what: What,
    /// The user's name; `None` if the client sent an empty one.
    pub user: Option<String>,
    /// Whether the machine has no such user, or lets them not log in.
    pub is_invalid_user: bool,
    /// The method, such as `password` or `publickey`; empty for a logout.
    pub method: String,
    /// The client's address or host name.
    pub source: String,
    /// The client's port, if the message has it.
    pub port: Option<u16>,
    /// The key by which the client identified itself.
    pub key: Option<String>,
}

/// The kind of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A user logged in.
    Success,
    /// An attempt to log in failed.
    Failure,
    /// A user logged out.
    Logout,
}

/// The action of a message; `None` if the message is about something else.
///
/// A client can choose the name that it fails with, and the name of its certificate. Of the texts that look like the
/// client's address, only the one that the server wrote may count; a message that can be read in two ways is an error.
pub fn read_message(message: &str) -> Result<Option<Action>, String> {
    if let Some(rest) = message.strip_prefix("Accepted ") {
        return accepted(rest).map(Some).ok_or_else(|| unclear(message));
    }
    if let Some(rest) = message.strip_prefix("Failed ") {
        // The client asks for the methods that the server allows.
        if rest.starts_with("none for ") {
            return Ok(None);
        }
        return failed(rest).map(Some).ok_or_else(|| unclear(message));
    }
    if let Some(rest) = message.strip_prefix("error: PAM: ") {
        return Ok(by_pam(rest));
    }
    match message.strip_prefix("Disconnected from user ") {
        Some(rest) => logout(rest).map(Some).ok_or_else(|| unclear(message)),
        None => Ok(None),
    }
}

fn unclear(message: &str) -> String {
    format!("message: '{}' is cut, or can be read in more than one way", shown(message))
}

/// ` from 203.0.113.7 port 58758 ssh2`, and what follows.
struct Origin<'a> {
    before: &'a str,
    source: &'a str,
    port: u16,
    /// `None` at the end of the message, else the text after `: `.
    key: Option<&'a str>,
}

/// All places of a message that look like an origin, in their order.
fn origins(message: &str) -> impl Iterator<Item = Origin<'_>> {
    message.match_indices(" from ").filter_map(|(at, from)| {
        let (before, rest) = message.split_at_checked(at)?;
        let rest = rest.strip_prefix(from)?;
        let (source, rest) = rest.split_once(" port ")?;
        let (port, rest) = rest.split_once(' ')?;
        let rest = rest.strip_prefix("ssh")?.trim_start_matches(['1', '2']);
        let key = match rest {
            "" => None,
            rest => Some(rest.strip_prefix(": ")?),
        };
        let is_one_word = !source.is_empty() && !source.contains(' ');
        Some(Origin { before, source, port: port.parse().ok()?, key }).filter(|_| is_one_word)
    })
}

fn accepted(rest: &str) -> Option<Action> {
    let (method, rest) = rest.split_once(" for ")?;
    // Only the name of a user of this machine is before the first origin.
    let origin = origins(rest).next()?;
    Some(action(What::Success, method, &origin))
}

fn failed(rest: &str) -> Option<Action> {
    let (method, rest) = rest.split_once(" for ")?;
    let mut found = origins(rest);
    let origin = if method.starts_with("publickey") || method.starts_with("hostbased") {
        // The name of the user and the name of the key are the client's.
        let only = found.next()?;
        found.next().is_none().then_some(only)?
    } else {
        found.last().filter(|origin| origin.key.is_none())?
    };
    Some(action(What::Failure, method, &origin))
}

fn action(what: What, method: &str, origin: &Origin<'_>) -> Action {
    let (user, is_invalid_user) = name(origin.before, "invalid user ");
    Action {
        what,
        user,
        is_invalid_user,
        method: method.to_owned(),
        source: origin.source.to_owned(),
        port: Some(origin.port),
        key: origin.key.map(str::to_owned),
    }
}

fn name(text: &str, invalid: &str) -> (Option<String>, bool) {
    // Of an empty name, the blank behind the prefix is the one in front of `from`.
    let (text, is_invalid) = match text.strip_prefix(invalid) {
        Some(name) => (name, true),
        None => (text, text == invalid.trim_end()),
    };
    (Some(text.to_owned()).filter(|name| !name.is_empty() && *name != invalid.trim_end()), is_invalid)
}

fn by_pam(rest: &str) -> Option<Action> {
    let (reason, rest) = rest.split_once(" for ")?;
    let (user, source) = rest.rsplit_once(" from ")?;
    if !PAM_FAILURES.contains(&reason) || source.is_empty() || source.contains(' ') {
        return None;
    }
    let (user, is_invalid_user) = name(user, "illegal user ");
    let (method, source) = (PAM.to_owned(), source.to_owned());
    Some(Action { what: What::Failure, user, is_invalid_user, method, source, port: None, key: None })
}

/// `jane 203.0.113.7 port 58758`.
fn logout(rest: &str) -> Option<Action> {
    let (rest, port) = rest.rsplit_once(" port ")?;
    let (user, source) = rest.rsplit_once(' ').filter(|(_, source)| !source.is_empty())?;
    Some(Action {
        what: What::Logout,
        user: Some(user.to_owned()).filter(|user| !user.is_empty()),
        is_invalid_user: false,
        method: String::new(),
        source: source.to_owned(),
        port: Some(port.parse().ok()?),
        key: None,
    })
}
