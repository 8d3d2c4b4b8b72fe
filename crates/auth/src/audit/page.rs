//! Pages in the conditions of a read, without the parts that may hold a secret.

/// The page without its query, its fragment and the userinfo part of its address (`https://user:password@host/`).
///
/// Addresses that are no valid URL are read generously, because people forget to escape passwords: if the part before
/// the path has a colon and no port after it, everything up to the last `@` counts as userinfo.
pub(super) fn without_secrets(page: &str) -> String {
    let (front, rest) = page.split_at(authority_start(page));
    let rest = rest.get(userinfo_end(front, rest)..).unwrap_or_default();
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    // A query that begins before the authority does, as in `?next=https://…`, ends the page.
    match front.find(['?', '#']) {
        Some(end) => front.get(..end).unwrap_or_default().to_owned(),
        None => format!("{front}{path}"),
    }
}

/// The offset of the host or the userinfo: behind `https://` or `//`, otherwise 0. Browsers take any number of slashes,
/// and backslashes too.
fn authority_start(page: &str) -> usize {
    let is_slash = |c: char| c == '/' || c == '\\';
    let scheme = page.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(page.len());
    let behind_scheme =
        page.get(scheme..).and_then(|rest| rest.strip_prefix(':')).filter(|rest| rest.starts_with(is_slash));
    let rest = match behind_scheme {
        Some(rest) => rest,
        None if page.starts_with("//") => page,
        None => return 0,
    };
    page.len() - rest.trim_start_matches(is_slash).len()
}

/// The length of the userinfo at the beginning of `rest`, with its `@`; 0 if there is none.
fn userinfo_end(front: &str, rest: &str) -> usize {
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let behind_at = |text: &str| text.rfind('@').map(|at| at + 1);
    if front.is_empty() {
        // A path or the name of a view may contain an `@`; with a colon before it, it is more likely a password.
        return behind_at(authority)
            .filter(|end| authority.get(..*end).is_some_and(|user| user.contains(':')))
            .unwrap_or(0);
    }
    let host_and_port = authority.rsplit_once(']').map_or(authority, |(_, port)| port);
    let has_wrong_port =
        host_and_port.split_once(':').is_some_and(|(_, port)| !port.bytes().all(|byte| byte.is_ascii_digit()));
    match behind_at(authority) {
        Some(end) => end,
        None if has_wrong_port => behind_at(rest).unwrap_or(authority.len()),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_without_secrets_keeps_its_address_and_its_path() {
        for page in [
            "/a",
            "",
            "/",
            "orders:detail",
            "users@team",
            "/@jane/a:b@c",
            "https://app.example/@jane",
            "https://app.example:8443/a:b",
            "https://[2001:db8::1]:8443/a",
            "https://[2001:db8::1]/a",
            "https://app.example",
            "//app.example/a",
        ] {
            assert_eq!(without_secrets(page), page);
        }
    }

    #[test]
    fn query_and_fragment_are_dropped() {
        for page in ["/a?token=x#y", "/a#x?y", "/a?next=https://app.example/b"] {
            assert_eq!(without_secrets(page), "/a", "{page}");
        }
        assert_eq!(without_secrets("?next=https://app.example/b"), "");
    }

    #[test]
    fn the_userinfo_part_is_dropped() {
        for page in [
            "https://jane:hunter2@app.example/a?b=c",
            "https://hunter2@app.example/a",
            "https://jane:hunter@2@app.example/a",
            "https://jane:hun/ter2@app.example/a",
            "https://jane:hun?ter2@app.example/a",
            "https://jane:hun#ter2@app.example/a",
            "https:///jane:hunter2@app.example/a",
            "https:\\\\jane:hunter2@app.example/a",
        ] {
            let kept = without_secrets(page);
            assert!(
                kept.ends_with("app.example/a") && !kept.contains("hun") && !kept.contains("ter2"),
                "{page}: {kept}"
            );
        }
        assert_eq!(without_secrets("https://jane:hunter2@app.example:8443/a"), "https://app.example:8443/a");
        assert_eq!(without_secrets("//jane:hunter2@app.example/a"), "//app.example/a");
        assert_eq!(without_secrets("jane:hunter2@app.example/a"), "app.example/a");
        assert_eq!(without_secrets("https://jane:hunter2"), "https://");
    }
}
