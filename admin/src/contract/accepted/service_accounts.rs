//! Differences of service accounts.

use super::Difference;

pub const ACCEPTED: &[Difference] = &[];
