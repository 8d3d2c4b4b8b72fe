//! The examples of the three published documents: the server accepts the requests, and the answers have the required
//! fields of their schema.

use serde_json::{Value, json};
use trailkeeper_http::{Contract, openapi_json};

use crate::support::{TestApp, escaped};

fn documents() -> Vec<(Contract, Value)> {
    [Contract::Saasus, Contract::Octopai, Contract::Cripsa]
        .map(|contract| (contract, serde_json::from_str(&openapi_json(contract)).unwrap()))
        .to_vec()
}

fn query_value(example: &Value) -> String {
    match example {
        Value::String(text) => escaped(text),
        Value::Array(items) => items.iter().map(query_value).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// The operation's path with the examples of its parameters.
fn example_path(base: &str, path: &str, operation: &Value) -> String {
    let mut path = format!("{base}{path}");
    let mut query = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        let is_in_path = parameter["in"] == "path";
        let Some(example) = parameter.get(if is_in_path { "example" } else { "x-example" }) else { continue };
        let value = query_value(example);
        if is_in_path {
            path = path.replace(&format!("{{{name}}}"), &value);
        } else {
            query.push(format!("{name}={value}"));
        }
    }
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

#[test]
fn every_example_is_accepted() {
    let app = TestApp::new();
    let admin = app.admin();
    let jane = json!({"email": "jane@example.com", "user_pool_id": "eu-west-1_aBcD12345"});
    assert_eq!(admin.put("/v1/users/u1", &jane).status, 201);
    let mut taken = 0;
    for (contract, document) in documents() {
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let path = example_path(contract.base(), path, operation);
                let body = &operation["requestBody"]["content"]["application/json"]["example"];
                let call = admin.call(&method.to_uppercase(), &path);
                let answer = if body.is_null() { call.send() } else { call.json(body).send() };
                // The tokens and passwords of the examples do not exist.
                let expected = if operation["security"] == json!([]) { 401 } else { 200 };
                assert_eq!(answer.status, expected, "{method} {path}: {}", answer.text());
                taken += 1;
            }
        }
    }
    assert_eq!(taken, 14);
}

#[test]
fn every_operation_is_described_in_full() {
    for (_, document) in documents() {
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                for field in ["summary", "description"] {
                    assert!(operation[field].as_str().is_some_and(|text| text.len() > 5), "{method} {path}: {field}");
                }
                for parameter in operation["parameters"].as_array().into_iter().flatten() {
                    assert!(parameter["description"].is_string(), "{method} {path}: {parameter}");
                }
                for (status, response) in operation["responses"].as_object().unwrap() {
                    let Some(content) = response.get("content") else { continue };
                    assert!(content["application/json"]["schema"].is_object(), "{method} {path} {status}");
                    assert!(status != "200" || content["application/json"].get("example").is_some(), "{method} {path}");
                }
                let body = &operation["requestBody"];
                assert!(
                    body.is_null() || body["content"]["application/json"].get("example").is_some(),
                    "{method} {path}"
                );
            }
        }
    }
}

#[test]
fn inlined_fields_have_their_declared_type() {
    for (_, document) in documents() {
        assert!(!document.to_string().contains("\"allOf\""), "{}", document["info"]["title"]);
    }
}
