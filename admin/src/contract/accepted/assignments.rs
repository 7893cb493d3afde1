//! Differences of role assignments.

use super::Difference;

pub const ACCEPTED: &[Difference] = &[];
