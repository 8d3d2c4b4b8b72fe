-- A session expires at expires_at unless it is refreshed before.
ALTER TABLE sessions
    ADD COLUMN source       inet,
    ADD COLUMN user_agent   text CHECK (char_length(user_agent) BETWEEN 1 AND 1024),
    ADD COLUMN refreshed_at timestamptz,
    ADD COLUMN expires_at   timestamptz;

UPDATE sessions
SET refreshed_at = started_at,
    expires_at = coalesce(
        (SELECT max(t.expires_at) FROM refresh_tokens t WHERE t.session_id = sessions.id), started_at);

ALTER TABLE sessions
    ALTER COLUMN refreshed_at SET NOT NULL,
    ALTER COLUMN expires_at SET NOT NULL;

-- Ids rise with time, so this index has the sessions of an account in the order of lists.
DO $$ BEGIN
    DROP INDEX sessions_by_account;
    CREATE INDEX sessions_by_account ON sessions (account_id, id);
    CREATE INDEX sessions_by_expiry ON sessions (expires_at);
    CREATE INDEX sessions_by_end ON sessions (ended_at) WHERE ended_at IS NOT NULL;
END $$;
