-- What was used and what it cost. Events come in batches; a batch is a row that never changes, with its events packed by the program.
-- Not clustered: the rows are wide.
CREATE TABLE IF NOT EXISTS usage_batches (
    organization_id KEYTEXT NOT NULL,
    id              KEYTEXT NOT NULL,
    received_at     BIGINT  NOT NULL,
    first_time      BIGINT  NOT NULL,
    last_time       BIGINT  NOT NULL,
    events          BIGINT  NOT NULL,
    body            BYTES   NOT NULL,
    CONSTRAINT usage_batches_key PRIMARY KEY (organization_id, id)
);

-- Which batches are in no roll-up yet. A batch is counted in a segment, or is in here: never both, never neither.
CREATE TABLE IF NOT EXISTS usage_tail (
    organization_id KEYTEXT NOT NULL,
    batch_id        KEYTEXT NOT NULL,
    CONSTRAINT usage_tail_key PRIMARY KEY (organization_id, batch_id)
) CLUSTERED;

-- The ids of the events that were counted, as sorted runs of hashes that never change. A batch in the tail is its own run; the others
-- have a row here, with a filter that tells which hashes cannot be in the run. At random places in one index each id would cost a page.
CREATE TABLE IF NOT EXISTS usage_id_runs (
    organization_id KEYTEXT NOT NULL,
    id              KEYTEXT NOT NULL,
    ids             BIGINT  NOT NULL,
    last_time       BIGINT  NOT NULL,
    filter          BYTES   NOT NULL,
    CONSTRAINT usage_id_runs_key PRIMARY KEY (organization_id, id)
);

-- The hashes of a run, in portions; first is the smallest of a portion.
CREATE TABLE IF NOT EXISTS usage_id_chunks (
    organization_id KEYTEXT NOT NULL,
    run_id          KEYTEXT NOT NULL,
    first           BYTES   NOT NULL,
    hashes          BYTES   NOT NULL,
    CONSTRAINT usage_id_chunks_key PRIMARY KEY (organization_id, run_id, first)
);

-- What segments count by: a number for each combination of project, user, key, model and so on that was ever used. Rows never change.
-- dimensions is a document that only the program reads.
CREATE TABLE IF NOT EXISTS usage_series (
    organization_id KEYTEXT NOT NULL,
    id              BIGINT  NOT NULL,
    kind            KEYTEXT NOT NULL,
    dimensions      TEXT    NOT NULL,
    CONSTRAINT usage_series_key PRIMARY KEY (organization_id, id)
);

-- The roll-ups. width is in seconds: a minute, an hour or a day; start is the beginning of the bucket. A bucket has one segment or several, which are
-- added up; each is packed by the program and never changes, until some are replaced by one that says the same. totals stands before body
-- so that whoever wants nothing else reads nothing else.
CREATE TABLE IF NOT EXISTS usage_segments (
    organization_id KEYTEXT NOT NULL,
    kind            KEYTEXT NOT NULL,
    width           BIGINT  NOT NULL,
    start           BIGINT  NOT NULL,
    number          KEYTEXT NOT NULL,
    totals          BYTES   NOT NULL,
    body            BYTES   NOT NULL,
    CONSTRAINT usage_segments_key PRIMARY KEY (organization_id, kind, width, start, number)
);

-- What a measure of a model costs from a time on: so many dollars, as a decimal, for so many units. Rows never change, and a new one
-- begins behind the last one, so what has been counted keeps its price. model is empty for what has none.
CREATE TABLE IF NOT EXISTS prices (
    organization_id KEYTEXT NOT NULL,
    model           KEYTEXT NOT NULL,
    measure         KEYTEXT NOT NULL,
    effective_from  BIGINT  NOT NULL,
    price           TEXT    NOT NULL,
    units           BIGINT  NOT NULL,
    created_at      BIGINT  NOT NULL,
    CONSTRAINT prices_key PRIMARY KEY (organization_id, model, measure, effective_from),
    CONSTRAINT prices_organization FOREIGN KEY (organization_id)
        REFERENCES organizations (id) ON DELETE RESTRICT
) CLUSTERED;

-- What was spent in a calendar month in UTC (yyyymm), in dollars, as a decimal. project_id is empty for the organization.
CREATE TABLE IF NOT EXISTS usage_spend (
    organization_id KEYTEXT NOT NULL,
    project_id      KEYTEXT NOT NULL,
    month           BIGINT  NOT NULL,
    amount          TEXT    NOT NULL,
    CONSTRAINT usage_spend_key PRIMARY KEY (organization_id, project_id, month)
) CLUSTERED;

-- Alerts that fired: once for each threshold and month. What is delivered, and to whom, is what the alert said when it fired.
CREATE TABLE IF NOT EXISTS fired_alerts (
    organization_id  KEYTEXT NOT NULL,
    project_id       KEYTEXT NOT NULL,
    alert_id         KEYTEXT NOT NULL,
    month            BIGINT  NOT NULL,
    threshold_amount BIGINT  NOT NULL,
    spent            TEXT    NOT NULL,
    recipients       TEXT    NOT NULL,
    subject_prefix   TEXT,
    fired_at         BIGINT  NOT NULL,
    delivered_at     BIGINT,
    CONSTRAINT fired_alerts_key PRIMARY KEY (organization_id, project_id, alert_id, month, threshold_amount)
);

CREATE INDEX IF NOT EXISTS fired_alerts_by_time
    ON fired_alerts (organization_id, fired_at, project_id, alert_id, month, threshold_amount);

CREATE INDEX IF NOT EXISTS fired_alerts_undelivered
    ON fired_alerts (organization_id, fired_at, project_id, alert_id, month, threshold_amount) WHERE delivered_at IS NULL;

-- Names of people, service accounts and keys that are gone, for what they used. kind is 'user', 'service_account' or 'api_key'.
CREATE TABLE IF NOT EXISTS former_names (
    organization_id KEYTEXT NOT NULL,
    kind            KEYTEXT NOT NULL,
    id              KEYTEXT NOT NULL,
    name            TEXT,
    email           TEXT,
    CONSTRAINT former_names_key PRIMARY KEY (organization_id, kind, id)
) CLUSTERED;
