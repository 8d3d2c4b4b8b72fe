//! Rules for the documents. SDK generators and linters of other projects fail, or lose something silently, where a
//! document breaks one. `scripts/check_generators` runs such generators.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trailkeeper_http::{Contract, merged_json, openapi_json};

use crate::support::declared::listed_errors;

/// The document of each contract, and the one of all contracts.
fn documents() -> Vec<Value> {
    let each = Contract::ALL.map(openapi_json);
    each.iter().chain([&merged_json()]).map(|json| serde_json::from_str(json).unwrap()).collect()
}

/// Calls `check` with every object of a document and its path.
fn visit(value: &Value, path: &str, check: &mut dyn FnMut(&str, &Value)) {
    match value {
        Value::Object(fields) => {
            check(path, value);
            for (name, field) in fields.iter().filter(|(name, _)| !matches!(name.as_str(), "example" | "examples")) {
                visit(field, &format!("{path}/{name}"), check);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                visit(item, &format!("{path}/{index}"), check);
            }
        }
        _ => {}
    }
}

/// Checks every object of every document; `check` returns whether it keeps the rule.
fn every_object(check: impl Fn(&Value) -> bool) {
    for document in documents() {
        let mut broken = Vec::new();
        visit(&document, "", &mut |path, object| {
            if !check(object) {
                broken.push(path.to_owned());
            }
        });
        assert!(broken.is_empty(), "{}: {broken:#?}", document["info"]["title"]);
    }
}

/// Checks every operation of every document; `check` gets its name and itself.
fn every_operation(check: impl Fn(&Value, &str, &Value)) {
    for document in documents() {
        let mut count = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                check(&document, &format!("{method} {path}"), operation);
                count += 1;
            }
        }
        assert!(count > 0, "{}", document["info"]["title"]);
    }
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(target) => document.pointer(target.strip_prefix('#').unwrap()).unwrap(),
        None => value,
    }
}

fn is_null_type(schema: &Value) -> bool {
    schema == &json!({"type": "null"})
}

#[test]
fn the_only_choice_is_between_null_and_one_type() {
    every_object(|schema| {
        let choice = schema.get("oneOf").and_then(Value::as_array);
        let optional =
            choice.is_none_or(|items| items.len() == 2 && items.iter().filter(|i| is_null_type(i)).count() == 1);
        optional && schema.get("anyOf").is_none() && schema.get("allOf").is_none()
    });
}

#[test]
fn descriptions_stand_beside_a_choice_and_every_field_has_one() {
    every_object(|schema| {
        let choice = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
        let inside = choice.filter(|item| item.get("description").is_some()).count();
        let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let mut texts = fields.map(|(_, field)| field.get("description").and_then(Value::as_str));
        inside == 0 && texts.all(|text| text.is_some_and(|text| !text.is_empty()))
    });
}

#[test]
fn an_object_without_declared_fields_says_that_it_has_any() {
    every_object(|schema| {
        let types = schema.get("type").cloned().unwrap_or_default();
        let is_object = types == "object" || types.as_array().is_some_and(|types| types.contains(&json!("object")));
        !is_object || schema.get("properties").is_some() || schema.get("additionalProperties").is_some()
    });
    let native: Value = serde_json::from_str(&openapi_json(Contract::Native)).unwrap();
    let metadata = &native["components"]["schemas"]["EventInput"]["properties"]["metadata"];
    let target = metadata["oneOf"].as_array().unwrap().iter().find(|item| !is_null_type(item)).unwrap();
    assert_eq!(resolved(&native, target)["additionalProperties"], true, "{metadata}");
}

#[test]
fn an_operation_without_credentials_has_an_empty_list_of_schemes() {
    every_operation(|document, name, operation| {
        let security = operation.get("security").or_else(|| document.get("security")).unwrap();
        assert!(security == &json!([]) || security == &json!([{"Bearer": []}]), "{name}: {security}");
    });
}

#[test]
fn limits_and_waiting_times_are_described_integers() {
    every_operation(|document, name, operation| {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let headers = response.get("headers").and_then(Value::as_object).cloned().unwrap_or_default();
            for (header, declared) in &headers {
                let declared = resolved(document, declared);
                let text = declared["description"].as_str();
                assert!(text.is_some_and(|text| !text.is_empty()), "{name} {status}: {header} has no description");
                let number =
                    header == "Retry-After" || (header.starts_with("RateLimit-") && header != "RateLimit-Policy");
                let expected = if number { "integer" } else { "string" };
                assert_eq!(declared["schema"]["type"], expected, "{name} {status}: {header}");
            }
            let sent: &[&str] = match status.as_str() {
                "401" => &["WWW-Authenticate"],
                "429" => {
                    &["Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy"]
                }
                "503" => &["Retry-After"],
                _ => &[],
            };
            assert!(sent.iter().all(|header| headers.contains_key(*header)), "{name} {status}: {headers:?}");
        }
    });
}

#[test]
fn a_document_names_a_server_and_a_contact() {
    for document in documents() {
        let title = &document["info"]["title"];
        assert!(document["info"]["contact"]["name"].is_string(), "{title}");
        let urls: Vec<_> = document["servers"].as_array().unwrap().iter().map(|server| &server["url"]).collect();
        let bases = ["/", "/v1/analysis", "/v1/auditlog"];
        assert!(matches!(urls.as_slice(), [Value::String(url)] if bases.contains(&url.as_str())), "{title}: {urls:?}");
    }
    for contract in Contract::ALL {
        let document: Value = serde_json::from_str(&openapi_json(contract)).unwrap();
        let base = if contract.base().is_empty() { "/" } else { contract.base() };
        assert_eq!(document["servers"][0]["url"], base);
    }
}

#[test]
fn documents_have_the_version_of_the_program() {
    for document in documents() {
        // The version of the published API, whose operations never change.
        let published = document["info"]["title"] == "SaaSus Analysis API Schema";
        let expected = if published { "1.0.0" } else { env!("CARGO_PKG_VERSION") };
        assert_eq!(document["info"]["version"], expected, "{}", document["info"]["title"]);
    }
}

#[test]
fn the_text_of_an_operation_lists_its_errors() {
    every_operation(|_, name, operation| {
        let responses = operation["responses"].as_object().unwrap();
        let listed = listed_errors(operation["description"].as_str().unwrap());
        let statuses: BTreeSet<String> = listed.keys().map(ToString::to_string).collect();
        let declared: BTreeSet<String> =
            responses.keys().filter(|status| status.starts_with(['4', '5'])).cloned().collect();
        assert_eq!(statuses, declared, "{name}");
        let has_codes = !name.contains("/api/UserAccount/");
        assert!(listed.values().all(|codes| codes.is_empty() != has_codes), "{name}: {listed:?}");
    });
}

#[test]
fn every_listed_code_is_explained() {
    let explained = include_str!("../../../../../docs/errors.md");
    every_operation(|_, name, operation| {
        let listed = listed_errors(operation["description"].as_str().unwrap());
        for code in listed.values().flatten() {
            assert!(explained.contains(&format!("`{code}`")), "{name}: {code} is not in docs/errors.md");
        }
    });
}

#[test]
fn names_say_what_they_name() {
    every_operation(|_, name, operation| {
        assert!(!name.contains("{id}"), "{name}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert_ne!(parameter["name"], "id", "{name}");
        }
    });
    for document in documents() {
        for name in document["components"]["schemas"].as_object().unwrap().keys() {
            let words = words(name);
            let singular = |word: &str| word.trim_end_matches('s').to_owned();
            let repeats = words.windows(2).any(|pair| singular(&pair[0]) == singular(&pair[1]));
            let lacks_noun = matches!(words.as_slice(), [first, last] if first.ends_with("ed") && last == "View");
            let is_general =
                ["Result", "ResultView", "ResultError", "ResultStatus", "Data", "Item"].contains(&name.as_str());
            assert!(!repeats && !lacks_noun && !is_general, "{name}");
        }
    }
}

/// The words of a name in camel case.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for letter in name.chars() {
        match words.last_mut() {
            Some(word) if !letter.is_uppercase() => word.push(letter),
            _ => words.push(letter.to_string()),
        }
    }
    words
}

#[test]
fn tags_and_operations_have_one_name_each() {
    for document in documents() {
        let title = &document["info"]["title"];
        let tags: Vec<&str> =
            document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
        assert_eq!(BTreeSet::from_iter(&tags).len(), tags.len(), "{title}: {tags:?}");
        let mut ids = BTreeSet::new();
        for operation in
            document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values())
        {
            let id = operation["operationId"].as_str().unwrap();
            // Generators write each name in the case of their language.
            assert!(ids.insert(id.replace('_', "").to_lowercase()), "{title}: two operations are named {id}");
            let [tag] = operation["tags"].as_array().unwrap().as_slice() else { panic!("{title}: {id}") };
            assert!(tags.contains(&tag.as_str().unwrap()), "{title}: {id}: {tag}");
        }
    }
}

#[test]
fn events_are_documented_as_a_list_of_events() {
    let native: Value = serde_json::from_str(&openapi_json(Contract::Native)).unwrap();
    let operation = &native["paths"]["/v1/events"]["post"];
    let content = &operation["requestBody"]["content"];
    let list = resolved(&native, &content["application/json"]["schema"]);
    assert_eq!(list["type"], "array");
    assert_eq!(list["items"], json!({"$ref": "#/components/schemas/EventInput"}));
    assert_eq!(content["application/x-ndjson"]["schema"]["type"], "string");
    // A client that checks its values would lose an event that the server stores.
    for (input, strict) in [
        ("EventInput", &["id", "occurred_at", "tenant_id", "env_id", "type", "outcome", "target", "metadata"][..]),
        ("TargetInput", &[]),
    ] {
        for (field, schema) in native["components"]["schemas"][input]["properties"].as_object().unwrap() {
            let limits = ["pattern", "maxLength", "minLength", "format", "oneOf", "$ref"];
            let free =
                schema["type"] == json!(["string", "null"]) && limits.iter().all(|limit| schema.get(limit).is_none());
            assert_eq!(free, !strict.contains(&field.as_str()), "{input}.{field}: {schema}");
        }
    }
    let text = operation["description"].as_str().unwrap().replace('\n', " ");
    assert!(text.contains("One JSON object without a list") && text.contains("application/x-ndjson"), "{text}");
}

#[test]
fn a_value_with_several_forms_is_one_text_with_a_pattern() {
    let native: Value = serde_json::from_str(&openapi_json(Contract::Native)).unwrap();
    let schemas = &native["components"]["schemas"];
    let cripsa: Value = serde_json::from_str(&openapi_json(Contract::Cripsa)).unwrap();
    let date = &cripsa["paths"]["/users/count"]["get"]["parameters"][0];
    assert_eq!(date["name"], "start_date");
    for schema in [&schemas["Address"], &schemas["AddressOrNetwork"], &schemas["InstantOrDay"], &date["schema"]] {
        assert_eq!(schema["type"], "string", "{schema}");
        assert!(schema["pattern"].is_string() && schema["minLength"].is_u64(), "{schema}");
    }
    let user = &schemas["UserInput"];
    assert!(
        user.get("anyOf").is_none() && user["properties"]["region"]["description"].as_str().unwrap().contains("pool")
    );
}

#[test]
fn the_example_of_a_token_fits_its_pattern() {
    let native: Value = serde_json::from_str(&openapi_json(Contract::Native)).unwrap();
    let schemas = &native["components"]["schemas"];
    for (answer, field, schema, prefix) in [
        ("CreatedTokenView", "token", "PlainToken", "tk_"),
        ("CreatedSigningKeyView", "secret_key", "SecretKey", "sk_"),
    ] {
        let example = schemas[answer]["example"][field].as_str().unwrap();
        let rest = example.strip_prefix(prefix).unwrap();
        assert!(rest.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{example}");
        assert_eq!(schemas[schema]["pattern"], format!("^{prefix}[0-9A-Za-z]{{{}}}$", rest.len()), "{example}");
    }
}
