//! The table of roles and permissions.

use trailkeeper_auth::{Permission, Principal, PrincipalKind};
use trailkeeper_domain::Error;
use trailkeeper_domain::account::Role;
use trailkeeper_domain::id::{AccountId, CredentialId, TenantId};
use trailkeeper_testkit::visibility;
use uuid::Uuid;

const ID: Uuid = Uuid::from_u128(7);

fn principal(kind: PrincipalKind, role: Role, tenant_id: Option<TenantId>) -> Principal {
    Principal { kind, name: "someone".to_owned(), role, tenant_id, session_id: None }
}

#[test]
fn each_role_has_exactly_the_permissions_of_the_table() {
    use Permission::{
        Administer, ReadAnalytics, ReadAuditTrail, ReadDirectory, ReadEvents, WriteAnalytics, WriteDirectory,
        WriteEvents,
    };
    let table: [(Role, &[Permission]); 4] = [
        (
            Role::Admin,
            &[
                WriteEvents,
                ReadEvents,
                ReadAnalytics,
                WriteAnalytics,
                ReadDirectory,
                WriteDirectory,
                ReadAuditTrail,
                Administer,
            ],
        ),
        (Role::Analyst, &[ReadEvents, ReadAnalytics, ReadDirectory]),
        (Role::Auditor, &[ReadEvents, ReadDirectory]),
        (Role::Ingest, &[WriteEvents]),
    ];
    assert_eq!(table.map(|(role, _)| role), Role::ALL);
    for (role, may) in table {
        for kind in [PrincipalKind::Account(AccountId(ID)), PrincipalKind::Token(CredentialId(ID))] {
            for permission in Permission::ALL {
                let answer = principal(kind, role, None).require(permission);
                assert_eq!(answer.is_ok(), may.contains(&permission), "{role:?} {permission:?}");
                if let Err(error) = answer {
                    assert!(matches!(error, Error::Forbidden(_)));
                    assert!(
                        error.to_string().contains(role.as_str()) && error.to_string().contains("admin"),
                        "{error}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_signing_key_has_fewer_permissions_than_its_role() {
    let may = [Permission::WriteEvents, Permission::ReadEvents, Permission::ReadAnalytics, Permission::WriteAnalytics];
    for permission in Permission::ALL {
        let answer = principal(PrincipalKind::SigningKey(CredentialId(ID)), Role::Admin, None).require(permission);
        assert_eq!(answer.is_ok(), may.contains(&permission), "{permission:?}");
    }
}

#[test]
fn a_tenant_scoped_principal_cannot_administer() {
    let tenant_scoped = principal(PrincipalKind::Account(AccountId(ID)), Role::Admin, Some(TenantId(ID)));
    for permission in Permission::ALL {
        assert_eq!(tenant_scoped.require(permission).is_ok(), permission != Permission::Administer, "{permission:?}");
    }
}

#[test]
fn only_unscoped_administrators_and_auditors_see_the_system_tenant() {
    for kind in [
        PrincipalKind::Account(AccountId(ID)),
        PrincipalKind::Token(CredentialId(ID)),
        PrincipalKind::SigningKey(CredentialId(ID)),
    ] {
        for (role, expected) in [
            (Role::Admin, visibility::EVERYTHING),
            (Role::Analyst, visibility::CUSTOMERS),
            (Role::Auditor, visibility::EVERYTHING),
            (Role::Ingest, visibility::CUSTOMERS),
        ] {
            assert_eq!(principal(kind, role, None).visibility(), expected, "{kind:?} {role:?}");
            let scoped = principal(kind, role, Some(TenantId(ID))).visibility();
            assert_eq!(scoped, visibility::of_tenant(TenantId(ID)), "{kind:?} {role:?}");
        }
    }
}

#[test]
fn the_actor_is_the_credential() {
    for kind in [
        PrincipalKind::Account(AccountId(ID)),
        PrincipalKind::Token(CredentialId(ID)),
        PrincipalKind::SigningKey(CredentialId(ID)),
    ] {
        let actor = principal(kind, Role::Admin, None).actor();
        assert_eq!((actor.id, actor.name), (ID.to_string(), "someone".to_owned()));
        let expected = matches!(kind, PrincipalKind::Account(_)).then_some(AccountId(ID));
        assert_eq!(principal(kind, Role::Ingest, None).account_id(), expected);
    }
}
