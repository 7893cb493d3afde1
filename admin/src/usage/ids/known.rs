//! What a process keeps of runs.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::run::{Run, RunFilter};

/// So many runs that are gone are kept before they are forgotten.
const SPARE: usize = 256;

/// What was read of runs, by their ids. Nothing in it can be wrong: a run never changes, and whether it still counts is asked in
/// each transaction.
#[derive(Debug, Default)]
pub struct Known(Mutex<HashMap<String, OfOrganization>>);

#[derive(Debug, Default)]
struct OfOrganization {
    /// The batches that are in no roll-up yet.
    batches: HashMap<String, Arc<Run>>,
    /// The filters of the other runs.
    filters: HashMap<String, Arc<RunFilter>>,
}

impl Known {
    fn with<T>(&self, organization: &str, f: impl FnOnce(&mut OfOrganization) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get_mut(organization) {
            return f(known);
        }
        f(all.entry(organization.to_owned()).or_default())
    }

    /// What is known of a batch.
    pub(super) fn batch(&self, organization: &str, id: &str) -> Option<Arc<Run>> {
        self.with(organization, |known| known.batches.get(id).cloned())
    }

    /// What is known of a run.
    pub(super) fn filter(&self, organization: &str, id: &str) -> Option<Arc<RunFilter>> {
        self.with(organization, |known| known.filters.get(id).cloned())
    }

    /// Keeps what was found of a batch. It may be told before the batch is in the store: nobody asks for a batch that is not, and
    /// every id of one that is was counted, in it or before.
    pub fn keep_batch(&self, organization: &str, id: &str, run: Arc<Run>) {
        self.with(organization, |known| known.batches.insert(id.to_owned(), run));
    }

    /// Keeps the filter of a run.
    pub(super) fn keep_filter(&self, organization: &str, id: &str, filter: Arc<RunFilter>) {
        self.with(organization, |known| known.filters.insert(id.to_owned(), filter));
    }

    /// Forgets what is not in the store any more, once there is much of it. What is forgotten too early is read again.
    pub(super) fn prune(&self, organization: &str, batches: &[String], runs: &[String]) {
        self.with(organization, |known| {
            retain(&mut known.batches, batches);
            retain(&mut known.filters, runs);
        });
    }
}

fn retain<T>(kept: &mut HashMap<String, T>, listed: &[String]) {
    if kept.len() > listed.len() + SPARE {
        let listed: HashSet<_> = listed.iter().collect();
        kept.retain(|id, _| listed.contains(id));
    }
}
