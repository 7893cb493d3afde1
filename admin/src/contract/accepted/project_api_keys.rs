//! Differences of the keys of projects.

use super::Difference;

pub const ACCEPTED: &[Difference] = &[];
