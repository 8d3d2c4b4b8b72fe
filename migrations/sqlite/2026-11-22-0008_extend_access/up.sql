-- The table is created again, because SQLite cannot add a column that is not null without a default. refresh_tokens is
-- created again because it refers to the table.
CREATE TEMP TABLE kept_sessions AS SELECT * FROM sessions;
CREATE TEMP TABLE kept_refresh_tokens AS SELECT * FROM refresh_tokens;
DROP TABLE refresh_tokens;
DROP TABLE sessions;

-- An address is its family (4 or 6) and its bytes. A session expires at expires_at unless it is refreshed before.
CREATE TABLE sessions (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    account_id   BLOB    NOT NULL REFERENCES accounts (id),
    started_at   INTEGER NOT NULL,
    source       BLOB             CHECK (length(source) IN (5, 17)),
    user_agent   TEXT             CHECK (length(user_agent) BETWEEN 1 AND 1024),
    refreshed_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    ended_at     INTEGER
) STRICT, WITHOUT ROWID;

INSERT INTO sessions (id, account_id, started_at, refreshed_at, expires_at, ended_at)
SELECT s.id, s.account_id, s.started_at, s.started_at,
       coalesce((SELECT max(t.expires_at) FROM kept_refresh_tokens t WHERE t.session_id = s.id), s.started_at),
       s.ended_at
FROM kept_sessions s;

-- Ids rise with time, so this index has the sessions of an account in the order of lists.
CREATE INDEX sessions_by_account ON sessions (account_id, id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX sessions_by_end ON sessions (ended_at) WHERE ended_at IS NOT NULL;

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
