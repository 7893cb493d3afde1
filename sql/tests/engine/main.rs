//! The contract of the store, held by both engines.
//!
//! `ROLLBOOK_TEST_STORE` selects what is tested: `memory` (the default), `file`, or a
//! `postgres://…/DATABASE` from which every test creates a database of its own.

mod alone;
mod backup;
mod checkpoints;
mod closing;
mod durability;
mod groups;
mod harness;
mod images;
mod limits;
mod metrics;
mod migrations;
mod opening;
mod reconnect;
mod rows;
mod snapshots;
mod stamps;
mod transactions;
mod trips;
mod values;
