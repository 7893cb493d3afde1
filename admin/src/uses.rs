//! Which project keys were used, until that is written down for all of them at once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::resources::project_api_keys::store::Holder;

/// How long, in seconds, uses are collected before they are written.
const PERIOD: i64 = 60;
/// How many are collected at most. Who comes too late is collected at the next use.
const MOST: usize = 1000;

/// One use of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The organization.
    pub organization: String,
    /// The key's project.
    pub project: String,
    /// The key.
    pub key: String,
    /// When it was used last, in seconds.
    pub at: i64,
}

/// The uses that are collected. A key is found without copying its ids, because most uses find it there already.
#[derive(Debug)]
pub struct Uses {
    collected: Mutex<HashMap<String, Vec<Use>>>,
    /// When it is time to write, in seconds; never, while nothing is collected.
    next: AtomicI64,
    /// When it was written last, in seconds.
    last: AtomicI64,
}

impl Default for Uses {
    fn default() -> Self {
        Self {
            collected: Mutex::default(),
            next: AtomicI64::new(i64::MAX),
            last: AtomicI64::new(i64::MIN),
        }
    }
}

impl Uses {
    /// Adds the use of a key.
    pub fn collect(&self, holder: &Holder, now: i64) {
        let mut collected = self.collected.lock().unwrap_or_else(PoisonError::into_inner);
        // Ids are unique in their project only, so a few keys may share one.
        let is_this = |one: &&mut Use| {
            one.project == holder.project_id && one.organization == holder.organization.id
        };
        let of_id = collected.get_mut(&holder.key_id);
        if let Some(known) = of_id.and_then(|uses| uses.iter_mut().find(is_this)) {
            known.at = now;
            return;
        }
        if collected.len() >= MOST {
            return;
        }
        let one = Use {
            organization: holder.organization.id.clone(),
            project: holder.project_id.clone(),
            key: holder.key_id.clone(),
            at: now,
        };
        collected.entry(holder.key_id.clone()).or_default().push(one);
        let next = self.last.load(Ordering::Relaxed).saturating_add(PERIOD);
        self.next.store(next, Ordering::Relaxed);
    }

    /// What is to be written now, if it is time: only one of those who ask at once gets it.
    pub fn due(&self, now: i64) -> Option<Vec<Use>> {
        if now < self.next.load(Ordering::Relaxed) {
            return None;
        }
        let used = self.take(now);
        (!used.is_empty()).then_some(used)
    }

    /// Everything that is collected, in the order of the keys' ids so that two processes write in the same one.
    fn take(&self, now: i64) -> Vec<Use> {
        let mut collected = self.collected.lock().unwrap_or_else(PoisonError::into_inner);
        // Before anybody can collect again, because when the next ones are due follows from it.
        self.last.store(now, Ordering::Relaxed);
        self.next.store(i64::MAX, Ordering::Relaxed);
        let mut used: Vec<_> = collected.drain().flat_map(|(_, uses)| uses).collect();
        used.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        used
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::permission::Permissions;
    use crate::organization::Organization;
    use crate::resources::project_api_keys::store::HolderOwner;

    fn holder(key: &str, project: &str) -> Holder {
        let text = str::to_owned;
        Holder {
            organization: Organization {
                id: text("org-1"),
                slug: text("first"),
                default_project_id: text("proj_0"),
            },
            project_id: text(project),
            project_name: text("Engine"),
            is_archived: false,
            key_id: text(key),
            key_name: text("laptop"),
            scopes: None,
            expires_at: None,
            last_used_at: None,
            owner: HolderOwner::User { id: text("user-1"), email: text("a@b"), name: text("A") },
            effective: Permissions::default(),
            reaches: true,
        }
    }

    fn keys(used: Option<Vec<Use>>) -> Vec<(String, String, i64)> {
        let used = used.unwrap_or_default();
        used.into_iter().map(|one| (one.key, one.project, one.at)).collect()
    }

    #[test]
    fn uses_are_written_once_a_minute_and_all_at_once() {
        let uses = Uses::default();
        assert_eq!(uses.due(100), None);
        uses.collect(&holder("b", "p"), 100);
        assert_eq!(keys(uses.due(100)), [("b".to_owned(), "p".to_owned(), 100)]);
        uses.collect(&holder("b", "p"), 110);
        uses.collect(&holder("a", "p"), 120);
        uses.collect(&holder("a", "q"), 121);
        uses.collect(&holder("b", "p"), 130);
        assert_eq!(uses.due(159), None);
        let mut due = keys(uses.due(160));
        due.sort();
        let expected = [("a", "p", 120), ("a", "q", 121), ("b", "p", 130)];
        assert_eq!(
            due,
            expected.map(|(key, project, at)| (key.to_owned(), project.to_owned(), at))
        );
        assert_eq!(uses.due(1000), None, "nothing is left");
    }

    #[test]
    fn no_more_than_a_thousand_are_collected() {
        let uses = Uses::default();
        for number in 0..1200 {
            uses.collect(&holder(&format!("key_{number}"), "p"), 100);
        }
        assert_eq!(uses.take(0).len(), 1000);
        assert_eq!(uses.take(0), []);
    }
}
