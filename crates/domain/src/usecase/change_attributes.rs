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
