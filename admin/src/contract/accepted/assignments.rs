//! Differences of role assignments.

use super::Difference;

pub const ACCEPTED: &[Difference] = &[
    ("* 200 user required: ours demands more", "members that are always sent are promised"),
    ("DELETE /organization/users/{user_id}/roles/{role_id} 200 object.enum: ours only", WORD),
    ("DELETE /organization/groups/{group_id}/roles/{role_id} 200 object.enum: ours only", WORD),
    (
        "DELETE /projects/{project_id}/users/{user_id}/roles/{role_id} 200 object.enum: ours only",
        WORD,
    ),
    (
        "DELETE /projects/{project_id}/groups/{group_id}/roles/{role_id} 200 object.enum: ours only",
        WORD,
    ),
];

const WORD: &str = "the word is a constant in every other answer";
