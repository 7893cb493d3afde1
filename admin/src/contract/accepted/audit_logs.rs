//! Differences of the record.

use super::Difference;

const SEEN_LIVE: &str = "the live service sends it, and the published document does not have it";

pub const ACCEPTED: &[Difference] = &[
    (
        "GET /organization/audit_logs query before.maxLength: ours only",
        "a cursor has a bound, so that nobody stores something in it",
    ),
    ("GET /organization/audit_logs 200 data[] object: ours only", SEEN_LIVE),
    ("GET /organization/audit_logs 200 data[] actor session user_agent: ours only", SEEN_LIVE),
    (
        "GET /organization/audit_logs 200 data[] actor api_key ip_address: ours only",
        "a session has a place for it and a key has none",
    ),
    (
        "GET /organization/audit_logs 200 data[] actor api_key user_agent: ours only",
        "a session has a place for it and a key has none",
    ),
];
