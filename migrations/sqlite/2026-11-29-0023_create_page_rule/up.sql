-- The rule by which the pages of events get their keys, in one row. queries is null if the keys are older than this table
-- and no server has said yet whether it keeps them. rewriting: older events may have keys of another rule, until
-- `trailkeeper rebuild` is done.
CREATE TABLE page_rule (
    id             INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    version        INTEGER NOT NULL CHECK (version >= 0),
    queries        TEXT             CHECK (queries IN ('drop', 'keep')),
    trailing_slash TEXT    NOT NULL CHECK (trailing_slash IN ('keep', 'drop')),
    hash           TEXT    NOT NULL CHECK (hash IN ('drop', 'keep-routes')),
    rewriting      INTEGER NOT NULL CHECK (rewriting IN (0, 1)),
    CHECK (queries IS NOT NULL OR version = 0)
) STRICT;

INSERT INTO page_rule (id, version, queries, trailing_slash, hash, rewriting)
SELECT 1, iif(old, 0, 1), iif(old, NULL, 'drop'), 'keep', 'drop', 0
FROM (SELECT EXISTS (SELECT 1 FROM events WHERE page_ref IS NOT NULL) AS old);
