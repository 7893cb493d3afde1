//! The error envelope, and the only place that knows which trouble has which status.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use super::reply::json;
use crate::error::{Error, Kind};

/// The body of every refusal. All four members are always present.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorResponse {
    error: ErrorBody,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error)]
pub struct ErrorBody {
    /// A word that programs can branch on, where there is one.
    #[schema(required)]
    code: Option<&'static str>,
    /// A sentence for people that names the remedy.
    message: String,
    /// The argument at fault, where there is one.
    #[schema(required)]
    param: Option<String>,
    /// The family of the error.
    r#type: &'static str,
}

/// The refusals that every operation can answer with, for the OpenAPI document.
#[derive(IntoResponses)]
pub enum Refusals {
    /// The request is at fault, or the state forbids it; nothing was changed.
    #[response(status = 400)]
    Invalid(ErrorResponse),
    /// No key, or one that does not hold.
    #[response(status = 401)]
    Unauthenticated(ErrorResponse),
    /// The key lacks the scope.
    #[response(status = 403)]
    Forbidden(ErrorResponse),
    /// Something named does not exist.
    #[response(status = 404)]
    NotFound(ErrorResponse),
    /// The body did not arrive in time.
    #[response(status = 408)]
    BodyTimeout(ErrorResponse),
    /// The body is larger than the cap.
    #[response(status = 413)]
    TooLarge(ErrorResponse),
    /// The body is not JSON by its own account.
    #[response(status = 415)]
    UnsupportedMedia(ErrorResponse),
    /// A defect of the server; the message names the request.
    #[response(status = 500)]
    Internal(ErrorResponse),
    /// The store cannot serve now; Retry-After says when to try again.
    #[response(status = 503)]
    Unavailable(ErrorResponse),
}

impl Kind {
    /// The status of an answer that says so.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Invalid => StatusCode::BAD_REQUEST,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMedia => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::NotBuilt => StatusCode::NOT_IMPLEMENTED,
            Self::Unavailable | Self::OutcomeUnknown => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn family(self) -> &'static str {
        match self {
            Self::Unavailable | Self::OutcomeUnknown | Self::Internal => "server_error",
            _ => "invalid_request_error",
        }
    }
}

impl Error {
    /// The response for this error. `request_id` is told where the caller can do nothing but report it.
    #[must_use]
    pub fn response(self, request_id: &str) -> Response {
        let message = match self.kind {
            Kind::Internal => format!("{} Report it with request id {request_id}.", self.message),
            _ => self.message,
        };
        let error =
            ErrorBody { code: self.code, message, param: self.param, r#type: self.kind.family() };
        let mut response = (self.kind.status(), json(&ErrorResponse { error })).into_response();
        let headers = response.headers_mut();
        match self.kind {
            Kind::Unavailable | Kind::OutcomeUnknown => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            // Bytes of an unread body may follow; they must not be taken for the next request.
            Kind::BodyTimeout | Kind::TooLarge => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        if matches!(self.kind, Kind::NotBuilt | Kind::OutcomeUnknown) {
            headers.insert("x-should-retry", HeaderValue::from_static("false"));
        }
        response
    }
}

/// An error on its way out. The edge turns it into a response, because only the edge knows the request id.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
