-- owner_kind is 'user' or 'service_account'. Keys of a person who leaves stay, dead, with what is shown of that person:
-- owner_left_at and the three columns behind it are empty until then. Like the admin keys' hash, secret_hash does not begin with
-- the organization, because it finds it.
CREATE TABLE IF NOT EXISTS project_api_keys (
    organization_id KEYTEXT NOT NULL,
    project_id      KEYTEXT NOT NULL,
    id              KEYTEXT NOT NULL,
    owner_kind      KEYTEXT NOT NULL,
    owner_id        KEYTEXT NOT NULL,
    name            TEXT    NOT NULL,
    secret_hash     BYTES   NOT NULL,
    redacted_value  TEXT    NOT NULL,
    scopes          TEXT,
    created_at      BIGINT  NOT NULL,
    expires_at      BIGINT,
    last_used_at    BIGINT,
    owner_left_at   BIGINT,
    owner_email     TEXT,
    owner_name      TEXT,
    owner_added_at  BIGINT,
    CONSTRAINT project_api_keys_key PRIMARY KEY (organization_id, project_id, id),
    CONSTRAINT project_api_keys_secret UNIQUE (secret_hash),
    CONSTRAINT project_api_keys_project FOREIGN KEY (organization_id, project_id)
        REFERENCES projects (organization_id, id) ON DELETE RESTRICT
) CLUSTERED;

CREATE INDEX IF NOT EXISTS project_api_keys_of_owner ON project_api_keys (organization_id, owner_id, project_id, id);
