-- An organization is the tenant: its id leads every other key in this schema.
CREATE TABLE IF NOT EXISTS organizations (
    id                 KEYTEXT NOT NULL,
    slug               KEYTEXT NOT NULL,
    name               TEXT    NOT NULL,
    default_project_id KEYTEXT NOT NULL,
    created_at         BIGINT  NOT NULL,
    CONSTRAINT organizations_key PRIMARY KEY (id),
    CONSTRAINT organizations_slug UNIQUE (slug)
) CLUSTERED;
