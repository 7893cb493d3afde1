//! What the tests of this crate share: a stopped clock, seeded dice, a fresh store, and a client that checks every answer.

mod api;
mod determined;
pub mod document;
pub mod fixture;
pub mod seed;
pub mod snapshot;
mod store;
pub mod usage;
pub mod world;

pub use api::{Api, Reply, Sending, Tenant, whole_path};
pub use determined::{SeededRandom, TestClock};
pub use store::TestStore;
