//! Differences of models: limits, and lists of them.

use super::Difference;

pub const ACCEPTED: &[Difference] = &[(
    "GET /organization/projects/{project_id}/rate_limits query before.maxLength: ours only",
    "a cursor has a bound, so that nobody stores something in it",
)];
