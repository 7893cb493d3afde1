//! Differences of the groups of projects.

use super::Difference;

pub const ACCEPTED: &[Difference] = &[];
