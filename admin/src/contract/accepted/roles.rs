//! Differences of roles.

use super::Difference;

pub const ACCEPTED: &[Difference] =
    &[("* 429: theirs only", "this server refuses nobody for asking often")];
