-- Dictionaries, which give names their numbers. Ids are dense from 1 and never change. A digest is the first half of the
-- SHA-256 of the name. The program relies on the inserted rows of dict_kinds and on the first row of dict_pages.
CREATE TABLE dict_users (
    id     integer          NOT NULL PRIMARY KEY CHECK (id > 0),
    digest uuid             NOT NULL UNIQUE,
    name   text COLLATE "C" NOT NULL
);

CREATE TABLE dict_pages (
    id     integer          NOT NULL PRIMARY KEY CHECK (id > 0),
    digest uuid             NOT NULL UNIQUE,
    name   text COLLATE "C" NOT NULL
);

CREATE TABLE dict_kinds (
    id     integer          NOT NULL PRIMARY KEY CHECK (id > 0),
    digest uuid             NOT NULL UNIQUE,
    name   text COLLATE "C" NOT NULL
);

CREATE TABLE dict_user_agents (
    id     integer          NOT NULL PRIMARY KEY CHECK (id > 0),
    digest uuid             NOT NULL UNIQUE,
    name   text COLLATE "C" NOT NULL
);

CREATE TABLE dict_user_names (
    id     integer          NOT NULL PRIMARY KEY CHECK (id > 0),
    digest uuid             NOT NULL UNIQUE,
    name   text COLLATE "C" NOT NULL
);

CREATE TABLE dict_sources (
    id      integer NOT NULL PRIMARY KEY CHECK (id > 0),
    address inet    NOT NULL UNIQUE
);

-- The number of pages that a tenant added to the dictionary on one UTC day. Pages beyond a limit count as (other).
CREATE TABLE new_pages (
    tenant_id uuid    NOT NULL,
    day       date    NOT NULL,
    pages     integer NOT NULL CHECK (pages >= 0),
    PRIMARY KEY (tenant_id, day)
);

INSERT INTO dict_kinds (id, digest, name) VALUES
    (1, '364e680c2c8975c7b2d6df65c9f8f317', 'login_success'),
    (2, '62aedc27a715c727542d1c9aff0f2420', 'login_fail'),
    (3, '00270cf63f93c307e7e9d2cc7e639fa5', 'logout'),
    (4, 'db02bf6478891029ba384bbd6c71afe4', 'page_load'),
    (5, '1704b0282a3cbea79bd2d2034a2154ed', 'userinfo'),
    (6, '1f58b9145b24d108d7ac38887338b3ea', 'request');

INSERT INTO dict_pages (id, digest, name) VALUES (1, 'fea5267d7f4b91b7c74d2e4abb947e0d', '(other)');
