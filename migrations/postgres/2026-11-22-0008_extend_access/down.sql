DO $$ BEGIN
    DROP INDEX sessions_by_end;
    DROP INDEX sessions_by_expiry;
    DROP INDEX sessions_by_account;
    CREATE INDEX sessions_by_account ON sessions (account_id);
END $$;

ALTER TABLE sessions
    DROP COLUMN source,
    DROP COLUMN user_agent,
    DROP COLUMN refreshed_at,
    DROP COLUMN expires_at;
