//! What the tests of this crate share: a stopped clock, seeded dice, a fresh store, and a client that checks every answer.

mod api;
mod determined;
pub mod document;
pub mod fixture;
pub mod snapshot;
mod store;

pub use api::{Api, Reply, Sending, Tenant};
pub use determined::{SeededRandom, TestClock};
pub use store::TestStore;
