-- Custom roles; the built-in ones are in the program. project_id is empty for roles of the organization, so that both kinds
-- share one table and every statement. permissions are tokens with a space between, in the order in which they were sent.
-- reaches_projects repeats whether one of them opens projects, so that lists can ask for it.
CREATE TABLE IF NOT EXISTS roles (
    organization_id  KEYTEXT NOT NULL,
    project_id       KEYTEXT NOT NULL,
    id               KEYTEXT NOT NULL,
    name             KEYTEXT NOT NULL,
    description      TEXT,
    permissions      TEXT    NOT NULL,
    reaches_projects BOOLEAN NOT NULL,
    created_at       BIGINT  NOT NULL,
    updated_at       BIGINT  NOT NULL,
    created_by       KEYTEXT,
    CONSTRAINT roles_key PRIMARY KEY (organization_id, project_id, id),
    CONSTRAINT roles_name UNIQUE (organization_id, project_id, name),
    CONSTRAINT roles_organization FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE RESTRICT
) CLUSTERED;

-- Who has which role, apart from the one built-in role that stands in users, project_members and service_accounts.
-- principal_type is 'user' (people and service accounts) or 'group'. role_id is a custom role, or the alias of a built-in one;
-- so there is nothing to declare of it.
CREATE TABLE IF NOT EXISTS role_assignments (
    organization_id KEYTEXT NOT NULL,
    project_id      KEYTEXT NOT NULL,
    principal_type  KEYTEXT NOT NULL,
    principal_id    KEYTEXT NOT NULL,
    role_id         KEYTEXT NOT NULL,
    created_at      BIGINT  NOT NULL,
    CONSTRAINT role_assignments_key PRIMARY KEY (organization_id, project_id, principal_type, principal_id, role_id),
    CONSTRAINT role_assignments_organization FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE RESTRICT
) CLUSTERED;

-- Whoever leaves loses their roles everywhere.
CREATE INDEX IF NOT EXISTS role_assignments_of_principal
    ON role_assignments (organization_id, principal_type, principal_id, project_id, role_id);
-- A role that is deleted is taken from everybody.
CREATE INDEX IF NOT EXISTS role_assignments_of_role
    ON role_assignments (organization_id, project_id, role_id, principal_type, principal_id);
