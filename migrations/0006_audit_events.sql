-- The record. Written in the transaction of the change and never changed again. effective_at repeats the time in the id, so the
-- list by time is the list by id. No foreign key: the record outlives everything it speaks of. Not clustered: the rows are wide.
CREATE TABLE IF NOT EXISTS audit_events (
    organization_id KEYTEXT NOT NULL,
    id              KEYTEXT NOT NULL,
    kind            KEYTEXT NOT NULL,
    effective_at    BIGINT  NOT NULL,
    project_id      KEYTEXT,
    actor           KEYTEXT NOT NULL,
    ip_address      TEXT,
    user_agent      TEXT,
    resource_id     KEYTEXT NOT NULL,
    payload         TEXT    NOT NULL,
    CONSTRAINT audit_events_key PRIMARY KEY (organization_id, id)
);

-- Every filter of the list, alone and with any other, is a range of one of these. Without a kind, each kind is a range; those of a
-- thing are few. What else may be asked for beside a thing stands behind the id in the thing's index, so that it is checked there.
CREATE INDEX IF NOT EXISTS audit_events_of_kind ON audit_events (organization_id, kind, id);
CREATE INDEX IF NOT EXISTS audit_events_of_project ON audit_events (organization_id, project_id, kind, id)
    WHERE project_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS audit_events_of_project_actor ON audit_events (organization_id, project_id, actor, id)
    WHERE project_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS audit_events_of_actor ON audit_events (organization_id, actor, kind, id);
CREATE INDEX IF NOT EXISTS audit_events_of_resource
    ON audit_events (organization_id, resource_id, kind, id, project_id, actor);

-- Further things that an event is about, where it is about several.
CREATE TABLE IF NOT EXISTS audit_resources (
    organization_id KEYTEXT NOT NULL,
    resource_id     KEYTEXT NOT NULL,
    event_id        KEYTEXT NOT NULL,
    CONSTRAINT audit_resources_key PRIMARY KEY (organization_id, resource_id, event_id)
) CLUSTERED;

CREATE INDEX IF NOT EXISTS audit_resources_of_event ON audit_resources (organization_id, event_id, resource_id);

-- Who acted. actor is made of the other columns, so two events of the same actor name the same row and a row never changes.
-- email_folded is compared, email is shown.
CREATE TABLE IF NOT EXISTS audit_actors (
    organization_id KEYTEXT NOT NULL,
    actor           KEYTEXT NOT NULL,
    kind            TEXT    NOT NULL,
    actor_id        KEYTEXT NOT NULL,
    user_id         KEYTEXT,
    email           TEXT,
    email_folded    KEYTEXT,
    CONSTRAINT audit_actors_key PRIMARY KEY (organization_id, actor)
) CLUSTERED;

CREATE INDEX IF NOT EXISTS audit_actors_by_id ON audit_actors (organization_id, actor_id, actor);
CREATE INDEX IF NOT EXISTS audit_actors_by_user ON audit_actors (organization_id, user_id, actor);
CREATE INDEX IF NOT EXISTS audit_actors_by_email ON audit_actors (organization_id, email_folded, actor);

-- Events that are not sealed yet, each with the hash that was made when it was written.
CREATE TABLE IF NOT EXISTS audit_tail (
    organization_id KEYTEXT NOT NULL,
    id              KEYTEXT NOT NULL,
    hash            BYTES   NOT NULL,
    CONSTRAINT audit_tail_key PRIMARY KEY (organization_id, id)
) CLUSTERED;

-- The chain of seals. records holds 56 bytes for each event: the 24 characters of its id and its hash; the first has the sequence
-- first_sequence. hash covers everything else in the row and the hash of the seal before. Not clustered: the rows are wide.
CREATE TABLE IF NOT EXISTS audit_seals (
    organization_id KEYTEXT NOT NULL,
    number          BIGINT  NOT NULL,
    first_sequence  BIGINT  NOT NULL,
    events          BIGINT  NOT NULL,
    sealed_at       BIGINT  NOT NULL,
    records         BYTES   NOT NULL,
    hash            BYTES   NOT NULL,
    CONSTRAINT audit_seals_key PRIMARY KEY (organization_id, number)
);

CREATE INDEX IF NOT EXISTS audit_seals_by_sequence ON audit_seals (organization_id, first_sequence);
