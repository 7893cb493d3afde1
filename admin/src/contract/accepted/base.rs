//! Differences of what is older than roles and groups.

use super::Difference;

pub const ACCEPTED: &[Difference] = &[
    ("* query limit.format: ours only", "the published document leaves the width of integers open"),
    ("* query limit.minimum: ours only", "the bounds stand in the prose of the published document"),
    ("* query limit.maximum: ours only", "the bounds stand in the prose of the published document"),
    (
        "* query after.maxLength: ours only",
        "a cursor has a bound, so that nobody stores something in it",
    ),
    (
        "GET /organization/admin_api_keys query after.type: \"string\" instead of [\"string\",\"null\"]",
        "a query string has no null",
    ),
    (
        "POST /organization/admin_api_keys body expires_in_seconds.format: ours only",
        "the published document leaves the width of integers open",
    ),
    (
        "POST /organization/admin_api_keys body expires_at: ours only",
        "sent by a Terraform provider, and honoured",
    ),
    (
        "POST /organization/admin_api_keys body scopes: ours only",
        "sent by a Terraform provider, and honoured",
    ),
    ("* 200 owner required: ours demands more", "every member of an owner is always sent"),
    ("* 200 data[] owner required: ours demands more", "every member of an owner is always sent"),
    ("* 200 geography: ours only", "the older name of residency, echoed to those who send it"),
    (
        "* 200 data[] geography: ours only",
        "the older name of residency, echoed to those who send it",
    ),
    (
        "POST /organization/projects body geography: ours only",
        "the older name of residency, still sent by every client library",
    ),
    (
        "POST /organization/projects/{project_id} body geography: ours only",
        "the older name of residency, still sent by every client library",
    ),
    (
        "POST /organization/projects/{project_id} body residency: ours only",
        "accepted when it changes nothing",
    ),
    ("* 200 required: ours demands more", "members that are always sent are promised"),
    ("* 200 data[] required: ours demands more", "members that are always sent are promised"),
    (
        "GET /organization/projects/{project_id}/users 200 object.enum: ours only",
        "the word is a constant in every other list",
    ),
];
