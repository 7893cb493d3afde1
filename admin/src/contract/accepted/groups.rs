//! Differences of groups and who is in them.

use super::Difference;

pub const ACCEPTED: &[Difference] = &[
    ("* 429: theirs only", "this server refuses nobody for asking often"),
    ("GET /organization/groups 200 data[] object: ours only", OBJECT),
    ("POST /organization/groups 200 object: ours only", OBJECT),
    ("GET /organization/groups/{group_id} 200 object: ours only", OBJECT),
    ("POST /organization/groups/{group_id} 200 object: ours only", OBJECT),
    (
        "POST /organization/groups/{group_id} 200 group_type: ours only",
        "a Terraform provider reads it from this answer too",
    ),
];

const OBJECT: &str = "every published example has it, though no schema does";
