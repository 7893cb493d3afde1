//! Naming states of a store, so that what was read at one of them can be kept.

use std::sync::atomic::{AtomicU64, Ordering};

/// A state of a store. Whoever reads the same stamp twice knows that between the two nobody had a write acknowledged: not this
/// process, and no other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp(u64);

/// Counts the states of a store as far as this process has seen them. Several connections share one.
///
/// Each connection looks for itself whether the store has changed since it looked last, and a change counts once for each
/// connection that notices it. That is more often than needed and never too seldom: of two looks that find the same count, the
/// second one either noticed nothing because its connection had noticed, and counted, before the first; or there was nothing.
#[derive(Debug, Default)]
pub(crate) struct Epoch(AtomicU64);

impl Epoch {
    /// Takes a stamp. `changed` looks, on one connection, whether the store has changed since that connection looked last.
    ///
    /// The count is read before the look. If it were read after it, a change between the two could be counted by another
    /// connection, and what is read from the older state would carry the stamp of the newer one.
    pub(crate) fn stamp<E>(
        &self,
        changed: impl FnOnce() -> Result<bool, E>,
    ) -> Result<Option<Stamp>, E> {
        let before = self.0.load(Ordering::SeqCst);
        if !changed()? {
            return Ok(Some(Stamp(before)));
        }
        let after = before + 1;
        let counted = self.0.compare_exchange(before, after, Ordering::SeqCst, Ordering::SeqCst);
        if counted.is_ok() {
            return Ok(Some(Stamp(after)));
        }
        // Others count at this moment; which of their states this one is cannot be told.
        self.count();
        Ok(None)
    }

    /// Counts a change.
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// The present count, for whom all changes go through this process and are counted before they are acknowledged.
    pub(crate) fn now(&self) -> Stamp {
        Stamp(self.0.load(Ordering::SeqCst))
    }
}
