//! The tables, once for both databases. `migrations/` makes them; a test compares the two.

/// A table with our column types and diesel's in scope.
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

    /// The subjects of events, as far as we were told. `email_folded` is the form by which they are found.
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

    /// Who belongs to which tenant.
    memberships (tenant_id, user_id) {
        tenant_id -> Uuid128,
        user_id -> Text,
        created_at -> Instant,
        creation_id -> Uuid128,
    }

    /// What came to be, kept when the record goes.
    creations (tenant_id, id) {
        tenant_id -> Uuid128,
        id -> Uuid128,
        kind -> Text,
        user_id -> Nullable<Text>,
        region -> Nullable<Text>,
        user_pool_id -> Nullable<Text>,
        created_at -> Instant,
    }

    /// Who changed which attribute of whom.
    attribute_changes (seq) {
        seq -> BigInt,
        user_id -> Text,
        changed_at -> Instant,
        changed_by -> Text,
        name -> Text,
        old_value -> Nullable<Text>,
        new_value -> Nullable<Text>,
    }

    /// Users as numbers.
    dict_users (id) {
        id -> Integer,
        digest -> Uuid128,
        name -> Text,
    }

    /// Pages as numbers.
    dict_pages (id) {
        id -> Integer,
        digest -> Uuid128,
        name -> Text,
    }

    /// Types of events as numbers.
    dict_kinds (id) {
        id -> Integer,
        digest -> Uuid128,
        name -> Text,
    }

    /// Programs as numbers.
    dict_user_agents (id) {
        id -> Integer,
        digest -> Uuid128,
        name -> Text,
    }

    /// Names of actors as numbers.
    dict_user_names (id) {
        id -> Integer,
        digest -> Uuid128,
        name -> Text,
    }

    /// Addresses as numbers.
    dict_sources (id) {
        id -> Integer,
        address -> Host,
    }

    /// Tenants as numbers: SQLite's alone.
    dict_tenants (id) {
        id -> Integer,
        tenant_id -> Uuid128,
    }

    /// How many new pages a tenant brought on one UTC day.
    new_pages (tenant_id, day) {
        tenant_id -> TenantKey,
        day -> Day,
        pages -> Integer,
    }

    /// The events. `seq` is the order of storage, `…_ref` an id of a dictionary.
    events (tenant_id, id) {
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
    }

    /// The summaries of batches that are not merged yet.
    deltas (scope, seq) {
        scope -> TenantKey,
        seq -> BigInt,
        payload -> Binary,
    }

    /// The merged summaries.
    sheets (scope, generation, level, part, start, run) {
        generation -> BigInt,
        scope -> TenantKey,
        level -> SmallInt,
        part -> SmallInt,
        start -> Instant,
        run -> Integer,
        payload -> Binary,
    }

    /// Which generation of sheets answers questions: one row.
    sheet_generation (id) {
        id -> SmallInt,
        generation -> BigInt,
    }

    /// Who may do a work that one server at a time does.
    leases (name) {
        name -> Text,
        holder -> Uuid128,
        until -> Instant,
    }

    /// What callers reported instead of what we counted.
    reported_active_users (tenant_id, env_id, period, first_day) {
        tenant_id -> Uuid128,
        env_id -> BigInt,
        period -> Text,
        first_day -> Day,
        users -> BigInt,
    }

    /// Who may log in to Trailkeeper itself.
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

    /// API tokens, by their hashes.
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

    /// Signing keys, their secrets sealed.
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

    /// Families of refresh tokens.
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

    /// Refresh tokens, by their hashes.
    refresh_tokens (token_hash) {
        token_hash -> Binary,
        session_id -> Uuid128,
        issued_at -> Instant,
        expires_at -> Instant,
        spent_at -> Nullable<Instant>,
    }

    /// The keys that sign access tokens, sealed.
    token_keys (kid) {
        kid -> Text,
        sealed_private -> Binary,
        public -> Binary,
        created_at -> Instant,
    }

    /// Attempts to log in, by account, by source and by both.
    login_counters (key) {
        key -> Binary,
        failures -> BigInt,
        counted_at -> Instant,
        blocked_until -> Nullable<Instant>,
    }

    /// From where accounts log in.
    known_sources (name, source) {
        name -> Binary,
        source -> Host,
        logged_in_at -> Instant,
    }

    /// How many requests all servers together counted.
    request_counts (key, starts_at) {
        key -> Text,
        starts_at -> Instant,
        requests -> BigInt,
    }

    /// Signatures of requests that must not take effect twice.
    spent_signatures (signature) {
        signature -> Binary,
        until -> Instant,
    }
}

diesel::allow_tables_to_appear_in_same_query!(users, memberships);
diesel::allow_tables_to_appear_in_same_query!(events, dict_sources);
diesel::allow_tables_to_appear_in_same_query!(sessions, refresh_tokens);
