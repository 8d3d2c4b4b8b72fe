//! Calls of declared operations.
#![expect(clippy::unnecessary_wraps, reason = "every handler has this signature")]

use std::sync::{Arc, LazyLock};

use actix_web::dev::ServiceResponse;
use actix_web::rt::System;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::Data;
use actix_web::{App, HttpResponse};
use serde_json::{Value, json};
use trailkeeper_auth::{Access, AccessSettings, MasterKey};
use trailkeeper_domain::id::EnvId;
use trailkeeper_domain::ingest::{Ingest, IngestLimits};
use trailkeeper_testkit::{TempDatabase, TestClock, TestEntropy};
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::contract::Contract;
use crate::error_formats::{Native, Saasus};
use crate::extract::anyone::Everyone;
use crate::native::schemas;
use crate::operation::{
    AccessSpec, Body, Declaration, FromBody, FromPath, FromQuery, PathParams, QueryParams, Requirement, document,
    operation, operations, routes,
};
use crate::settings::HttpSettings;
use crate::state::{AppState, Services};

#[derive(PathParams)]
struct ThingPath {
    /// The thing's number.
    #[param(schema = schemas::EnvId)]
    number: EnvId,
}

#[derive(QueryParams)]
struct ThingParams {
    /// A filter.
    #[param(schema = String, inline)]
    colour: Option<String>,
}

#[derive(ToSchema, Body)]
#[body(name = "a thing", max_bytes = 40)]
#[schema(example = json!({"name": "x"}))]
struct ThingInput {
    name: String,
}

/// Get a thing.
///
/// By its number.
#[operation(get, "/things/{number}", tag = "things", responses((status = 200, description = "The thing.")))]
fn get_thing(
    _: Everyone,
    FromPath(path): FromPath<ThingPath>,
    FromQuery(params): FromQuery<ThingParams>,
) -> ApiResult<Native> {
    Ok(HttpResponse::Ok().json(json!([path.number.0, params.colour])))
}

/// Name a thing.
#[operation(put, "/things/{number}", tag = "things", body = "The thing.", responses((status = 200, description = "Ok.")))]
fn put_thing(
    _: Everyone,
    FromPath(path): FromPath<ThingPath>,
    FromBody(input): FromBody<ThingInput>,
) -> ApiResult<Native> {
    Ok(HttpResponse::Ok().json(json!([path.number.0, input.name])))
}

/// List things, leniently.
#[operation(get, "/lenient", operation_id = "ListThings", tag = "things", unknown_parameters = "ignored",
    responses((status = 200, description = "Ok.")))]
fn lenient(_: Everyone, FromQuery(params): FromQuery<ThingParams>) -> ApiResult<Native> {
    Ok(HttpResponse::Ok().json(json!(params.colour)))
}

/// A contract that ignores unknown parameters.
#[operation(get, "/published", tag = "things", responses((status = 200, description = "Ok.")))]
fn published(_: Everyone, FromQuery(params): FromQuery<ThingParams>) -> ApiResult<Saasus> {
    Ok(HttpResponse::Ok().json(json!(params.colour)))
}

static THINGS: LazyLock<Vec<Declaration>> = LazyLock::new(|| operations![get_thing, put_thing, lenient, published]);

/// The state of a server on an empty database, which has the memory for bodies. The database is removed when dropped.
fn state() -> (Data<AppState>, TempDatabase) {
    let database = TempDatabase::sqlite();
    let store = trailkeeper_testkit::open_store!(database);
    let (clock, entropy) = (Arc::new(TestClock::default()), Arc::new(TestEntropy::default()));
    let key = MasterKey::generate(entropy.as_ref());
    let access = Access::new(store.clone(), clock.clone(), entropy.clone(), key, AccessSettings::default());
    let ingest = Arc::new(Ingest::start(store.clone(), IngestLimits::default()).unwrap());
    let services = Services { store, ingest, access: Arc::new(access), clock, entropy, stream_tester: None };
    (Data::new(AppState::new(services, HttpSettings::default())), database)
}

/// Status and body of the answer to a request.
fn answer(request: TestRequest) -> (u16, Value) {
    System::new().block_on(async {
        let (state, _database) = state();
        let app = App::new().app_data(state).configure(|config| routes::configure::<Native>(config, &THINGS));
        let response: ServiceResponse = call_service(&init_service(app).await, request.to_request()).await;
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&read_body(response).await).unwrap_or_default())
    })
}

fn get(uri: &str) -> (u16, Value) {
    answer(TestRequest::get().uri(uri))
}

/// Sends a body; returns the status, and the name that was read or the code and field of the error.
fn put(body: &'static str, media_type: &str) -> (u16, Value) {
    let request = TestRequest::put().uri("/things/7").insert_header(("Content-Type", media_type));
    let (status, answer) = answer(request.set_payload(body));
    (status, if status == 200 { answer } else { json!([answer["code"], answer["field"]]) })
}

#[test]
fn a_declaration_says_all_about_its_operation() {
    let [get, put, lenient, published] = THINGS.as_slice() else { panic!("four") };
    assert_eq!((get.id, get.method.as_str(), get.path().as_str()), ("get_thing", "GET", "/things/{number}"));
    assert_eq!((put.id, put.method.as_str(), put.parameters.len()), ("put_thing", "PUT", 0));
    assert_eq!((get.parameters.as_slice(), lenient.id), (&["colour"][..], "ListThings"));
    let everyone = AccessSpec { requirement: Requirement::Nothing, group: None, category: None };
    assert!(THINGS.iter().all(|declaration| declaration.access == everyone));
    assert_eq!((get.contract, published.contract), (Contract::Native, Contract::Saasus));
    assert_eq!(published.path(), "/v1/analysis/published");
    let refusing = THINGS.iter().map(|declaration| declaration.refuses_unknown_parameters);
    assert_eq!(refusing.collect::<Vec<_>>(), [true, true, false, false]);
    assert!(get.body.is_none() && put.body.as_ref().is_some_and(|body| body.fields == ["name"]));
}

#[test]
fn a_document_gets_operations_and_the_schemas_that_they_name() {
    let mut all = utoipa::openapi::OpenApi::default();
    document::add(&mut all, &THINGS);
    let all = json!(all);
    let paths: Vec<_> = all["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["/lenient", "/published", "/things/{number}"]);
    let get = &all["paths"]["/things/{number}"]["get"];
    assert_eq!((&get["summary"], &get["description"]), (&json!("Get a thing."), &json!("By its number.")));
    assert_eq!((&get["operationId"], &get["tags"]), (&json!("get_thing"), &json!(["things"])));
    assert_eq!(get["security"], json!([]), "no credential is needed");
    let names = get["parameters"].as_array().unwrap().iter().map(|parameter| &parameter["name"]);
    assert_eq!(names.collect::<Vec<_>>(), ["number", "colour"]);
    let body = &all["paths"]["/things/{number}"]["put"]["requestBody"];
    assert_eq!(body["required"], true);
    let schemas: Vec<_> = all["components"]["schemas"].as_object().unwrap().keys().collect();
    assert_eq!(schemas, ["EnvId", "ThingInput"]);
}

#[test]
fn a_call_is_read_as_declared() {
    assert_eq!(get("/things/7?colour=red"), (200, json!([7, "red"])));
    assert_eq!(get("/things/7"), (200, json!([7, null])));
    assert_eq!(put(r#"{"name":"x"}"#, "application/json; charset=utf-8"), (200, json!([7, "x"])));
}

#[test]
fn unknown_parameters_are_refused_unless_the_declaration_ignores_them() {
    let (status, problem) = get("/things/x?color=red");
    assert_eq!((status, &problem["field"]), (400, &json!("color")), "before other arguments are read");
    assert_eq!(problem["detail"], "is not a parameter here; the only parameter is: colour");
    assert_eq!(get("/lenient?color=red&colour=blue"), (200, json!("blue")));
    assert_eq!(get("/v1/analysis/published?color=red"), (200, json!(null)));
    let with_parameter = TestRequest::put().uri("/things/7?colour=red").set_payload(r#"{"name":"x"}"#);
    assert_eq!(answer(with_parameter).0, 400, "an operation without parameters");
}

#[test]
fn arguments_are_read_in_order_and_errors_name_their_field() {
    let (status, problem) = get("/things/x");
    assert_eq!((status, &problem["code"], &problem["field"]), (400, &json!("invalid_parameter"), &json!("number")));
    for (body, media_type, expected) in [
        (r#"{"name":5}"#, "application/json", (400, json!(["invalid_parameter", "name"]))),
        (r#"{"nam":"x"}"#, "application/json", (400, json!(["invalid_parameter", "name"]))),
        ("{", "application/json", (400, json!(["malformed_json", null]))),
        (r#"{"name":"x"}"#, "text/plain", (400, json!(["invalid_parameter", "Content-Type"]))),
        (r#"{"name":"0123456789012345678901234567890"}"#, "application/json", (413, json!(["body_too_large", null]))),
    ] {
        assert_eq!(put(body, media_type), expected, "{body}");
    }
    let wrong_path = TestRequest::put().uri("/things/x").set_payload("{");
    assert_eq!(answer(wrong_path).1["field"], "number", "the path is read before the body");
}

#[test]
fn a_path_answers_its_methods_and_head() {
    assert_eq!(answer(TestRequest::with_uri("/things/7").method(actix_web::http::Method::HEAD)).0, 200);
    let (status, problem) = answer(TestRequest::delete().uri("/things/7"));
    assert_eq!((status, &problem["code"]), (405, &json!("method_not_allowed")));
}
