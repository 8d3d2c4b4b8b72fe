//! The server and the records that the operations of the table use.

use std::cell::RefCell;

use serde_json::{Value, json};
use trailkeeper_auth::{NewAccount, NewSigningKey, NewToken, Origin};
use trailkeeper_domain::account::{Account, ApiToken, Role, Session, SigningKey};
use trailkeeper_domain::event::EventKind;
use trailkeeper_domain::id::UserId;
use trailkeeper_domain::retention::{HoldDraft, LegalHold, RetentionRule, RuleDraft, RuleSubject};
use trailkeeper_domain::stream::{Conditions, Destination, Stream, StreamDraft, StreamFormat, StreamStart};

use super::row::Row;
use crate::support::{ACME, Caller, OTHER, PASSWORD, START, TestApp, numbered, operator};

/// A text in every record of [`ACME`]. No answer to a caller without permission may contain it.
pub const MARK: &str = "only-for-acme";

/// The type of the events that the table's rule of retention is about.
pub const KEPT_TYPE: &str = "kept.for.the.table";

/// A server with two tenants.
pub struct World<'a> {
    pub app: &'a TestApp,
    admin: Caller<'a>,
    /// The current records; `None` after a request that may have changed them.
    records: RefCell<Option<Value>>,
}

/// The records and credentials that one request uses. Only rows about credentials get credentials.
pub struct Things {
    records: Value,
    credentials: Option<Credentials>,
    retention: Option<Retention>,
    stream: Option<Stream>,
}

/// A rule of retention about events that nobody sends, and a legal hold.
pub struct Retention {
    pub rule: RetentionRule,
    pub hold: LegalHold,
}

/// One credential of each kind.
pub struct Credentials {
    pub account: Account,
    pub token: ApiToken,
    pub key: SigningKey,
    pub session: Session,
}

impl<'a> World<'a> {
    pub fn new(app: &'a TestApp) -> Self {
        let world = Self { app, admin: app.admin(), records: RefCell::default() };
        world.put_records();
        let page = format!("/{MARK}");
        world.admin.put(&format!("/v1/tenants/{OTHER}"), &json!({})).ok();
        world.admin.record(&json!([
            {"id": numbered(1), "type": "page_load", "tenant_id": ACME, "user_id": "u1", "page": page, "occurred_at": START},
            {"id": numbered(2), "type": "userinfo", "tenant_id": ACME, "user_id": "u1", "occurred_at": START},
        ]));
        world
    }

    /// The initial records, and unused credentials.
    pub fn fresh_things(&self, row: &Row) -> Things {
        let about_credentials = ["account", "token", "signing_key", "session", "password", "log_", "me"]
            .iter()
            .any(|word| row.operation.contains(word));
        let records = self.records.take().unwrap_or_else(|| self.put_records());
        self.records.replace(Some(records.clone()));
        let about_retention = ["retention", "legal_hold"].iter().any(|word| row.operation.contains(word));
        let about_streams = row.info.path.starts_with("/v1/streams");
        Things {
            records,
            credentials: about_credentials.then(|| self.credentials()),
            retention: about_retention.then(|| self.retention()),
            stream: about_streams.then(|| self.stream()),
        }
    }

    /// Must be called after a request that may have changed the records.
    pub fn changed(&self) {
        self.records.take();
    }

    /// Fails if anything changed since `things` were created.
    #[track_caller]
    pub fn unchanged(&self, things: &Things) {
        let now = |path: &str| self.admin.get(path).ok();
        let records = json!([
            now(&format!("/v1/tenants/{ACME}")),
            now("/v1/users/u1"),
            now(&format!("/v1/tenants/{ACME}/users/u1")),
        ]);
        assert_eq!(records, things.records);
        let access = self.app.state.access();
        if let Some(Retention { rule, hold }) = &things.retention {
            assert_eq!(access.retention_rule(rule.id).unwrap(), *rule);
            assert_eq!(access.legal_hold(hold.id).unwrap(), *hold);
        }
        if let Some(stream) = &things.stream {
            assert_eq!(access.stream(stream.id).unwrap(), *stream);
        }
        let Some(made) = &things.credentials else { return };
        assert_eq!(access.account(made.account.id).unwrap(), made.account);
        assert_eq!(access.token(made.token.id).unwrap(), made.token);
        assert_eq!(access.signing_key(made.key.id).unwrap(), made.key);
        assert_eq!(access.session(made.session.id).unwrap(), made.session);
    }

    fn put_records(&self) -> Value {
        let user = json!({"email": "jane@example.com", "attributes": {"name": MARK}});
        json!([
            self.admin.put(&format!("/v1/tenants/{ACME}"), &json!({"name": MARK})).ok(),
            self.admin.put("/v1/users/u1", &user).ok(),
            self.admin.put(&format!("/v1/tenants/{ACME}/users/u1"), &json!({})).ok(),
        ])
    }

    fn retention(&self) -> Retention {
        let (access, operator) = (self.app.state.access(), operator());
        let changes = access.retention(&operator);
        let subject = RuleSubject { tenant_id: None, kind: Some(EventKind::known(KEPT_TYPE)) };
        let (rule, _) = changes.set_rule(&subject, RuleDraft { keep_days: 30_000, keep_sheets_days: None }).unwrap();
        let about = HoldDraft {
            case: MARK.to_owned(),
            reason: "a test".to_owned(),
            tenant_id: None,
            user_id: Some(UserId::parse("user_id", "u1").unwrap()),
        };
        Retention { rule, hold: changes.place_hold(&about).unwrap() }
    }

    /// The only stream: there can be a few.
    fn stream(&self) -> Stream {
        let (access, operator) = (self.app.state.access(), operator());
        for stream in access.streams(None, 1000).unwrap().items {
            access.delete_stream(&operator, stream.id).unwrap();
        }
        let about = StreamDraft {
            name: Some(MARK.to_owned()),
            tenant_id: None,
            conditions: Conditions::default(),
            destination: Destination::parse("destination", "https://siem.example/").unwrap(),
            format: StreamFormat::Native,
        };
        access.create_stream(&operator, about, StreamStart::Now).unwrap().0
    }

    fn credentials(&self) -> Credentials {
        let access = self.app.state.access();
        let email = format!("{}@example.com", self.app.fresh_name());
        let new = NewAccount {
            email: email.clone(),
            display_name: Some(MARK.to_owned()),
            password: PASSWORD.to_owned(),
            role: Role::Admin,
            tenant_id: None,
        };
        access.create_account(&operator(), new).unwrap();
        let login = access.login(&email, PASSWORD, &Origin::default()).unwrap();
        let new = NewToken { name: MARK.to_owned(), role: Role::Admin, tenant_id: None, expires_at: None };
        let (token, _) = access.create_token(&operator(), new).unwrap();
        let (key, _) =
            access.create_signing_key(&operator(), NewSigningKey { name: MARK.to_owned(), tenant_id: None }).unwrap();
        let filter =
            trailkeeper_domain::account::SessionFilter { account_id: Some(login.account.id), ..Default::default() };
        let session = access.sessions(filter, None, 1).unwrap().items.remove(0);
        Credentials { account: login.account, token, key, session }
    }
}

impl Things {
    /// For rows that need no credentials of their own.
    pub fn without_credentials() -> Self {
        Self { records: Value::Null, credentials: None, retention: None, stream: None }
    }

    /// The rule and the hold that were made for this row.
    #[track_caller]
    pub fn retention(&self) -> &Retention {
        self.retention.as_ref().unwrap()
    }

    /// The stream that was made for this row.
    #[track_caller]
    pub fn stream(&self) -> &Stream {
        self.stream.as_ref().unwrap()
    }

    /// The credentials that were created for this row.
    #[track_caller]
    pub fn credentials(&self) -> &Credentials {
        self.credentials.as_ref().unwrap()
    }
}
