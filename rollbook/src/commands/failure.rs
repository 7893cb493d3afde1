//! How a command fails: in words for a person, and as a number for a script.

use std::fmt;
use std::io;

use admin::error::{Error, Kind};
use serde_json::Value;

use super::text::harmless;
use crate::config::Usage;

/// A refusal, or something named that does not exist. Its class is the exit code.
#[derive(Debug)]
pub struct Failure {
    class: Class,
    message: String,
    notes: Vec<String>,
}

/// What a script can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Refused = 1,
    FaultyFile = 3,
    NotFound = 4,
    NotAllowed = 5,
}

impl Failure {
    fn new(class: Class, message: &str) -> Self {
        Self { class, message: harmless(message).into_owned(), notes: Vec::new() }
    }

    /// The server, the store or the operator said no.
    pub fn refused(message: &str) -> Self {
        Self::new(Class::Refused, message)
    }

    /// A file has faults, so nothing was written.
    pub fn faulty_file(message: &str) -> Self {
        Self::new(Class::FaultyFile, message)
    }

    /// There is nothing of that name.
    pub fn not_found(message: &str) -> Self {
        Self::new(Class::NotFound, message)
    }

    /// There is no key, or it may not do this.
    pub fn not_allowed(message: &str) -> Self {
        Self::new(Class::NotAllowed, message)
    }

    /// The same failure with a line below it.
    pub fn note(mut self, label: &str, text: &str) -> Self {
        self.notes.push(format!("{label}: {}", harmless(text)));
        self
    }

    /// What an answer of this status says.
    pub fn of_answer(status: u16, body: &Value) -> Self {
        let class = match status {
            401 | 403 => Class::NotAllowed,
            404 => Class::NotFound,
            _ => Class::Refused,
        };
        // Some servers send a bare string instead of an object.
        let error = &body["error"];
        let message = error.as_str().or(error["message"].as_str()).map_or_else(
            || format!("the server answered with status {status} and no message"),
            str::to_owned,
        );
        let mut failure = Self::new(class, &message);
        for name in ["code", "param"] {
            if let Some(text) = error[name].as_str() {
                failure = failure.note(name, text);
            }
        }
        match (error["code"].as_str(), error["param"].as_str()) {
            (Some("ambiguous"), Some(flag)) => failure.note("hint", &format!("--{flag} names one")),
            _ => failure,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)?;
        self.notes.iter().try_for_each(|note| write!(out, "\n  {note}"))
    }
}

impl std::error::Error for Failure {}

/// The exit code that tells a script what kind of failure this is.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<Usage>() {
        return 2;
    }
    let class = error.downcast_ref::<Failure>().map(|failure| failure.class);
    let kind = || match error.downcast_ref::<Error>()?.kind {
        Kind::NotFound => Some(Class::NotFound),
        Kind::Unauthenticated | Kind::Forbidden => Some(Class::NotAllowed),
        _ => None,
    };
    class.or_else(kind).unwrap_or(Class::Refused) as u8
}

/// Whether whoever read the output has gone, as `head` does when it has seen enough. That is no failure. Only an error of the output
/// itself comes without a cause: a connection that broke while a change was sent must not pass for success.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    kind == Some(io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_broke_is_no_reader_that_went_away() {
        let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(is_closed_pipe(&broken().into()));
        assert!(!is_closed_pipe(&ureq::Error::Io(broken()).into()));
        assert!(!is_closed_pipe(&anyhow::Error::from(ureq::Error::Io(broken())).context("sent")));
        assert!(!is_closed_pipe(&io::Error::other("full").into()));
    }
}
