//! Differences of service accounts.

use super::Difference;

pub const ACCEPTED: &[Difference] = &[
    (
        "POST /organization/projects/{project_id}/service_accounts body expires_in_seconds: ours only",
        "sent by client libraries that are newer than the published document",
    ),
    (
        "POST /organization/projects/{project_id}/service_accounts/{service_account_id}/api_keys body expires_in_seconds: ours only",
        "sent by client libraries that are newer than the published document",
    ),
    (
        "POST /organization/projects/{project_id}/service_accounts/{service_account_id}/api_keys body.type: [\"object\",\"null\"] instead of \"object\"",
        "a body that is null is none, as on every operation that works without a body",
    ),
    (
        "POST /organization/projects/{project_id}/service_accounts/{service_account_id}/api_keys 200 object.default: theirs only",
        "an answer always has its object, so there is nothing to default to",
    ),
];
