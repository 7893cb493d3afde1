//! What restoring a document changes, or would.

pub use super::format::Difference;

/// What becomes of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It was not there.
    Added,
    /// It differs.
    Updated,
    /// An admin key that ends because its owner ceases to be one.
    Ended,
    /// It is in the document and cannot be restored: a key without its secret.
    LeftOut,
}

impl Action {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Updated => "updated",
            Self::Ended => "ended",
            Self::LeftOut => "left out",
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What becomes of it.
    pub action: Action,
    /// What it is, for example `project member`.
    pub kind: &'static str,
    /// The project that it is in.
    pub project: Option<String>,
    /// Its id; of something that is known by two, both with a space between.
    pub id: String,
    /// In what it differs, where it was there before.
    pub differences: Vec<Difference>,
}
