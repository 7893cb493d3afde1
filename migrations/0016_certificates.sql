-- content is the text as it was sent; fingerprint the SHA-256 of what is in it. Not clustered: the rows are wide.
CREATE TABLE IF NOT EXISTS certificates (
    organization_id KEYTEXT NOT NULL,
    id              KEYTEXT NOT NULL,
    name            TEXT,
    content         TEXT    NOT NULL,
    subject         TEXT    NOT NULL,
    fingerprint     BYTES   NOT NULL,
    valid_at        BIGINT  NOT NULL,
    expires_at      BIGINT  NOT NULL,
    created_at      BIGINT  NOT NULL,
    CONSTRAINT certificates_key PRIMARY KEY (organization_id, id),
    CONSTRAINT certificates_organization FOREIGN KEY (organization_id)
        REFERENCES organizations (id) ON DELETE RESTRICT
);

-- Where a certificate is active: project_id is empty for the organization.
CREATE TABLE IF NOT EXISTS certificate_activations (
    organization_id KEYTEXT NOT NULL,
    project_id      KEYTEXT NOT NULL,
    certificate_id  KEYTEXT NOT NULL,
    CONSTRAINT certificate_activations_key PRIMARY KEY (organization_id, project_id, certificate_id),
    CONSTRAINT certificate_activations_certificate FOREIGN KEY (organization_id, certificate_id)
        REFERENCES certificates (organization_id, id) ON DELETE RESTRICT
) CLUSTERED;

CREATE INDEX IF NOT EXISTS certificate_activations_of_certificate ON certificate_activations (organization_id, certificate_id, project_id);
