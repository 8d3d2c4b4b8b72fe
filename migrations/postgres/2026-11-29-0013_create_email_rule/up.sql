-- The version of the rule by which the program made all values of email_folded, in one row. The program rewrites the
-- values of an older version after the migrations, because SQL cannot fold Unicode. 0: lower case; 1: docs/adr/0022.
-- On Citus this table stays on the coordinator.
CREATE TABLE email_rule (
    id      smallint NOT NULL PRIMARY KEY CHECK (id = 1),
    version smallint NOT NULL
);

INSERT INTO email_rule (id, version) VALUES (1, 0);
