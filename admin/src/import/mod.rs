//! Bringing a real organization in from a file: a row for each membership, applied in portions that can be repeated.
//!
//! The first pass ([`Import::check`]) reads everything and finds every fault; the second ([`Import::run`]) applies, or only says
//! what it would apply ([`Import::rehearse`]). An import that was interrupted is simply run again: it adds and updates, never
//! removes, and what is already so is left alone. Into a store that is new everything is one transaction instead (`load.rs`).

mod apply;
mod check;
mod consistency;
mod events;
mod fault;
mod header;
mod load;
mod lookup;
mod pace;
mod records;
mod rehearsal;
mod row;
mod run;
mod tally;
#[cfg(test)]
mod tests;
mod window;

pub use check::Check;
pub use consistency::Count;
pub use fault::{Fault, is_deceptive};
pub use header::COLUMNS;
pub use lookup::{EndingKey, analyze};
pub use records::{Record, Records};
pub use run::{Demotion, Import};
pub use tally::Tally;

/// How many people or memberships one transaction applies at most.
pub const BATCH: usize = 8000;
/// How many rows of the file are looked up at once where nothing is written. Each takes statements of its own.
const LOOKED_AT: usize = 2000;
