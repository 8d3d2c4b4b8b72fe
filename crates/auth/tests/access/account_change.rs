use chrono::TimeDelta;
use serde_json::json;
use trailkeeper_auth::{AccountChange, NewAccount};
use trailkeeper_domain::account::{Account, Role};
use trailkeeper_domain::id::{AccountId, TenantId};
use trailkeeper_domain::{Error, Result};
use trailkeeper_testkit::metadata_of;
use uuid::Uuid;

use crate::world::{
    EMAIL, PASSWORD, TENANT, World, conflict, context_of, new_account, operator, origin, unauthenticated,
};

fn role(role: Role) -> AccountChange {
    AccountChange { role: Some(role), ..AccountChange::default() }
}

fn email(email: &str) -> AccountChange {
    AccountChange { email: Some(email.to_owned()), ..AccountChange::default() }
}

fn disabled(disabled: bool) -> AccountChange {
    AccountChange { disabled: Some(disabled), ..AccountChange::default() }
}

fn tenant(tenant: Option<TenantId>) -> AccountChange {
    AccountChange { tenant_id: Some(tenant), ..AccountChange::default() }
}

#[test]
fn a_change_is_recorded_field_by_field_with_actor_and_origin() {
    for world in World::on_both() {
        let boss = world.account("boss@example.com", Role::Admin);
        let jane = world.jane(Role::Analyst);
        world.advance(TimeDelta::seconds(1));
        let change = AccountChange {
            email: Some("doe@example.com".to_owned()),
            display_name: Some("J. Doe".to_owned()),
            role: Some(Role::Auditor),
            tenant_id: Some(Some(TENANT)),
            disabled: Some(true),
            password: Some("an entirely new one".to_owned()),
        };
        let changed = world.access.change_account(&context_of(&boss), jane.id, change).unwrap();
        let expected = Account {
            email: "doe@example.com".to_owned(),
            display_name: "J. Doe".to_owned(),
            role: Role::Auditor,
            tenant_id: Some(TENANT),
            disabled_at: Some(world.now()),
            updated_at: world.now(),
            password_hash: changed.password_hash.clone(),
            ..jane.clone()
        };
        assert_eq!(changed, expected);
        assert_eq!(world.access.account(jane.id).unwrap(), expected);
        assert_eq!(world.access.account_with_email("DOE@example.com").unwrap(), expected);

        let events = world.system_events();
        let of = |kind: &str| events.iter().find(|event| event.kind.as_str() == kind).unwrap();
        for kind in ["account_change", "account_password_change", "account_disable"] {
            let event = of(kind);
            let actor = (event.user_id.as_ref().unwrap().as_str(), event.user_name.as_deref(), event.source);
            let address = Some("203.0.113.7".parse().unwrap());
            assert_eq!(actor, (boss.id.to_string().as_str(), Some("boss@example.com"), address), "{kind}");
            assert_eq!(event.user_agent.as_deref(), Some("curl/8.14  X-Forged: 1"));
            assert_eq!(event.trace_id.as_deref(), Some("trace-1"));
            let target = event.target.as_ref().unwrap();
            let named = (target.kind.as_deref(), target.id.clone(), target.name.as_deref());
            assert_eq!(named, (Some("account"), Some(jane.id.to_string()), Some(EMAIL)), "{kind}");
        }
        assert_eq!(
            metadata_of(of("account_change")),
            Some(json!({
                "changed": ["display_name", "email", "role", "tenant_id"],
                "display_name": {"from": EMAIL, "to": "J. Doe"},
                "email": {"from": EMAIL, "to": "doe@example.com"},
                "role": {"from": "analyst", "to": "auditor"},
                "tenant_id": {"from": null, "to": TENANT.to_string()},
            }))
        );
        assert_eq!(of("account_password_change").metadata, None);
    }
}

#[test]
fn a_change_without_effect_leaves_no_event_and_an_invalid_one_changes_nothing() {
    for world in World::on_both() {
        let jane = world.jane(Role::Analyst);
        world.account("other@example.com", Role::Analyst);
        let logged_in = world.jane_logs_in();
        let before = world.system_events().len();
        let same = AccountChange {
            email: Some(EMAIL.to_owned()),
            display_name: Some(EMAIL.to_owned()),
            role: Some(Role::Analyst),
            tenant_id: Some(None),
            disabled: Some(false),
            password: None,
        };
        world.advance(TimeDelta::seconds(1));
        for nothing in [same, AccountChange::default()] {
            assert_eq!(world.access.change_account(&operator(), jane.id, nothing).unwrap(), jane);
        }

        let taken = world.access.change_account(&operator(), jane.id, email("OTHER@example.com"));
        let fault = conflict(taken);
        assert_eq!((fault.code, fault.field.as_deref()), ("email_taken", Some("email")));
        for (field, wrong) in [
            ("email", email("nonsense")),
            ("email", email(&format!("{}@example.com", "x".repeat(243)))),
            ("display_name", AccountChange { display_name: Some("a\0".to_owned()), ..AccountChange::default() }),
            ("tenant_id", tenant(Some(TenantId::SYSTEM))),
            ("password", AccountChange { password: Some("short".to_owned()), ..AccountChange::default() }),
            // The password must not be the new e-mail address; the old one does not matter.
            (
                "password",
                AccountChange {
                    password: Some("someone-new@example.com".to_owned()),
                    ..email("Someone-New@example.com")
                },
            ),
        ] {
            let error = world.access.change_account(&operator(), jane.id, wrong).unwrap_err();
            assert!(error.to_string().starts_with(&format!("{field}: ")), "{error}");
        }
        let nobody = AccountId(Uuid::from_u128(7));
        for answer in [
            world.access.change_account(&operator(), nobody, role(Role::Admin)).map(|_| ()),
            world.access.account(nobody).map(|_| ()),
            world.access.account_with_email("nobody@example.com").map(|_| ()),
            world.access.delete_account(&operator(), nobody),
        ] {
            assert!(matches!(&answer, Err(Error::NotFound(fault)) if fault.code == "account_not_found"), "{answer:?}");
        }
        assert_eq!(world.access.account(jane.id).unwrap(), jane);
        assert_eq!(world.system_events().len(), before);
        world.access.authenticate_bearer(&logged_in.access_token).unwrap();
    }
}

#[test]
fn changes_of_role_tenant_password_or_status_end_the_sessions_and_others_do_not() {
    let world = World::new();
    let jane = world.jane(Role::Analyst);
    // Setting the same password again ends the sessions too.
    let password = AccountChange { password: Some(PASSWORD.to_owned()), ..AccountChange::default() };
    let renamed = AccountChange { display_name: Some("Jane".to_owned()), ..AccountChange::default() };
    for (change, ends) in [
        (renamed, false),
        (email("JANE.DOE@example.com"), false),
        (role(Role::Auditor), true),
        (tenant(Some(TENANT)), true),
        (tenant(None), true),
        (password, true),
        (disabled(true), true),
        (disabled(false), false),
    ] {
        let enabled = world.access.account(jane.id).unwrap().disabled_at.is_none();
        let logged_in = enabled.then(|| world.jane_logs_in());
        world.access.change_account(&operator(), jane.id, change).unwrap();
        let Some(logged_in) = logged_in else { continue };
        assert_eq!(world.access.authenticate_bearer(&logged_in.access_token).is_err(), ends);
        assert_eq!(world.access.refresh(&logged_in.refresh_token, &origin()).is_err(), ends);
    }
    // The same e-mail address in another case is no other name.
    world.jane_logs_in();
}

#[test]
fn a_new_email_is_the_user_name_from_then_on() {
    for world in World::on_both() {
        let jane = world.jane(Role::Analyst);
        world.access.change_account(&operator(), jane.id, email("doe@example.com")).unwrap();
        unauthenticated(world.access.login(EMAIL, PASSWORD, &origin()));
        let logged_in = world.access.login("Doe@example.com", PASSWORD, &origin()).unwrap();
        assert_eq!(world.access.authenticate_bearer(&logged_in.access_token).unwrap().name, "doe@example.com");
        // The old e-mail address can be used again.
        world.jane(Role::Ingest);
    }
}

#[test]
fn a_deleted_account_stays_only_in_the_audit_trail() {
    for world in World::on_both() {
        let boss = world.account("boss@example.com", Role::Admin);
        let new = NewAccount { tenant_id: Some(TENANT), ..new_account(EMAIL, Role::Analyst) };
        let jane = world.access.create_account(&operator(), new).unwrap();
        let logged_in = world.jane_logs_in();
        world.access.delete_account(&context_of(&boss), jane.id).unwrap();

        unauthenticated(world.access.authenticate_bearer(&logged_in.access_token));
        unauthenticated(world.access.refresh(&logged_in.refresh_token, &origin()));
        unauthenticated(world.access.login(EMAIL, PASSWORD, &origin()));
        assert_eq!(world.access.accounts(None, 10).unwrap().items, std::slice::from_ref(&boss));
        let events = world.system_events();
        let deletion = events.iter().find(|event| event.kind.as_str() == "account_delete").unwrap();
        let target = deletion.target.clone().unwrap();
        assert_eq!((target.id, target.name.as_deref()), (Some(jane.id.to_string()), Some(EMAIL)));
        assert_eq!(deletion.user_id.as_ref().unwrap().as_str(), boss.id.to_string());
        assert!(deletion.source.is_some());
        assert_eq!(metadata_of(deletion), Some(json!({"role": "analyst", "tenant_id": TENANT.to_string()})));
        // Its earlier audit events still name it.
        let login = events.iter().find(|event| event.kind.as_str() == "login_success").unwrap();
        assert_eq!(login.user_id.as_ref().unwrap().as_str(), jane.id.to_string());
        // A new account with that e-mail address is another account.
        assert_ne!(world.jane(Role::Analyst).id, jane.id);
    }
}

#[test]
fn the_last_administrator_stays_one() {
    for world in World::on_both() {
        let jane = world.jane(Role::Admin);
        let tenant_scoped = NewAccount { tenant_id: Some(TENANT), ..new_account("scoped@example.com", Role::Admin) };
        world.access.create_account(&operator(), tenant_scoped).unwrap();
        world.account("analyst@example.com", Role::Analyst);
        let gone = world.account("gone@example.com", Role::Admin);
        world.access.change_account(&operator(), gone.id, disabled(true)).unwrap();
        let before = world.system_events().len();

        for (field, change) in
            [("role", role(Role::Analyst)), ("tenant_id", tenant(Some(TENANT))), ("disabled", disabled(true))]
        {
            let fault = conflict(world.access.change_account(&operator(), jane.id, change));
            assert_eq!((fault.code, fault.field.as_deref()), ("last_administrator", Some(field)));
        }
        let fault = conflict(world.access.delete_account(&operator(), jane.id));
        assert_eq!((fault.code, fault.field), ("last_administrator", None));
        assert_eq!(world.access.account(jane.id).unwrap(), jane);
        assert_eq!(world.system_events().len(), before);

        // Other changes are possible, and all of them once there is another administrator.
        world.access.change_account(&operator(), jane.id, email("boss@example.com")).unwrap();
        world.access.change_account(&operator(), gone.id, disabled(false)).unwrap();
        world.access.delete_account(&operator(), jane.id).unwrap();
        conflict(world.access.delete_account(&operator(), gone.id));
    }
}

#[test]
fn of_two_administrators_who_remove_each_other_at_once_exactly_one_succeeds() {
    type Removal = fn(&World, &Account, &Account) -> Result<()>;
    let removals: [Removal; 4] = [
        |world, by, whom| world.access.change_account(&context_of(by), whom.id, role(Role::Analyst)).map(|_| ()),
        |world, by, whom| world.access.change_account(&context_of(by), whom.id, disabled(true)).map(|_| ()),
        |world, by, whom| world.access.change_account(&context_of(by), whom.id, tenant(Some(TENANT))).map(|_| ()),
        |world, by, whom| world.access.delete_account(&context_of(by), whom.id),
    ];
    for world in World::on_both() {
        let mut survivor: Option<Account> = None;
        for round in 0..20 {
            let [one, two] =
                ["one", "two"].map(|name| world.account(&format!("{name}{round}@example.com"), Role::Admin));
            if let Some(old) = survivor {
                world.access.delete_account(&operator(), old.id).unwrap();
            }
            // Also when they do so in different ways.
            let (first, second) = (removals[round % 4], removals[(round / 4) % 4]);
            let (world, one_ref, two_ref) = (&world, &one, &two);
            let answers = std::thread::scope(|scope| {
                let threads = [
                    scope.spawn(move || first(world, one_ref, two_ref)),
                    scope.spawn(move || second(world, two_ref, one_ref)),
                ];
                threads.map(|thread| thread.join().unwrap())
            });
            let [first, second] = answers;
            assert_ne!(first.is_ok(), second.is_ok(), "round {round}: {first:?} {second:?}");
            survivor = Some(if first.is_ok() { one.clone() } else { two.clone() });
            for lost in [first, second].into_iter().filter(Result::is_err) {
                assert_eq!(conflict(lost).code, "last_administrator");
            }
        }
    }
}
