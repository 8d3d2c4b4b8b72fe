CREATE TEMP TABLE kept_sessions AS SELECT * FROM sessions;
CREATE TEMP TABLE kept_refresh_tokens AS SELECT * FROM refresh_tokens;
DROP TABLE refresh_tokens;
DROP TABLE sessions;

CREATE TABLE sessions (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    account_id BLOB    NOT NULL REFERENCES accounts (id),
    started_at INTEGER NOT NULL,
    ended_at   INTEGER
) STRICT, WITHOUT ROWID;

INSERT INTO sessions (id, account_id, started_at, ended_at)
SELECT id, account_id, started_at, ended_at FROM kept_sessions;

CREATE INDEX sessions_by_account ON sessions (account_id);

CREATE TABLE refresh_tokens (
    token_hash BLOB    NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
    session_id BLOB    NOT NULL REFERENCES sessions (id),
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    spent_at   INTEGER
) STRICT, WITHOUT ROWID;

INSERT INTO refresh_tokens (token_hash, session_id, issued_at, expires_at, spent_at)
SELECT token_hash, session_id, issued_at, expires_at, spent_at FROM kept_refresh_tokens;

CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

DROP TABLE kept_refresh_tokens;
DROP TABLE kept_sessions;
