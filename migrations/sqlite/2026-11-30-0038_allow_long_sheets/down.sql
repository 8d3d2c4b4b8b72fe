DELETE FROM sheets WHERE level > 3;

PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (level BETWEEN 1 AND 5)', 'CHECK (level BETWEEN 1 AND 3)')
WHERE type = 'table' AND name = 'sheets';
PRAGMA writable_schema = RESET;

CREATE TABLE schema_change (id INTEGER) STRICT;
DROP TABLE schema_change;
