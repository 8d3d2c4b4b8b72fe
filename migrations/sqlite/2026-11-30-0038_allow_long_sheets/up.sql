-- level: 4 quarter, 5 year, too. SQLite has no statement that changes a CHECK, and copying the table would double the sheets
-- on the disk. So the text of the schema is changed, as https://www.sqlite.org/lang_altertable.html describes for changes
-- that do not touch the content; a schema that does not have the text stays as it is.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (level BETWEEN 1 AND 3)', 'CHECK (level BETWEEN 1 AND 5)')
WHERE type = 'table' AND name = 'sheets';
PRAGMA writable_schema = RESET;

-- Changes the version of the schema, by which other connections see that they have to read it again.
CREATE TABLE schema_change (id INTEGER) STRICT;
DROP TABLE schema_change;
