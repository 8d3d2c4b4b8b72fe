//! The OpenAPI documents and the pages about them.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use trailkeeper_http::{Contract, merged_json, openapi_json};

use crate::support::TestApp;

fn native() -> Value {
    serde_json::from_str(&openapi_json(Contract::Native)).unwrap()
}

/// Every operation of a document: method, path, operation.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            all.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    all
}

/// Every `$ref` inside.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(target) = fields.get("$ref").and_then(Value::as_str) {
                found.insert(target.to_owned());
            }
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn documents_are_committed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi");
    for (contract, file) in [
        (Contract::Saasus, "saasus-analysis.json"),
        (Contract::Octopai, "octopai.json"),
        (Contract::Cripsa, "cripsa.json"),
        (Contract::Native, "trailkeeper.json"),
    ] {
        let committed = std::fs::read_to_string(folder.join(file)).unwrap_or_default();
        assert!(committed == openapi_json(contract), "openapi/{file} differs from the code; run 'make openapi'");
    }
}

#[test]
fn served_documents_equal_the_committed_ones() {
    let app = TestApp::new();
    for contract in Contract::ALL {
        let answer = app.anon().get(&format!("/openapi/{}.json", contract.as_str()));
        assert_eq!((answer.status, answer.text()), (200, openapi_json(contract)));
    }
    assert_eq!(app.anon().get("/openapi.json").text(), merged_json());
    app.anon().get("/openapi/other.json").problem(404, "unknown_path", None);
}

#[test]
fn every_reference_has_its_target() {
    let mut documents: Vec<Value> =
        Contract::ALL.iter().map(|contract| serde_json::from_str(&openapi_json(*contract)).unwrap()).collect();
    documents.push(serde_json::from_str(&merged_json()).unwrap());
    for document in documents {
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        assert!(!found.is_empty());
        for target in found {
            let pointer = target.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{target} in {}", document["info"]["title"]);
        }
    }
}

#[test]
fn one_document_holds_every_operation_under_its_full_path() {
    let merged: Value = serde_json::from_str(&merged_json()).unwrap();
    let mut count = 0;
    for contract in Contract::ALL {
        let document: Value = serde_json::from_str(&openapi_json(contract)).unwrap();
        for (method, path, operation) in operations(&document) {
            count += 1;
            let item = &merged["paths"][format!("{}{path}", contract.base())][method.to_lowercase()];
            let id = format!("{}{}", contract.prefix(), operation["operationId"].as_str().unwrap());
            assert_eq!(item["operationId"], id, "{method} {path}");
        }
    }
    assert_eq!(operations(&merged).len(), count);
    assert!(count >= 18 + 14, "{count}");
}

#[test]
fn every_native_operation_is_described_in_full() {
    let document = native();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(document["info"]["license"]["identifier"], "Apache-2.0");
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let named = format!("{method} {path}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{named}");
        for field in ["summary", "description"] {
            assert!(operation[field].as_str().is_some_and(|text| text.len() > 10), "{named}: {field}");
        }
        assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{named}");
        assert!(operation["security"].is_array(), "{named}");
        let responses = operation["responses"].as_object().unwrap();
        if path.starts_with("/v1/") {
            for status in ["400", "401", "429", "500", "503"] {
                assert!(responses.contains_key(status), "{named}: {status}");
            }
            // A public operation never answers 403.
            let public = operation["security"] == json!([]);
            assert_eq!(responses.contains_key("403"), !public, "{named}: 403");
            assert_eq!(responses.contains_key("413"), operation.get("requestBody").is_some(), "{named}");
        }
        for (status, response) in responses {
            // OTLP prescribes its own errors.
            let error = if path.starts_with("/v1/otlp/") && status != "200" {
                "application/json"
            } else {
                "application/problem+json"
            };
            let problem = response["content"].get(error).is_some();
            assert_eq!(problem, status.starts_with(['4', '5']), "{named}: {status}");
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].as_str().is_some_and(|text| !text.is_empty()), "{named}: {parameter}");
            assert_eq!(parameter["required"], parameter["in"] == "path", "{named}: {parameter}");
        }
    }
}

#[test]
fn records_have_examples_with_every_field() {
    let document = native();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut examples = 0;
    for (name, schema) in schemas {
        let (Some(example), Some(properties)) = (schema.get("example"), schema.get("properties")) else { continue };
        examples += 1;
        let shown: BTreeSet<&String> = example.as_object().unwrap().keys().collect();
        let declared: BTreeSet<&String> = properties.as_object().unwrap().keys().collect();
        assert_eq!(shown, declared, "{name}");
    }
    assert!(examples >= 12, "{examples}");
}

#[test]
fn swagger_ui_loads_nothing_from_other_servers() {
    let app = TestApp::new();
    let page = app.anon().get("/docs/");
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), Some("text/html"));
    assert!(!page.text().contains("http://") && !page.text().contains("https://"), "{}", page.text());
    for asset in ["swagger-ui-bundle.js", "swagger-ui.css", "swagger-initializer.js"] {
        assert_eq!(app.anon().get(&format!("/docs/{asset}")).status, 200, "{asset}");
    }
    let start = app.anon().get("/docs/swagger-initializer.js").text();
    for contract in Contract::ALL {
        assert!(start.contains(&format!("/openapi/{}.json", contract.as_str())), "{start}");
    }
}

#[test]
fn the_root_and_docs_lead_to_swagger_ui() {
    let app = TestApp::new();
    for path in ["/", "/docs"] {
        for method in ["GET", "HEAD"] {
            let redirect = app.anon().call(method, path).send();
            assert_eq!((redirect.status, redirect.header("location")), (307, Some("/docs/")), "{method} {path}");
        }
    }
    let refused = app.anon().post("/", &json!({}));
    assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD")));
}

/// A browser with Swagger UI 5.32 fills a field with the first of these that exists, and sends it: `example`, the `example`
/// of the schema, and the defaults of both. It only shows an `x-example`.
#[test]
fn swagger_ui_fills_in_no_query_parameter() {
    let (mut seen, mut shown) = (0, 0);
    for contract in Contract::ALL {
        let document: Value = serde_json::from_str(&openapi_json(contract)).unwrap();
        for (_, path, operation) in operations(&document) {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            for parameter in parameters.filter(|parameter| parameter["in"] == "query") {
                let schema = resolved(&document, &parameter["schema"]);
                for key in ["example", "examples", "default"] {
                    assert!(parameter.get(key).is_none(), "{path}: {parameter}");
                }
                for key in ["example", "default"] {
                    assert!(schema.get(key).is_none(), "{path}: {parameter}: {schema}");
                }
                seen += 1;
                shown += usize::from(parameter.get("x-example").is_some());
            }
        }
    }
    assert!(seen > 100 && shown > 40, "{seen} query parameters, {shown} with an example");
}

/// The schema to which a reference leads; the schema itself if it is none.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let target = schema["$ref"].as_str().and_then(|target| document.pointer(target.strip_prefix('#')?));
    target.unwrap_or(schema)
}

#[test]
fn every_document_names_the_login_where_it_asks_for_a_token() {
    for contract in Contract::ALL {
        let document: Value = serde_json::from_str(&openapi_json(contract)).unwrap();
        let hint = document["components"]["securitySchemes"]["Bearer"]["description"].as_str().unwrap();
        assert!(hint.contains("`access_token`") && hint.contains("`POST /v1/sessions`"), "{contract:?}: {hint}");
    }
}
