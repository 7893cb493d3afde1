//! What goes over both roads, and what comes back.

use serde_json::Value;

/// A request, as both roads take it.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// GET, POST or DELETE.
    pub method: &'a str,
    /// What follows `/v1`, with its query.
    pub path: &'a str,
    /// The body, if there is one.
    pub body: Option<&'a Value>,
}

/// The status of an answer, and its body.
pub type Answer = (u16, Value);
