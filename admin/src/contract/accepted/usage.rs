//! Differences of usage and costs.

use super::Difference;

const ALWAYS: &str = "members that are always sent are promised";
const BY_USER: &str = "the live service sends it in rows of costs, and here it is there when they are grouped by user";

pub const ACCEPTED: &[Difference] = &[
    ("* 200 data[] results[] any required: ours demands more", ALWAYS),
    ("* 200 data[] results[] any amount required: ours demands more", ALWAYS),
    ("* 200 data[] results[] any organization_id: ours only", BY_USER),
    ("* 200 data[] results[] any user_id: ours only", BY_USER),
    ("* 200 data[] results[] any user_email: ours only", BY_USER),
    (
        "GET /organization/costs query group_by[].enum: [\"api_key_id\",\"line_item\",\"project_id\",\"user_id\"] instead of [\"api_key_id\",\"line_item\",\"project_id\"]",
        "the live service takes user_id too",
    ),
    (
        "GET /organization/costs query line_items: ours only",
        "sent by clients that are newer than the published document",
    ),
];
