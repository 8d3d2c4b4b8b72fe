//! People: accounts that logged in through the native API.

use serde_json::{Value, json};
use trailkeeper_auth::{NewAccount, Origin};
use trailkeeper_domain::account::Role;

use super::{Caller, TestApp, TestResponse, operator, tenant_id};

/// The password of every account of the tests.
pub const PASSWORD: &str = "correct horse battery";

/// A person who has logged in.
pub struct Person<'a> {
    pub caller: Caller<'a>,
    pub account_id: String,
    pub session_id: String,
    pub refresh_token: String,
}

impl TestApp {
    /// A new account that has logged in, tenant-scoped if `tenant` is given.
    pub fn person(&self, email: &str, role: Role, tenant: Option<&str>) -> Person<'_> {
        let new = NewAccount {
            email: email.to_owned(),
            display_name: None,
            password: PASSWORD.to_owned(),
            role,
            tenant_id: tenant.map(tenant_id),
        };
        self.state.access().create_account(&operator(), new).unwrap();
        self.again(email)
    }

    /// One more login of an account.
    pub fn again(&self, email: &str) -> Person<'_> {
        let login = self.log_in(email, PASSWORD).ok();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Person {
            caller: self.bearer(login["access_token"].as_str().unwrap()),
            account_id: text(&login["account"]["account_id"]),
            session_id: text(&login["session_id"]),
            refresh_token: text(&login["refresh_token"]),
        }
    }

    /// The answer to a login.
    pub fn log_in(&self, email: &str, password: &str) -> TestResponse {
        self.anon().post("/v1/sessions", &json!({"email": email, "password": password}))
    }

    /// The answer to a refresh.
    pub fn refresh(&self, refresh_token: &str) -> TestResponse {
        self.anon().post("/v1/sessions/refresh", &json!({"refresh_token": refresh_token}))
    }
}

impl Person<'_> {
    /// Whether the session is still valid.
    pub fn is_in(&self) -> bool {
        match self.caller.get("/v1/accounts/me").status {
            200 => true,
            401 => false,
            other => panic!("{other}"),
        }
    }
}

/// A new person with this role who has just logged in, tenant-scoped if `tenant` is given: e-mail and caller.
pub fn person<'a>(app: &'a TestApp, role: Role, tenant: Option<&str>) -> (String, Caller<'a>) {
    let email = format!("{}@example.com", app.fresh_name());
    let new = NewAccount {
        email: email.clone(),
        display_name: None,
        password: PASSWORD.to_owned(),
        role,
        tenant_id: tenant.map(tenant_id),
    };
    app.state.access().create_account(&operator(), new).unwrap();
    let login = app.state.access().login(&email, PASSWORD, &Origin::default()).unwrap();
    (email, app.bearer(&login.access_token))
}
