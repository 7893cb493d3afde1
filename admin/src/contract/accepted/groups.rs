//! Differences of groups and who is in them.

use super::Difference;

pub const ACCEPTED: &[Difference] = &[];
