//! What the driver's errors mean.

use tokio_postgres::error::{DbError, Severity};

use super::encoding;
use crate::Error;
use crate::error::{Cure, Fault};
use crate::tx::Kind;

/// What an error of the driver means, and whether it can be cured.
pub(super) fn fault(error: &tokio_postgres::Error, kind: Kind) -> Fault {
    let Some(cause) = error.as_db_error() else {
        if encoding::is_mismatch(error) {
            return Error::Statement(chain(error)).into();
        }
        return Fault { error: Error::Unavailable(chain(error)), cure: Cure::Reconnect };
    };
    let text = || format!("{} ({})", cause.message(), cause.code().code());
    match cause.code().code() {
        "23505" => Error::Duplicate.into(),
        "23503" | "23001" => Error::MissingReference.into(),
        "40001" | "40P01" => Fault { error: Error::Busy, cure: Cure::Again },
        "55P03" => Error::Busy.into(),
        "57014" => Error::Deadline.into(),
        // A prepared statement no longer fits the schema, or the server never knew it.
        "0A000" | "26000" => Fault { error: Error::Statement(text()), cure: Cure::Reconnect },
        code if is_disconnect(code, cause, kind) => {
            Fault { error: Error::Unavailable(text()), cure: Cure::Reconnect }
        }
        code if ["53", "58", "XX"].contains(&&code[..2]) => Error::Unavailable(text()).into(),
        _ => Error::Statement(text()).into(),
    }
}

/// Whether the server ended the connection or is the wrong one: a write that meets a read-only
/// server found a primary that became a standby.
fn is_disconnect(code: &str, cause: &DbError, kind: Kind) -> bool {
    let fatal = matches!(cause.parsed_severity(), Some(Severity::Fatal | Severity::Panic));
    fatal
        || code.starts_with("08")
        || code.starts_with("57P")
        || code == "53300"
        || (code == "25006" && kind == Kind::Write)
}

/// An error with its causes, which the driver's own message leaves out.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
