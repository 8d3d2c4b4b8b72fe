-- The key of the cursors of the event feed for tenant-scoped credentials, sealed with the master key, in one row. The row
-- is missing until the key is used for the first time. The key never changes, because readers keep such cursors for as
-- long as they like. On Citus this table stays on the coordinator.
CREATE TABLE cursor_keys (
    id         smallint NOT NULL PRIMARY KEY CHECK (id = 1),
    sealed_key bytea    NOT NULL
);
