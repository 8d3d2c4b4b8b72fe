//! Records of users, and the ledger of their creations.

use std::collections::BTreeMap;

use crate::account::Actor;
use crate::creation::{Creation, CreationKind};
use crate::error::{Error, Result};
use crate::id::{TenantId, UserId};
use crate::text;
use crate::time::Timestamp;
use crate::usecase::keep_tenants::check_creation_time;
use crate::usecase::{Change, Put};
use crate::user::{self, Attribute, AttributeChange, User, UserDraft};

/// Creates or replaces the record of a user, and records the changes of e-mail address and attributes.
pub fn put_user(change: Change<'_>, id: &UserId, draft: &UserDraft) -> Result<(User, Put)> {
    let (now, actor, fresh) = (change.now(), change.actor(), change.fresh_creation());
    let (attributes, region) = checked(draft, now)?;
    change.write(|tx| {
        tx.lock_directory()?;
        let before = tx.user(id)?;
        let user = User {
            id: id.clone(),
            email: draft.email.clone(),
            username: draft.username.clone(),
            attributes: attributes.clone(),
            region: region.clone(),
            user_pool_id: draft.user_pool_id.clone(),
            status: draft.status.unwrap_or_default(),
            enabled: draft.enabled.unwrap_or(true),
            registered_at: draft.registered_at.or(before.as_ref().map(|old| old.registered_at)).unwrap_or(now),
            updated_at: now,
            creation_id: before.as_ref().map_or(fresh, |old| old.creation_id),
        };
        tx.put_user(&user)?;
        tx.put_creation(&creation_of(&user))?;
        if let Some(before) = &before {
            tx.add_attribute_changes(&changes_between(before, &user, actor))?;
        }
        Ok((user, if before.is_some() { Put::Replaced } else { Put::Created }))
    })
}

/// Removes the record, memberships and attribute history of a user. The events stay, and the creation stays counted.
pub fn delete_user(change: Change<'_>, id: &UserId) -> Result<()> {
    change.write(|tx| {
        // Otherwise a concurrent replacement could restore the record under the old creation.
        tx.lock_directory()?;
        if tx.delete_user(id)? {
            return Ok(());
        }
        Err(Error::not_found("user_not_found", format!("there is no user '{}'", text::shown(id.as_str()))))
    })
}

/// The entry of a user in the ledger of creations.
pub(super) fn creation_of(user: &User) -> Creation {
    Creation {
        id: user.creation_id,
        kind: CreationKind::SaasUser,
        tenant_id: TenantId::NONE,
        user_id: Some(user.id.clone()),
        region: user.region.clone(),
        user_pool_id: user.user_pool_id.clone(),
        created_at: user.registered_at,
    }
}

/// The differences in e-mail address and attributes, sorted by name.
pub(super) fn changes_between(before: &User, after: &User, actor: &Actor) -> Vec<AttributeChange> {
    let (old, new) = (named_values(before), named_values(after));
    let mut names: Vec<&str> = old.keys().chain(new.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .filter(|name| old.get(name) != new.get(name))
        .map(|name| AttributeChange {
            user_id: after.id.clone(),
            changed_at: after.updated_at,
            changed_by: actor.name.clone(),
            name: name.to_owned(),
            old_value: old.get(name).map(|value| (*value).to_owned()),
            new_value: new.get(name).map(|value| (*value).to_owned()),
        })
        .collect()
}

fn named_values(user: &User) -> BTreeMap<&str, &str> {
    let email = user.email.iter().map(|email| ("email", email.as_str()));
    let attributes = user.attributes.iter().map(|attribute| (attribute.name.as_str(), attribute.value.as_str()));
    email.chain(attributes).collect()
}

fn checked(draft: &UserDraft, now: Timestamp) -> Result<(Vec<Attribute>, Option<String>)> {
    if let Some(email) = &draft.email {
        user::checked_email("email", email)?;
    }
    if let Some(username) = &draft.username {
        text::checked("username", username, 128)?;
    }
    check_creation_time("registered_at", draft.registered_at, now)?;
    let region = user::checked_region("region", draft.region.clone(), draft.user_pool_id.as_ref())?;
    Ok((ordered(&draft.attributes)?, region))
}

/// Validates attributes, each and as a set, and sorts them by name.
fn ordered(attributes: &[Attribute]) -> Result<Vec<Attribute>> {
    if attributes.len() > user::MAX_ATTRIBUTES {
        return Err(Error::invalid(
            "attributes",
            format!("has {} entries; at most {} are allowed", attributes.len(), user::MAX_ATTRIBUTES),
        ));
    }
    let mut by_name = BTreeMap::new();
    for attribute in attributes {
        // The field is identified by name, because attributes come as an object, whose fields have no numbers.
        let field = format!("attributes.{}", text::shown(&attribute.name));
        let length = attribute.name.chars().count();
        if !(1..=user::MAX_ATTRIBUTE_NAME).contains(&length) {
            let detail = format!("has a name of {length} characters; send 1 to {}", user::MAX_ATTRIBUTE_NAME);
            return Err(Error::invalid(field.trim_end_matches('.'), detail));
        }
        text::no_control(&field, &attribute.name)?;
        text::checked_lines(&field, &attribute.value, user::MAX_ATTRIBUTE_VALUE)?;
        if attribute.name == "email" || attribute.name == "sub" {
            return Err(Error::invalid(
                field,
                "has a field of its own: send e-mail as 'email', the subject as the user id",
            ));
        }
        if by_name.insert(attribute.name.clone(), attribute.clone()).is_some() {
            return Err(Error::invalid(field, "stands twice; send each name once"));
        }
    }
    Ok(by_name.into_values().collect())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::clock::Clock as _;
    use crate::testing::{World, at, code_and_field, event, tenant_id, user_id};
    use crate::usecase::put_membership;
    use crate::user::{PoolId, UserStatus};

    fn attributes(pairs: &[(&str, &str)]) -> Vec<Attribute> {
        pairs.iter().map(|(name, value)| Attribute { name: (*name).into(), value: (*value).into() }).collect()
    }

    fn with_attributes(pairs: &[(&str, &str)]) -> UserDraft {
        UserDraft { attributes: attributes(pairs), ..UserDraft::default() }
    }

    fn with_email(email: &str) -> UserDraft {
        UserDraft { email: Some(email.to_owned()), ..UserDraft::default() }
    }

    fn put(world: &World, draft: &UserDraft) -> Result<(User, Put)> {
        put_user(world.change(), &user_id("ann"), draft)
    }

    /// The recorded changes as (name, old value, new value).
    fn changes(world: &World) -> Vec<(String, Option<String>, Option<String>)> {
        let changes = world.store.records().changes;
        changes.into_iter().map(|change| (change.name, change.old_value, change.new_value)).collect()
    }

    fn change(name: &str, old: Option<&str>, new: Option<&str>) -> (String, Option<String>, Option<String>) {
        (name.to_owned(), old.map(str::to_owned), new.map(str::to_owned))
    }

    #[test]
    fn a_new_user_gets_the_defaults_and_is_counted_in_its_pool() {
        let world = World::default();
        let pool = PoolId::parse("user_pool_id", "eu-west-1_aBc").unwrap();
        let draft = UserDraft { user_pool_id: Some(pool.clone()), ..UserDraft::default() };
        let (user, put) = put(&world, &draft).unwrap();
        assert_eq!(put, Put::Created);
        assert_eq!((user.status, user.enabled), (UserStatus::Confirmed, true));
        assert_eq!((user.registered_at, user.updated_at), (world.fixed.now(), world.fixed.now()));
        assert_eq!(user.region.as_deref(), Some("eu-west-1"), "the region is that of the pool");
        let entry = Creation {
            id: user.creation_id,
            kind: CreationKind::SaasUser,
            tenant_id: TenantId::NONE,
            user_id: Some(user_id("ann")),
            region: Some("eu-west-1".to_owned()),
            user_pool_id: Some(pool),
            created_at: world.fixed.now(),
        };
        assert_eq!(world.store.records().creations.into_values().collect::<Vec<_>>(), [entry]);
        assert_eq!(changes(&world), [], "a first record changes nothing");
    }

    #[test]
    fn a_replaced_user_keeps_its_registration_and_nothing_else_that_was_not_sent() {
        let world = World::default();
        let full = UserDraft {
            username: Some("ann.smith".to_owned()),
            status: Some(UserStatus::Archived),
            enabled: Some(false),
            registered_at: Some(at("2026-01-15T00:00:00Z")),
            ..with_email("ann@example.org")
        };
        let (first, _) = put(&world, &full).unwrap();
        assert_eq!((first.status, first.enabled), (UserStatus::Archived, false));
        world.fixed.advance(TimeDelta::hours(1));
        let (second, done) = put(&world, &UserDraft::default()).unwrap();
        assert_eq!(done, Put::Replaced);
        let expected = User {
            email: None,
            username: None,
            status: UserStatus::Confirmed,
            enabled: true,
            updated_at: world.fixed.now(),
            ..first
        };
        assert_eq!(second, expected);
        assert_eq!(world.store.records().creations.len(), 1);
    }

    #[test]
    fn a_corrected_registration_moves_the_counted_creation() {
        let world = World::default();
        put(&world, &UserDraft::default()).unwrap();
        let draft = UserDraft { registered_at: Some(at("2026-01-15T00:00:00Z")), ..UserDraft::default() };
        put(&world, &draft).unwrap();
        let times: Vec<_> = world.store.records().creations.values().map(|creation| creation.created_at).collect();
        assert_eq!(times, [at("2026-01-15T00:00:00Z")]);
    }

    #[test]
    fn a_user_cannot_register_in_the_future() {
        let world = World::default();
        let at_minute = |minutes| UserDraft {
            registered_at: Some(world.fixed.now() + TimeDelta::minutes(minutes)),
            ..UserDraft::default()
        };
        put(&world, &at_minute(10)).unwrap();
        let error = put(&world, &at_minute(11)).unwrap_err();
        assert_eq!(code_and_field(&error), ("invalid_parameter", Some("registered_at")));
    }

    #[test]
    fn the_history_has_every_added_changed_and_removed_value_by_name() {
        let world = World::default();
        let draft = with_attributes(&[("same", "1"), ("gone", "2"), ("other", "3")]);
        put(&world, &UserDraft { email: Some("a@example.org".to_owned()), ..draft }).unwrap();
        world.fixed.advance(TimeDelta::hours(1));
        let draft = with_attributes(&[("added", ""), ("other", "4"), ("same", "1")]);
        put(&world, &UserDraft { email: Some("b@example.org".to_owned()), ..draft }).unwrap();
        let expected = [
            change("added", None, Some("")),
            change("email", Some("a@example.org"), Some("b@example.org")),
            change("gone", Some("2"), None),
            change("other", Some("3"), Some("4")),
        ];
        assert_eq!(changes(&world), expected);
        for change in world.store.records().changes {
            assert_eq!((change.user_id, change.changed_by.as_str()), (user_id("ann"), "root"));
            assert_eq!(change.changed_at, world.fixed.now());
        }
    }

    #[test]
    fn other_fields_than_email_and_attributes_are_not_in_the_history() {
        let world = World::default();
        put(&world, &UserDraft::default()).unwrap();
        put(&world, &UserDraft { username: Some("x".into()), enabled: Some(false), ..UserDraft::default() }).unwrap();
        assert_eq!(changes(&world), []);
    }

    #[test]
    fn attributes_are_kept_in_the_order_of_their_names() {
        let world = World::default();
        let (user, _) = put(&world, &with_attributes(&[("b", "1"), ("a", "2"), ("B", "3")])).unwrap();
        assert_eq!(user.attributes, attributes(&[("B", "3"), ("a", "2"), ("b", "1")]));
    }

    #[test]
    fn bad_attributes_are_refused_by_name() {
        let world = World::default();
        let long = "n".repeat(33);
        let many: Vec<String> = (0..101).map(|number| format!("n{number}")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "")).collect();
        for (pairs, field) in [
            (&[("", "v")][..], "attributes"),
            (&[(long.as_str(), "v")], &format!("attributes.{long}")),
            (&[("a", &"v".repeat(2049))], "attributes.a"),
            (&[("a", "1"), ("a", "1")], "attributes.a"),
            (&[("email", "x@example.org")], "attributes.email"),
            (&[("sub", "x")], "attributes.sub"),
            (&many, "attributes"),
        ] {
            let error = put(&world, &with_attributes(pairs)).unwrap_err();
            assert_eq!(code_and_field(&error), ("invalid_parameter", Some(field)), "{error}");
        }
        assert_eq!(world.store.writes(), 0);
        put(&world, &with_attributes(&many[..100])).unwrap();
        put(&world, &with_attributes(&[(&long[..32], &"v".repeat(2048))])).unwrap();
    }

    #[test]
    fn bad_fields_are_refused_before_anything_is_written() {
        let world = World::default();
        let pool = PoolId::parse("user_pool_id", "eu-west-1_aBc").unwrap();
        let elsewhere =
            UserDraft { region: Some("us-east-1".into()), user_pool_id: Some(pool), ..UserDraft::default() };
        for (draft, field) in [
            (with_email("no address"), "email"),
            (UserDraft { username: Some("a\nb".into()), ..UserDraft::default() }, "username"),
            (elsewhere, "region"),
        ] {
            assert_eq!(code_and_field(&put(&world, &draft).unwrap_err()), ("invalid_parameter", Some(field)));
        }
        assert_eq!(world.store.writes(), 0);
    }

    #[test]
    fn an_email_of_another_user_of_the_pool_is_a_conflict_that_stores_nothing() {
        let world = World::default();
        put_user(world.change(), &user_id("bob"), &with_email("x@example.org")).unwrap();
        let before = world.store.records();
        let error = put_user(world.audited(&world.audit_event(1)), &user_id("ann"), &with_email("X@example.org"));
        assert_eq!(code_and_field(&error.unwrap_err()), ("alias_exists", Some("email")));
        assert_eq!(world.store.records(), before);
    }

    #[test]
    fn a_removed_user_loses_memberships_and_history_and_keeps_events_and_creations() {
        let world = World::default();
        for id in ["ann", "bob"] {
            put_user(world.change(), &user_id(id), &with_email("x@example.org")).unwrap();
            put_user(world.change(), &user_id(id), &with_attributes(&[("a", id)])).unwrap();
            put_membership(world.change(), tenant_id(1), &user_id(id), None).unwrap();
        }
        world.store.prepared(|records| records.events.push(event(1)));
        let before = world.store.records();
        delete_user(world.change(), &user_id("ann")).unwrap();
        let after = world.store.records();
        assert_eq!(after.users.into_keys().collect::<Vec<_>>(), [user_id("bob")]);
        assert_eq!(after.memberships.into_keys().collect::<Vec<_>>(), [(tenant_id(1), user_id("bob"))]);
        assert!(!after.changes.is_empty() && after.changes.iter().all(|change| change.user_id == user_id("bob")));
        assert_eq!((after.events, after.creations), (before.events, before.creations));
        let error = delete_user(world.change(), &user_id("ann")).unwrap_err();
        assert_eq!(code_and_field(&error), ("user_not_found", None));
    }
}
