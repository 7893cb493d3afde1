//! Events on their way in: looked up, completed and priced before anybody writes, and then counted in one short transaction.

mod facts;
mod found;
mod prepared;

pub use facts::Facts;
pub use found::{Found, Wanted};
pub use prepared::Prepared;

use std::sync::Arc;

use super::event::Series;
use crate::access::Identity;
use crate::domain::scope::Scope;
use crate::error::{Error, Result};
use crate::resources::check::known::Known;

/// So many seconds an event may be ahead of the clock of this server.
pub const AHEAD: i64 = 300;

/// Somebody who may report usage.
#[derive(Debug, Clone)]
pub struct Reporter {
    /// In which organization.
    pub organization: String,
    /// The project key that reports for its own project; whoever has none may report for every project.
    pub own: Option<Arc<Known>>,
}

impl Reporter {
    /// Whoever may change things reports for every project, and a key of a project for its own.
    pub fn of(identity: &Identity) -> Result<Self> {
        let own = match identity {
            Identity::Project(known) => Some(Arc::clone(known)),
            other => {
                other.require(Scope::ManagementWrite)?;
                None
            }
        };
        Ok(Self { organization: identity.organization().id.clone(), own })
    }
}

/// An event as it was sent, well-formed by itself.
#[derive(Debug, Clone)]
pub struct Reported {
    /// The caller's id.
    pub id: String,
    /// When it happened, in Unix seconds.
    pub time: i64,
    /// Whose it is, as far as that was said.
    pub series: Series,
    /// What was used.
    pub measures: Vec<u64>,
}

/// What became of an event.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It is counted.
    Accepted,
    /// An event of this id was counted before.
    Duplicate,
    /// It is not counted.
    Refused(Error),
}
