//! Tenants, users, memberships and the history of attributes.

use trailkeeper_domain::Error;
use trailkeeper_domain::creation::{Creation, CreationKind};
use trailkeeper_domain::id::{CreationId, TenantId, UserId};
use trailkeeper_domain::tenant::Tenant;
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::user::{
    Attribute, AttributeChange, EmailOwner, PoolId, SharedEmail, User, UserFilter, UserStatus,
};
use trailkeeper_testkit::{all_users, at, day, membership, tenant, tenant_id, user, user_id, uuid, visibility};

use crate::TestStore;

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    tenants_are_put_listed_and_removed,
    every_field_of_a_user_is_stored,
    an_email_is_unique_in_its_pool,
    users_who_share_an_email_keep_it,
    users_are_listed_by_bytes_and_narrowed,
    members_are_listed_and_removed,
    a_creation_replaces_one_with_the_same_id,
    attribute_changes_are_listed_newest_first,
    a_tenant_has_the_attribute_changes_of_its_members,
    an_empty_directory_is_reported,
    writers_of_the_directory_wait_for_one_another,
);

impl TestStore {
    fn put(&self, users: &[User]) {
        self.store.writing(|tx| users.iter().try_for_each(|user| tx.put_user(user))).unwrap();
    }

    fn found(&self, filter: &UserFilter) -> Vec<String> {
        let found = self.store.reading(|tx| tx.users(filter, None, 100)).unwrap();
        found.into_iter().map(|user| user.id.as_str().to_owned()).collect()
    }
}

fn pool(id: &str) -> PoolId {
    PoolId::parse("user_pool_id", id).unwrap()
}

fn tenants_are_put_listed_and_removed(t: &TestStore) {
    let nameless = Tenant { name: None, ..tenant(2) };
    t.store
        .writing(|tx| {
            for tenant in [tenant(3), tenant(1), nameless.clone()] {
                tx.put_tenant(&tenant)?;
            }
            tx.put_membership(&membership(tenant_id(1), "ann"))
        })
        .unwrap();
    assert_eq!(t.store.reading(|tx| tx.tenants(None, 2)).unwrap(), [tenant(1), nameless.clone()]);
    assert_eq!(t.store.reading(|tx| tx.tenants(Some(tenant_id(2)), 2)).unwrap(), [tenant(3)]);

    let renamed = Tenant { name: Some("Käse & Söhne".into()), updated_at: at("2026-02-01T00:00:00Z"), ..nameless };
    t.store.writing(|tx| tx.put_tenant(&renamed)).unwrap();
    assert_eq!(t.store.reading(|tx| tx.tenant(tenant_id(2))).unwrap(), Some(renamed.clone()));
    t.store.writing(|tx| tx.put_tenant(&Tenant { name: None, ..renamed.clone() })).unwrap();
    assert_eq!(t.store.reading(|tx| tx.tenant(tenant_id(2))).unwrap().unwrap().name, None);

    assert!(t.store.writing(|tx| tx.delete_tenant(tenant_id(1))).unwrap());
    assert!(!t.store.writing(|tx| tx.delete_tenant(tenant_id(1))).unwrap());
    assert_eq!(t.store.reading(|tx| tx.tenant(tenant_id(1))).unwrap(), None);
    assert_eq!(t.store.reading(|tx| tx.memberships(tenant_id(1), None, 10)).unwrap(), []);
}

fn every_field_of_a_user_is_stored(t: &TestStore) {
    let attributes = [("a", ""), ("aa", "1"), ("b", "\"quoted\" \\ käse"), ("zoneinfo", "Europe/Berlin")];
    let full = User {
        email: Some("Ann.Ö@Example.org".into()),
        username: Some("ann".into()),
        attributes: attributes.map(|(name, value)| Attribute { name: name.into(), value: value.into() }).to_vec(),
        region: Some("eu-west-1".into()),
        user_pool_id: Some(pool("eu-west-1_aBc")),
        status: UserStatus::ForceChangePassword,
        enabled: false,
        ..user("ann")
    };
    t.put(&[full.clone(), user("bob")]);
    assert_eq!(t.store.reading(|tx| tx.user(&user_id("ann"))).unwrap(), Some(full));
    assert_eq!(t.store.reading(|tx| tx.user(&user_id("bob"))).unwrap(), Some(user("bob")));
    assert_eq!(t.store.reading(|tx| tx.user(&user_id("Bob"))).unwrap(), None);
    for status in UserStatus::ALL {
        t.put(&[User { status, ..user("bob") }]);
        assert_eq!(t.store.reading(|tx| tx.user(&user_id("bob"))).unwrap().unwrap().status, status);
    }
    // Putting a user again replaces every field.
    t.put(&[user("ann")]);
    assert_eq!(t.store.reading(|tx| tx.user(&user_id("ann"))).unwrap(), Some(user("ann")));
    assert!(t.store.writing(|tx| tx.delete_user(&user_id("ann"))).unwrap());
    assert!(!t.store.writing(|tx| tx.delete_user(&user_id("ann"))).unwrap());
}

fn an_email_is_unique_in_its_pool(t: &TestStore) {
    let with = |id: &str, email: &str, in_pool: Option<&str>| User {
        email: Some(email.into()),
        user_pool_id: in_pool.map(pool),
        ..user(id)
    };
    t.put(&[
        with("ann", "x@example.org", None),
        with("bob", "x@example.org", Some("eu_1")),
        with("cy", "x@example.org", Some("eu_2")),
        user("dee"),
        user("eve"),
    ]);
    for taken in [with("new", "X@Example.ORG", None), with("dee", "x@example.org", Some("eu_1"))] {
        match t.store.writing(|tx| tx.put_user(&taken)) {
            Err(Error::Conflict(fault)) => {
                assert_eq!((fault.code, fault.field.as_deref()), ("alias_exists", Some("email")));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(t.store.reading(|tx| tx.user(&user_id("new"))).unwrap(), None);
    // A user may keep their own e-mail.
    t.put(&[with("ann", "X@example.org", None)]);
    assert_eq!(
        t.found(&UserFilter::by_email(visibility::EVERYTHING, "x@EXAMPLE.org", None, None)),
        ["ann", "bob", "cy"]
    );
    assert_eq!(
        t.found(&UserFilter::by_email(visibility::EVERYTHING, "x@example.org", None, Some(pool("eu_2")))),
        ["cy"]
    );
}

/// Addresses that became one when the rule of comparing them changed.
fn users_who_share_an_email_keep_it(t: &TestStore) {
    let with = |id: &str, email: &str| User { email: Some(email.into()), user_pool_id: Some(pool("eu_1")), ..user(id) };
    let put = |user: &User| t.store.writing(|tx| tx.put_user(user));
    let find = |email: &str| t.found(&UserFilter::by_email(visibility::EVERYTHING, email, None, Some(pool("eu_1"))));
    let shared = || t.store.reading(|tx| tx.shared_emails()).unwrap();
    t.put(&[with("ann", "other@x"), with("bob", "strasse@x")]);
    assert_eq!(shared(), []);
    t.ask("UPDATE users SET email = 'Straße@x', email_folded = 'strasse@x\nstraße@x' WHERE user_id = 'ann'");
    let owners = [("ann", "Straße@x"), ("bob", "strasse@x")];
    assert_eq!(
        shared(),
        [SharedEmail {
            user_pool_id: Some(pool("eu_1")),
            owners: owners.map(|(id, email)| (EmailOwner::User(user_id(id)), email.to_owned())).to_vec(),
        }]
    );
    assert_eq!(find("STRAßE@x"), ["ann", "bob"]);
    assert_eq!(find("STRASSE@x"), ["bob"]);
    // Both may send their own address again, neither that of the other, and no third user may have it.
    for own in [with("ann", "straße@x"), with("bob", "STRASSE@x"), with("ann", "Straße@X")] {
        put(&own).unwrap();
    }
    for other in [with("ann", "strasse@x"), with("bob", "straße@x"), with("cy", "Straße@x"), with("cy", "STRASSE@x")]
    {
        assert!(matches!(put(&other), Err(Error::Conflict(fault)) if fault.code == "alias_exists"), "{other:?}");
    }
    assert_eq!(shared().len(), 1);
    put(&User { user_pool_id: Some(pool("eu_2")), ..with("dee", "strasse@x") }).unwrap();
    // Once one of them is gone, the address is the other's, in every form.
    assert!(t.store.writing(|tx| tx.delete_user(&user_id("bob"))).unwrap());
    assert_eq!(shared(), []);
    assert!(matches!(put(&with("cy", "STRASSE@x")), Err(Error::Conflict(_))));
    put(&with("ann", "STRASSE@x")).unwrap();
    assert_eq!(find("straße@x"), ["ann"]);
}

fn users_are_listed_by_bytes_and_narrowed(t: &TestStore) {
    let ids = ["Z", "a", "a-b", "aB", "ab", "z", "Ä", "ä"];
    let mut sorted = ids.map(str::to_owned).to_vec();
    sorted.sort_unstable();
    t.put(&ids.map(user));
    assert_eq!(t.found(&all_users()), sorted);
    let mut walked = Vec::new();
    let mut after: Option<UserId> = None;
    loop {
        let page = t.store.reading(|tx| tx.users(&all_users(), after.as_ref(), 3)).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        walked.extend(page.into_iter().map(|user| user.id.as_str().to_owned()));
    }
    assert_eq!(walked, sorted);

    let placed = |id: &str, region: &str, pool_id: Option<&str>| User {
        region: Some(region.into()),
        user_pool_id: pool_id.map(pool),
        email: Some(format!("{id}@example.org")),
        ..user(id)
    };
    t.put(&[placed("p1", "eu", Some("eu_1")), placed("p2", "eu", None), placed("p3", "us", Some("us_1"))]);
    t.store
        .writing(|tx| {
            for id in ["p3", "p1", "a", "stranger"] {
                tx.put_membership(&membership(tenant_id(1), id))?;
            }
            tx.put_membership(&membership(tenant_id(2), "p2"))
        })
        .unwrap();
    let by = |region: Option<&str>, pool_id: Option<&str>, member_of: Option<TenantId>, email: Option<&str>| {
        t.found(&UserFilter {
            region: region.map(str::to_owned),
            user_pool_id: pool_id.map(pool),
            visibility: member_of.map_or(visibility::EVERYTHING, visibility::of_tenant),
            email: email.map(str::to_owned),
        })
    };
    assert_eq!(by(Some("eu"), None, None, None), ["p1", "p2"]);
    assert_eq!(by(None, Some("us_1"), None, None), ["p3"]);
    assert_eq!(by(Some("us"), Some("eu_1"), None, None), [""; 0]);
    assert_eq!(by(None, None, Some(tenant_id(1)), None), ["a", "p1", "p3"]);
    assert_eq!(by(Some("eu"), None, Some(tenant_id(1)), None), ["p1"]);
    assert_eq!(by(None, None, Some(tenant_id(1)), Some("p3@example.org")), ["p3"]);
    assert_eq!(by(None, None, Some(tenant_id(2)), Some("p3@example.org")), [""; 0]);
    let members = UserFilter { visibility: visibility::of_tenant(tenant_id(1)), ..all_users() };
    let behind = t.store.reading(|tx| tx.users(&members, Some(&user_id("a")), 1)).unwrap();
    assert_eq!(behind[0].id, user_id("p1"));
}

fn members_are_listed_and_removed(t: &TestStore) {
    let mine = [membership(tenant_id(1), "Z"), membership(tenant_id(1), "a"), membership(tenant_id(1), "ä")];
    t.store
        .writing(|tx| {
            tx.put_user(&user("a"))?;
            tx.put_membership(&membership(tenant_id(2), "a"))?;
            mine.iter().rev().try_for_each(|one| tx.put_membership(one))
        })
        .unwrap();
    assert_eq!(t.store.reading(|tx| tx.memberships(tenant_id(1), None, 10)).unwrap(), mine);
    assert_eq!(t.store.reading(|tx| tx.memberships(tenant_id(1), Some(&user_id("Z")), 1)).unwrap(), mine[1..2]);
    let next = |after| t.store.reading(|tx| tx.next_tenant_with_members(after)).unwrap();
    let steps = [next(None), next(Some(tenant_id(1))), next(Some(tenant_id(2)))];
    assert_eq!(steps, [Some(tenant_id(1)), Some(tenant_id(2)), None]);
    let mut corrected = mine[1].clone();
    corrected.created_at = at("2020-01-01T00:00:00Z");
    t.store.writing(|tx| tx.put_membership(&corrected)).unwrap();
    assert_eq!(t.store.reading(|tx| tx.membership(tenant_id(1), &user_id("a"))).unwrap(), Some(corrected));
    assert_eq!(t.store.reading(|tx| tx.membership(tenant_id(3), &user_id("a"))).unwrap(), None);
    assert!(t.store.writing(|tx| tx.delete_membership(tenant_id(1), &user_id("Z"))).unwrap());
    assert!(!t.store.writing(|tx| tx.delete_membership(tenant_id(1), &user_id("Z"))).unwrap());
    // Deleting a user deletes their memberships of every tenant.
    assert!(t.store.writing(|tx| tx.delete_user(&user_id("a"))).unwrap());
    assert_eq!(t.store.reading(|tx| tx.memberships(tenant_id(1), None, 10)).unwrap(), mine[2..]);
    assert_eq!(t.store.reading(|tx| tx.memberships(tenant_id(2), None, 10)).unwrap(), []);
}

fn a_creation_replaces_one_with_the_same_id(t: &TestStore) {
    let creation = |created_at: &str| Creation {
        id: CreationId(uuid(1)),
        kind: CreationKind::Tenant,
        tenant_id: tenant_id(1),
        user_id: None,
        region: None,
        user_pool_id: None,
        created_at: at(created_at),
    };
    let range = TimeRange::of_days(day("2026-01-01"), day("2026-12-31"));
    for (created_at, expected) in
        [("2026-03-01T23:59:59.999999Z", "2026-03-01"), ("2026-02-01T00:00:00Z", "2026-02-01")]
    {
        t.store.writing(|tx| tx.put_creation(&creation(created_at))).unwrap();
        let days = t.store.reading(|tx| tx.creations_per_day(CreationKind::Tenant, range, None)).unwrap();
        assert_eq!(days.len(), 1);
        assert_eq!((days[0].day, days[0].tenant_id, days[0].count), (day(expected), tenant_id(1), 1));
    }
}

fn attribute_changes_are_listed_newest_first(t: &TestStore) {
    let change = |user: &str, name: &str, changed_at: &str| AttributeChange {
        user_id: user_id(user),
        changed_at: at(changed_at),
        changed_by: "admin@example.org".into(),
        name: name.into(),
        old_value: None,
        new_value: Some(String::new()),
    };
    let first = [
        change("ann", "one", "2026-01-01T00:00:00Z"),
        change("ann", "two", "2026-01-01T00:00:00Z"),
        change("bob", "his", "2026-01-01T00:00:00Z"),
    ];
    let late = [change("ann", "three", "2025-01-01T00:00:00Z"), change("ann", "four", "2026-02-01T00:00:00Z")];
    t.store
        .writing(|tx| {
            tx.put_user(&user("ann"))?;
            tx.add_attribute_changes(&first)?;
            tx.add_attribute_changes(&[])?;
            tx.add_attribute_changes(&late)
        })
        .unwrap();
    let page = |after, limit| t.store.reading(|tx| tx.attribute_changes(&user_id("ann"), None, after, limit)).unwrap();
    let names =
        |page: &[(i64, AttributeChange)]| page.iter().map(|(_, change)| change.name.clone()).collect::<Vec<_>>();
    let all = page(None, 10);
    assert_eq!(names(&all), ["four", "two", "one", "three"]);
    assert_eq!(all[2].1, first[0]);
    let one = page(None, 2);
    assert_eq!(names(&one), ["four", "two"]);
    let two = page(Some(one[1].0), 2);
    assert_eq!(names(&two), ["one", "three"]);
    assert_eq!(page(Some(two[1].0), 2), []);
    assert_eq!(page(Some(i64::MAX), 2), [], "a number that is in no page");
    assert!(t.store.writing(|tx| tx.delete_user(&user_id("ann"))).unwrap());
    assert_eq!(page(None, 10), []);
    assert_eq!(t.store.reading(|tx| tx.attribute_changes(&user_id("bob"), None, None, 10)).unwrap().len(), 1);
}

fn a_tenant_has_the_attribute_changes_of_its_members(t: &TestStore) {
    // Every change has the same time: only the order of storage counts.
    let changed = |user: &str, name: &str| {
        let change = AttributeChange {
            user_id: user_id(user),
            changed_at: at("2026-01-01T00:00:00Z"),
            changed_by: "admin@example.org".into(),
            name: name.into(),
            old_value: None,
            new_value: Some(String::new()),
        };
        t.store.writing(|tx| tx.add_attribute_changes(std::slice::from_ref(&change))).unwrap();
    };
    let join = |tenant: u128, user: &str| {
        t.store.writing(|tx| tx.put_membership(&membership(tenant_id(tenant), user))).unwrap();
    };
    let seen = |tenant: Option<u128>, user: &str| {
        let tenant = tenant.map(tenant_id);
        let page = t.store.reading(|tx| tx.attribute_changes(&user_id(user), tenant, None, 10)).unwrap();
        page.into_iter().map(|(_, change)| change.name).collect::<Vec<_>>()
    };
    t.store.writing(|tx| tx.put_user(&user("ann"))).unwrap();
    changed("ann", "before");
    join(1, "ann");
    changed("bob", "of another user");
    changed("ann", "of one");
    join(2, "ann");
    changed("ann", "of both");
    // A membership that is corrected has not begun again.
    join(1, "ann");
    assert_eq!(seen(None, "ann"), ["of both", "of one", "before"]);
    assert_eq!(seen(Some(1), "ann"), ["of both", "of one"]);
    assert_eq!(seen(Some(2), "ann"), ["of both"]);
    assert_eq!(seen(Some(3), "ann"), [""; 0]);
    assert_eq!(seen(Some(1), "bob"), [""; 0]);

    // One that ended and began again has.
    t.store.writing(|tx| tx.delete_membership(tenant_id(1), &user_id("ann"))).unwrap();
    assert_eq!(seen(Some(1), "ann"), [""; 0]);
    changed("ann", "of two");
    join(1, "ann");
    changed("ann", "of both again");
    assert_eq!(seen(Some(1), "ann"), ["of both again"]);
    assert_eq!(seen(Some(2), "ann"), ["of both again", "of two", "of both"]);
    // The next page of a tenant has only its changes too.
    let page =
        |after| t.store.reading(|tx| tx.attribute_changes(&user_id("ann"), Some(tenant_id(2)), after, 2)).unwrap();
    let (first, second) = (page(None), page(page(None).last().map(|(number, _)| *number)));
    assert_eq!((first.len(), second.len()), (2, 1));

    // A user who was removed and came back has a new history.
    t.store.writing(|tx| tx.delete_user(&user_id("ann"))).unwrap();
    join(1, "ann");
    changed("ann", "new");
    assert_eq!(seen(Some(1), "ann"), ["new"]);
}

fn an_empty_directory_is_reported(t: &TestStore) {
    let has = || t.store.reading(|tx| tx.has_directory()).unwrap();
    assert!(!has());
    t.store.writing(|tx| tx.put_membership(&membership(tenant_id(1), "ann"))).unwrap();
    assert!(has());
    t.store.writing(|tx| tx.delete_membership(tenant_id(1), &user_id("ann"))).unwrap();
    t.store.writing(|tx| tx.put_user(&user("ann"))).unwrap();
    assert!(has());
    t.store.writing(|tx| tx.delete_user(&user_id("ann"))).unwrap();
    t.store.writing(|tx| tx.put_tenant(&tenant(1))).unwrap();
    assert!(has());
}

fn writers_of_the_directory_wait_for_one_another(t: &TestStore) {
    // Eight threads read the tenant and make its name one character longer. None of them may overwrite another.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                t.store
                    .writing(|tx| {
                        tx.lock_directory()?;
                        let length =
                            tx.tenant(tenant_id(1))?.and_then(|tenant| tenant.name).map_or(0, |name| name.len());
                        tx.put_tenant(&Tenant { name: Some("x".repeat(length + 1)), ..tenant(1) })
                    })
                    .unwrap();
            });
        }
    });
    let name = t.store.reading(|tx| tx.tenant(tenant_id(1))).unwrap().unwrap().name.unwrap();
    assert_eq!(name.len(), 8);
}
