//! Differences of invites.

use super::Difference;

pub const ACCEPTED: &[Difference] = &[];
