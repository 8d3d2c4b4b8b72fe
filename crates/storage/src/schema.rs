//! The tables, once for both databases. The migrations in `migrations/` create them.

/// Declares tables with diesel's column types and those of `columns`.
macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident $key:tt $columns:tt)*) => {$(
        diesel::table! {
            use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, SmallInt, Text};
            use crate::columns::{Day, Host, Instant, Json, TenantKey, Uuid128};
            $(#[$doc])* $table $key $columns
        }
    )*};
}

tables! {
    /// Customers of the SaaS vendor.
    tenants (tenant_id) {
        tenant_id -> Uuid128,
        name -> Nullable<Text>,
        created_at -> Instant,
        updated_at -> Instant,
        creation_id -> Uuid128,
    }

    /// Records of users. `email_folded` is the key by which the e-mail is compared, see [`crate::email_key`].
    users (user_id) {
        user_id -> Text,
        email -> Nullable<Text>,
        email_folded -> Nullable<Text>,
        username -> Nullable<Text>,
        attributes -> Json,
        region -> Nullable<Text>,
        user_pool_id -> Nullable<Text>,
        status -> Text,
        enabled -> Bool,
        registered_at -> Instant,
        updated_at -> Instant,
        creation_id -> Uuid128,
    }

    /// Memberships of users in tenants.
    memberships (tenant_id, user_id) {
        tenant_id -> Uuid128,
        user_id -> Text,
        created_at -> Instant,
        creation_id -> Uuid128,
        changes_after -> BigInt,
    }

    /// The ledger of creations. An entry stays when the record is deleted.
    creations (tenant_id, id) {
        tenant_id -> Uuid128,
        id -> Uuid128,
        kind -> Text,
        user_id -> Nullable<Text>,
        region -> Nullable<Text>,
        user_pool_id -> Nullable<Text>,
        created_at -> Instant,
    }

    /// Changes of attributes of users.
    attribute_changes (seq) {
        seq -> BigInt,
        user_id -> Text,
        changed_at -> Instant,
        changed_by -> Text,
        name -> Text,
        old_value -> Nullable<Text>,
        new_value -> Nullable<Text>,
    }

    /// The dictionary of user ids.
    dict_users (id) {
        id -> Integer,
        digest -> Uuid128,
        name -> Text,
    }

    /// The dictionary of page keys.
    dict_pages (id) {
        id -> Integer,
        digest -> Uuid128,
        name -> Text,
    }

    /// The dictionary of event types.
    dict_kinds (id) {
        id -> Integer,
        digest -> Uuid128,
        name -> Text,
    }

    /// The dictionary of user agents.
    dict_user_agents (id) {
        id -> Integer,
        digest -> Uuid128,
        name -> Text,
    }

    /// The dictionary of user names.
    dict_user_names (id) {
        id -> Integer,
        digest -> Uuid128,
        name -> Text,
    }

    /// The dictionary of source addresses.
    dict_sources (id) {
        id -> Integer,
        address -> Host,
    }

    /// The dictionary of tenants. Only SQLite has it.
    dict_tenants (id) {
        id -> Integer,
        tenant_id -> Uuid128,
    }

    /// The number of pages that a tenant added to the dictionary on one UTC day.
    new_pages (tenant_id, day) {
        tenant_id -> TenantKey,
        day -> Day,
        pages -> Integer,
    }

    /// The rule of the keys of pages, in one row.
    page_rule (id) {
        id -> SmallInt,
        version -> SmallInt,
        queries -> Nullable<Text>,
        trailing_slash -> Text,
        hash -> Text,
        rewriting -> Bool,
    }

    /// The events. `seq` is the order of storage, and `…_ref` are ids of dictionaries. SQLite has no `bucket`: see
    /// `dialect::events`.
    events (tenant_id, id) {
        bucket -> SmallInt,
        seq -> BigInt,
        tenant_id -> TenantKey,
        id -> Uuid128,
        env_id -> BigInt,
        occurred_at -> Instant,
        received_at -> Instant,
        user_ref -> Nullable<Integer>,
        user_name_ref -> Nullable<Integer>,
        kind_ref -> Integer,
        outcome -> SmallInt,
        source_ref -> Nullable<Integer>,
        user_agent_ref -> Nullable<Integer>,
        page_ref -> Nullable<Integer>,
        page -> Nullable<Text>,
        page_key -> Nullable<Text>,
        session_id -> Nullable<Text>,
        trace_id -> Nullable<Text>,
        target_type -> Nullable<Text>,
        target_id -> Nullable<Text>,
        target_name -> Nullable<Text>,
        metadata -> Nullable<Json>,
        original -> Nullable<Json>,
    }

    /// The key of the hashes that stand for ids and texts, in one row.
    hash_key (id) {
        id -> SmallInt,
        key -> Binary,
    }

    /// Runs of ids: sorted keys of the ids of adjacent events. Only SQLite has it.
    id_runs (run) {
        run -> BigInt,
        after_seq -> BigInt,
        last_seq -> BigInt,
        ids -> BigInt,
        pages -> BigInt,
        checksum -> BigInt,
        header -> Binary,
    }

    /// The pages of runs of ids. Only SQLite has it.
    id_pages (page) {
        page -> BigInt,
        payload -> Binary,
    }

    /// The columns of the events of transactions, until they are merged.
    deltas (bucket, seq) {
        bucket -> SmallInt,
        seq -> BigInt,
        events -> Integer,
        payload -> Binary,
    }

    /// Merges that are not finished.
    merge_passes (bucket, pass) {
        bucket -> SmallInt,
        pass -> BigInt,
        deltas -> Binary,
    }

    /// The scopes that such a merge has merged.
    merged_scopes (bucket, pass, scope) {
        bucket -> SmallInt,
        pass -> BigInt,
        scope -> TenantKey,
    }

    /// Deltas of older programs, until they are merged.
    old_deltas (scope, seq) {
        scope -> TenantKey,
        seq -> BigInt,
        payload -> Binary,
    }

    /// Merged summaries.
    sheets (bucket, scope, generation, level, part, start, run) {
        bucket -> SmallInt,
        generation -> BigInt,
        scope -> TenantKey,
        level -> SmallInt,
        part -> SmallInt,
        start -> Instant,
        run -> Integer,
        payload -> Binary,
    }

    /// The counts of all tenants in a period.
    tenant_counts (bucket, generation, level, start) {
        bucket -> SmallInt,
        generation -> BigInt,
        level -> SmallInt,
        start -> Instant,
        payload -> Binary,
    }

    /// The generation of sheets and of the index of events that answers questions, in one row.
    sheet_generation (bucket) {
        bucket -> SmallInt,
        generation -> BigInt,
        has_postings -> Bool,
    }

    /// The number of buckets, in one row. Only PostgreSQL has it.
    buckets (id) {
        id -> SmallInt,
        count -> Nullable<SmallInt>,
    }

    /// The runs of the index of events.
    posting_runs (bucket, generation, scope, month, run) {
        bucket -> SmallInt,
        generation -> BigInt,
        scope -> TenantKey,
        month -> Instant,
        run -> Integer,
        events -> Integer,
        bytes -> BigInt,
        header -> Binary,
        removed -> Nullable<Binary>,
    }

    /// The pages of runs that do not lie in their header.
    posting_pages (bucket, generation, scope, month, run, page) {
        bucket -> SmallInt,
        generation -> BigInt,
        scope -> TenantKey,
        month -> Instant,
        run -> Integer,
        page -> Integer,
        payload -> Binary,
    }

    /// Runs with pages that are not in `posting_runs`.
    hidden_posting_runs (bucket, generation, scope, month, run) {
        bucket -> SmallInt,
        generation -> BigInt,
        scope -> TenantKey,
        month -> Instant,
        run -> Integer,
        replaced -> Bool,
    }

    /// Rules of retention, removed ones included.
    retention_rules (id) {
        id -> Uuid128,
        tenant_id -> Nullable<Uuid128>,
        kind -> Nullable<Text>,
        keep_days -> Nullable<Integer>,
        keep_sheets_days -> Nullable<Integer>,
        removed_before -> Nullable<Instant>,
        created_at -> Instant,
        changed_at -> Instant,
    }

    /// Legal holds.
    legal_holds (id) {
        id -> Uuid128,
        case_name -> Text,
        reason -> Text,
        tenant_id -> Nullable<Uuid128>,
        user_id -> Nullable<Text>,
        created_at -> Instant,
    }

    /// Forwarding streams.
    streams (id) {
        id -> Uuid128,
        revision -> BigInt,
        name -> Nullable<Text>,
        tenant_id -> Nullable<Uuid128>,
        conditions -> Text,
        destination -> Text,
        format -> Text,
        sealed_secret -> Binary,
        previous_secret -> Nullable<Binary>,
        previous_until -> Nullable<Instant>,
        state -> Text,
        history -> Uuid128,
        after_seq -> BigInt,
        removed -> BigInt,
        pending_until -> Nullable<BigInt>,
        failures -> Integer,
        failing_since -> Nullable<Instant>,
        next_attempt_at -> Nullable<Instant>,
        last_success_at -> Nullable<Instant>,
        last_error -> Nullable<Text>,
        last_error_at -> Nullable<Instant>,
        gap_at -> Nullable<Instant>,
        created_at -> Instant,
        changed_at -> Instant,
    }

    /// What was removed of each tenant: the number of events, and the greatest of their numbers.
    removed_events (bucket, tenant_id) {
        bucket -> SmallInt,
        tenant_id -> TenantKey,
        events -> BigInt,
        until_seq -> BigInt,
    }

    /// Leases: rights that one process at a time has.
    leases (bucket, name) {
        bucket -> SmallInt,
        name -> Text,
        holder -> Uuid128,
        until -> Instant,
    }

    /// Numbers of active users that callers reported. They replace the counted ones.
    reported_active_users (tenant_id, env_id, period, first_day) {
        tenant_id -> Uuid128,
        env_id -> BigInt,
        period -> Text,
        first_day -> Day,
        users -> BigInt,
    }

    /// Accounts, which may log in to Trailkeeper.
    accounts (id) {
        id -> Uuid128,
        email -> Text,
        email_folded -> Text,
        display_name -> Text,
        password_hash -> Text,
        role -> Text,
        tenant_id -> Nullable<Uuid128>,
        disabled_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
    }

    /// The version of the rule of all keys of e-mail addresses, in one row.
    email_rule (id) {
        id -> SmallInt,
        version -> SmallInt,
    }

    /// API tokens, with the hashes of their texts.
    api_tokens (id) {
        id -> Uuid128,
        name -> Text,
        token_hash -> Binary,
        role -> Text,
        tenant_id -> Nullable<Uuid128>,
        created_at -> Instant,
        expires_at -> Nullable<Instant>,
        last_used_at -> Nullable<Instant>,
        revoked_at -> Nullable<Instant>,
    }

    /// Signing keys, with sealed secrets.
    signing_keys (id) {
        id -> Uuid128,
        name -> Text,
        saas_id -> Text,
        api_key -> Text,
        sealed_secret -> Binary,
        tenant_id -> Nullable<Uuid128>,
        created_at -> Instant,
        revoked_at -> Nullable<Instant>,
    }

    /// Sessions: the families of refresh tokens that began with one login.
    sessions (id) {
        id -> Uuid128,
        account_id -> Uuid128,
        started_at -> Instant,
        source -> Nullable<Host>,
        user_agent -> Nullable<Text>,
        refreshed_at -> Instant,
        expires_at -> Instant,
        ended_at -> Nullable<Instant>,
    }

    /// Refresh tokens, with the hashes of their texts.
    refresh_tokens (token_hash) {
        token_hash -> Binary,
        session_id -> Uuid128,
        issued_at -> Instant,
        expires_at -> Instant,
        spent_at -> Nullable<Instant>,
        successor_hash -> Nullable<Binary>,
        reissued_at -> Nullable<Instant>,
        superseded_at -> Nullable<Instant>,
    }

    /// Keys that sign access tokens, with sealed private keys.
    token_keys (kid) {
        kid -> Text,
        sealed_private -> Binary,
        public -> Binary,
        created_at -> Instant,
    }

    /// The sealed key of the cursors of the feed, in one row.
    cursor_keys (id) {
        id -> SmallInt,
        sealed_key -> Binary,
    }

    /// Counters of login attempts by account, by source and by both.
    login_counters (key) {
        key -> Binary,
        failures -> BigInt,
        counted_at -> Instant,
        blocked_until -> Nullable<Instant>,
    }

    /// Source addresses from which accounts have logged in.
    known_sources (name, source) {
        name -> Binary,
        source -> Host,
        logged_in_at -> Instant,
    }

    /// Numbers of requests that all servers counted together.
    request_counts (key, starts_at) {
        key -> Text,
        starts_at -> Instant,
        requests -> BigInt,
    }

    /// Signatures of requests, so that a request cannot be sent again.
    spent_signatures (signature) {
        signature -> Binary,
        until -> Instant,
    }

    /// The state of the database in one row, see [`ContentVersion`](crate::content_version::ContentVersion).
    content_version (id) {
        id -> SmallInt,
        database_id -> Uuid128,
        changes -> BigInt,
        writer -> Uuid128,
    }
}

diesel::allow_tables_to_appear_in_same_query!(users, memberships);
diesel::allow_tables_to_appear_in_same_query!(events, dict_sources);
diesel::allow_tables_to_appear_in_same_query!(sessions, refresh_tokens);
