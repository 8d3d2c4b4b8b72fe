-- Forwarding streams: what each sends where, its signing secrets, sealed with the master key, and its progress. The position
-- is a number of the feed in a history of the database. pending_until: the last number of a message that the destination
-- did not accept. revision: a change names the revision that it changes. On Citus this table stays on the
-- coordinator.
CREATE TABLE streams (
    id              uuid        NOT NULL PRIMARY KEY,
    revision        bigint      NOT NULL,
    name            text                 CHECK (length(name) BETWEEN 1 AND 128),
    tenant_id       uuid,
    conditions      text        NOT NULL,
    destination     text        NOT NULL CHECK (length(destination) BETWEEN 1 AND 2048),
    format          text        NOT NULL CHECK (format IN ('native', 'cloudevents', 'ocsf')),
    sealed_secret   bytea       NOT NULL,
    previous_secret bytea,
    previous_until  timestamptz,
    state           text        NOT NULL CHECK (state IN ('active', 'paused', 'failing')),
    history         uuid        NOT NULL,
    after_seq       bigint      NOT NULL CHECK (after_seq >= 0),
    removed         bigint      NOT NULL CHECK (removed >= 0),
    pending_until   bigint,
    failures        integer     NOT NULL CHECK (failures >= 0),
    failing_since   timestamptz,
    next_attempt_at timestamptz,
    last_success_at timestamptz,
    last_error      text                 CHECK (length(last_error) BETWEEN 1 AND 512),
    last_error_at   timestamptz,
    gap_at          timestamptz,
    created_at      timestamptz NOT NULL,
    changed_at      timestamptz NOT NULL,
    CHECK ((previous_secret IS NULL) = (previous_until IS NULL)),
    CHECK ((last_error IS NULL) = (last_error_at IS NULL)),
    CHECK ((failures = 0) = (failing_since IS NULL)),
    CHECK ((failures = 0) = (next_attempt_at IS NULL))
);
