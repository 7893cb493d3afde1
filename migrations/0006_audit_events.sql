-- Written in the transaction of the change. sequence and hash stay empty until a sealer numbers the events.
-- No foreign key: the record outlives everything it speaks of. Not clustered: the rows are wide.
CREATE TABLE IF NOT EXISTS audit_events (
    organization_id KEYTEXT NOT NULL,
    id              KEYTEXT NOT NULL,
    kind            TEXT    NOT NULL,
    effective_at    BIGINT  NOT NULL,
    project_id      KEYTEXT,
    actor_kind      TEXT    NOT NULL,
    actor_id        KEYTEXT NOT NULL,
    actor_user_id   KEYTEXT,
    actor_email     TEXT,
    ip_address      TEXT,
    user_agent      TEXT,
    resource_id     KEYTEXT NOT NULL,
    payload         TEXT    NOT NULL,
    sequence        BIGINT,
    hash            BYTES,
    CONSTRAINT audit_events_key PRIMARY KEY (organization_id, id)
);
