-- The state of the database in one row. On SQLite it shows a server that the content of its file was replaced. Here a
-- server sees that by the end of its connections, and only the check of readiness writes the row.
-- On Citus this table stays on the coordinator.
CREATE TABLE content_version (
    id          smallint NOT NULL PRIMARY KEY CHECK (id = 1),
    database_id uuid     NOT NULL,
    changes     bigint   NOT NULL CHECK (changes >= 0),
    writer      uuid     NOT NULL
);

INSERT INTO content_version (id, database_id, changes, writer)
VALUES (1, gen_random_uuid(), 0, '00000000-0000-0000-0000-000000000000');
