//! Ids in paths.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// The path's ids, percent-decoded once and otherwise taken as they are: whether one exists is the store's answer.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    #[expect(clippy::disallowed_types, reason = "this wraps it in the error envelope")]
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        // The only way to fail is text that is not UTF-8, which no path of ours can be.
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(ids)) => Ok(Self(ids)),
            Err(_) => Err(Error::unknown_url(parts.method.as_str(), parts.uri.path())),
        }
    }
}
