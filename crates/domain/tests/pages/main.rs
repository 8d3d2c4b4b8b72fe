//! The keys of pages: the examples of the promise, and properties against another reader of URLs.

use std::fmt::Write as _;

use proptest::prelude::*;
use trailkeeper_domain::page::{MAX_PAGE, PageHash, PageQueries, PageRule, TrailingSlash};
use url::Url;

fn key(sent: &str) -> String {
    PageRule::default().key(sent).into_owned()
}

const KEEPING: PageRule = PageRule {
    version: 1,
    queries: PageQueries::Kept,
    trailing_slash: TrailingSlash::Kept,
    hash: PageHash::RoutesKept,
};
const SHORT: PageRule = PageRule {
    version: 1,
    queries: PageQueries::Dropped,
    trailing_slash: TrailingSlash::Dropped,
    hash: PageHash::RoutesKept,
};

#[test]
fn pages_that_rfc_3986_calls_equal_have_one_key() {
    for (expected, same) in [
        ("/café", &["/caf%C3%A9", "/caf%c3%a9", "/café", "/c%61f%C3%a9?x=1#top"][..]),
        ("/foo", &["/%66oo", "/foo", "/%66%6F%6f", "/./foo", "/x/../foo"]),
        ("/a%2Fb", &["/a%2fb", "/a%2Fb"]),
        ("https://app.example/a", &["https://App.Example:443/a", "HTTPS://app.example/a", "https://app.example:/a"]),
        ("https://app.example/", &["https://app.example", "https://APP.example:0443", "https://app.example?x=1"]),
        ("http://app.example:443/a", &["http://app.example:443/a", "http://app.example:00443/a"]),
        ("https://User:P%40@app.example/", &["https://User:P%40@APP.example"]),
        ("http://[2001:db8::1]/a", &["http://[2001:DB8::1]:80/a"]),
        ("http://bücher.example/", &["http://b%C3%BCcher.example", "http://BÜCHER.example:80/"]),
        ("/b", &["/a/../b", "/a/%2e%2E/b", "/../b", "/./a/.././b"]),
        ("/a/", &["/a/", "/a/.", "/a/b/.."]),
        ("/", &["/", "?q=1", "#top", "#/route", "/a/.."]),
        ("/a%20b", &["/a b", "/a%20b"]),
        ("/%zz", &["/%zz"]),
        ("/%FF%", &["/%ff%"]),
        ("//Double//Slash", &["//Double//Slash"]),
        ("Dashboard:Main/../x", &["Dashboard:Main/../x"]),
        ("/users/{id}", &["/users/{id}"]),
    ] {
        for sent in same {
            assert_eq!(key(sent), expected, "{sent}");
        }
    }
    for [a, b] in [
        ["/a", "/A"],
        ["/a", "/a/"],
        ["/a/b", "/a%2Fb"],
        ["/a?", "/a%3F"],
        ["http://x/", "https://x/"],
        ["https://x/", "https://x:444/"],
        ["/a", "https://x/a"],
        ["/%2541", "/A"],
    ] {
        assert_ne!(key(a).trim_end_matches('?'), key(b), "{a} {b}");
    }
}

/// Written by `scripts/page-vectors`.
#[test]
fn keys_are_those_of_an_independent_implementation() {
    let vectors: Vec<(String, String)> =
        include_str!("vectors.ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(vectors.len() > 500);
    let wrong: Vec<_> = vectors
        .iter()
        .map(|(sent, expected)| (sent, expected, key(sent)))
        .filter(|(_, want, got)| *want != got)
        .collect();
    assert!(wrong.is_empty(), "{} differ: {wrong:#?}", wrong.len());
}

#[test]
fn settings_keep_queries_slashes_and_routes() {
    for (sent, keeping, short) in [
        ("/a/?x=%66#top", "/a/?x=f", "/a"),
        ("/a?x=a b&y=%2f", "/a?x=a%20b&y=%2F", "/a"),
        ("/app/#/users/", "/app/#/users/", "/app#/users"),
        ("/app#!/users?page=2#x", "/app#!/users?page=2", "/app#!/users"),
        ("https://X.example#/", "https://x.example/#/", "https://x.example/#/"),
        ("#/caf%c3%a9", "/#/café", "/#/café"),
        ("/a//", "/a//", "/a"),
        ("//", "//", "/"),
        ("a/", "a/", "a"),
        ("?q=1", "/?q=1", "/"),
    ] {
        assert_eq!(KEEPING.key(sent), keeping, "{sent}");
        assert_eq!(SHORT.key(sent), short, "{sent}");
    }
}

#[test]
fn version_0_compares_characters() {
    let old = |queries| PageRule { version: 0, queries, ..PageRule::default() };
    for (sent, dropped, kept) in [
        ("/users?action=delete_user", "/users", "/users?action=delete_user"),
        ("https://App.example:443/%66#top", "https://App.example:443/%66", "https://App.example:443/%66"),
        ("/a#x?y", "/a", "/a"),
        ("?q=1", "/", "?q=1"),
        ("#/top", "/", "/"),
        ("/", "/", "/"),
    ] {
        assert_eq!(old(PageQueries::Dropped).key(sent), dropped);
        assert_eq!(old(PageQueries::Kept).key(sent), kept);
    }
}

#[test]
fn a_key_is_no_longer_than_a_page() {
    let spaces = format!("/{}", " ".repeat(MAX_PAGE - 1));
    assert_eq!(key(&spaces), spaces);
    assert_eq!(KEEPING.key(&format!("/a#/{}", "é ".repeat(MAX_PAGE / 2))), "/a");
    let host = format!("http://{}", "x".repeat(MAX_PAGE - 7));
    assert_eq!(key(&host), host);
}

/// Pages made of the pieces that matter, so that they meet.
fn pages() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("/".to_owned()),
        Just("..".to_owned()),
        Just(".".to_owned()),
        Just("%".to_owned()),
        Just("%2".to_owned()),
        Just("?".to_owned()),
        Just("#".to_owned()),
        Just("#/".to_owned()),
        Just("#!/".to_owned()),
        Just(":".to_owned()),
        Just("://".to_owned()),
        Just("@".to_owned()),
        Just("http".to_owned()),
        Just("HTTPS".to_owned()),
        Just("[::1]".to_owned()),
        Just(":443".to_owned()),
        Just(":080".to_owned()),
        Just(" ".to_owned()),
        "[a-gA-G0-9]",
        "%[0-9a-fA-F]{2}",
        "%[c-eC-E][0-9a-fA-F]%[89abAB][0-9a-fA-F]",
        "\\PC",
    ];
    prop::collection::vec(piece, 1..16).prop_map(|pieces| pieces.concat())
}

fn rules() -> impl Strategy<Value = PageRule> {
    let values = (0..2_u16, any::<bool>(), any::<bool>(), any::<bool>());
    values.prop_map(|(version, queries, slash, hash)| PageRule {
        version,
        queries: if queries { PageQueries::Kept } else { PageQueries::Dropped },
        trailing_slash: if slash { TrailingSlash::Kept } else { TrailingSlash::Dropped },
        hash: if hash { PageHash::RoutesKept } else { PageHash::Dropped },
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_key_is_its_own_key(sent in pages(), rule in rules()) {
        let once = rule.key(&sent).into_owned();
        prop_assert!(!once.is_empty());
        prop_assert_eq!(rule.key(&once), once.clone(), "{:?} {}", sent, rule);
    }

    /// Escaping a letter, or writing the digits of an escape in the other case, makes no other page.
    #[test]
    fn the_form_of_an_escape_does_not_matter(sent in "/[a-zé€/]{0,8}(\\?[a-z=]{0,4})?", rule in rules(), lower in any::<bool>()) {
        let rule = PageRule { version: 1, ..rule };
        let mut escaped = String::new();
        for c in sent.chars() {
            match c {
                '/' | '?' | '=' => escaped.push(c),
                c => c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| {
                    if lower { write!(escaped, "%{byte:02x}") } else { write!(escaped, "%{byte:02X}") }.unwrap();
                }),
            }
        }
        prop_assert_eq!(rule.key(&escaped), rule.key(&sent));
    }

    /// The other reader normalises too, in its own form: that never makes another page of a URL, and where the URL has
    /// only characters that both write in the same way, both give the same text.
    #[test]
    fn another_reader_agrees(
        scheme in "(http|https|HTTP|Https|wss)",
        host in "[a-zA-Z][a-zA-Z0-9]{0,5}(\\.[a-zA-Z]{2,4})?",
        port in "(:|:80|:443|:8080|:0443)?",
        path in "(/(\\.\\.|\\.|[a-zA-Z0-9~_.-]{1,4}|%2F|%3A|é|%C3%A9|)){0,5}",
        rest in "(\\?[a-z=&]{0,4})?(#[a-z/]{0,4})?",
    ) {
        let sent = format!("{scheme}://{host}{port}{path}{rest}");
        let other = Url::parse(&sent).unwrap();
        for rule in [PageRule::default(), KEEPING, SHORT] {
            prop_assert_eq!(rule.key(other.as_str()), rule.key(&sent), "{}", sent);
        }
        if !sent.contains(['é', '%']) {
            let mut plain = other.clone();
            plain.set_query(None);
            plain.set_fragment(None);
            prop_assert_eq!(key(&sent), plain.as_str());
        }
    }
}
