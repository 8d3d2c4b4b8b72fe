//! Every kind of caller.

use chrono::TimeDelta;
use trailkeeper_auth::{NewToken, Origin};
use trailkeeper_domain::account::Role;

use super::row::Kind;
use crate::support::{Caller, PASSWORD, TestApp, operator, person};

/// A new caller of this kind and role, tenant-scoped if `tenant` is given.
pub fn caller<'a>(app: &'a TestApp, kind: Kind, role: Role, tenant: Option<&str>) -> Caller<'a> {
    match kind {
        Kind::Program => app.token(role, tenant),
        Kind::Person => person(app, role, tenant).1,
    }
}

/// Invalid, expired and revoked credentials, with their descriptions.
pub fn strangers(app: &TestApp) -> Vec<(&'static str, Caller<'_>)> {
    let access = app.state.access();
    let (_, expired_login) = person(app, Role::Admin, None);
    let expires_at = Some(app.now() + TimeDelta::hours(1));
    let new = NewToken { name: "short".to_owned(), role: Role::Admin, tenant_id: None, expires_at };
    let (_, expired_token) = access.create_token(&operator(), new).unwrap();
    app.clock.advance(TimeDelta::hours(2));

    let new = NewToken { name: "revoked".to_owned(), role: Role::Admin, tenant_id: None, expires_at: None };
    let (made, revoked_token) = access.create_token(&operator(), new).unwrap();
    access.revoke_token(&operator(), made.id).unwrap();

    // One more administrator, because the last one cannot be removed.
    person(app, Role::Admin, None);
    let (disabled, of_disabled) = person(app, Role::Admin, None);
    access.set_disabled(&operator(), &disabled, true).unwrap();
    let (changed, of_changed) = person(app, Role::Admin, None);
    access.set_password(&operator(), &changed, "another horse entirely").unwrap();
    let (gone, _) = person(app, Role::Admin, None);
    let login = access.login(&gone, PASSWORD, &Origin::default()).unwrap();
    let of_gone = app.bearer(&login.access_token);
    access.delete_account(&operator(), login.account.id).unwrap();
    let (mine, _) = person(app, Role::Admin, None);
    let login = access.login(&mine, PASSWORD, &Origin::default()).unwrap();

    let real = app.admin().token.unwrap();
    let almost = format!("{}{}", &real[..real.len() - 1], if real.ends_with('A') { 'B' } else { 'A' });
    vec![
        ("nobody", app.anon()),
        ("an empty token", app.bearer("")),
        ("an unknown token", app.bearer("tk_unheard_of")),
        ("a token with another last letter", app.bearer(&almost)),
        ("an unsigned JWT", app.bearer("eyJhbGciOiJub25lIn0.e30.")),
        ("an expired API token", app.bearer(expired_token.expose())),
        ("a revoked API token", app.bearer(revoked_token.expose())),
        ("an expired login", expired_login),
        ("a refresh token", app.bearer(&login.refresh_token)),
        ("a disabled account", of_disabled),
        ("an account with another password since", of_changed),
        ("a deleted account", of_gone),
    ]
}
