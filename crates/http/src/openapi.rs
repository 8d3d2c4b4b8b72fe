//! The OpenAPI documents, generated from the handlers: one per contract, and one of all contracts.

use serde_json::{Value, json};
use trailkeeper_domain::text;
use utoipa::openapi::OpenApi;

use crate::contract::Contract;
use crate::operation::OperationInfo;
use crate::{cripsa, native, octopai, saasus};

/// The declared operations of all contracts.
///
/// ```
/// use trailkeeper_http::{Requirement, operations};
///
/// let operations = operations();
/// let health = operations.iter().find(|operation| operation.id == "healthz");
/// assert!(health.is_some_and(|operation| operation.requirement == Requirement::Nothing));
/// ```
pub fn operations() -> Vec<OperationInfo> {
    [&*native::OPERATIONS, &*saasus::OPERATIONS, &*octopai::OPERATIONS, &*cripsa::OPERATIONS]
        .into_iter()
        .flatten()
        .map(OperationInfo::from)
        .collect()
}

/// The document of one contract.
pub fn document(contract: Contract) -> OpenApi {
    match contract {
        Contract::Saasus => saasus::document(),
        Contract::Octopai => octopai::document(),
        Contract::Cripsa => cripsa::document(),
        Contract::Native => native::document(),
    }
}

/// All operations in one document, under their full paths. The schemas, tags and operations of a published contract get
/// its name as prefix, because the contracts use the same names (`UserId`, `users`, `GetActiveUsers` and
/// `get_active_users`) with different meanings.
pub fn merged() -> Value {
    let mut all = json!(document(Contract::Native));
    if let Some(title) = all.pointer_mut("/info/title") {
        *title = json!("Trailkeeper: all contracts");
    }
    for contract in [Contract::Saasus, Contract::Octopai, Contract::Cripsa] {
        let mut one = json!(document(contract));
        rename(&mut one, &format!("#/components/schemas/{}", contract.prefix()));
        prefix_names(&mut one, contract.prefix());
        let schemas = taken(&mut one, "/components/schemas");
        add(
            &mut all,
            "/components/schemas",
            schemas.map(|(name, schema)| (format!("{}{name}", contract.prefix()), schema)),
        );
        let paths = taken(&mut one, "/paths");
        add(&mut all, "/paths", paths.map(|(path, item)| (format!("{}{path}", contract.base()), item)));
        if let (Some(Value::Array(all)), Some(Value::Array(more))) = (all.get_mut("tags"), one.get_mut("tags")) {
            all.append(more);
        }
    }
    all
}

/// Replaces `#/components/schemas/` with `target` in every reference.
fn rename(value: &mut Value, target: &str) {
    match value {
        Value::String(text) => {
            if let Some(name) = text.strip_prefix("#/components/schemas/") {
                *text = format!("{target}{name}");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, target)),
        Value::Object(fields) => fields.values_mut().for_each(|field| rename(field, target)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Puts `prefix` before the names of tags and operations.
fn prefix_names(document: &mut Value, prefix: &str) {
    let rename = |name: &mut Value, separator: &str| {
        if let Some(text) = name.as_str() {
            *name = json!(format!("{prefix}{separator}{text}"));
        }
    };
    for tag in document.get_mut("tags").and_then(Value::as_array_mut).into_iter().flatten() {
        tag.get_mut("name").into_iter().for_each(|name| rename(name, " "));
    }
    let paths = document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten();
    for (_, operation) in paths.filter_map(|(_, path)| path.as_object_mut()).flatten() {
        operation.get_mut("operationId").into_iter().for_each(|id| rename(id, ""));
        let tags = operation.get_mut("tags").and_then(Value::as_array_mut);
        tags.into_iter().flatten().for_each(|tag| rename(tag, " "));
    }
}

fn taken(document: &mut Value, pointer: &str) -> impl Iterator<Item = (String, Value)> + use<> {
    let fields = document.pointer_mut(pointer).map(Value::take);
    fields.and_then(|fields| if let Value::Object(fields) = fields { Some(fields) } else { None }).into_iter().flatten()
}

fn add(document: &mut Value, pointer: &str, more: impl Iterator<Item = (String, Value)>) {
    if let Some(Value::Object(fields)) = document.pointer_mut(pointer) {
        fields.extend(more);
    }
}

/// A contract's document as it is committed and served: indented JSON with a newline at the end.
///
/// ```
/// use trailkeeper_http::{Contract, openapi_json};
///
/// let document: serde_json::Value = serde_json::from_str(&openapi_json(Contract::Native))?;
/// assert_eq!(document["paths"]["/v1/events"]["get"]["operationId"], "list_events");
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn openapi_json(contract: Contract) -> String {
    pretty(&document(contract))
}

/// The operations of all contracts in one document, as JSON.
pub fn merged_json() -> String {
    format!("{:#}\n", merged())
}

/// The document as indented JSON. A document consists of texts and numbers, which always serialize; if that ever
/// changes, the output contains the error.
fn pretty(document: &OpenApi) -> String {
    match document.to_pretty_json() {
        Ok(json) => json + "\n",
        Err(error) => format!("{{\"error\": \"{}\"}}\n", text::shown(&error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Declaration;

    fn declarations(contract: Contract) -> &'static [Declaration] {
        match contract {
            Contract::Native => &native::OPERATIONS,
            Contract::Saasus => &saasus::OPERATIONS,
            Contract::Octopai => &octopai::OPERATIONS,
            Contract::Cripsa => &cripsa::OPERATIONS,
        }
    }

    /// The example of a JSON body: its own, or that of its schema.
    fn example<'a>(document: &'a Value, content: &'a Value) -> Option<&'a Value> {
        content.get("example").or_else(|| {
            let target = content.pointer("/schema/$ref")?.as_str()?;
            document.pointer(target.strip_prefix('#')?)?.get("example")
        })
    }

    #[test]
    fn every_documented_body_example_is_accepted_by_its_reader() {
        let mut unread = Vec::new();
        for contract in Contract::ALL {
            let document = json!(document(contract));
            for declaration in declarations(contract) {
                let method = declaration.method.as_str().to_lowercase();
                let body = &document["paths"][&declaration.document_path][&method]["requestBody"];
                if let Some(spec) = &declaration.body {
                    let content = &body["content"]["application/json"];
                    let example = example(&document, content).unwrap_or_else(|| panic!("{}", declaration.id));
                    let read = (spec.check)(example.to_string().as_bytes());
                    assert!(read.is_ok(), "{}: {read:?}", declaration.id);
                } else if !body.is_null() {
                    unread.push(declaration.id);
                }
            }
        }
        assert_eq!(unread, ["record_events", "export_logs"], "handlers that read their body by themselves");
    }
}
