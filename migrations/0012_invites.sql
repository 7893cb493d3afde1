-- projects is a document that only the program reads. token_hash is the SHA-256 of the last link's token: empty until a link is
-- asked for, and again after it was used.
CREATE TABLE IF NOT EXISTS invites (
    organization_id KEYTEXT NOT NULL,
    id              KEYTEXT NOT NULL,
    email           TEXT    NOT NULL,
    email_folded    KEYTEXT NOT NULL,
    role            TEXT    NOT NULL,
    projects        TEXT    NOT NULL,
    token_hash      BYTES,
    created_at      BIGINT  NOT NULL,
    expires_at      BIGINT  NOT NULL,
    accepted_at     BIGINT,
    CONSTRAINT invites_key PRIMARY KEY (organization_id, id),
    CONSTRAINT invites_token UNIQUE (token_hash),
    CONSTRAINT invites_organization FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE RESTRICT
) CLUSTERED;

CREATE INDEX IF NOT EXISTS invites_by_email ON invites (organization_id, email_folded, id);
