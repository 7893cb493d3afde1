//! What every operation shares on the wire.

pub mod body;
pub mod call;
pub mod chunks;
pub mod copied;
pub mod credential;
pub mod edge;
pub mod envelope;
pub mod fields;
pub mod meter;
pub mod origin;
pub mod page;
pub mod path;
pub mod query;
pub mod recall;
pub mod reply;
