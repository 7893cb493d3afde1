//! What an import changes, counted.

use std::collections::HashSet;

use super::apply::Applied;

/// What an import changed, or would.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// People who were not there.
    pub people_added: u64,
    /// People with another role or name.
    pub people_updated: u64,
    /// Projects that were not there.
    pub projects_created: u64,
    /// Memberships that were not there.
    pub memberships_added: u64,
    /// Memberships with another role.
    pub memberships_updated: u64,
}

impl Tally {
    /// All changes together.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.people_added
            + self.people_updated
            + self.projects_created
            + self.memberships_added
            + self.memberships_updated
    }

    /// Adds what a portion changed. A person whom an earlier portion changed is not counted again.
    pub(super) fn add(&mut self, applied: &Applied, changed: &mut HashSet<u64>) {
        let mut fresh = |people: &[u64]| people.iter().filter(|key| changed.insert(**key)).count();
        self.people_added += fresh(&applied.added) as u64;
        self.people_updated += fresh(&applied.updated) as u64;
        self.projects_created += applied.projects_created;
        self.memberships_added += applied.memberships_added;
        self.memberships_updated += applied.memberships_updated;
    }
}
