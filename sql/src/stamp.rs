//! Naming states of a store, so that what was read at one of them can be kept.

use std::sync::atomic::{AtomicU64, Ordering};

/// A state of a store. Whoever gets the same stamp twice knows that between the two nobody had a write acknowledged: not this
/// process, and no other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp(pub(crate) [u64; 6]);

/// Counts the states of a store that only one connection can change.
#[derive(Debug, Default)]
pub(crate) struct Epoch(AtomicU64);

impl Epoch {
    /// Counts a change, which must happen before the change is acknowledged.
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> Stamp {
        Stamp([self.0.load(Ordering::SeqCst), 0, 0, 0, 0, 0])
    }
}
