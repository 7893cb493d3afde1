-- Names need not be unique. The list runs along the primary key, both ways.
CREATE TABLE IF NOT EXISTS groups (
    organization_id KEYTEXT NOT NULL,
    id              KEYTEXT NOT NULL,
    name            TEXT    NOT NULL,
    created_at      BIGINT  NOT NULL,
    CONSTRAINT groups_key PRIMARY KEY (organization_id, id),
    CONSTRAINT groups_organization FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE RESTRICT
) CLUSTERED;

-- user_id is a person or a service account, so nothing can be declared of it: whoever deletes either looks here
-- (holdings::forget).
CREATE TABLE IF NOT EXISTS group_members (
    organization_id KEYTEXT NOT NULL,
    group_id        KEYTEXT NOT NULL,
    user_id         KEYTEXT NOT NULL,
    added_at        BIGINT  NOT NULL,
    CONSTRAINT group_members_key PRIMARY KEY (organization_id, group_id, user_id),
    CONSTRAINT group_members_group FOREIGN KEY (organization_id, group_id)
        REFERENCES groups (organization_id, id) ON DELETE RESTRICT
) CLUSTERED;

-- Which groups somebody is in: each check asks this, and each departure.
CREATE INDEX IF NOT EXISTS group_members_of_user ON group_members (organization_id, user_id, group_id);
