//! Differences of the record.

use super::Difference;

pub const ACCEPTED: &[Difference] = &[];
