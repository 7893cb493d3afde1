-- No role means none. An id is unique in the organization and not only in its project, because it stands wherever the id of
-- a person may stand.
CREATE TABLE IF NOT EXISTS service_accounts (
    organization_id KEYTEXT NOT NULL,
    project_id      KEYTEXT NOT NULL,
    id              KEYTEXT NOT NULL,
    name            TEXT    NOT NULL,
    role            TEXT,
    created_at      BIGINT  NOT NULL,
    CONSTRAINT service_accounts_key PRIMARY KEY (organization_id, project_id, id),
    CONSTRAINT service_accounts_id UNIQUE (organization_id, id),
    CONSTRAINT service_accounts_project FOREIGN KEY (organization_id, project_id)
        REFERENCES projects (organization_id, id) ON DELETE RESTRICT
) CLUSTERED;
