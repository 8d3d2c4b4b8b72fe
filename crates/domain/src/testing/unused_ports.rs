//! The ports that no use case of this crate calls. A call of one fails the test.

use std::collections::HashMap;
use std::net::IpAddr;

use uuid::Uuid;

use crate::account::{Account, ApiToken, RefreshToken, Session, SessionFilter, SigningKey, SpentSignature, TokenKey};
use crate::activity::{ActiveUsers, ActiveUsersQuery, Behavior, Period};
use crate::creation::{Creation, CreationKind, DailyCount};
use crate::error::Result;
use crate::event::{EventKind, StoredEvent};
use crate::fact::EventFact;
use crate::id::{AccountId, CredentialId, LegalHoldId, SessionId, StreamId, TenantId, UserId};
use crate::indexed_event::IndexedEvent;
use crate::page::PageRuleState;
use crate::ports::{
    AccessReads, AccessWrites, ActivityReads, ActivityWrites, Backlog, CounterKey, DeltaSize, MergePass, OldDeltaKey,
    PagePosition, PageReads, PageWrites, PostingReads, PostingRun, PostingRunKey, PostingWrites, RequestCount,
    RetentionReads, RetentionWrites, RewrittenPages, SheetKey, SheetPeriod, SheetQuery, SheetReads, SheetWrites,
    SourceActivity, SourceQuery, SourceTotals, StreamReads, StreamWrites, ThrottleReads, ThrottleWrites, WaitingDelta,
};
use crate::retention::{LegalHold, RetentionRule};
use crate::scope::{Level, Part, Scope};
use crate::stream::Stream;
use crate::testing::memory_store::MemoryTx;
use crate::throttle::LoginCounter;
use crate::time::{TimeRange, Timestamp};

/// Implements ports by methods that fail.
macro_rules! unused_ports {
    ($($port:ident {
        $(fn $method:ident(&mut self $(, $argument:ident: $type:ty)*) -> $result:ty;)*
        $(also { $($other:tt)* })?
    })*) => {
        $(impl $port for MemoryTx<'_> {
            $(fn $method(&mut self $(, $argument: $type)*) -> $result {
                $(let _ = $argument;)*
                unused(stringify!($method))
            })*
            $($($other)*)?
        })*
    };
}

/// Fails the test.
pub fn unused<T>(method: &str) -> T {
    panic!("a use case called {method}, which the store in memory does not have")
}

unused_ports! {
    AccessReads {
        fn account(&mut self, id: AccountId) -> Result<Option<Account>>;
        fn account_by_email(&mut self, email: &str) -> Result<Option<Account>>;
        fn accounts(&mut self, after: Option<AccountId>, limit: usize) -> Result<Vec<Account>>;
        fn api_token(&mut self, id: CredentialId) -> Result<Option<ApiToken>>;
        fn api_token_by_hash(&mut self, hash: &[u8]) -> Result<Option<ApiToken>>;
        fn api_tokens(&mut self, after: Option<CredentialId>, limit: usize) -> Result<Vec<ApiToken>>;
        fn signing_key(&mut self, id: CredentialId) -> Result<Option<SigningKey>>;
        fn signing_key_by_api_key(&mut self, api_key: &str) -> Result<Option<SigningKey>>;
        fn signing_keys(&mut self, after: Option<CredentialId>, limit: usize) -> Result<Vec<SigningKey>>;
        fn session(&mut self, id: SessionId) -> Result<Option<Session>>;
        fn sessions(&mut self, filter: SessionFilter, before: Option<SessionId>, limit: usize) -> Result<Vec<Session>>;
        fn refresh_token(&mut self, hash: &[u8]) -> Result<Option<RefreshToken>>;
        fn token_keys(&mut self) -> Result<Vec<TokenKey>>;
        fn cursor_key(&mut self) -> Result<Option<Vec<u8>>>;
    }

    AccessWrites {
        fn insert_account(&mut self, account: &Account) -> Result<()>;
        fn update_account(&mut self, account: &Account) -> Result<bool>;
        fn delete_account(&mut self, id: AccountId) -> Result<bool>;
        fn insert_api_token(&mut self, token: &ApiToken) -> Result<()>;
        fn update_api_token(&mut self, id: CredentialId, name: &str, expires_at: Option<Timestamp>) -> Result<bool>;
        fn touch_api_token(&mut self, id: CredentialId, at: Timestamp) -> Result<()>;
        fn revoke_api_token(&mut self, id: CredentialId, at: Timestamp) -> Result<bool>;
        fn insert_signing_key(&mut self, key: &SigningKey) -> Result<()>;
        fn rename_signing_key(&mut self, id: CredentialId, name: &str) -> Result<bool>;
        fn reseal_signing_key(&mut self, id: CredentialId, sealed_secret: &[u8]) -> Result<bool>;
        fn revoke_signing_key(&mut self, id: CredentialId, at: Timestamp) -> Result<bool>;
        fn insert_session(&mut self, session: &Session) -> Result<()>;
        fn prolong_session(&mut self, id: SessionId, refreshed_at: Timestamp, expires_at: Timestamp) -> Result<bool>;
        fn end_session(&mut self, id: SessionId, at: Timestamp) -> Result<bool>;
        fn end_sessions_of(&mut self, account: AccountId, except: Option<SessionId>, at: Timestamp) -> Result<usize>;
        fn expire_sessions_begun(&mut self, begun: Timestamp, now: Timestamp) -> Result<()>;
        fn delete_past_sessions(&mut self, at: Timestamp) -> Result<()>;
        fn insert_refresh_token(&mut self, token: &RefreshToken) -> Result<()>;
        fn spend_refresh_token(&mut self, hash: &[u8], successor: &[u8], at: Timestamp) -> Result<bool>;
        fn reissue_refresh_token(
            &mut self,
            hash: &[u8],
            lost: &[u8],
            successor: &[u8],
            at: Timestamp
        ) -> Result<bool>;
        fn delete_expired_refresh_tokens(&mut self, at: Timestamp) -> Result<()>;
        fn spend_signature(&mut self, spent: &SpentSignature, now: Timestamp) -> Result<bool>;
        fn insert_token_key(&mut self, key: &TokenKey) -> Result<()>;
        fn reseal_token_key(&mut self, kid: &str, sealed_private: &[u8]) -> Result<bool>;
        fn delete_token_key(&mut self, kid: &str) -> Result<bool>;
        fn insert_cursor_key(&mut self, sealed_key: &[u8]) -> Result<bool>;
        fn reseal_cursor_key(&mut self, sealed_key: &[u8]) -> Result<bool>;
    }

    ActivityReads {
        fn reported_active_users(&mut self, query: &ActiveUsersQuery) -> Result<Vec<ActiveUsers>>;
        fn creations_per_day(
            &mut self,
            kind: CreationKind,
            range: TimeRange,
            tenants: Option<&[TenantId]>
        ) -> Result<Vec<DailyCount>>;
        fn creations(
            &mut self,
            kind: CreationKind,
            range: TimeRange,
            tenants: Option<&[TenantId]>,
            each: &mut dyn FnMut(&Creation) -> Result<()>
        ) -> Result<()>;
        fn behaviors(&mut self, user: &UserId, range: TimeRange, tenant: Option<TenantId>) -> Result<Vec<Behavior>>;
        fn registered_users(
            &mut self,
            range: TimeRange,
            region: &str,
            user_pool_id: &str,
            tenant: Option<TenantId>
        ) -> Result<u64>;
        fn source_activity(&mut self, query: &SourceQuery, limit: usize) -> Result<Vec<SourceActivity>>;
        fn source_totals(&mut self, query: &SourceQuery) -> Result<(SourceTotals, SourceTotals)>;
    }

    ActivityWrites {
        fn put_reported_active_users(&mut self, period: Period, reported: &ActiveUsers) -> Result<()>;
    }

    PageReads {
        fn page_rule(&mut self) -> Result<PageRuleState>;
        fn has_pages(&mut self) -> Result<bool>;
    }

    PageWrites {
        fn set_page_rule(&mut self, state: &PageRuleState) -> Result<()>;
        fn lock_page_rule(&mut self) -> Result<()>;
        fn forget_new_pages(&mut self) -> Result<()>;
        fn rewrite_page_keys(&mut self, after: Option<&PagePosition>, limit: usize) -> Result<RewrittenPages>;
    }

    SheetReads {
        fn facts(
            &mut self,
            scope: Scope,
            range: TimeRange,
            each: &mut dyn FnMut(&EventFact) -> Result<()>
        ) -> Result<()>;
        fn facts_of_user(
            &mut self,
            user: &UserId,
            tenant: Option<TenantId>,
            range: TimeRange,
            each: &mut dyn FnMut(&EventFact) -> Result<()>
        ) -> Result<()>;
        fn span_of_user(&mut self, user: &UserId, tenant: Option<TenantId>) -> Result<Option<(Timestamp, Timestamp)>>;
        fn span(&mut self) -> Result<Option<(Timestamp, Timestamp)>>;
        fn sheets(&mut self, query: &SheetQuery, each: &mut dyn FnMut(SheetKey, &[u8]) -> Result<()>) -> Result<()>;
        fn sheet_keys(&mut self, scope: Scope, level: Level, part: Part, starts: TimeRange) -> Result<Vec<SheetKey>>;
        fn tenant_counts(
            &mut self,
            level: Level,
            starts: TimeRange,
            each: &mut dyn FnMut(Timestamp, &[u8]) -> Result<()>
        ) -> Result<()>;
        fn counted_periods(&mut self, level: Level) -> Result<Vec<Timestamp>>;
        fn deltas(&mut self, scope: Scope, each: &mut dyn FnMut(WaitingDelta<'_>) -> Result<()>) -> Result<()>;
        fn all_deltas(&mut self, each: &mut dyn FnMut(WaitingDelta<'_>) -> Result<()>) -> Result<()>;
        fn backlog(&mut self) -> Result<Backlog>;
        fn unclaimed_deltas(&mut self, after: i64, limit: usize) -> Result<Vec<DeltaSize>>;
        fn deltas_by_number(&mut self, numbers: &[i64]) -> Result<Vec<(i64, Vec<u8>)>>;
        fn merge_passes(&mut self) -> Result<Vec<MergePass>>;
        fn old_deltas(&mut self, limit: usize) -> Result<Vec<(OldDeltaKey, Vec<u8>)>>;
        fn runs(&mut self, generation: i64, periods: &[SheetPeriod]) -> Result<Vec<(SheetKey, u64)>>;
        fn sheets_by_key(&mut self, generation: i64, keys: &[SheetKey]) -> Result<HashMap<SheetKey, Vec<u8>>>;
        fn generation(&mut self) -> Result<i64>;
        fn lease(&mut self, name: &str) -> Result<Option<(Uuid, Timestamp)>>;
        fn page_keys(&mut self, ids: &[u32]) -> Result<HashMap<u32, String>>;
        fn kind_names(&mut self, ids: &[u32]) -> Result<HashMap<u32, String>>;
        fn source_names(&mut self, ordinals: &[u32]) -> Result<HashMap<u32, String>>;
        also { fn epoch(&self) -> u64 { unused("epoch") } }
    }

    SheetWrites {
        fn take_lease(&mut self, name: &str, holder: Uuid, now: Timestamp, until: Timestamp) -> Result<bool>;
        fn keep_lease(&mut self, name: &str, holder: Uuid, until: Timestamp) -> Result<bool>;
        fn release_lease(&mut self, name: &str, holder: Uuid) -> Result<()>;
        fn put_sheets(&mut self, generation: i64, sheets: &[(SheetKey, Vec<u8>)]) -> Result<()>;
        fn delete_sheets(&mut self, generation: i64, keys: &[SheetKey]) -> Result<()>;
        fn put_tenant_counts(
            &mut self,
            generation: i64,
            level: Level,
            start: Timestamp,
            payload: &[u8]
        ) -> Result<()>;
        fn begin_merge_pass(&mut self, deltas: &[i64]) -> Result<i64>;
        fn mark_merged(&mut self, pass: i64, scopes: &[Scope]) -> Result<()>;
        fn end_merge_passes(&mut self, passes: &[i64]) -> Result<()>;
        fn delete_deltas(&mut self, numbers: &[i64]) -> Result<()>;
        fn delete_old_deltas(&mut self, keys: &[OldDeltaKey]) -> Result<()>;
        fn set_generation(&mut self, generation: i64, has_postings: bool) -> Result<()>;
        fn delete_other_generations(&mut self, keep: Option<i64>, limit: usize) -> Result<u64>;
    }

    PostingReads {
        fn has_postings(&mut self) -> Result<bool>;
        fn posting_runs(&mut self, generation: i64, scope: Scope, months: TimeRange) -> Result<Vec<PostingRun>>;
        fn posting_scopes(&mut self, generation: i64) -> Result<Vec<Scope>>;
        fn posting_run_keys(&mut self, generation: i64, scopes: &[Scope]) -> Result<Vec<(PostingRunKey, u32, u64)>>;
        fn posting_pages(&mut self, generation: i64, key: PostingRunKey, pages: &[u32]) -> Result<Vec<Vec<u8>>>;
        fn has_hidden_posting_pages(&mut self) -> Result<bool>;
        fn events_by_seq(&mut self, seqs: &[i64]) -> Result<Vec<StoredEvent>>;
        fn indexed_events_by_seq(
            &mut self,
            seqs: &[i64],
            each: &mut dyn FnMut(&IndexedEvent) -> Result<()>
        ) -> Result<()>;
        fn indexed_events(
            &mut self,
            after: i64,
            limit: usize,
            each: &mut dyn FnMut(&IndexedEvent) -> Result<()>
        ) -> Result<()>;
        also {
            fn last_seq(&mut self) -> Result<i64> {
                i64::try_from(self.records.events.len()).map_err(crate::Error::internal)
            }
        }
    }

    PostingWrites {
        fn put_posting_pages(
            &mut self,
            generation: i64,
            key: PostingRunKey,
            first_page: u32,
            pages: &[Vec<u8>]
        ) -> Result<()>;
        fn put_posting_runs(&mut self, generation: i64, runs: &[PostingRun]) -> Result<()>;
        fn delete_posting_runs(&mut self, generation: i64, keys: &[PostingRunKey]) -> Result<()>;
        fn delete_replaced_posting_pages(&mut self, limit: usize) -> Result<u64>;
        fn sweep_posting_pages(&mut self, limit: usize) -> Result<u64>;
    }

    RetentionReads {
        fn kind_ids(&mut self, kinds: &[EventKind]) -> Result<HashMap<EventKind, u32>>;
        fn user_ordinals(&mut self, users: &[UserId]) -> Result<HashMap<UserId, u32>>;
        fn sheets_of_removed(&mut self, starts: TimeRange) -> Result<Vec<(i64, SheetKey)>>;
        fn has_removed(&mut self, scope: Scope, level: Level, starts: TimeRange) -> Result<bool>;
        fn merged_facts(
            &mut self,
            scope: Scope,
            range: TimeRange,
            each: &mut dyn FnMut(&EventFact) -> Result<()>
        ) -> Result<()>;
        also {
            fn retention_rules(&mut self) -> Result<Vec<RetentionRule>> {
                Ok(self.records.rules.values().cloned().collect())
            }

            fn legal_holds(&mut self, after: Option<LegalHoldId>, limit: usize) -> Result<Vec<LegalHold>> {
                let behind = self.records.holds.values().filter(|hold| Some(hold.id) > after);
                Ok(behind.take(limit).cloned().collect())
            }
        }
    }

    RetentionWrites {
        fn delete_events(&mut self, seqs: &[i64]) -> Result<u64>;
        fn put_removed_positions(&mut self, generation: i64, key: PostingRunKey, removed: &[u8]) -> Result<bool>;
        also {
            fn lock_retention(&mut self) -> Result<()> {
                Ok(())
            }

            fn put_retention_rule(&mut self, rule: &RetentionRule) -> Result<()> {
                self.records.rules.insert(rule.id, rule.clone());
                Ok(())
            }

            fn insert_legal_hold(&mut self, hold: &LegalHold) -> Result<()> {
                self.records.holds.insert(hold.id, hold.clone());
                Ok(())
            }

            fn delete_legal_hold(&mut self, id: LegalHoldId) -> Result<bool> {
                Ok(self.records.holds.remove(&id).is_some())
            }
        }
    }

    StreamReads {
        fn streams(&mut self, after: Option<StreamId>, limit: usize) -> Result<Vec<Stream>>;
        fn stream(&mut self, id: StreamId) -> Result<Option<Stream>>;
    }
    StreamWrites {
        fn insert_stream(&mut self, stream: &Stream) -> Result<()>;
        fn update_stream(&mut self, stream: &Stream) -> Result<bool>;
        fn delete_stream(&mut self, id: StreamId) -> Result<bool>;
    }
    ThrottleReads {
        fn login_counters(&mut self, keys: &[CounterKey]) -> Result<Vec<Option<LoginCounter>>>;
        fn known_source(&mut self, name: &CounterKey, source: IpAddr) -> Result<Option<Timestamp>>;
        fn request_counts(&mut self, starts_at: Timestamp, keys: &[String]) -> Result<Vec<u64>>;
        fn request_count_keys(&mut self, prefix: &str, since: Timestamp) -> Result<u64>;
    }

    ThrottleWrites {
        fn lock_login_counters(&mut self) -> Result<()>;
        fn put_login_counter(&mut self, key: &CounterKey, counter: &LoginCounter) -> Result<()>;
        fn delete_login_counter(&mut self, key: &CounterKey) -> Result<()>;
        fn put_known_source(&mut self, name: &CounterKey, source: IpAddr, at: Timestamp, most: usize) -> Result<()>;
        fn delete_login_counters(&mut self, before: Timestamp, most: usize) -> Result<()>;
        fn delete_known_sources(&mut self, before: Timestamp) -> Result<()>;
        fn add_requests(&mut self, counts: &[RequestCount]) -> Result<()>;
        fn delete_request_counts(&mut self, before: Timestamp) -> Result<()>;
    }
}
