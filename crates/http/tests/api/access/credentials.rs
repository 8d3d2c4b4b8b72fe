//! Unusual credentials, and the order of the checks. The table in `access` has the permissions.

use trailkeeper_domain::account::Role;

use crate::support::TestApp;

#[test]
fn another_scheme_is_not_a_credential() {
    let app = TestApp::new();
    let real = app.admin().token.unwrap();
    let signed = format!("SAASUSSIGV1 Sig={real}, SaaSID=a, APIKey=b");
    for value in ["Basic YWRtaW46YWRtaW4=", "Bearer", "Bearer ", &real, &signed, "\u{fffd}", ""] {
        let call = app.anon().call("GET", "/v1/events").header("Authorization", value);
        call.send().problem(401, "unauthorized", None);
    }
    let twice = app.bearer(&real).call("GET", "/v1/events").header("Authorization", "Bearer tk_another");
    assert_ne!(twice.send().status, 500);
}

#[test]
fn the_role_is_checked_before_the_request_is_read() {
    let app = TestApp::new();
    let ingest = app.token(Role::Ingest, None);
    ingest.get("/v1/events?no=such").problem(403, "permission_denied", None);
    let auditor = app.token(Role::Auditor, None);
    auditor.call("POST", "/v1/events").body("no JSON").send().problem(403, "permission_denied", None);
}
