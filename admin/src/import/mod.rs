//! Bringing a real organization in from a file: a row for each membership, applied in portions that can be repeated.
//!
//! The first pass reads everything and finds every fault; the second applies. An import that was interrupted is simply run
//! again: it adds and updates, never removes, and what is already so is left alone.

mod apply;
mod check;
mod consistency;
mod row;
#[cfg(test)]
mod tests;

pub use apply::{Batch, Tally, apply, demote};
pub use check::{Check, check};
pub use row::{Fault, Row, Rows};

/// How many rows one transaction applies at most. A server beside it waits no longer than that takes.
pub const BATCH: usize = 1000;
