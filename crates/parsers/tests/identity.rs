//! Records of identity providers, in the forms of their documentation.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, helpers included")]

use serde_json::{Value, json};
use trailkeeper_domain::event::{CheckedEvent, IngestContext};
use trailkeeper_domain::id::{EventId, UserId};
use trailkeeper_domain::time::{parse_rfc3339, rfc3339};
use trailkeeper_parsers::identity::Provider::{self, Auth0, CloudTrail, Keycloak};
use uuid::Uuid;

fn checked(provider: Provider, record: &Value) -> CheckedEvent {
    let context =
        IngestContext { now: parse_rfc3339("now", "2026-11-30T00:00:00Z").unwrap(), source: None, tenant_scope: None };
    let draft = provider.draft(record.to_string().as_bytes()).unwrap();
    draft.into_event(&context, EventId(Uuid::nil())).unwrap()
}

/// Kind, outcome, user and name of a record.
fn said(provider: Provider, record: &Value) -> String {
    let event = checked(provider, record).event;
    let user = event.user_id.as_ref().map_or("-", UserId::as_str);
    format!("{} {} {user} {}", event.kind, event.outcome.as_str(), event.user_name.as_deref().unwrap_or("-"))
}

fn metadata(provider: Provider, record: &Value) -> Value {
    checked(provider, record).event.metadata.unwrap().as_str().parse().unwrap()
}

fn refused(provider: Provider, record: &Value) -> String {
    provider.draft(record.to_string().as_bytes()).unwrap_err().to_string()
}

/// A record with other values in some fields.
fn with(mut record: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    record.as_object_mut().unwrap().extend(changes);
    record
}

fn keycloak() -> Value {
    json!({
        "id": "7a1f6a3e-59f5-4a61-b1d5-6f0a5a3f6c11", "time": 1_790_000_000_123_i64, "type": "LOGIN",
        "realmId": "d2a5", "realmName": "shop", "clientId": "shop-web", "userId": "f:1:jane",
        "sessionId": "e3b0c442", "ipAddress": "203.0.113.7", "error": null,
        "details": {"auth_method": "openid-connect", "username": "jane@example.com", "code_id": "e3b0c442"}
    })
}

#[test]
fn events_of_keycloak() {
    let event = checked(Keycloak, &keycloak()).event;
    assert_eq!(event.id.0.to_string(), "7a1f6a3e-59f5-4a61-b1d5-6f0a5a3f6c11");
    assert_eq!(rfc3339(event.occurred_at), "2026-09-21T14:13:20.123Z");
    assert_eq!(event.session_id.as_deref(), Some("e3b0c442"));
    assert_eq!(event.source, Some("203.0.113.7".parse().unwrap()));
    let details = json!({"auth_method": "openid-connect", "username": "jane@example.com", "code_id": "e3b0c442"});
    let expected = json!({"provider": "keycloak", "type": "LOGIN", "client_id": "shop-web", "realm_id": "d2a5",
        "realm": "shop", "details": details});
    assert_eq!(metadata(Keycloak, &keycloak()), expected);
    for (kind, error, details, expected) in [
        ("LOGIN", json!(null), json!({"username": "jane"}), "login_success success f:1:jane jane"),
        (
            "LOGIN_ERROR",
            json!("invalid_user_credentials"),
            json!({"username": "jane"}),
            "login_fail failure f:1:jane jane",
        ),
        ("LOGOUT", json!(null), json!(null), "logout success f:1:jane -"),
        ("REGISTER", json!(null), json!({}), "sign_up success f:1:jane -"),
        ("REGISTER_ERROR", json!("email_in_use"), json!({}), "sign_up failure f:1:jane -"),
        ("USER_INFO_REQUEST", json!(null), json!({}), "userinfo success f:1:jane -"),
        (
            "UPDATE_CREDENTIAL",
            json!(null),
            json!({"credential_type": "password"}),
            "password_change success f:1:jane -",
        ),
        (
            "UPDATE_CREDENTIAL",
            json!(null),
            json!({"credential_type": "otp"}),
            "keycloak.update_credential success f:1:jane -",
        ),
        ("SEND_RESET_PASSWORD_ERROR", json!("user_not_found"), json!({}), "forgot_password failure f:1:jane -"),
        ("CODE_TO_TOKEN", json!(null), json!({}), "keycloak.code_to_token success f:1:jane -"),
        (
            "USER_DISABLED_BY_TEMPORARY_LOCKOUT_ERROR",
            json!("x"),
            json!({}),
            "keycloak.user_disabled_by_temporary_lockout failure f:1:jane -",
        ),
    ] {
        let record = with(keycloak(), json!({"type": kind, "error": error, "details": details}));
        assert_eq!(said(Keycloak, &record), expected, "{kind}");
    }
    let unknown = with(keycloak(), json!({"type": "LOGIN_ERROR", "userId": null, "error": "user_not_found"}));
    assert_eq!(said(Keycloak, &unknown), "login_fail failure - jane@example.com");
}

#[test]
fn admin_events_of_keycloak() {
    let record = json!({
        "time": 1_790_000_000_000_i64, "realmId": "shop", "operationType": "CREATE", "resourceType": "USER",
        "resourcePath": "users/7a1f6a3e", "representation": "{\"username\":\"bob\",\"credentials\":[]}",
        "authDetails": {"realmId": "master", "clientId": "admin-cli", "userId": "root", "ipAddress": "192.0.2.9"}
    });
    assert_eq!(said(Keycloak, &record), "keycloak.admin.create_user success root -");
    let event = checked(Keycloak, &record).event;
    let target = event.target.unwrap();
    assert_eq!((target.kind.as_deref(), target.id.as_deref()), (Some("user"), Some("users/7a1f6a3e")));
    assert_eq!(event.source, Some("192.0.2.9".parse().unwrap()));
    let kept = metadata(Keycloak, &record);
    assert_eq!(
        kept,
        json!({"provider": "keycloak", "client_id": "admin-cli", "admin_realm_id": "master", "realm_id": "shop"})
    );
    // Without an id, the id is that of the content, whatever the order of the fields.
    assert_eq!(event.id.0.get_version_num(), 8);
    let text = record.to_string();
    let spaced = text.replace("{\"", "{\n \"");
    assert_ne!(spaced, text);
    assert_eq!(Keycloak.draft(spaced.as_bytes()).unwrap().id, Some(event.id.0));
    let failed = with(record, json!({"error": "denied", "resourceType": "CLIENT_INITIAL_ACCESS_MODEL"}));
    assert_eq!(said(Keycloak, &failed), "keycloak.admin.create_client_initial_access_model failure root -");
}

#[test]
fn logs_of_auth0() {
    let entry = json!({
        "date": "2026-02-23T19:57:29.532Z", "type": "s", "description": "Successful login",
        "connection": "Username-Password-Authentication", "client_id": "AaiyAPdpYdesoKnqjj8HJqRn4T5titww",
        "client_name": "Shop", "ip": "190.57.209.19", "user_agent": "Chrome 114.0.0 / Windows 10.0.0",
        "details": {"session_id": "xdgDkCD4", "prompts": []}, "hostname": "shop.eu.auth0.com",
        "user_id": "auth0|56c75c4e42b6359e98374bc2", "user_name": "jane@example.com", "isMobile": false,
        "log_id": "90020260223195729532", "_id": "90020260223195729532"
    });
    let event = checked(Auth0, &entry).event;
    assert_eq!((event.id.0.get_version_num(), event.session_id.as_deref()), (8, Some("xdgDkCD4")));
    assert_eq!(event.user_agent.as_deref(), Some("Chrome 114.0.0 / Windows 10.0.0"));
    assert_eq!(metadata(Auth0, &entry)["connection"], json!("Username-Password-Authentication"));
    let streamed = json!({"log_id": "90020260223195729532", "data": entry});
    assert_eq!(checked(Auth0, &streamed).event, event, "a log stream has the entry in an envelope");
    let user = "auth0|56c75c4e42b6359e98374bc2 jane@example.com";
    for (code, expected) in [
        ("s", "login_success success"),
        ("fp", "login_fail failure"),
        ("fu", "login_fail failure"),
        ("slo", "logout success"),
        ("ss", "sign_up success"),
        ("fs", "sign_up failure"),
        ("scp", "password_change success"),
        ("fcpr", "forgot_password failure"),
        ("seacft", "auth0.seacft success"),
        ("feacft", "auth0.feacft failure"),
        ("limit_wc", "auth0.limit_wc failure"),
        ("oidc_backchannel_logout_succeeded", "auth0.oidc_backchannel_logout_succeeded success"),
        ("ciba_start_failed", "auth0.ciba_start_failed failure"),
        ("signup_something_new", "auth0.signup_something_new unknown"),
    ] {
        assert_eq!(said(Auth0, &with(entry.clone(), json!({"type": code}))), format!("{expected} {user}"), "{code}");
    }
    let call =
        with(entry, json!({"type": "sapi", "details": {"request": {"method": "patch", "path": "/api/v2/users/x"}}}));
    assert_eq!(checked(Auth0, &call).event.target.unwrap().id.as_deref(), Some("/api/v2/users/x"));
    assert_eq!(metadata(Auth0, &call)["method"], json!("patch"));
}

fn cognito() -> Value {
    json!({
        "eventVersion": "1.08", "userIdentity": {"type": "Unknown", "principalId": "Anonymous"},
        "eventTime": "2026-05-05T23:22:05Z", "eventSource": "cognito-idp.amazonaws.com", "eventName": "InitiateAuth",
        "awsRegion": "us-west-2", "sourceIPAddress": "192.0.2.1", "userAgent": "Mozilla/5.0",
        "requestParameters": {"authFlow": "USER_PASSWORD_AUTH", "clientId": "1example23456789"},
        "responseElements": {"authenticationResult": "HIDDEN_DUE_TO_SECURITY_REASONS", "challengeParameters": {}},
        "additionalEventData": {"sub": "704b1e47-34fe-40e9-8c41-504997494531"},
        "requestID": "9ad58dd8-3517-4aa8-96a5-d17a01df9eb4", "eventID": "c75eb7a5-eb8c-43d1-8331-f4412e756e69",
        "readOnly": false, "eventType": "AwsApiCall", "recipientAccountId": "123456789012"
    })
}

#[test]
fn calls_of_cognito() {
    let sub = "704b1e47-34fe-40e9-8c41-504997494531";
    let failed = json!({"errorCode": "NotAuthorizedException", "errorMessage": "Incorrect username or password.",
        "responseElements": null});
    for (changes, expected) in [
        (json!({}), "login_success success"),
        (failed.clone(), "login_fail failure"),
        (json!({"responseElements": {"challengeName": "SMS_MFA"}}), "aws.cognito_idp.initiate_auth success"),
        (json!({"eventName": "RespondToAuthChallenge"}), "login_success success"),
        (with(failed, json!({"eventName": "AdminRespondToAuthChallenge"})), "login_fail failure"),
        (json!({"requestParameters": {"authFlow": "REFRESH_TOKEN_AUTH"}}), "aws.cognito_idp.initiate_auth success"),
        (json!({"eventName": "SignUp"}), "sign_up success"),
        (json!({"eventName": "ForgotPassword", "errorCode": "LimitExceededException"}), "forgot_password failure"),
        (json!({"eventName": "ConfirmForgotPassword", "errorCode": ""}), "password_change success"),
        (json!({"eventName": "GlobalSignOut"}), "logout success"),
        (json!({"eventName": "GetUser"}), "userinfo success"),
        (json!({"eventName": "VerifySoftwareToken"}), "aws.cognito_idp.verify_software_token success"),
    ] {
        assert_eq!(said(CloudTrail, &with(cognito(), changes.clone())), format!("{expected} {sub} -"), "{changes}");
    }
    for (status, outcome) in [(json!(302), "success"), (json!(200.0), "success"), (json!(400.0), "failure")] {
        let page = json!({"eventName": "Signup_POST", "requestParameters": null, "responseElements": null,
            "additionalEventData": {"responseParameters": {"status": status}}});
        assert_eq!(said(CloudTrail, &with(cognito(), page)), format!("sign_up {outcome} - -"));
    }
    let admin =
        json!({"eventName": "AdminDeleteUser", "userIdentity": {"arn": "arn:aws:iam::1:user/ops", "userName": "ops"}});
    let admin = with(cognito(), admin);
    assert_eq!(said(CloudTrail, &admin), "aws.cognito_idp.admin_delete_user success arn:aws:iam::1:user/ops ops");
    assert_eq!(checked(CloudTrail, &admin).event.target.unwrap().id.as_deref(), Some(sub));
    let kept = metadata(CloudTrail, &cognito());
    assert_eq!(kept["request"], json!({"authFlow": "USER_PASSWORD_AUTH", "clientId": "1example23456789"}));
    assert_eq!(kept["region"], json!("us-west-2"));
}

#[test]
fn calls_of_other_services() {
    let console = json!({"eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::1:user/jane", "userName": "jane"},
        "responseElements": {"ConsoleLogin": "Failure"}, "errorMessage": "Failed authentication"});
    let user = "arn:aws:iam::1:user/jane jane";
    assert_eq!(said(CloudTrail, &with(cognito(), console.clone())), format!("login_fail failure {user}"));
    let success = with(console, json!({"responseElements": {"ConsoleLogin": "Success"}}));
    assert_eq!(said(CloudTrail, &with(cognito(), success)), format!("login_success success {user}"));
    let service = json!({"eventSource": "kms.amazonaws.com", "eventName": "GenerateDataKey",
        "userIdentity": {"type": "AWSService", "invokedBy": "s3.amazonaws.com"}, "sourceIPAddress": "s3.amazonaws.com"});
    let service = with(cognito(), service);
    assert_eq!(said(CloudTrail, &service), "aws.kms.generate_data_key success s3.amazonaws.com -");
    assert!(checked(CloudTrail, &service).event.original.contains_key("source"), "a name is no address");
    let long = with(cognito(), json!({"eventName": "A".repeat(80)}));
    assert_eq!(checked(CloudTrail, &long).event.kind.as_str(), "aws.call");
    let looked_up = json!({"EventId": "x", "CloudTrailEvent": cognito().to_string()});
    assert_eq!(checked(CloudTrail, &looked_up).event, checked(CloudTrail, &cognito()).event);
}

#[test]
fn what_has_no_room_is_left_out_and_named() {
    let request = json!({"policy": "x".repeat(20_000)});
    let CheckedEvent { event, warnings } = checked(CloudTrail, &with(cognito(), json!({"requestParameters": request})));
    assert!(event.original.is_empty(), "the metadata as a whole is kept");
    let whats: Vec<_> = warnings.iter().map(|warning| (warning.field, warning.what.as_str())).collect();
    assert_eq!(whats, [("metadata", "'request' has 20013 bytes and no room; it is left out")]);
    let nul = with(cognito(), json!({"errorMessage": "a\0b"}));
    assert_eq!(metadata(CloudTrail, &nul)["error_message"], json!("a\u{fffd}b"));
}

#[test]
fn what_is_not_understood_is_refused_with_its_field() {
    for (provider, record, expected) in [
        (Keycloak, json!([1]), "a list is not an event of Keycloak"),
        (Keycloak, json!({"type": "LOGIN"}), "time"),
        (Keycloak, with(keycloak(), json!({"time": "2026-01-01T00:00:00Z"})), "time"),
        (Keycloak, with(keycloak(), json!({"type": "Login now"})), "type"),
        (Keycloak, with(keycloak(), json!({"type": null})), "type"),
        (Keycloak, with(keycloak(), json!({"userId": 7})), "userId"),
        (Keycloak, with(keycloak(), json!({"details": []})), "details"),
        (Auth0, json!({"type": "s", "date": "2026-01-01T00:00:00Z"}), "log_id"),
        (Auth0, json!({"log_id": "1", "date": "2026-01-01T00:00:00Z"}), "type"),
        (Auth0, json!({"log_id": "1", "type": "S!", "date": "2026-01-01T00:00:00Z"}), "type"),
        (Auth0, json!({"log_id": "1", "type": "s", "date": "yesterday"}), "date"),
        (CloudTrail, with(cognito(), json!({"eventID": null})), "eventID"),
        (CloudTrail, with(cognito(), json!({"eventTime": "x"})), "eventTime"),
        (CloudTrail, with(cognito(), json!({"requestParameters": 5})), "requestParameters"),
        (
            CloudTrail,
            with(
                cognito(),
                json!({"eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin",
            "responseElements": null}),
            ),
            "responseElements.ConsoleLogin",
        ),
    ] {
        let message = refused(provider, &record);
        assert!(message.starts_with(expected), "{record}: {message}");
    }
}
