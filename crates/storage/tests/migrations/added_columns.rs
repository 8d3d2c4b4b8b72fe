//! The columns of refresh tokens and memberships that later migrations added.

use trailkeeper_domain::id::TenantId;
use trailkeeper_storage::{StoreOptions, migrate, open};
use trailkeeper_testkit::{DatabaseKind, TempDatabase, user_id};
use uuid::Uuid;

use crate::{execute, parsed, undo_from};

trailkeeper_testkit::on_both!(
    superseded_tokens_stay_invalid_in_an_older_schema,
    old_attribute_changes_are_shown_to_tenants_that_know_them,
);

const FIRST_OF_SUCCESSORS: &str = "2026-11-29-0015";

/// An account, its session, and a token that was superseded.
const SUPERSEDED_SQLITE: &str = "
INSERT INTO accounts VALUES (zeroblob(16), 'a@b.c', 'a@b.c', 'A', 'x', 'admin', NULL, NULL, 0, 0);
INSERT INTO sessions VALUES (zeroblob(16), zeroblob(16), 0, NULL, NULL, 0, 9000000, NULL);
INSERT INTO refresh_tokens (token_hash, session_id, issued_at, expires_at, superseded_at)
VALUES (zeroblob(32), zeroblob(16), 0, 9000000, 5000000);";

const SUPERSEDED_POSTGRES: &str = "
INSERT INTO accounts VALUES (lpad('', 32, '0')::uuid, 'a@b.c', 'a@b.c', 'A', 'x', 'admin', NULL, NULL, now(), now());
INSERT INTO sessions (id, account_id, started_at, refreshed_at, expires_at)
VALUES (lpad('', 32, '0')::uuid, lpad('', 32, '0')::uuid, to_timestamp(0), to_timestamp(0), to_timestamp(9));
INSERT INTO refresh_tokens (token_hash, session_id, issued_at, expires_at, superseded_at)
VALUES (decode(repeat('00', 32), 'hex'), lpad('', 32, '0')::uuid, to_timestamp(0), to_timestamp(9), to_timestamp(5));";

fn superseded_tokens_stay_invalid_in_an_older_schema(kind: DatabaseKind) {
    let database = TempDatabase::new(kind);
    let url = parsed(&database);
    migrate(&url).unwrap();
    execute(
        kind,
        &database,
        match kind {
            DatabaseKind::Sqlite => SUPERSEDED_SQLITE,
            DatabaseKind::Postgres => SUPERSEDED_POSTGRES,
        },
    );
    undo_from(kind, &database, FIRST_OF_SUCCESSORS);
    migrate(&url).unwrap();
    let store = open(&url, &StoreOptions::default()).unwrap();
    let token = store.reading(|tx| tx.refresh_token(&[0; 32])).unwrap().unwrap();
    assert_eq!(token.spent_at.unwrap().timestamp(), 5);
    assert_eq!((token.superseded_at, token.successor_hash), (None, None));
}

/// Ann is a member of tenants 1 and 2. Bob is a member of tenant 1 only. Cy is a member of tenant 1, and was one of tenant 2.
/// Each has two changes of attributes.
const OLD_MEMBERS: &str = "
INSERT INTO memberships (tenant_id, user_id, created_at, creation_id) VALUES
    ($1, 'ann', $0, $1), ($2, 'ann', $0, $2), ($1, 'bob', $0, $3), ($1, 'cy', $0, $4);
INSERT INTO creations (tenant_id, id, kind, user_id, created_at) VALUES
    ($1, $1, 'create_tenant_user', 'ann', $0), ($2, $2, 'create_tenant_user', 'ann', $0),
    ($1, $3, 'create_tenant_user', 'bob', $0), ($1, $4, 'create_tenant_user', 'cy', $0),
    ($2, $5, 'create_tenant_user', 'cy', $0);
INSERT INTO attribute_changes (user_id, changed_at, changed_by, name) VALUES
    ('ann', $0, 'admin', 'a'), ('bob', $0, 'admin', 'a'), ('cy', $0, 'admin', 'a'),
    ('ann', $0, 'admin', 'b'), ('bob', $0, 'admin', 'b'), ('cy', $0, 'admin', 'b');";

fn old_attribute_changes_are_shown_to_tenants_that_know_them(kind: DatabaseKind) {
    let database = TempDatabase::new(kind);
    let url = parsed(&database);
    migrate(&url).unwrap();
    undo_from(kind, &database, FIRST_OF_SUCCESSORS);
    let mut sql = OLD_MEMBERS.to_owned();
    for number in 1..=5 {
        let id = match kind {
            DatabaseKind::Sqlite => format!("unhex('{number:032x}')"),
            DatabaseKind::Postgres => format!("'{number:032x}'::uuid"),
        };
        sql = sql.replace(&format!("${number}"), &id);
    }
    let time = match kind {
        DatabaseKind::Sqlite => "0",
        DatabaseKind::Postgres => "to_timestamp(0)",
    };
    execute(kind, &database, &sql.replace("$0", time));
    migrate(&url).unwrap();
    let store = open(&url, &StoreOptions::default()).unwrap();
    let seen = |user: &str, tenant: Option<u128>| {
        let tenant = tenant.map(|number| TenantId(Uuid::from_u128(number)));
        store.reading(|tx| tx.attribute_changes(&user_id(user), tenant, None, 10)).unwrap().len()
    };
    assert_eq!(["ann", "bob", "cy"].map(|user| seen(user, None)), [2, 2, 2]);
    // Nobody knows whose member Ann and Cy were when the changes were made.
    assert_eq!([seen("ann", Some(1)), seen("ann", Some(2))], [0, 0]);
    assert_eq!([seen("bob", Some(1)), seen("bob", Some(2))], [2, 0]);
    assert_eq!([seen("cy", Some(1)), seen("cy", Some(2))], [0, 0]);
}
