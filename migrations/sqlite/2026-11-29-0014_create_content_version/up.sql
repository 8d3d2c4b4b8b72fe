-- The state of the database in one row: its identity, the number of changes to dictionaries and sheets, and the writer of
-- the last one. A server that finds a row which does not follow from its own writes forgets what it remembers.
CREATE TABLE content_version (
    id          INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    database_id BLOB    NOT NULL CHECK (length(database_id) = 16),
    changes     INTEGER NOT NULL CHECK (changes >= 0),
    writer      BLOB    NOT NULL CHECK (length(writer) = 16)
) STRICT;

INSERT INTO content_version (id, database_id, changes, writer) VALUES (1, randomblob(16), 0, zeroblob(16));
