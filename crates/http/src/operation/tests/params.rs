//! `#[derive(QueryParams)]` and `#[derive(PathParams)]`.

use serde_json::{Value, json};
use trailkeeper_domain::event::EventKind;
use trailkeeper_domain::id::{EnvId, TenantId, UserId};
use trailkeeper_domain::{Error, Result};
use trailkeeper_testkit::visibility::{CUSTOMERS, EVERYTHING, of_tenant};
use utoipa::openapi::path::ParameterIn;

use super::{message, query, request};
use crate::native::schemas;
use crate::operation::{Limit, ParamValue, Parameters, PathParams, PathValues, Query, QueryParams};

const TENANT: &str = "69e732d6-8ecc-45c4-a2eb-8438f7ffe775";

/// One parameter of each form.
#[derive(QueryParams)]
struct ExampleParams {
    /// Must be sent.
    #[param(schema = schemas::EnvId)]
    env_id: EnvId,
    /// May be absent.
    #[param(schema = schemas::TenantId, example = "69e732d6-8ecc-45c4-a2eb-8438f7ffe775")]
    tenant_id: Option<TenantId>,
    /// A list.
    #[param(schema = schemas::EventType, min_items = 1, max_items = 2)]
    r#type: Vec<EventKind>,
    /// A list without bounds.
    #[param(schema = schemas::UserId)]
    user_id: Vec<UserId>,
    /// Read by a function for one value.
    #[param(schema = String, inline, with = upper)]
    name: Option<String>,
    /// Read by a function for the whole query.
    #[param(schema = bool, inline, read = flag)]
    all: bool,
    #[param(flatten)]
    page: PageParams,
}

#[derive(QueryParams)]
struct PageParams {
    /// The number of rows.
    #[param(schema = schemas::PageLimit, inline)]
    limit: Option<Limit<1000>>,
}

fn flag(query: &Query, name: &str) -> Result<bool> {
    query.optional(name)?.map_or(Ok(false), |value| bool::parse(name, value))
}

#[expect(clippy::unnecessary_wraps, reason = "every reader has this signature")]
fn upper(_: &str, value: &str) -> Result<String> {
    Ok(value.to_uppercase())
}

/// Names of the parameters, and the parameters as the document has them.
fn declared<T: QueryParams>() -> (Vec<&'static str>, Vec<Value>, Vec<String>) {
    let mut out = Parameters::new(ParameterIn::Query);
    T::declare(&mut out);
    let (names, mut schemas) = (out.names().to_vec(), Vec::new());
    let parameters = out.finish(&mut schemas).iter().map(|parameter| json!(parameter)).collect();
    (names, parameters, schemas.into_iter().map(|(name, _)| name).collect())
}

#[test]
fn a_struct_declares_its_parameters_in_order() {
    let (names, parameters, schemas) = declared::<ExampleParams>();
    assert_eq!(names, ["env_id", "tenant_id", "type", "user_id", "name", "all", "limit"]);
    assert_eq!(schemas, ["EnvId", "TenantId", "EventType", "UserId"], "inlined schemas are no components");
    let component = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let list = |name: &str| json!({"type": "array", "items": component(name)});
    let mut types = list("EventType");
    types["minItems"] = json!(1);
    types["maxItems"] = json!(2);
    let parameter = |name: &str, description: &str, required: bool, schema: Value| json!({"name": name, "in": "query", "description": description, "required": required, "schema": schema});
    let mut tenant = parameter("tenant_id", "May be absent.", false, component("TenantId"));
    tenant["x-example"] = json!(TENANT);
    let limit = json!({"type": "integer", "format": "int32", "minimum": 1, "maximum": 1000});
    let expected = [
        parameter("env_id", "Must be sent.", true, component("EnvId")),
        tenant,
        parameter("type", "A list.", false, types),
        parameter("user_id", "A list without bounds.", false, list("UserId")),
        parameter("name", "Read by a function for one value.", false, json!({"type": "string"})),
        parameter("all", "Read by a function for the whole query.", true, json!({"type": "boolean"})),
        parameter("limit", "The number of rows.", false, limit),
    ];
    for (found, expected) in parameters.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(parameters.len(), expected.len());
}

#[test]
fn parameters_that_must_be_sent_are_listed() {
    let mut out = Parameters::new(ParameterIn::Query);
    ExampleParams::declare(&mut out);
    assert!(out.required().contains(&"env_id"));
    assert!(!out.required().contains(&"tenant_id") && !out.required().contains(&"type"));
}

#[test]
fn every_form_of_parameter_is_read() {
    let raw = format!("env_id=3&tenant_id={TENANT}&type=a,b&user_id=u,v&user_id=w&name=jane&all=true&limit=1000");
    let params = ExampleParams::read(&query(&raw)).unwrap();
    assert_eq!((params.env_id, params.tenant_id), (EnvId(3), TenantId::parse("", TENANT).ok()));
    assert_eq!(params.r#type, [EventKind::known("a"), EventKind::known("b")]);
    let users: Vec<_> = params.user_id.iter().map(UserId::as_str).collect();
    assert_eq!(users, ["u", "v", "w"]);
    assert_eq!((params.name.as_deref(), params.all), (Some("JANE"), true));
    assert_eq!(params.page.limit, Some(Limit(1000)));
}

#[test]
fn absent_parameters_are_none_or_empty() {
    let params = ExampleParams::read(&query("env_id=0")).unwrap();
    assert!(params.tenant_id.is_none() && params.name.is_none() && params.page.limit.is_none() && !params.all);
    assert!(params.r#type.is_empty() && params.user_id.is_empty());
}

#[test]
fn a_wrong_parameter_is_named() {
    for (raw, expected) in [
        ("", "env_id: is missing; add it to the query"),
        ("env_id=1&env_id=2", "env_id: was sent more than once; send it once"),
        ("env_id=1&tenant_id=&tenant_id=", "tenant_id: was sent more than once; send it once"),
        ("env_id=1&type=a,b,c", "type: has 3 values; at most 2 are allowed"),
        ("env_id=1&type=a&type=b&type=c", "type: has 3 values; at most 2 are allowed"),
        ("env_id=1&all=yes", "all: 'yes' is not a truth value; send true or false"),
        ("env_id=1&limit=0", "limit: '0' is not allowed; send a whole number from 1 to 1000"),
        ("env_id=1&limit=1001", "limit: '1001' is not allowed; send a whole number from 1 to 1000"),
        ("env_id=1&limit=%2B1", "limit: '+1' is not allowed; send a whole number from 1 to 1000"),
        ("env_id=1&limit=", "limit: '' is not allowed; send a whole number from 1 to 1000"),
        (
            "env_id=1&limit=99999999999999999999",
            "limit: '99999999999999999999' is not allowed; send a whole number from 1 to 1000",
        ),
    ] {
        assert_eq!(message(ExampleParams::read(&query(raw))), expected, "{raw}");
    }
    for (raw, field) in [("env_id=x", "env_id"), ("env_id=1&tenant_id=x", "tenant_id"), ("env_id=1&type=a,", "type")] {
        assert!(message(ExampleParams::read(&query(raw))).starts_with(&format!("{field}: ")), "{raw}");
    }
}

#[test]
fn a_truth_value_is_true_or_false() {
    assert_eq!((bool::parse("all", "true").ok(), bool::parse("all", "false").ok()), (Some(true), Some(false)));
    for wrong in ["", "1", "True", "yes"] {
        let expected = format!("all: '{wrong}' is not a truth value; send true or false");
        assert_eq!(message(bool::parse("all", wrong)), expected);
    }
}

/// A path with a tenant that the caller must be able to see.
#[derive(PathParams)]
struct ExamplePath {
    /// The tenant's id.
    #[param(schema = schemas::TenantId, visible)]
    tenant_id: TenantId,
    /// The user's id.
    #[param(schema = schemas::UserId)]
    user_id: UserId,
}

/// A path without one.
#[derive(PathParams)]
struct UserPath {
    /// The user's id.
    #[param(schema = schemas::UserId)]
    user_id: UserId,
}

fn example_path(tenant: &str, user: &str) -> Result<ExamplePath> {
    let request = actix_web::test::TestRequest::with_uri(&format!("/{tenant}/{user}"));
    let request = request.param("tenant_id", tenant.to_owned()).param("user_id", user.to_owned()).to_http_request();
    ExamplePath::read(&PathValues::of(&request))
}

#[test]
fn a_path_declares_required_parameters() {
    let mut out = Parameters::new(ParameterIn::Path);
    ExamplePath::declare(&mut out);
    assert_eq!(out.names(), ["tenant_id", "user_id"]);
    let parameters: Vec<_> = out.finish(&mut Vec::new()).iter().map(|parameter| json!(parameter)).collect();
    assert!(parameters.iter().all(|parameter| parameter["in"] == "path" && parameter["required"] == true));
    assert_eq!(parameters[0]["description"], "The tenant's id.");
}

#[test]
fn a_path_is_decoded_and_its_errors_name_the_parameter() {
    let path = example_path(TENANT, "a%2Fb%20%C3%9C").unwrap();
    assert_eq!((path.tenant_id.to_string().as_str(), path.user_id.as_str()), (TENANT, "a/b Ü"));
    assert!(message(example_path("acme", "u")).starts_with("tenant_id: 'acme'"));
    assert_eq!(
        message(example_path(TENANT, "%FF")),
        "tenant_id: has percent escapes that are not UTF-8; encode the text as UTF-8 first",
        "the whole path must be UTF-8"
    );
    assert!(UserPath::read(&PathValues::of(&request("/"))).is_err(), "a path without the parameter");
}

#[test]
fn equal_values_of_a_path_have_one_canonical_text() {
    let canonical = |name: &str, value: &str| ExamplePath::canonical(name, value.to_owned());
    for spelled in [TENANT.to_owned(), TENANT.to_uppercase()] {
        assert_eq!(canonical("tenant_id", &spelled), TENANT);
        assert_eq!(canonical("user_id", &spelled), spelled, "a user's id is any text");
        assert_eq!(canonical("id", &spelled), spelled, "no parameter of this path");
    }
    assert_eq!(canonical("tenant_id", "no tenant"), "no tenant");
}

#[test]
fn a_tenant_in_a_path_must_be_visible_where_that_is_declared() {
    let path = example_path(TENANT, "u").unwrap();
    let other = TenantId::parse("", "11111111-2222-4333-8444-555555555555").unwrap();
    for visibility in [EVERYTHING, CUSTOMERS, of_tenant(path.tenant_id)] {
        path.check(Some(visibility)).unwrap();
    }
    let expected = format!("there is no tenant '{TENANT}'");
    assert_eq!(message(path.check(Some(of_tenant(other)))), expected);
    assert!(matches!(path.check(None), Err(Error::Internal { .. })), "an operation without a credential");

    let request = actix_web::test::TestRequest::with_uri("/u").param("user_id", "u").to_http_request();
    let without = UserPath::read(&PathValues::of(&request)).unwrap();
    assert_eq!(without.user_id.as_str(), "u");
    without.check(None).unwrap();
    without.check(Some(of_tenant(other))).unwrap();
}
