-- Archiving sets archived_at; no row of a project is ever deleted by it.
CREATE TABLE IF NOT EXISTS projects (
    organization_id KEYTEXT NOT NULL,
    id              KEYTEXT NOT NULL,
    name            KEYTEXT NOT NULL,
    external_key_id TEXT,
    residency       TEXT,
    geography       TEXT,
    created_at      BIGINT  NOT NULL,
    archived_at     BIGINT,
    CONSTRAINT projects_key PRIMARY KEY (organization_id, id),
    CONSTRAINT projects_organization FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE RESTRICT
) CLUSTERED;

-- The default list shows active projects only; filtering after the cut would give short pages.
CREATE INDEX IF NOT EXISTS projects_active ON projects (organization_id, id) WHERE archived_at IS NULL;

-- People name projects; ids are for programs. Names need not be unique.
CREATE INDEX IF NOT EXISTS projects_by_name ON projects (organization_id, name, id) WHERE archived_at IS NULL;
