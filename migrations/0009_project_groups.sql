-- A group is in a project as long as it has a role there: a row for each such pair, kept by whoever changes assignments
-- (role_assignments::store).
CREATE TABLE IF NOT EXISTS project_groups (
    organization_id KEYTEXT NOT NULL,
    project_id      KEYTEXT NOT NULL,
    group_id        KEYTEXT NOT NULL,
    created_at      BIGINT  NOT NULL,
    CONSTRAINT project_groups_key PRIMARY KEY (organization_id, project_id, group_id),
    CONSTRAINT project_groups_project FOREIGN KEY (organization_id, project_id)
        REFERENCES projects (organization_id, id) ON DELETE RESTRICT,
    CONSTRAINT project_groups_group FOREIGN KEY (organization_id, group_id)
        REFERENCES groups (organization_id, id) ON DELETE RESTRICT
) CLUSTERED;

CREATE INDEX IF NOT EXISTS project_groups_of_group ON project_groups (organization_id, group_id, project_id);
