-- What holds at a level: project_id is empty for the organization. An empty column: nothing was set. model_ids is a document that only
-- the program reads. hosted_tools are words with a space between: those a project disables, those an organization requires.
CREATE TABLE IF NOT EXISTS policies (
    organization_id KEYTEXT NOT NULL,
    project_id      KEYTEXT NOT NULL,
    data_retention  TEXT,
    spend_limit     BIGINT,
    model_mode      TEXT,
    model_ids       TEXT,
    hosted_tools    TEXT,
    CONSTRAINT policies_key PRIMARY KEY (organization_id, project_id),
    CONSTRAINT policies_organization FOREIGN KEY (organization_id)
        REFERENCES organizations (id) ON DELETE RESTRICT
) CLUSTERED;
