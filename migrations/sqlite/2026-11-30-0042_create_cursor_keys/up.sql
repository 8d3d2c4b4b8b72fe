-- The key of the cursors of the event feed for tenant-scoped credentials, sealed with the master key, in one row. The row
-- is missing until the key is used for the first time. The key never changes, because readers keep such cursors for as
-- long as they like.
CREATE TABLE cursor_keys (
    id         INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    sealed_key BLOB    NOT NULL
) STRICT;
