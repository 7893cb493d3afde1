//! What was used and what it cost: events as they come in, and the roll-ups that answer questions about them. No word of HTTP.

pub mod batch;
pub mod event;
pub mod kind;
