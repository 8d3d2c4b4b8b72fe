//! Finding a user by e-mail address, and changing single attributes of a user.

use crate::error::{Error, ErrorDetail, Result};
use crate::ports::ReadTx;
use crate::text;
use crate::usecase::Change;
use crate::usecase::keep_users::{changes_between, creation_of};
use crate::user::{self, Attribute, PoolId, User, UserFilter};
use crate::visibility::Visibility;

/// One attribute to set. An empty value clears the attribute.
pub type AttributeUpdate = Attribute;

/// A change of attributes of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeAttributes {
    /// E-mail address of the user, in upper or lower case.
    pub email: String,
    /// Region of the user pool. Narrows the search if several pools have the e-mail address.
    pub region: Option<String>,
    /// Id of the user pool. Narrows the search if several pools have the e-mail address.
    pub user_pool_id: Option<PoolId>,
    /// The attributes to set or clear. `email` changes the e-mail address; `sub` cannot change.
    pub updates: Vec<AttributeUpdate>,
}

/// More users than share one address in one pool.
const MOST_SHARED: usize = 16;

/// The visible user with this e-mail address. 404 if no such user exists, 409 `ambiguous_user` if several exist.
pub fn user_by_email(
    tx: &mut dyn ReadTx,
    visibility: Visibility,
    email: &str,
    region: Option<String>,
    user_pool_id: Option<PoolId>,
) -> Result<User> {
    let filter = UserFilter::by_email(visibility, email, region, user_pool_id);
    let mut found = tx.users(&filter, None, MOST_SHARED)?;
    if let [first, others @ ..] = found.as_slice()
        && others.iter().all(|other| other.user_pool_id == first.user_pool_id)
    {
        // Users who share an address since before addresses were folded: the one with exactly this address.
        let exact = |user: &User| user.email.as_deref().is_some_and(|own| own.to_lowercase() == email.to_lowercase());
        if found.iter().any(exact) {
            found.retain(exact);
        }
    }
    match (found.pop(), found.is_empty()) {
        (Some(user), true) => Ok(user),
        (Some(_), false) => Err(Error::conflict(
            "email",
            "ambiguous_user",
            format!("'{}' is in several user pools; add user_pool_id to say which", text::shown(email)),
        )),
        (None, _) => Err(Error::NotFound(ErrorDetail::of(
            "email",
            "user_not_found",
            format!("there is no user with the e-mail '{}'", text::shown(email)),
        ))),
    }
}

/// Sets and clears attributes of the user with an e-mail address, and records each change and its actor. Attributes
/// belong to all tenants of a user, so the errors of [`Visibility::check_all_tenants`] apply.
pub fn change_attributes(change: Change<'_>, visibility: Visibility, wanted: &ChangeAttributes) -> Result<User> {
    visibility.check_all_tenants()?;
    check(wanted)?;
    let (now, actor) = (change.now(), change.actor());
    change.write(|tx| {
        tx.lock_directory()?;
        let before = user_by_email(tx, visibility, &wanted.email, wanted.region.clone(), wanted.user_pool_id.clone())?;
        let mut after = before.clone();
        for update in &wanted.updates {
            apply(&mut after, update);
        }
        if after.attributes.len() > user::MAX_ATTRIBUTES {
            return Err(Error::invalid(
                "attributes",
                format!("the user would have more than {} of them", user::MAX_ATTRIBUTES),
            ));
        }
        let differs = after != before;
        after.updated_at = now;
        let changes = changes_between(&before, &after, actor);
        if differs {
            tx.put_user(&after)?;
            tx.put_creation(&creation_of(&after))?;
            tx.add_attribute_changes(&changes)?;
            Ok(after)
        } else {
            Ok(before)
        }
    })
}

fn apply(user: &mut User, update: &AttributeUpdate) {
    let value = Some(update.value.clone()).filter(|value| !value.is_empty());
    if update.name == "email" {
        user.email = value;
        return;
    }
    user.attributes.retain(|attribute| attribute.name != update.name);
    if let Some(value) = value {
        let at = user.attributes.partition_point(|attribute| attribute.name < update.name);
        user.attributes.insert(at, Attribute { name: update.name.clone(), value });
    }
}

fn check(change: &ChangeAttributes) -> Result<()> {
    user::checked_email("email", &change.email)?;
    user::checked_region("region", change.region.clone(), change.user_pool_id.as_ref())?;
    if change.updates.is_empty() {
        return Err(Error::invalid("attributes", "is empty; send at least one {\"name\", \"value\"}"));
    }
    if change.updates.len() > user::MAX_ATTRIBUTES {
        return Err(Error::invalid(
            "attributes",
            format!("has more than {} entries; send fewer", user::MAX_ATTRIBUTES),
        ));
    }
    for (at, update) in change.updates.iter().enumerate() {
        let field = format!("attributes[{at}]");
        update.check(&field)?;
        if update.name == "sub" {
            return Err(Error::invalid(format!("{field}.name"), "'sub' is the user's identity and cannot change"));
        }
        if update.name == "email" && !update.value.is_empty() {
            user::checked_email(&format!("{field}.value"), &update.value)?;
        }
        if change.updates.iter().take(at).any(|earlier| earlier.name == update.name) {
            return Err(Error::invalid(
                format!("{field}.name"),
                format!("'{}' stands twice; send each name once", text::shown(&update.name)),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::clock::Clock as _;
    use crate::id::UserId;
    use crate::ports::Store;
    use crate::testing::{CUSTOMERS, EVERYTHING, World, code_and_field, of_tenant, tenant_id, user_id};
    use crate::usecase::{put_membership, put_user};
    use crate::user::UserDraft;

    fn pool(id: &str) -> PoolId {
        PoolId::parse("user_pool_id", id).unwrap()
    }

    /// A world whose user `ann` has the e-mail address `Ann@example.org` and the attribute `team` = `red`.
    fn world_with_ann() -> World {
        let world = World::default();
        let team = Attribute { name: "team".to_owned(), value: "red".to_owned() };
        add(&world, "ann", &UserDraft { attributes: vec![team], ..draft("Ann@example.org", None) });
        world.fixed.advance(TimeDelta::hours(1));
        world
    }

    fn draft(email: &str, in_pool: Option<&str>) -> UserDraft {
        UserDraft { email: Some(email.to_owned()), user_pool_id: in_pool.map(pool), ..UserDraft::default() }
    }

    fn add(world: &World, id: &str, draft: &UserDraft) {
        put_user(world.change(), &user_id(id), draft).unwrap();
    }

    fn wanted(email: &str, updates: &[(&str, &str)]) -> ChangeAttributes {
        let updates = updates.iter().map(|(name, value)| Attribute { name: (*name).into(), value: (*value).into() });
        ChangeAttributes { email: email.to_owned(), region: None, user_pool_id: None, updates: updates.collect() }
    }

    fn change(world: &World, wanted: &ChangeAttributes) -> Result<User> {
        change_attributes(world.change(), CUSTOMERS, wanted)
    }

    fn found(world: &World, visibility: Visibility, email: &str, in_pool: Option<&str>) -> Result<UserId> {
        let store: &dyn Store = &world.store;
        store.reading(|tx| user_by_email(tx, visibility, email, None, in_pool.map(pool))).map(|user| user.id)
    }

    fn pairs(user: &User) -> Vec<(&str, &str)> {
        user.attributes.iter().map(|attribute| (attribute.name.as_str(), attribute.value.as_str())).collect()
    }

    #[test]
    fn an_email_finds_its_user_in_any_case() {
        let world = world_with_ann();
        assert_eq!(found(&world, EVERYTHING, "aNN@EXAMPLE.org", None).unwrap(), user_id("ann"));
        let error = found(&world, EVERYTHING, "bob@example.org", None).unwrap_err();
        assert!(matches!(error, Error::NotFound(_)));
        assert_eq!(code_and_field(&error), ("user_not_found", Some("email")));
    }

    #[test]
    fn an_email_in_several_pools_needs_the_pool() {
        let world = world_with_ann();
        add(&world, "bob", &draft("ann@example.org", Some("eu_1")));
        let error = found(&world, EVERYTHING, "ann@example.org", None).unwrap_err();
        assert!(matches!(error, Error::Conflict(_)));
        assert_eq!(code_and_field(&error), ("ambiguous_user", Some("email")));
        assert!(error.to_string().contains("user_pool_id"), "the way out: {error}");
        assert_eq!(found(&world, EVERYTHING, "ann@example.org", Some("eu_1")).unwrap(), user_id("bob"));
    }

    #[test]
    fn of_users_who_share_an_address_in_one_pool_the_one_with_exactly_this_address_is_found() {
        let world = world_with_ann();
        // The store takes no second user with a folded address any more, so these are older than that rule.
        let shared = |id: &str, email: &str, in_pool: Option<&str>| {
            let ann = world.store.records().users[&user_id("ann")].clone();
            User { id: user_id(id), email: Some(email.to_owned()), user_pool_id: in_pool.map(pool), ..ann }
        };
        let users = [shared("bob", "straße@example.org", None), shared("cy", "strasse@example.org", None)];
        world.store.prepared(|records| records.users.extend(users.map(|user| (user.id.clone(), user))));
        for (email, id) in [("Straße@example.org", "bob"), ("STRASSE@example.org", "cy")] {
            assert_eq!(found(&world, EVERYTHING, email, None).unwrap(), user_id(id));
        }
        let elsewhere = shared("dee", "strasse@example.org", Some("eu_1"));
        world.store.prepared(|records| drop(records.users.insert(elsewhere.id.clone(), elsewhere)));
        let error = found(&world, EVERYTHING, "strasse@example.org", None).unwrap_err();
        assert_eq!(code_and_field(&error).0, "ambiguous_user", "the pools differ, and the address cannot decide");
    }

    #[test]
    fn a_tenant_finds_only_its_members_by_email() {
        let world = world_with_ann();
        put_membership(world.change(), tenant_id(1), &user_id("ann"), None).unwrap();
        assert_eq!(found(&world, of_tenant(tenant_id(1)), "ann@example.org", None).unwrap(), user_id("ann"));
        let error = found(&world, of_tenant(tenant_id(2)), "ann@example.org", None).unwrap_err();
        assert_eq!(code_and_field(&error), ("user_not_found", Some("email")));
    }

    #[test]
    fn attributes_are_set_replaced_and_cleared_and_others_stay() {
        let world = world_with_ann();
        let after = change(&world, &wanted("ann@example.org", &[("zone", "CET"), ("city", "Bonn")])).unwrap();
        assert_eq!(pairs(&after), [("city", "Bonn"), ("team", "red"), ("zone", "CET")]);
        assert_eq!(after.updated_at, world.fixed.now());
        let after = change(&world, &wanted("ann@example.org", &[("team", "blue"), ("zone", "")])).unwrap();
        assert_eq!(pairs(&after), [("city", "Bonn"), ("team", "blue")]);
        assert_eq!(world.store.records().users[&user_id("ann")], after);
    }

    #[test]
    fn the_email_can_change_and_be_cleared() {
        let world = world_with_ann();
        let after = change(&world, &wanted("ann@example.org", &[("email", "New@example.org")])).unwrap();
        assert_eq!((after.email.as_deref(), pairs(&after)), (Some("New@example.org"), vec![("team", "red")]));
        assert!(found(&world, EVERYTHING, "ann@example.org", None).is_err());
        assert_eq!(change(&world, &wanted("new@example.org", &[("email", "")])).unwrap().email, None);
    }

    #[test]
    fn every_difference_is_recorded_with_its_author() {
        let world = world_with_ann();
        change(&world, &wanted("ann@example.org", &[("team", ""), ("zone", "CET")])).unwrap();
        let expected = [("team", Some("red"), None), ("zone", None, Some("CET"))];
        let changes = world.store.records().changes;
        assert_eq!(changes.len(), expected.len());
        for (change, (name, old, new)) in changes.iter().zip(expected) {
            assert_eq!(
                (change.name.as_str(), change.old_value.as_deref(), change.new_value.as_deref()),
                (name, old, new)
            );
            assert_eq!((change.changed_by.as_str(), change.changed_at), ("root", world.fixed.now()));
        }
    }

    #[test]
    fn a_change_to_the_same_values_leaves_the_record_untouched_and_is_still_audited() {
        let world = world_with_ann();
        let before = world.store.records();
        let audit_event = world.audit_event(1);
        let same = wanted("ann@example.org", &[("team", "red"), ("zone", "")]);
        let after = change_attributes(world.audited(&audit_event), CUSTOMERS, &same).unwrap();
        assert_eq!(after, before.users[&user_id("ann")], "with the old time of change");
        let records = world.store.records();
        assert_eq!(records.events, [audit_event]);
        assert_eq!((records.users, records.changes), (before.users, before.changes));
    }

    #[test]
    fn a_user_registered_long_ago_stays_counted_then() {
        let world = world_with_ann();
        let before = world.store.records().creations;
        change(&world, &wanted("ann@example.org", &[("team", "blue")])).unwrap();
        assert_eq!(world.store.records().creations, before);
    }

    #[test]
    fn a_caller_of_one_tenant_changes_no_attributes() {
        let world = world_with_ann();
        put_membership(world.change(), tenant_id(1), &user_id("ann"), None).unwrap();
        let before = world.store.records();
        let update = wanted("ann@example.org", &[("team", "blue")]);
        let error = change_attributes(world.change(), of_tenant(tenant_id(1)), &update).unwrap_err();
        assert!(matches!(error, Error::Forbidden(_)), "{error:?}");
        assert_eq!(world.store.records(), before);
    }

    #[test]
    fn bad_updates_are_refused_with_their_position() {
        let world = world_with_ann();
        let writes = world.store.writes();
        let (long, many) = ("n".repeat(33), vec![("n", ""); 101]);
        for (updates, field) in [
            (&[][..], "attributes"),
            (&many, "attributes"),
            (&[("a", "1"), ("", "2")], "attributes[1].name"),
            (&[(&long, "1")], "attributes[0].name"),
            (&[("a", "b\u{b}c")], "attributes[0].value"),
            (&[("a", "1"), ("sub", "2")], "attributes[1].name"),
            (&[("email", "no address")], "attributes[0].value"),
            (&[("a", "1"), ("b", "2"), ("a", "1")], "attributes[2].name"),
        ] {
            let error = change(&world, &wanted("ann@example.org", updates)).unwrap_err();
            assert_eq!(code_and_field(&error), ("invalid_parameter", Some(field)), "{error}");
        }
        let error = change(&world, &wanted("no address", &[("a", "1")])).unwrap_err();
        assert_eq!(code_and_field(&error), ("invalid_parameter", Some("email")));
        assert_eq!(world.store.writes(), writes);
    }

    #[test]
    fn a_user_has_at_most_a_hundred_attributes() {
        let world = world_with_ann();
        let names: Vec<String> = (0..100).map(|number| format!("n{number}")).collect();
        let updates: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
        let error = change(&world, &wanted("ann@example.org", &updates)).unwrap_err();
        assert_eq!(code_and_field(&error), ("invalid_parameter", Some("attributes")), "a hundred and `team`");
        assert_eq!(change(&world, &wanted("ann@example.org", &updates[..99])).unwrap().attributes.len(), 100);
    }
}
