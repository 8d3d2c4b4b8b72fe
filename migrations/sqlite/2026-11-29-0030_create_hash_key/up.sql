-- The key of the hashes that stand for ids and texts, in one row. Without it, a sender cannot choose ids or texts with
-- the same hash. It never changes: everything that holds such hashes would have to be made again.
CREATE TABLE hash_key (
    id  INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    key BLOB    NOT NULL CHECK (length(key) = 16)
) STRICT;

INSERT INTO hash_key (id, key) VALUES (1, randomblob(16));
