//! Names that were replaced by the field's terms, and must not come back as identifiers of Rust code.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, helpers included")]

use std::fs;
use std::path::{Path, PathBuf};

/// Replaced names of types, functions, modules and variables.
const REPLACED: &[&str] = &[
    "Door",
    "hygiene",
    "Guarded",
    "Canned",
    "Turns",
    "hashing_place",
    "analytic_place",
    "Refusal",
    "Answer",
    "Shape",
    "Fault",
    "Need",
    "Who",
    "Guess",
    "Deed",
    "deeds",
    "Act",
    "tell",
    "Held",
    "Remembered",
    "Receipt",
    "judge",
    "judge_events",
    "judged",
    "Judged",
    "JudgedBatch",
    "Whose",
    "Course",
    "Undone",
    "Lacking",
    "confined",
    "unconfined",
    "Lineage",
    "lineage",
    "told_by",
    "RecordedView",
    "ViewsView",
];

/// Modules whose name was replaced; the words are names of other things.
const REPLACED_MODULES: &[&str] = &["trail", "reads", "ring", "check"];

/// Identifiers that look replaced and are not, each with its reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("crates/testkit/", "Fault", "a fault that a test injects into a store: the field's word"),
    ("crates/analytics/tests/", "Fault", "the same, where it is used"),
    ("crates/analytics/src/engine/postings/tests.rs", "Fault", "the same, where it is used"),
    ("crates/auth/tests/", "Fault", "the same, where it is used"),
    ("crates/http/tests/", "Fault", "the same, where it is used"),
    ("crates/storage/tests/", "Fault", "the same, where it is used"),
    ("crates/http/tests/api/audit/", "reads", "the tests of audit events of reads"),
];

#[test]
fn no_code_uses_a_replaced_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for folder in ["crates", "bins", "examples", "fuzz"] {
        collect(&root.join(folder), &mut files);
    }
    assert!(files.len() > 300, "only {} files were found", files.len());
    let this = Path::new(file!()).file_name();
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.file_name() != this) {
        let code = code_of(&fs::read_to_string(file).unwrap());
        let path = file.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        let excepted = |name: &str| EXCEPTIONS.iter().any(|(place, of, _)| path.starts_with(place) && *of == name);
        let words: Vec<&str> =
            code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
        for name in REPLACED.iter().filter(|name| words.contains(name) && !excepted(name)) {
            found.push(format!("{path}: {name}"));
        }
        for pair in words.windows(2).filter(|pair| pair[0] == "mod") {
            if REPLACED_MODULES.contains(&pair[1]) && !excepted(pair[1]) {
                found.push(format!("{path}: mod {}", pair[1]));
            }
        }
    }
    assert!(found.is_empty(), "use the terms of docs/glossary.md instead:\n{}", found.join("\n"));
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The text without comments, and without the contents of strings: prose may use any word.
fn code_of(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['"', '/', '\'', 'r']) {
        code.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(hashes) = raw_string(rest, &code) {
            let end = format!("\"{}", "#".repeat(hashes));
            let start = hashes + 2;
            rest[start..].find(&end).map_or(rest.len(), |found| start + found + end.len())
        } else if rest.starts_with('"') {
            string_end(rest)
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\\"'") {
            rest[1..].find('\'').map_or(rest.len(), |end| end + 2)
        } else {
            code.push_str(&rest[..1]);
            rest = &rest[1..];
            continue;
        };
        code.push(' ');
        rest = &rest[taken..];
    }
    code + rest
}

/// The number of `#` of a raw string that begins here; `None` where none does.
fn raw_string(rest: &str, before: &str) -> Option<usize> {
    let after = rest.strip_prefix('r')?;
    if before.chars().next_back().is_some_and(|c| c.is_alphanumeric() && c != 'b' || c == '_') {
        return None;
    }
    let hashes = after.chars().take_while(|c| *c == '#').count();
    after[hashes..].starts_with('"').then_some(hashes)
}

fn string_end(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[test]
fn prose_is_no_code() {
    let text = "let Who = 1; // Deed\n/* Act */ \"Held \\\" Need\" r#\"Guess \" Whose\"# 'x' b\"Door\" forr";
    assert_eq!(code_of(text).split_whitespace().collect::<Vec<_>>().join(" "), "let Who = 1; 'x' b forr");
}
