//! An organization as a document: one JSON format for exports, imports and seeds.
//!
//! [`export()`] reads an organization into a [`Document`], [`parse`] reads a document somebody wrote, and a [`Restoration`] puts one into a
//! store under the ids that it names: it adds what is missing, updates what differs and removes nothing. `docs/document.md` tells what
//! the members mean, `docs/organization.schema.json` how they are written ([`schema`] makes it).

pub mod change;
mod check;
mod export;
pub mod fault;
pub mod format;
mod read;
mod restore;
mod schema;
pub mod terraform;
#[cfg(test)]
pub(crate) mod tests;

pub use change::{Action, Change};
pub use export::{Hashes, export, render};
pub use fault::{Fault, Refusal};
pub use format::Document;
pub use read::parse;
pub use restore::{Outcome, Restoration};
pub use schema::schema;

/// A seed in which everything is called like the parameters of the API's paths: `project_id`, `user_id` and so on.
pub const LITERAL: &str = include_str!("seeds/literal.json");
