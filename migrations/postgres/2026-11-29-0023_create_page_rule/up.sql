-- The rule by which the pages of events get their keys, in one row. queries is null if the keys are older than this table
-- and no server has said yet whether it keeps them. rewriting: older events may have keys of another rule, until
-- `trailkeeper rebuild` is done. On Citus this table stays on the coordinator.
CREATE TABLE page_rule (
    id             smallint NOT NULL PRIMARY KEY CHECK (id = 1),
    version        smallint NOT NULL CHECK (version >= 0),
    queries        text              CHECK (queries IN ('drop', 'keep')),
    trailing_slash text     NOT NULL CHECK (trailing_slash IN ('keep', 'drop')),
    hash           text     NOT NULL CHECK (hash IN ('drop', 'keep-routes')),
    rewriting      boolean  NOT NULL,
    CHECK (queries IS NOT NULL OR version = 0)
);

INSERT INTO page_rule (id, version, queries, trailing_slash, hash, rewriting)
SELECT 1, CASE WHEN old THEN 0 ELSE 1 END, CASE WHEN old THEN NULL ELSE 'drop' END, 'keep', 'drop', false
FROM (SELECT EXISTS (SELECT 1 FROM events WHERE page_ref IS NOT NULL) AS old) AS found;
