//! The tables, once for both databases. `migrations/` makes them; a test compares the two.

/// A table with our column types and diesel's in scope.
macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident $key:tt $columns:tt)*) => {$(
        diesel::table! {
            use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
            use crate::columns::{Day, Host, Instant, Json, Uuid128};
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

    /// The events. `seq` is the order of storage.
    events (tenant_id, id) {
        seq -> BigInt,
        tenant_id -> Uuid128,
        id -> Uuid128,
        env_id -> BigInt,
        occurred_at -> Instant,
        received_at -> Instant,
        user_id -> Nullable<Text>,
        user_name -> Nullable<Text>,
        kind -> Text,
        outcome -> Text,
        source -> Nullable<Host>,
        user_agent -> Nullable<Text>,
        page -> Nullable<Text>,
        page_key -> Nullable<Text>,
        session_id -> Nullable<Text>,
        trace_id -> Nullable<Text>,
        target_type -> Nullable<Text>,
        target_id -> Nullable<Text>,
        target_name -> Nullable<Text>,
        metadata -> Nullable<Json>,
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
}

diesel::allow_tables_to_appear_in_same_query!(users, memberships);
