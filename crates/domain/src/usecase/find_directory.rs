//! Finding tenants, users and memberships: single records by id, and lists with a cursor.

use crate::cursor::{self, Paged};
use crate::error::{Error, Result};
use crate::id::{TenantId, UserId};
use crate::ports::Store;
use crate::tenant::Tenant;
use crate::text;
use crate::time::Timestamp;
use crate::user::{AttributeChange, Membership, User, UserFilter};
use crate::visibility::Visibility;

/// The record of a tenant.
pub fn find_tenant(store: &dyn Store, visibility: Visibility, id: TenantId) -> Result<Tenant> {
    visibility.check(id)?;
    store.reading(|tx| tx.tenant(id))?.ok_or_else(|| unknown_tenant(id))
}

/// A page of the visible tenants, sorted by id.
pub fn list_tenants(
    store: &dyn Store,
    visibility: Visibility,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Paged<Tenant>> {
    let after = match cursor {
        Some(cursor) => Some(TenantId::parse("cursor", &cursor::decode("cursor", 't', cursor)?)?),
        None => None,
    };
    let tenants = match visibility.tenant() {
        Some(id) if after.is_some_and(|after| after >= id) => Vec::new(),
        Some(id) => store.reading(|tx| tx.tenant(id))?.into_iter().collect(),
        None => store.reading(|tx| tx.tenants(after, limit + 1))?,
    };
    Ok(Paged::cut(tenants, limit, |tenant| cursor::encode('t', &tenant.id.to_string())))
}

/// The record of a user. If only one tenant is visible, the user must be a member of it.
pub fn find_user(store: &dyn Store, visibility: Visibility, id: &UserId) -> Result<User> {
    let found = store.reading(|tx| {
        if let Some(tenant) = visibility.tenant()
            && tx.membership(tenant, id)?.is_none()
        {
            return Ok(None);
        }
        tx.user(id)
    })?;
    found.ok_or_else(|| unknown_user(id))
}

/// A page of users, sorted by id.
pub fn list_users(store: &dyn Store, filter: &UserFilter, cursor: Option<&str>, limit: usize) -> Result<Paged<User>> {
    let after = user_behind(cursor)?;
    let users = store.reading(|tx| tx.users(filter, after.as_ref(), limit + 1))?;
    Ok(Paged::cut(users, limit, |user| cursor::encode('u', user.id.as_str())))
}

/// A change of an attribute, as far as its reader may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisibleChange {
    /// The time of the change.
    pub changed_at: Timestamp,
    /// The name of the caller that made the change; `None` if the reader may not see who it was.
    pub changed_by: Option<String>,
    /// The name of the attribute.
    pub name: String,
    /// The value before the change; `None` if the attribute had no value.
    pub old_value: Option<String>,
    /// The value after the change; `None` if the change cleared the attribute.
    pub new_value: Option<String>,
}

impl VisibleChange {
    fn of(change: AttributeChange, visibility: Visibility) -> Self {
        let AttributeChange { user_id: _, changed_at, changed_by, name, old_value, new_value } = change;
        // Attributes belong to all tenants, so nobody who is scoped to one tenant changes them: see `change_attributes`.
        // Who does belongs to no tenant, and a reader who is scoped to one may not know of such accounts and credentials.
        let changed_by = Some(changed_by).filter(|_| visibility.tenant().is_none());
        Self { changed_at, changed_by, name, old_value, new_value }
    }
}

/// A page of the changes of a user's attributes, newest first. Same errors as [`find_user`].
///
/// If only one tenant is visible, the page has only the changes since the user became a member of it, and no authors. The
/// tenant could see all values that these changes replaced.
pub fn list_attribute_changes(
    store: &dyn Store,
    visibility: Visibility,
    id: &UserId,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Paged<VisibleChange>> {
    let after: Option<i64> = match cursor {
        Some(cursor) => Some(cursor::decode("cursor", 'c', cursor)?.parse().map_err(|_| cursor::refused("cursor"))?),
        None => None,
    };
    find_user(store, visibility, id)?;
    let changes = store.reading(|tx| tx.attribute_changes(id, visibility.tenant(), after, limit + 1))?;
    let page = Paged::cut(changes, limit, |(number, _)| cursor::encode('c', &number.to_string()));
    Ok(page.map(|(_, change)| VisibleChange::of(change, visibility)))
}

/// The membership of a user in a tenant.
pub fn find_membership(
    store: &dyn Store,
    visibility: Visibility,
    tenant: TenantId,
    user: &UserId,
) -> Result<Membership> {
    visibility.check(tenant)?;
    store.reading(|tx| tx.membership(tenant, user))?.ok_or_else(|| {
        Error::not_found(
            "membership_not_found",
            format!("user '{}' is no member of tenant '{tenant}'", text::shown(user.as_str())),
        )
    })
}

/// A page of a tenant's memberships, sorted by user id. A tenant without a record may have memberships; a tenant with
/// neither is unknown.
pub fn list_memberships(
    store: &dyn Store,
    visibility: Visibility,
    tenant: TenantId,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Paged<Membership>> {
    visibility.check(tenant)?;
    let after = user_behind(cursor)?;
    let found = store.reading(|tx| {
        let page = tx.memberships(tenant, after.as_ref(), limit + 1)?;
        let known = !page.is_empty() || tx.tenant(tenant)?.is_some() || !tx.memberships(tenant, None, 1)?.is_empty();
        Ok(known.then_some(page))
    })?;
    let memberships = found.ok_or_else(|| unknown_tenant(tenant))?;
    Ok(Paged::cut(memberships, limit, |membership| cursor::encode('u', membership.user_id.as_str())))
}

fn user_behind(cursor: Option<&str>) -> Result<Option<UserId>> {
    let Some(cursor) = cursor else { return Ok(None) };
    UserId::parse("cursor", cursor::decode("cursor", 'u', cursor)?).map(Some)
}

fn unknown_tenant(id: TenantId) -> Error {
    Error::not_found("tenant_not_found", format!("there is no tenant '{id}'"))
}

fn unknown_user(id: &UserId) -> Error {
    Error::not_found("user_not_found", format!("there is no user '{}'", text::shown(id.as_str())))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::tenant::TenantDraft;
    use crate::testing::{CUSTOMERS, EVERYTHING, World, code_and_field, of_tenant, tenant_id, user_id};
    use crate::usecase::{put_membership, put_tenant, put_user};
    use crate::user::{Attribute, UserDraft};

    /// The tenants 1 to 3, the users `ann`, `bob` and `cy`, and the memberships of `ann` in 1 and `bob` in 1 and 2.
    fn world() -> World {
        let world = World::default();
        for number in 1..=3 {
            put_tenant(world.change(), tenant_id(number), &TenantDraft::default()).unwrap();
        }
        for id in ["cy", "ann", "bob"] {
            put_user(world.change(), &user_id(id), &UserDraft::default()).unwrap();
        }
        for (number, id) in [(1, "ann"), (1, "bob"), (2, "bob")] {
            put_membership(world.change(), tenant_id(number), &user_id(id), None).unwrap();
        }
        world
    }

    /// The keys of all items of a list, page by page.
    fn walk<T, K>(mut list: impl FnMut(Option<&str>) -> Result<Paged<T>>, key: impl Fn(&T) -> K) -> Vec<Vec<K>> {
        let mut pages = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = list(cursor.as_deref()).unwrap();
            pages.push(page.items.iter().map(&key).collect());
            let Some(next) = page.next else { return pages };
            cursor = Some((*next).to_owned());
        }
    }

    fn code<T: std::fmt::Debug>(result: Result<T>) -> &'static str {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::NotFound(_)), "{error:?}");
        code_and_field(&error).0
    }

    #[test]
    fn a_tenant_is_found_by_those_who_see_it() {
        let store = &world().store;
        for visibility in [EVERYTHING, CUSTOMERS, of_tenant(tenant_id(1))] {
            assert_eq!(find_tenant(store, visibility, tenant_id(1)).unwrap().id, tenant_id(1));
        }
        let hidden = find_tenant(store, of_tenant(tenant_id(1)), tenant_id(2)).unwrap_err();
        let unknown = find_tenant(store, EVERYTHING, tenant_id(9)).unwrap_err();
        assert_eq!(hidden.to_string(), format!("there is no tenant '{}'", tenant_id(2)));
        assert_eq!(
            unknown.to_string(),
            format!("there is no tenant '{}'", tenant_id(9)),
            "the same words as for a hidden one"
        );
        assert_eq!(code_and_field(&hidden), code_and_field(&unknown));
    }

    #[test]
    fn tenants_come_by_id_in_pages_that_are_full_up_to_the_last() {
        let store = &world().store;
        let pages = walk(|cursor| list_tenants(store, CUSTOMERS, cursor, 2), |tenant| tenant.id);
        assert_eq!(pages, [vec![tenant_id(1), tenant_id(2)], vec![tenant_id(3)]]);
        let pages = walk(|cursor| list_tenants(store, CUSTOMERS, cursor, 3), |tenant| tenant.id);
        assert_eq!(pages.len(), 1, "a full last page promises no other page");
    }

    #[test]
    fn a_caller_of_one_tenant_lists_this_tenant_only() {
        let store = &world().store;
        for (tenant, listed) in [(tenant_id(2), vec![tenant_id(2)]), (tenant_id(9), vec![])] {
            let pages = walk(|cursor| list_tenants(store, of_tenant(tenant), cursor, 1), |tenant| tenant.id);
            assert_eq!(pages, [listed]);
        }
        // A cursor behind the own tenant ends the list, and one before it does not.
        let cursor_of = |tenant: TenantId| cursor::encode('t', &tenant.to_string());
        for (behind, count) in [(tenant_id(1), 1), (tenant_id(2), 0), (tenant_id(3), 0)] {
            let page = list_tenants(store, of_tenant(tenant_id(2)), Some(&cursor_of(behind)), 10).unwrap();
            assert_eq!((page.items.len(), page.next.is_none()), (count, true));
        }
    }

    #[test]
    fn a_tenant_finds_the_records_of_its_members_only() {
        let store = &world().store;
        for (visibility, id, is_found) in [
            (CUSTOMERS, "cy", true),
            (of_tenant(tenant_id(1)), "ann", true),
            (of_tenant(tenant_id(2)), "bob", true),
            (of_tenant(tenant_id(2)), "ann", false),
            (of_tenant(tenant_id(1)), "cy", false),
            (CUSTOMERS, "dee", false),
        ] {
            let found = find_user(store, visibility, &user_id(id));
            assert_eq!(found.is_ok(), is_found, "{visibility:?} {id}");
            if !is_found {
                assert_eq!(code(found), "user_not_found");
            }
        }
    }

    #[test]
    fn a_member_without_a_record_is_no_user() {
        let world = world();
        put_membership(world.change(), tenant_id(1), &user_id("dee"), None).unwrap();
        assert_eq!(code(find_user(&world.store, of_tenant(tenant_id(1)), &user_id("dee"))), "user_not_found");
    }

    #[test]
    fn users_come_by_id_in_pages_and_a_tenant_lists_its_members() {
        let store = &world().store;
        for (visibility, expected) in
            [(CUSTOMERS, vec![vec!["ann", "bob"], vec!["cy"]]), (of_tenant(tenant_id(1)), vec![vec!["ann", "bob"]])]
        {
            let filter = UserFilter::within(visibility);
            let pages = walk(|cursor| list_users(store, &filter, cursor, 2), |user| user.id.as_str().to_owned());
            assert_eq!(pages, expected);
        }
    }

    #[test]
    fn changes_of_attributes_come_newest_first_to_those_who_see_the_user() {
        let world = world();
        for value in ["1", "2", "3"] {
            world.fixed.advance(TimeDelta::hours(1));
            let attributes = vec![Attribute { name: "a".to_owned(), value: value.to_owned() }];
            put_user(world.change(), &user_id("ann"), &UserDraft { attributes, ..UserDraft::default() }).unwrap();
        }
        let list = |visibility, id: &str, cursor: Option<&str>| {
            list_attribute_changes(&world.store, visibility, &user_id(id), cursor, 2)
        };
        let pages = walk(|cursor| list(of_tenant(tenant_id(1)), "ann", cursor), |change| change.new_value.clone());
        assert_eq!(pages, [vec![Some("3".to_owned()), Some("2".to_owned())], vec![Some("1".to_owned())]]);
        assert_eq!(list(CUSTOMERS, "cy", None).unwrap().items, [], "a user without changes has an empty list");
        assert_eq!(code(list(of_tenant(tenant_id(2)), "ann", None)), "user_not_found");
        assert_eq!(code(list(CUSTOMERS, "dee", None)), "user_not_found");
    }

    #[test]
    fn a_tenant_sees_the_changes_since_its_user_joined_and_no_author() {
        let world = world();
        let set = |value: &str| {
            let attributes = vec![Attribute { name: "a".to_owned(), value: value.to_owned() }];
            put_user(world.change(), &user_id("ann"), &UserDraft { attributes, ..UserDraft::default() }).unwrap();
        };
        let seen = |visibility| {
            let page = list_attribute_changes(&world.store, visibility, &user_id("ann"), None, 10).unwrap();
            page.items.into_iter().map(|change| (change.new_value.unwrap(), change.changed_by)).collect::<Vec<_>>()
        };
        let values = |values: &[&str], author: Option<&str>| -> Vec<(String, Option<String>)> {
            values.iter().map(|value| ((*value).to_owned(), author.map(str::to_owned))).collect()
        };
        set("1");
        put_membership(world.change(), tenant_id(2), &user_id("ann"), None).unwrap();
        set("2");
        let author = world.change().actor().name.clone();
        assert_eq!(seen(CUSTOMERS), values(&["2", "1"], Some(&author)));
        assert_eq!(seen(of_tenant(tenant_id(1))), values(&["2", "1"], None));
        assert_eq!(seen(of_tenant(tenant_id(2))), values(&["2"], None));
    }

    #[test]
    fn a_membership_is_found_by_those_who_see_its_tenant() {
        let store = &world().store;
        let found = find_membership(store, of_tenant(tenant_id(2)), tenant_id(2), &user_id("bob")).unwrap();
        assert_eq!((found.tenant_id, found.user_id), (tenant_id(2), user_id("bob")));
        let hidden = find_membership(store, of_tenant(tenant_id(1)), tenant_id(2), &user_id("bob"));
        assert_eq!(code(hidden), "tenant_not_found", "before anything about the member is known");
        assert_eq!(code(find_membership(store, CUSTOMERS, tenant_id(2), &user_id("ann"))), "membership_not_found");
    }

    #[test]
    fn memberships_come_by_user_in_pages() {
        let store = &world().store;
        let list = |cursor: Option<&str>| list_memberships(store, CUSTOMERS, tenant_id(1), cursor, 1);
        let pages = walk(list, |membership| membership.user_id.as_str().to_owned());
        assert_eq!(pages, [["ann"], ["bob"]]);
        assert_eq!(code(list_memberships(store, of_tenant(tenant_id(1)), tenant_id(2), None, 1)), "tenant_not_found");
    }

    #[test]
    fn a_tenant_is_known_by_a_record_or_by_a_member() {
        let world = world();
        put_membership(world.change(), tenant_id(8), &user_id("ann"), None).unwrap();
        let list = |tenant, cursor: Option<&str>| list_memberships(&world.store, CUSTOMERS, tenant, cursor, 10);
        assert_eq!(list(tenant_id(3), None).unwrap().items, [], "a record without members");
        assert_eq!(list(tenant_id(8), None).unwrap().items.len(), 1, "a member without a record");
        let behind = cursor::encode('u', "zoe");
        assert_eq!(list(tenant_id(8), Some(&behind)).unwrap().items, [], "its last page is empty and no error");
        assert_eq!(code(list(tenant_id(9), None)), "tenant_not_found");
    }

    #[test]
    fn every_list_refuses_the_cursors_of_the_others() {
        let store = &world().store;
        let cursors = ["", "x", "t", "uzz"]
            .map(str::to_owned)
            .into_iter()
            .chain([cursor::encode('e', "1.1"), cursor::encode('c', "x")]);
        for cursor in cursors {
            let cursor = Some(cursor.as_str());
            let filter = UserFilter::within(CUSTOMERS);
            for error in [
                list_tenants(store, CUSTOMERS, cursor, 1).unwrap_err(),
                list_tenants(store, of_tenant(tenant_id(1)), cursor, 1).unwrap_err(),
                list_users(store, &filter, cursor, 1).unwrap_err(),
                list_attribute_changes(store, CUSTOMERS, &user_id("ann"), cursor, 1).unwrap_err(),
                list_memberships(store, CUSTOMERS, tenant_id(1), cursor, 1).unwrap_err(),
            ] {
                assert_eq!(code_and_field(&error), ("invalid_parameter", Some("cursor")), "{cursor:?}");
            }
        }
    }
}
