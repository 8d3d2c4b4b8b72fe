-- These tables are small, rarely written, and found without a tenant: on Citus they stay on the coordinator.
CREATE TABLE accounts (
    id            uuid             NOT NULL PRIMARY KEY,
    email         text             NOT NULL,
    email_folded  text COLLATE "C" NOT NULL UNIQUE,
    display_name  text             NOT NULL,
    password_hash text             NOT NULL,
    role          text             NOT NULL CHECK (role IN ('admin', 'analyst', 'auditor', 'ingest')),
    tenant_id     uuid,
    disabled_at   timestamptz,
    created_at    timestamptz      NOT NULL,
    updated_at    timestamptz      NOT NULL
);

CREATE TABLE api_tokens (
    id           uuid        NOT NULL PRIMARY KEY,
    name         text        NOT NULL,
    token_hash   bytea       NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    role         text        NOT NULL CHECK (role IN ('admin', 'analyst', 'auditor', 'ingest')),
    tenant_id    uuid,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    last_used_at timestamptz,
    revoked_at   timestamptz
);

CREATE TABLE signing_keys (
    id            uuid             NOT NULL PRIMARY KEY,
    name          text             NOT NULL,
    saas_id       text             NOT NULL,
    api_key       text COLLATE "C" NOT NULL UNIQUE,
    sealed_secret bytea            NOT NULL,
    tenant_id     uuid,
    created_at    timestamptz      NOT NULL,
    revoked_at    timestamptz
);

CREATE TABLE sessions (
    id         uuid        NOT NULL PRIMARY KEY,
    account_id uuid        NOT NULL REFERENCES accounts (id),
    started_at timestamptz NOT NULL,
    ended_at   timestamptz
);

DO $$ BEGIN
    CREATE INDEX sessions_by_account ON sessions (account_id);
END $$;

CREATE TABLE refresh_tokens (
    token_hash bytea       NOT NULL PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    session_id uuid        NOT NULL REFERENCES sessions (id),
    issued_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    spent_at   timestamptz
);

DO $$ BEGIN
    CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);
    CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);
END $$;

CREATE TABLE token_keys (
    kid            text COLLATE "C" NOT NULL PRIMARY KEY,
    sealed_private bytea            NOT NULL,
    public         bytea            NOT NULL,
    created_at     timestamptz      NOT NULL
);

DO $$ BEGIN
    CREATE INDEX token_keys_by_time ON token_keys (created_at, kid);
END $$;
