//! Everything that can go wrong, in terms both engines share.

/// What a store answers instead of a result. One type for both engines, so that rules above this
/// crate never depend on the engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A row with this key exists. Carries no constraint name: the engines report different
    /// things, and the caller knows which rule it was testing.
    #[error("a row with this key already exists")]
    Duplicate,
    /// A foreign key points at nothing, or the row to delete is still pointed at.
    #[error("a row refers to one that does not exist, or is still referred to")]
    MissingReference,
    /// The queue is full, or another writer held what was needed for too long. Worth repeating.
    #[error("the store is busy; try again")]
    Busy,
    /// The job's time was over before it was done. Nothing of it was kept.
    #[error("the store did not finish the work in time")]
    Deadline,
    /// The engine cannot be reached or cannot work (connection, disk). Nothing was kept.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The connection was lost while a commit was in flight: the change is there or it is not.
    #[error("the connection was lost during a commit, its outcome is unknown: {0}")]
    OutcomeUnknown(String),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// The closure panicked. Nothing of it was kept.
    #[error("the work panicked")]
    Panicked,
    /// A defect of the program: wrong SQL, a wrong type, a write inside a read.
    #[error("a statement is wrong: {0}")]
    Statement(String),
    /// The schema and this program do not fit together, or a migration failed.
    #[error("{0}")]
    Migration(String),
}

/// The result of a statement or job, with [`Error`] unless said otherwise.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What an engine thread does about a failure before anybody hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cure {
    /// Nothing: report it.
    None,
    /// Run the closure again: two transactions collided.
    Again,
    /// Replace the connection, then run the closure once more.
    Reconnect,
}

/// An engine's failure together with its cure.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub error: Error,
    pub cure: Cure,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self { error, cure: Cure::None }
    }
}
