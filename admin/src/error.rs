//! Everything that can go wrong, in words for the caller. What status that becomes is `http::envelope`'s business.

use std::fmt;

use crate::domain::scope::Scopes;

/// The result of anything an operation does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of trouble it is: who has to act, and whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request names no key, or one that does not hold.
    Unauthenticated,
    /// The key holds but may not do this.
    Forbidden,
    /// Something named in the path or body does not exist for this caller.
    NotFound,
    /// The request is at fault and changed nothing.
    Invalid,
    /// The method does not exist on this path.
    MethodNotAllowed,
    /// The body is larger than the cap.
    TooLarge,
    /// The body is not JSON by its own account.
    UnsupportedMedia,
    /// The body did not arrive in time.
    BodyTimeout,
    /// The operation exists in the API and is not built here.
    NotBuilt,
    /// The store cannot serve now; the same request may succeed later.
    Unavailable,
    /// A change was sent to the store and nobody knows whether it took effect.
    OutcomeUnknown,
    /// A defect of this program.
    Internal,
}

/// One failure. `message`, `code` and `param` are for the caller, `context` is for the log and never leaves the process.
#[derive(Debug, Clone)]
pub struct Error {
    /// The kind of trouble.
    pub kind: Kind,
    /// A machine-readable word, where the API has one.
    pub code: Option<&'static str>,
    /// The argument at fault, where there is one.
    pub param: Option<String>,
    /// A sentence for the caller that says what to do.
    pub message: String,
    /// What the operator needs to know.
    pub context: Option<String>,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)?;
        self.context.as_ref().map_or(Ok(()), |context| write!(out, " ({context})"))
    }
}

impl std::error::Error for Error {}

impl Error {
    /// An error of this kind without code and param.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, code: None, param: None, message: message.into(), context: None }
    }

    /// The same error with this code.
    #[must_use]
    pub fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// The same error, naming the argument at fault.
    #[must_use]
    pub fn param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    fn context(mut self, context: impl Into<String>) -> Self {
        self.context = Some(context.into());
        self
    }

    /// A fault of the request.
    pub fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message).code(code)
    }

    /// A value outside the ones an argument can take.
    #[must_use]
    pub fn unsupported_value(param: &str, value: &str, supported: &[&str]) -> Self {
        let message = format!(
            "Invalid value for '{param}': '{value}'. Supported values are: {}.",
            enumerate(supported)
        );
        Self::invalid("invalid_value", message).param(param)
    }

    /// The request carries no usable `Authorization` header.
    #[must_use]
    pub fn no_key() -> Self {
        Self::new(
            Kind::Unauthenticated,
            "You didn't provide an API key. Send an admin key in the Authorization header, as 'Authorization: Bearer YOUR_KEY'.",
        )
    }

    /// The key is unknown, deleted or expired, which nobody outside can tell apart.
    #[must_use]
    pub fn wrong_key(masked: &str) -> Self {
        let message = format!(
            "Incorrect API key provided: {masked}. Use an admin key of this server that is neither deleted nor expired."
        );
        Self::new(Kind::Unauthenticated, message).code("invalid_api_key")
    }

    /// The `OpenAI-Organization` header names another organization than the key.
    #[must_use]
    pub fn mismatched_organization() -> Self {
        let message = "The OpenAI-Organization header names another organization than the API key belongs to. Leave the header out, or use a key of that organization.";
        Self::new(Kind::Unauthenticated, message).code("mismatched_organization")
    }

    /// The store has no organization yet.
    #[must_use]
    pub fn no_organization() -> Self {
        let message = "The store has no organization yet. Start the server once, or create one with 'rollbook org create'.";
        Self::new(Kind::NotFound, message).code("no_organization")
    }

    /// Several could be meant.
    #[must_use]
    pub fn which(what: &str, names: &[&str]) -> Self {
        let message =
            format!("There is more than one {what}: {}. Name one of them.", enumerate(names));
        Self::invalid("ambiguous", message).param(what)
    }

    /// The key lacks scopes.
    #[must_use]
    pub fn missing_scopes(missing: Scopes) -> Self {
        let names = missing.to_string().replace(' ', ", ");
        Self::new(
            Kind::Forbidden,
            format!(
                "You have insufficient permissions for this operation. Missing scopes: {names}. Use a key that has them."
            ),
        )
    }

    /// There is no such thing for this caller, be it unknown or somebody else's.
    #[must_use]
    pub fn not_found(what: &str, id: &str) -> Self {
        Self::new(Kind::NotFound, format!("{what} with id '{id}' not found.")).code("not_found")
    }

    /// There is no such project for this caller.
    #[must_use]
    pub fn project_not_found(id: &str) -> Self {
        Self::not_found("Project", id).code("project_not_found")
    }

    /// The project is archived and the operation needs an active one.
    #[must_use]
    pub fn project_archived(id: &str) -> Self {
        let message = format!("Project '{id}' is archived. You can only update an active project.");
        Self::invalid("project_archived", message)
    }

    /// A built-in role is as it is.
    #[must_use]
    pub fn built_in_role(name: &str, what: &str) -> Self {
        let message = format!(
            "The built-in role '{name}' cannot be {what}. Create a role of your own instead."
        );
        Self::new(Kind::Invalid, message)
    }

    /// The default project refuses this.
    pub fn default_project(message: impl Into<String>) -> Self {
        Self::invalid("default_project", message)
    }

    /// An owner would go and none would stay.
    #[must_use]
    pub fn last_owner() -> Self {
        let message = "An organization needs at least one owner. Make another user an owner first.";
        Self::invalid("last_owner", message)
    }

    /// No operation has this path.
    #[must_use]
    pub fn unknown_url(method: &str, path: &str) -> Self {
        let message = format!(
            "Unknown request URL: {method} {path}. Check the path for typos; there is no trailing slash."
        );
        Self::new(Kind::NotFound, message).code("unknown_url")
    }

    /// No operation has this method on this path.
    #[must_use]
    pub fn wrong_method(method: &str, path: &str) -> Self {
        let message = format!(
            "{method} is not supported on {path}. The Allow header names the methods that are."
        );
        Self::new(Kind::MethodNotAllowed, message).code("method_not_supported")
    }

    /// The operation exists in the API but not in this version.
    #[must_use]
    pub fn not_built(method: &str, path: &str) -> Self {
        let message = format!("{method} {path} is not implemented by this version of Rollbook.");
        Self::new(Kind::NotBuilt, message).code("not_implemented")
    }

    /// The request took longer inside the server than it may.
    #[must_use]
    pub fn overdue(is_change: bool) -> Self {
        if is_change {
            Self::outcome_unknown("the request deadline passed")
        } else {
            Self::unavailable("the request deadline passed")
        }
    }

    /// The store cannot serve now.
    pub fn unavailable(context: impl Into<String>) -> Self {
        Self::new(
            Kind::Unavailable,
            "The server cannot reach its store in time. Nothing was changed; try again shortly.",
        )
        .context(context)
    }

    fn outcome_unknown(context: &str) -> Self {
        Self::new(
            Kind::OutcomeUnknown,
            "The server lost its store while the change was under way. Its outcome is unknown: read before you send it again.",
        )
        .context(context)
    }

    /// A defect: the caller learns the request id, the log learns the rest.
    pub fn internal(context: impl Into<String>) -> Self {
        Self::new(Kind::Internal, "The server had an error while processing your request.")
            .context(context)
    }
}

impl From<sql::Error> for Error {
    fn from(error: sql::Error) -> Self {
        match &error {
            sql::Error::OutcomeUnknown(context) => Self::outcome_unknown(context),
            sql::Error::Busy
            | sql::Error::Deadline
            | sql::Error::Closed
            | sql::Error::Unavailable(_) => Self::unavailable(error.to_string()),
            _ => Self::internal(error.to_string()),
        }
    }
}

/// Quotes and joins words: `'a'`, `'a' and 'b'`, `'a', 'b' and 'c'`.
#[must_use]
pub fn enumerate(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}
