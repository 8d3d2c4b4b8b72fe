//! Imports users, tenants and memberships from NDJSON: the fields of the native API, plus the ids that the API takes in its
//! path.

use trailkeeper_domain::account::Actor;
use trailkeeper_domain::event::MAX_FUTURE;
use trailkeeper_domain::id::{TenantId, UserId};
use trailkeeper_domain::json::{A_TIME, JsonObject};
use trailkeeper_domain::tenant::TenantDraft;
use trailkeeper_domain::time::{self, Timestamp};
use trailkeeper_domain::usecase::{Change, Put, put_membership, put_tenant, put_user};
use trailkeeper_domain::user::UserDraft;
use trailkeeper_domain::{Error, Result as DomainResult};

use crate::failure::Failure;
use crate::import::source::Source;
use crate::import::summary::Summary;
use crate::wiring::{self, Ports};

const A_TENANT: &str = "the tenant's id, for example 69e732d6-8ecc-45c4-a2eb-8438f7ffe775";
const A_USER: &str = "the user's id in quotes";
const MEMBERSHIP_FIELDS: [&str; 2] = ["tenant_id", "created_at"];

/// Creates or replaces the user of every valid line, and its memberships.
pub fn import_users(ports: &Ports, mut source: Source, summary: &mut Summary) -> Result<(), Failure> {
    source.each_line(|number, content| {
        let put =
            content.and_then(|content| UserLine::read(content, ports.clock.now())).and_then(|user| user.put(ports));
        count(ports, summary, number, put)
    })
}

/// Creates or replaces the tenant of every valid line.
pub fn import_tenants(ports: &Ports, mut source: Source, summary: &mut Summary) -> Result<(), Failure> {
    source.each_line(|number, content| {
        let put = content
            .and_then(tenant_line)
            .and_then(|(id, draft)| put_tenant(change(ports, &wiring::actor()), id, &draft));
        count(ports, summary, number, put.map(|(_, put)| put))
    })
}

/// Creates or corrects the membership of every valid line.
pub fn import_memberships(ports: &Ports, mut source: Source, summary: &mut Summary) -> Result<(), Failure> {
    source.each_line(|number, content| {
        let put = content.and_then(membership_line).and_then(|(tenant, user, created_at)| {
            put_membership(change(ports, &wiring::actor()), tenant, &user, created_at)
        });
        count(ports, summary, number, put.map(|(_, put)| put))
    })
}

/// The change of one line. It has no audit event of its own: the whole import has one.
#[expect(clippy::disallowed_methods, reason = "an import writes one audit event, not one per line")]
fn change<'a>(ports: &'a Ports, actor: &'a Actor) -> Change<'a> {
    Change::new(ports.store.as_ref(), ports.clock.as_ref(), ports.entropy.as_ref(), actor, None)
}

/// Counts the result of a line. An error that is not about the line ends the import.
fn count(ports: &Ports, summary: &mut Summary, line: u64, put: DomainResult<Put>) -> Result<(), Failure> {
    match put {
        Ok(Put::Created) => summary.count_new(),
        Ok(Put::Replaced) => summary.count_old(),
        Err(error) if error.detail().is_some() => summary.refuse(line, &error),
        Err(error) => return Err(ports.failed(error)),
    }
    Ok(())
}

fn tenant_line(content: &[u8]) -> DomainResult<(TenantId, TenantDraft)> {
    let mut json = JsonObject::parse("a tenant", content)?;
    let id = json.required_parsed("tenant_id", A_TENANT, TenantId::parse)?;
    let draft = TenantDraft::take_from(&mut json)?;
    drop_exported(&mut json)?;
    json.finish(&[&["tenant_id"], TenantDraft::FIELDS.as_slice()].concat())?;
    Ok((id, draft))
}

fn membership_line(content: &[u8]) -> DomainResult<(TenantId, UserId, Option<Timestamp>)> {
    let mut json = JsonObject::parse("a membership", content)?;
    let tenant = json.required_parsed("tenant_id", A_TENANT, TenantId::parse)?;
    let user = json.required_parsed("user_id", A_USER, |field, id| UserId::parse(field, id))?;
    let created_at = json.parsed("created_at", A_TIME, time::parse_rfc3339)?;
    json.finish(&["tenant_id", "user_id", "created_at"])?;
    Ok((tenant, user, created_at))
}

/// Leaves out the field that an export writes and that is not sent: a record that is put gets the present time.
fn drop_exported(json: &mut JsonObject) -> DomainResult<()> {
    json.parsed("updated_at", A_TIME, time::parse_rfc3339).map(drop)
}

struct UserLine {
    id: UserId,
    draft: UserDraft,
    memberships: Vec<(TenantId, Option<Timestamp>)>,
}

impl UserLine {
    fn read(content: &[u8], now: Timestamp) -> DomainResult<Self> {
        let mut json = JsonObject::parse("a user", content)?;
        let id = json.required_parsed("user_id", A_USER, |field, id| UserId::parse(field, id))?;
        let draft = UserDraft::take_from(&mut json)?;
        let memberships = memberships(&mut json, now)?;
        drop_exported(&mut json)?;
        json.finish(&[&["user_id"], UserDraft::FIELDS.as_slice(), &["tenants"]].concat())?;
        Ok(Self { id, draft, memberships })
    }

    fn put(self, ports: &Ports) -> DomainResult<Put> {
        let actor = wiring::actor();
        let (_, put) = put_user(change(ports, &actor), &self.id, &self.draft)?;
        for (tenant, created_at) in self.memberships {
            put_membership(change(ports, &actor), tenant, &self.id, created_at)?;
        }
        Ok(put)
    }
}

/// Reads and validates the memberships of a line. They are validated before the user is written, so that a line is
/// stored or rejected as a whole.
fn memberships(json: &mut JsonObject, now: Timestamp) -> DomainResult<Vec<(TenantId, Option<Timestamp>)>> {
    let way_out = "a list such as [{\"tenant_id\":\"69e732d6-8ecc-45c4-a2eb-8438f7ffe775\"}]";
    let Some(items) = json.objects("tenants", way_out)? else { return Ok(Vec::new()) };
    items
        .into_iter()
        .map(|mut item| {
            let tenant = item.required_parsed("tenant_id", A_TENANT, TenantId::parse)?;
            let created_at = item.parsed("created_at", A_TIME, time::parse_rfc3339)?;
            if tenant == TenantId::NONE || tenant == TenantId::SYSTEM {
                return Err(Error::invalid(
                    item.named("tenant_id"),
                    format!("'{tenant}' is reserved; send {A_TENANT}"),
                ));
            }
            if created_at.is_some_and(|at| at > now + MAX_FUTURE) {
                return Err(Error::invalid(
                    item.named("created_at"),
                    "is more than 10 minutes ahead of this machine's clock",
                ));
            }
            item.finish(&MEMBERSHIP_FIELDS)?;
            Ok((tenant, created_at))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use trailkeeper_domain::user::{Attribute, UserStatus};

    use super::*;

    fn now() -> Timestamp {
        time::parse_rfc3339("now", "2026-03-01T00:00:00Z").unwrap()
    }

    #[test]
    fn a_user_is_read_with_attributes_and_memberships() {
        let line = UserLine::read(
            br#"{"user_id":"u1","email":"Jane@example.com","username":null,"attributes":{"plan":""},
                "user_pool_id":"eu-west-1_Abc","status":"ARCHIVED","enabled":false,"registered_at":"2026-02-01T00:00:00Z",
                "tenants":[{"tenant_id":"11111111-2222-4333-8444-555555555555","created_at":"2026-02-02T00:00:00Z"},
                           {"tenant_id":"21111111-2222-4333-8444-555555555555"}]}"#,
            now(),
        )
        .unwrap();
        assert_eq!(line.id.as_str(), "u1");
        assert_eq!(line.draft.email.as_deref(), Some("Jane@example.com"));
        assert_eq!(line.draft.attributes, [Attribute { name: "plan".to_owned(), value: String::new() }]);
        assert_eq!(line.draft.status, Some(UserStatus::Archived));
        assert_eq!(line.draft.enabled, Some(false));
        let times: Vec<_> = line.memberships.iter().map(|(_, at)| at.map(time::rfc3339)).collect();
        assert_eq!(times, [Some("2026-02-02T00:00:00Z".to_owned()), None]);
    }

    #[test]
    fn refusals_name_the_field() {
        for (line, start) in [
            ("{}", "user_id: is missing"),
            (r#"{"user_id":"u","enabled":1}"#, "enabled: 1 is not a truth value; send true or false"),
            (r#"{"user_id":"u","attributes":[]}"#, "attributes: a list is not an object; send an object such as"),
            (r#"{"user_id":"u","attributes":{"a":5}}"#, "attributes.a: 5 is not a text; send the value in quotes"),
            (r#"{"user_id":"u","name":"x"}"#, "name: is not a field that is known here; send any of user_id, email"),
            (
                r#"{"user_id":"u","tenants":[{"tenant_id":"00000000-0000-0000-0000-000000000000"}]}"#,
                "tenants[0].tenant_id: '00000000-0000-0000-0000-000000000000' is reserved",
            ),
            (
                r#"{"user_id":"u","tenants":[{"tenant_id":"11111111-2222-4333-8444-555555555555","created_at":"2026-03-02T00:00:00Z"}]}"#,
                "tenants[0].created_at: is more than 10 minutes ahead",
            ),
        ] {
            let error = UserLine::read(line.as_bytes(), now()).err().unwrap().to_string();
            assert!(error.starts_with(start), "{error}");
        }
        assert!(tenant_line(br#"{"tenant_id":5}"#).is_err());
        assert!(tenant_line(br#"{"tenant_id":"11111111-2222-4333-8444-555555555555","id":1}"#).is_err());
    }
}
