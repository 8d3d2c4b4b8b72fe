//! `#[derive(Body)]`.

use serde_json::json;
use trailkeeper_domain::account::Role;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::json::JsonObject;
use trailkeeper_domain::tenant::TenantDraft;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};
use utoipa::ToSchema;

use super::message;
use crate::operation::{Body, BodySpec, Patch, same_names};

const TENANT: &str = "69e732d6-8ecc-45c4-a2eb-8438f7ffe775";

/// One field of each form.
#[derive(Debug, PartialEq, Eq, ToSchema, Body)]
#[body(name = "an example")]
struct Example {
    name: String,
    #[schema(value_type = String)]
    role: Role,
    #[body(expected = "the e-mail in quotes")]
    email: Option<String>,
    #[schema(value_type = Option<String>)]
    tenant_id: Patch<TenantId>,
    disabled: Option<bool>,
    #[schema(value_type = Option<String>)]
    r#type: Option<Timestamp>,
    #[body(with = length)]
    #[schema(value_type = String)]
    secret: usize,
}

fn length(json: &mut JsonObject, name: &str) -> Result<usize> {
    json.required(name, "a secret", JsonObject::text).map(|secret| secret.len())
}

fn example(fields: &str) -> Result<Example> {
    Example::from_bytes(format!(r#"{{"name":"a","role":"admin","secret":"abc"{fields}}}"#).as_bytes())
}

#[test]
fn absent_and_null_fields_are_none_and_a_patch_tells_them_apart() {
    let absent = example("").unwrap();
    let expected = Example {
        name: "a".to_owned(),
        role: Role::Admin,
        email: None,
        tenant_id: Patch::Keep,
        disabled: None,
        r#type: None,
        secret: 3,
    };
    assert_eq!(absent, expected);
    let null = example(r#","email":null,"tenant_id":null,"disabled":null,"type":null"#).unwrap();
    assert_eq!(null, Example { tenant_id: Patch::Clear, ..expected });
}

#[test]
fn every_form_of_field_is_read() {
    let fields = format!(r#","email":"e","tenant_id":"{TENANT}","disabled":false,"type":"1970-01-01T00:00:01Z""#);
    let all = example(&fields).unwrap();
    assert_eq!(all.tenant_id, Patch::Set(TenantId::parse("", TENANT).unwrap()));
    assert_eq!((all.email.as_deref(), all.disabled), (Some("e"), Some(false)));
    assert_eq!(all.r#type.map(|at| at.timestamp()), Some(1));
}

#[test]
fn a_patch_keeps_clears_or_sets() {
    assert_eq!(Patch::<u8>::Keep.into_option(), None);
    assert_eq!(Patch::<u8>::Clear.into_option(), Some(None));
    assert_eq!(Patch::Set(1).into_option(), Some(Some(1)));
}

#[test]
fn a_wrong_field_is_named_with_the_way_out() {
    for (fields, expected) in [
        (r#","email":5"#, "email: 5 is not a text; send the e-mail in quotes"),
        (r#","tenant_id":5"#, "tenant_id: 5 is not a text; send a UUID as a text"),
        (r#","disabled":"no""#, "disabled: 'no' is not a truth value; send true or false"),
        (r#","email":"a","email":"b""#, "email: stands twice; send each field once"),
        (
            r#","colour":1"#,
            "colour: is not a field that is known here; send any of name, role, email, tenant_id, disabled, type, secret",
        ),
        // The names of fields in these bodies are exact.
        (
            r#","Email":"a""#,
            "Email: is not a field that is known here; send any of name, role, email, tenant_id, disabled, type, secret",
        ),
    ] {
        assert_eq!(message(example(fields)), expected, "{fields}");
    }
    assert!(message(example(r#","tenant_id":"acme""#)).starts_with("tenant_id: 'acme'"));
    for (body, expected) in [
        (r#"{"role":"admin","secret":"a"}"#, "name: is missing; send a text in quotes"),
        (r#"{"name":null,"role":"admin","secret":"a"}"#, "name: is missing; send a text in quotes"),
        (r#"{"name":"a","secret":"a"}"#, "role: is missing; send admin, analyst, auditor or ingest"),
        (r#"{"name":"a","role":"admin"}"#, "secret: is missing; send a secret"),
    ] {
        assert_eq!(message(Example::from_bytes(body.as_bytes())), expected, "{body}");
    }
}

#[test]
fn a_body_that_is_no_object_is_malformed_and_gets_the_noun() {
    for body in ["", "  ", "null", "[]", "{", "5"] {
        let error = Example::from_bytes(body.as_bytes()).unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{body}: {error}");
        assert!(error.to_string().contains("an example"), "{body}: {error}");
    }
}

/// A body that may be absent.
#[derive(Debug, PartialEq, Eq, ToSchema, Body)]
#[body(name = "an example", optional, max_bytes = 10)]
struct Optional {
    name: Option<String>,
}

#[test]
fn an_optional_body_may_be_empty_and_not_null() {
    for body in ["", " \n", "{}", r#"{"name":null}"#] {
        assert_eq!(Optional::from_bytes(body.as_bytes()).unwrap(), Optional { name: None }, "{body}");
    }
    assert!(Optional::from_bytes(b"null").is_err());
    assert_eq!((Optional::MAX_BYTES, Example::MAX_BYTES), (10, 64 * 1024));
}

/// A body of a contract that names fields in other ways.
#[derive(Debug, PartialEq, Eq, ToSchema, Body)]
#[serde(rename_all = "PascalCase")]
#[body(name = "an example", optional, any_case, ignores_unknown_fields)]
struct Lenient {
    page_number: Option<String>,
}

#[test]
fn names_in_any_case_and_null_are_accepted_where_that_is_declared() {
    assert_eq!(Lenient::FIELDS, ["PageNumber"]);
    for name in ["PageNumber", "pageNumber", "PAGENUMBER"] {
        let body = format!(r#"{{"{name}":"1","other":2}}"#);
        assert_eq!(Lenient::from_bytes(body.as_bytes()).unwrap(), Lenient { page_number: Some("1".to_owned()) });
    }
    for body in ["", "null", "{}"] {
        assert_eq!(Lenient::from_bytes(body.as_bytes()).unwrap(), Lenient { page_number: None }, "{body}");
    }
    let twice = Lenient::from_bytes(br#"{"PageNumber":"1","pagenumber":"2"}"#);
    assert_eq!(message(twice), "PageNumber: stands twice, in different case; send each field once");
}

/// A body that the domain reads.
#[derive(ToSchema, Body)]
#[serde(deny_unknown_fields)]
#[body(name = "a tenant", parsed_as = TenantDraft)]
#[expect(dead_code, reason = "it describes what `TenantDraft` reads")]
struct Described {
    name: Option<String>,
    created_at: Option<String>,
}

#[test]
fn a_described_body_is_read_by_the_domain() {
    assert_eq!(Described::FIELDS, TenantDraft::FIELDS);
    assert_eq!(Described::from_bytes(br#"{"name":"x"}"#).unwrap().name.as_deref(), Some("x"));
    assert_eq!(
        message(Described::from_bytes(br#"{"title":"x"}"#)),
        "title: is not a field that is known here; send any of name, created_at"
    );
}

#[test]
fn lists_of_names_are_the_same_in_the_same_order() {
    assert!(same_names(&[], &[]) && same_names(&["a", "bc"], &["a", "bc"]));
    for other in [&["bc", "a"][..], &["a"], &["a", "bd"], &["a", "b"], &["a", "bc", "d"]] {
        assert!(!same_names(&["a", "bc"], other), "{other:?}");
    }
}

#[test]
fn a_spec_documents_the_body_and_reads_it() {
    let mut schemas = Vec::new();
    let body = BodySpec::of::<Optional>(Some("It.")).request_body(&mut schemas).unwrap();
    let expected = json!({
        "description": "It.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Optional"}}},
        "required": false,
    });
    assert_eq!(json!(body), expected);
    assert_eq!(schemas.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["Optional"]);

    let spec = BodySpec::of::<Example>(None);
    assert!(spec.request_body(&mut schemas).is_none(), "`request_body(…)` documents it");
    assert_eq!(spec.fields, ["name", "role", "email", "tenant_id", "disabled", "type", "secret"]);
    (spec.check)(br#"{"name":"a","role":"admin","secret":"abc"}"#).unwrap();
    assert!((spec.check)(b"{}").is_err());
}
