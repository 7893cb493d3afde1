//! What goes over both roads, and what comes back.

use serde_json::Value;

/// A request, as both roads take it.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// GET, POST or DELETE.
    pub method: &'a str,
    /// What follows `/v1`, with its query; or the whole path of an operation that only this server has.
    pub path: &'a str,
    /// The body, if there is one.
    pub body: Option<&'a Value>,
}

impl Request<'_> {
    /// Where this is on a server whose API is at `/v1`.
    pub fn target(&self) -> String {
        if is_own(self.path) { self.path.to_owned() } else { format!("{VERSION}{}", self.path) }
    }
}

/// The version of the API, as every base URL ends.
pub const VERSION: &str = "/v1";

/// Whether a path is whole, because it leads to an operation that only this server has.
pub fn is_own(path: &str) -> bool {
    path.starts_with("/rollbook/")
}

/// The status of an answer, and its body.
pub type Answer = (u16, Value);
