-- The primary key is the list of a project's members, in the order in which it is shown.
-- shown is the member as it is sent, from the name on, so that a page is one range of one table and is copied: joining twenty
-- people costs as much again as the page, and so does spelling them out. It repeats what users says of the person; whoever
-- changes that, or the role, writes it anew (project_users/shown.rs).
-- No role means: a member without a built-in role, which reads as 'member'.
CREATE TABLE IF NOT EXISTS project_members (
    organization_id KEYTEXT NOT NULL,
    project_id      KEYTEXT NOT NULL,
    user_id         KEYTEXT NOT NULL,
    shown           TEXT    NOT NULL,
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
