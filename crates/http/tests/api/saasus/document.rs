//! The SaaSus document has the published operations, parameters, schemas and required lists.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trailkeeper_http::{Contract, openapi_json};

fn document() -> Value {
    serde_json::from_str(&openapi_json(Contract::Saasus)).unwrap()
}

#[test]
fn operations_and_parameters_are_the_published_ones() {
    let document = document();
    assert_eq!(document["info"]["title"], "SaaSus Analysis API Schema");
    assert_eq!(document["info"]["version"], "1.0.0");
    assert_eq!(document["servers"], json!([{"url": "/v1/analysis"}]));
    let scheme = &document["components"]["securitySchemes"]["Bearer"];
    assert_eq!((&scheme["type"], &scheme["scheme"]), (&json!("http"), &json!("bearer")));
    let mut operations = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let all = operation["parameters"].as_array().into_iter().flatten();
            // Our one addition, which the published document does not have; it is optional.
            let (added, parameters): (Vec<_>, Vec<_>) = all.partition(|one| one["name"] == "timezone");
            assert!(added.iter().all(|one| one["in"] == "query" && one["required"] == false), "{path}");
            let local = ["/active-users", "/metrics/aggregated", "/userinfo/aggregated"].contains(&path.as_str())
                || path.ends_with("/behavior-histories");
            assert_eq!(added.len(), usize::from(method == "get" && local), "{method} {path}");
            let parameters: Vec<String> = parameters
                .into_iter()
                .map(|one| {
                    let mark = if one["required"] == true { "*" } else { "" };
                    format!(
                        "{} {}{mark} {}",
                        one["in"].as_str().unwrap(),
                        one["name"].as_str().unwrap(),
                        one["schema"]["type"].as_str().unwrap()
                    )
                })
                .collect();
            let tag = operation["tags"][0].as_str().unwrap();
            let id = operation["operationId"].as_str().unwrap();
            operations.insert(format!("{method} {path}"), format!("{id} {tag} {}", parameters.join(", ")));
        }
    }
    let expected = [
        ("put /user-behavior-day", "UpdateUserBehaviorHistoriesByDay userAnalysis "),
        ("get /users/{user_id}/behavior-histories", "GetUserBehaviorHistories userAnalysis path user_id* string"),
        (
            "get /active-users",
            "GetActiveUsers userAnalysis query type* string, query date_from* string, query date_to string, query tenant_id string, query env_id integer",
        ),
        ("put /active-users", "UpdateActiveUsers userAnalysis "),
        (
            "get /metrics/aggregated",
            "GetAggregatedMetrics metrics query metrics_type* string, query start_date* string, query end_date* string, query tenant_ids array",
        ),
        (
            "get /metrics/page-statistics",
            "GetPageStatistics metrics query start_timestamp* integer, query end_timestamp* integer",
        ),
        (
            "get /userinfo/aggregated",
            "GetAggregatedUserInfo metrics query start_date* string, query end_date* string, query tenant_ids array",
        ),
    ];
    let expected = expected.map(|(name, operation)| (name.to_owned(), operation.to_owned()));
    assert_eq!(operations, BTreeMap::from(expected));
}

#[test]
fn schemas_have_the_published_fields_in_their_types() {
    let schemas = document()["components"]["schemas"].as_object().unwrap().clone();
    let shown: BTreeMap<String, String> = schemas
        .iter()
        .map(|(name, schema)| {
            let required: Vec<&str> =
                schema["required"].as_array().unwrap().iter().map(|field| field.as_str().unwrap()).collect();
            let mut fields: Vec<String> =
                required.iter().map(|field| typed(field, &schema["properties"][field], "*")).collect();
            let optional = schema["properties"]
                .as_object()
                .unwrap()
                .iter()
                .filter(|(field, _)| !required.contains(&field.as_str()));
            fields.extend(optional.map(|(field, property)| typed(field, property, "")));
            (name.clone(), fields.join(", "))
        })
        .collect();
    let expected = [
        (
            "UpdateUserBehaviorHistoriesByDayParam",
            "timestamp* integer, user_id* string, histories* [UserBehaviorHistory]",
        ),
        ("UserBehaviorHistory", "timestamp* integer, referer* string"),
        ("UserBehaviorHistories", "histories* [DailyBehaviorHistory]"),
        ("DailyBehaviorHistory", "behaved_at* integer, histories* [UserBehaviorHistory]"),
        ("ActiveUsers", "data* [ActiveUserData]"),
        ("ActiveUserData", "date* string, tenant_id* string, env_id* integer, active_users* integer"),
        (
            "UpdateActiveUsersParam",
            "type* string, date* string, tenant_id* string, env_id* integer, active_users* integer",
        ),
        ("AggregatedMetrics", "metrics* [DailyMetric]"),
        ("DailyMetric", "date* string, count* integer, details map<integer>"),
        (
            "PageStatistics",
            "start_date* integer, end_date* integer, total_page_views* integer, total_unique_users* integer, page_statistics* [PageStatistic]",
        ),
        ("PageStatistic", "page_url* string, total_views* integer, unique_users* integer"),
        ("AggregatedUserInfoMetrics", "metrics* [DailyUserInfoMetric]"),
        ("DailyUserInfoMetric", "date* string, details* map<integer>"),
        ("Error", "type* string, message* string"),
    ];
    let expected = expected.map(|(name, fields)| (name.to_owned(), fields.to_owned()));
    assert_eq!(shown, BTreeMap::from(expected));
}

fn typed(field: &str, property: &Value, mark: &str) -> String {
    let kind = match property["type"].as_str() {
        Some("array") => {
            let item = property["items"]["$ref"].as_str().unwrap();
            format!("[{}]", item.rsplit('/').next().unwrap())
        }
        Some("object") => format!("map<{}>", property["additionalProperties"]["type"].as_str().unwrap()),
        Some(kind) => kind.to_owned(),
        None => panic!("{field}: {property}"),
    };
    format!("{field}{mark} {kind}")
}

#[test]
fn statuses_are_the_published_ones_and_the_added_ones() {
    let document = document();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let statuses: Vec<&String> = operation["responses"].as_object().unwrap().keys().collect();
            // A request may name a tenant that the credential must not know of.
            let names_tenants = ["/active-users", "/metrics/aggregated", "/userinfo/aggregated"];
            let unknown = names_tenants.contains(&path.as_str()).then_some("404");
            let body = (method == "put").then_some("413");
            let expected: Vec<&str> = ["200", "400", "401", "403"]
                .into_iter()
                .chain(unknown)
                .chain(body)
                .chain(["429", "500", "503"])
                .collect();
            assert_eq!(statuses, expected, "{method} {path}");
            assert_eq!(operation["responses"]["200"].get("content").is_some(), method == "get", "{method} {path}");
            for (status, response) in
                operation["responses"].as_object().unwrap().iter().filter(|(status, _)| *status != "200")
            {
                let schema = &response["content"]["application/json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Error", "{method} {path} {status}");
            }
        }
    }
}
