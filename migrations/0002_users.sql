-- email_folded carries case-insensitive equality, so that no engine's own folding rules are used.
-- No role means: a user without a built-in role, which reads as 'reader'.
CREATE TABLE IF NOT EXISTS users (
    organization_id   KEYTEXT NOT NULL,
    id                KEYTEXT NOT NULL,
    email             TEXT    NOT NULL,
    email_folded      KEYTEXT NOT NULL,
    name              TEXT,
    role              TEXT,
    technical_level   TEXT,
    developer_persona TEXT,
    added_at          BIGINT  NOT NULL,
    CONSTRAINT users_key PRIMARY KEY (organization_id, id),
    CONSTRAINT users_email UNIQUE (organization_id, email_folded),
    CONSTRAINT users_organization FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE RESTRICT
) CLUSTERED;

-- Owners are few; "is there another owner" must not read everybody.
CREATE INDEX IF NOT EXISTS users_owners ON users (organization_id, id) WHERE role = 'owner';
