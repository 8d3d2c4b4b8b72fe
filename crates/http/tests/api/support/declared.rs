//! The errors that the operations declare. Every error that a test meets must be one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::Value;
use trailkeeper_http::merged_json;

/// An operation, and the codes of its errors by their status, as its text lists them.
struct Operation {
    id: String,
    method: String,
    path: String,
    errors: BTreeMap<u16, BTreeSet<String>>,
}

static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    let document: Value = serde_json::from_str(&merged_json()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase(),
                path: path.clone(),
                errors: listed_errors(operation["description"].as_str().unwrap()),
            });
        }
    }
    // `/v1/accounts/me` before `/v1/accounts/{account_id}`.
    operations.sort_by_key(|operation| operation.path.matches('{').count());
    operations
});

/// The errors in the last paragraph of an operation's description: "Errors: 400 `a`, `b`; 401 `c`."
pub fn listed_errors(description: &str) -> BTreeMap<u16, BTreeSet<String>> {
    let Some((_, list)) = description.rsplit_once("Errors: ") else { return BTreeMap::new() };
    let errors = list.trim_end_matches('.').split("; ").map(|error| {
        let (status, codes) = error.split_once(' ').unwrap_or((error, ""));
        let codes = codes.split(", ").filter(|code| !code.is_empty());
        (status.parse().unwrap(), codes.map(|code| code.trim_matches('`').to_owned()).collect())
    });
    errors.collect()
}

/// Asserts that an error is declared by its operation, with its code if it has one.
pub fn assert_declared(method: &str, path: &str, status: u16, body: &[u8]) {
    let path = path.split('?').next().unwrap_or_default();
    let matches = |pattern: &str| {
        let fits = |(pattern, part): (&str, &str)| pattern == part || (pattern.starts_with('{') && !part.is_empty());
        pattern.split('/').count() == path.split('/').count() && pattern.split('/').zip(path.split('/')).all(fits)
    };
    let asked = if method == "HEAD" { "GET" } else { method };
    let operation = OPERATIONS.iter().find(|operation| operation.method == asked && matches(&operation.path));
    let Some(operation) = operation.filter(|_| status >= 400) else { return };
    let code = serde_json::from_slice::<Value>(body).ok().and_then(|error| {
        let code = error.get("code").or_else(|| error.get("type"));
        code.and_then(Value::as_str).map(ToOwned::to_owned)
    });
    let codes = operation.errors.get(&status);
    let listed = codes.is_some_and(|codes| code.as_ref().is_none_or(|code| codes.contains(code)));
    assert!(
        listed,
        "{} answers {status} {}, and declares {:?}",
        operation.id,
        code.unwrap_or_default(),
        operation.errors
    );
}
