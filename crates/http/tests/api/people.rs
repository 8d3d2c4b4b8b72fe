//! People: callers with a login, as opposed to programs with API tokens.

use trailkeeper_auth::{NewAccount, Origin};
use trailkeeper_domain::account::Role;

use crate::support::{Caller, TestApp, operator, tenant_id};

/// The password of all these accounts.
pub const PASSWORD: &str = "correct horse battery";

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
