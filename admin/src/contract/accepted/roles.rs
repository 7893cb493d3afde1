//! Differences of roles.

use super::Difference;

pub const ACCEPTED: &[Difference] = &[];
