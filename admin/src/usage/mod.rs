//! What was used and what it cost: events as they come in, and the roll-ups that answer questions about them. No word of HTTP.

pub mod alerts;
pub mod batch;
pub mod event;
pub mod ids;
pub mod intake;
pub mod keep;
pub mod kind;
pub mod memory;
pub mod money;
pub mod names;
pub mod pace;
pub mod prices;
pub mod query;
pub mod rollup;
pub mod spend;
