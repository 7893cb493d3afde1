-- recipients is a document that only the program reads.
CREATE TABLE IF NOT EXISTS spend_alerts (
    organization_id  KEYTEXT NOT NULL,
    project_id       KEYTEXT NOT NULL,
    id               KEYTEXT NOT NULL,
    threshold_amount BIGINT  NOT NULL,
    recipients       TEXT    NOT NULL,
    subject_prefix   TEXT,
    created_at       BIGINT  NOT NULL,
    CONSTRAINT spend_alerts_key PRIMARY KEY (organization_id, project_id, id),
    CONSTRAINT spend_alerts_organization FOREIGN KEY (organization_id)
        REFERENCES organizations (id) ON DELETE RESTRICT
) CLUSTERED;
