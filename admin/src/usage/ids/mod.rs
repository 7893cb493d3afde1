//! The ids of the events that were counted, so that each counts exactly once.
//!
//! Ids are random, so one index of them would cost a page for each. They are kept as sorted runs of hashes that never change: a batch that is
//! in no roll-up yet is its own run, and the roller makes bigger ones of those that leave. A run has a filter that nearly always
//! knows what is not in it; a process keeps the filters by the ids of their runs, and what it keeps cannot be wrong, because a
//! run never changes and a new one has a new id.

mod known;
mod leave;
mod merge;
mod probe;
mod run;
#[cfg(test)]
mod tests;

pub use known::Known;
pub use leave::{forget, leave};
pub use merge::{Shape, maintain, maintain_in};
pub use probe::{Probed, Sieve, Sifted, probe};
pub use run::{Hash, Run, hash};
