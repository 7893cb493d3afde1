-- secret_hash is the SHA-256 of the whole key and the only index that does not begin with the organization:
-- a request names its organization by its key.
CREATE TABLE IF NOT EXISTS admin_api_keys (
    organization_id KEYTEXT NOT NULL,
    id              KEYTEXT NOT NULL,
    owner_id        KEYTEXT NOT NULL,
    name            TEXT,
    secret_hash     BYTES   NOT NULL,
    redacted_value  TEXT    NOT NULL,
    scopes          TEXT    NOT NULL,
    created_at      BIGINT  NOT NULL,
    expires_at      BIGINT,
    last_used_at    BIGINT,
    CONSTRAINT admin_api_keys_key PRIMARY KEY (organization_id, id),
    CONSTRAINT admin_api_keys_secret UNIQUE (secret_hash),
    CONSTRAINT admin_api_keys_owner FOREIGN KEY (organization_id, owner_id)
        REFERENCES users (organization_id, id) ON DELETE RESTRICT
) CLUSTERED;

CREATE INDEX IF NOT EXISTS admin_api_keys_of_owner ON admin_api_keys (organization_id, owner_id, id);
