-- The primary key is the list of a project's members, in the order in which it is shown.
-- user_email and user_name repeat what users says, so that a page is one range of one table: joining twenty people
-- costs as much again as the page. Whoever changes a person changes both (users::modify).
-- No role means: a member without a built-in role, which reads as 'member'.
CREATE TABLE IF NOT EXISTS project_members (
    organization_id KEYTEXT NOT NULL,
    project_id      KEYTEXT NOT NULL,
    user_id         KEYTEXT NOT NULL,
    user_email      TEXT    NOT NULL,
    user_name       TEXT,
    role            TEXT,
    added_at        BIGINT  NOT NULL,
    CONSTRAINT project_members_key PRIMARY KEY (organization_id, project_id, user_id),
    CONSTRAINT project_members_project FOREIGN KEY (organization_id, project_id)
        REFERENCES projects (organization_id, id) ON DELETE RESTRICT,
    CONSTRAINT project_members_user FOREIGN KEY (organization_id, user_id)
        REFERENCES users (organization_id, id) ON DELETE RESTRICT
) CLUSTERED;

-- Whoever leaves the organization leaves all projects: that must find the memberships of one person.
CREATE INDEX IF NOT EXISTS project_members_of_user ON project_members (organization_id, user_id, project_id);
