//! Answers of the published contracts without a credential. The table in `access` has the permissions.

use serde_json::json;

use crate::support::TestApp;

#[test]
fn logins_need_no_credential_and_ignore_a_bad_one() {
    let app = TestApp::new();
    for (path, body) in [
        ("/api/UserAccount/Login", json!({"Username": "nobody@example.com", "Password": "wrong"})),
        ("/api/UserAccount/RefreshToken", json!({"refreshToken": "x"})),
    ] {
        for caller in [app.anon(), app.bearer("tk_unknown")] {
            let answer = caller.post(path, &body);
            assert_eq!((answer.status, answer.json()["isAdmin"].clone()), (401, json!(false)), "{path}");
        }
    }
}
