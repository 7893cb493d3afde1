-- The operator's models, with what a minute or a day may hold at most; empty where a model has no such limit.
-- origin is 'configuration' (kept like the file at each start) or 'command'.
CREATE TABLE IF NOT EXISTS models (
    organization_id                KEYTEXT NOT NULL,
    id                             KEYTEXT NOT NULL,
    max_requests_per_minute        BIGINT  NOT NULL,
    max_tokens_per_minute          BIGINT  NOT NULL,
    max_images_per_minute          BIGINT,
    max_audio_megabytes_per_minute BIGINT,
    max_requests_per_day           BIGINT,
    max_batch_tokens_per_day       BIGINT,
    origin                         TEXT    NOT NULL,
    created_at                     BIGINT  NOT NULL,
    CONSTRAINT models_key PRIMARY KEY (organization_id, id),
    CONSTRAINT models_organization FOREIGN KEY (organization_id)
        REFERENCES organizations (id) ON DELETE RESTRICT
) CLUSTERED;

-- Where a project may use less of a model than the model has. Empty columns: as much.
CREATE TABLE IF NOT EXISTS rate_limits (
    organization_id                KEYTEXT NOT NULL,
    project_id                     KEYTEXT NOT NULL,
    model_id                       KEYTEXT NOT NULL,
    max_requests_per_minute        BIGINT,
    max_tokens_per_minute          BIGINT,
    max_images_per_minute          BIGINT,
    max_audio_megabytes_per_minute BIGINT,
    max_requests_per_day           BIGINT,
    max_batch_tokens_per_day       BIGINT,
    CONSTRAINT rate_limits_key PRIMARY KEY (organization_id, project_id, model_id),
    CONSTRAINT rate_limits_project FOREIGN KEY (organization_id, project_id)
        REFERENCES projects (organization_id, id) ON DELETE RESTRICT,
    CONSTRAINT rate_limits_model FOREIGN KEY (organization_id, model_id)
        REFERENCES models (organization_id, id) ON DELETE RESTRICT
) CLUSTERED;

CREATE INDEX IF NOT EXISTS rate_limits_of_model ON rate_limits (organization_id, model_id, project_id);
