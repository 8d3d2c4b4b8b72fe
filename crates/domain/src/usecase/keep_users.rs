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
        text::checked_or_empty(&field, &attribute.value, user::MAX_ATTRIBUTE_VALUE)?;
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
