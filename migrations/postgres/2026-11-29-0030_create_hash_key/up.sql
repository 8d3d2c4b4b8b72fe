-- The key of the hashes that stand for ids and texts, in one row. Without it, a sender cannot choose ids or texts with
-- the same hash. It never changes: everything that holds such hashes would have to be made again.
-- On Citus this table stays on the coordinator.
CREATE TABLE hash_key (
    id  smallint NOT NULL PRIMARY KEY CHECK (id = 1),
    key bytea    NOT NULL CHECK (octet_length(key) = 16)
);

-- Six bits of a random UUID are fixed, so the key is taken from the hash of two.
INSERT INTO hash_key (id, key)
SELECT 1, substring(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) FROM 1 FOR 16);
