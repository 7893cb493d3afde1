//! What can be wrong with a document, in words for the person who wrote it.

use std::fmt;

use crate::error::{Error, Kind};

/// Something that keeps a document from being restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where it stands, as in `$.projects[0].users[2].role`.
    pub path: String,
    /// What is wrong, and what would be right.
    pub reason: String,
}

impl Fault {
    /// A fault at this place.
    pub fn at(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { path: path.into(), reason: reason.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.path, self.reason)
    }
}

/// Why a document was not restored. Nothing was changed.
#[derive(Debug, Clone)]
pub enum Refusal {
    /// It has these faults.
    Faulty(Vec<Fault>),
    /// There was trouble with the store.
    Trouble(Error),
}

impl From<sql::Error> for Refusal {
    fn from(error: sql::Error) -> Self {
        Self::Trouble(error.into())
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Trouble(error)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Trouble(error) => error,
            Refusal::Faulty(faults) => {
                let first = faults.first().map(ToString::to_string).unwrap_or_default();
                let more = match faults.len() {
                    0 | 1 => String::new(),
                    count => format!(" (and {} more faults)", count - 1),
                };
                Self::new(Kind::Invalid, format!("The document cannot be restored: {first}{more}"))
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        Error::from(self.clone()).fmt(out)
    }
}

impl std::error::Error for Refusal {}
