//! Successful answers: always 200, always JSON.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Error;

/// A JSON answer. The body is made by the handler, so that the type says what is sent.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        json(&self.0)
    }
}

/// A JSON answer that shows a secret: no cache may keep it.
#[derive(Debug)]
pub struct SecretJson<T>(pub T);

impl<T: Serialize> IntoResponse for SecretJson<T> {
    fn into_response(self) -> Response {
        let mut response = json(&self.0);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// Serializes a body into a response.
pub fn json<T: Serialize>(body: &T) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => {
            ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], bytes)
                .into_response()
        }
        Err(error) => Error::internal(error.to_string()).into_response(),
    }
}

/// The answer to a deletion. `T` is the unit type that spells the object's name.
#[derive(Debug, Serialize, ToSchema)]
pub struct Deleted<T> {
    object: T,
    /// What was deleted.
    id: String,
    /// Always true: what could not be deleted is answered with an error.
    deleted: bool,
}

impl<T: Default> Deleted<T> {
    /// Confirms the deletion of this id.
    #[must_use]
    pub fn new(id: String) -> Self {
        Self { object: T::default(), id, deleted: true }
    }
}

/// Declares a unit type that is always the same string on the wire, for the `object` members that clients branch on.
macro_rules! literal {
    ($(#[$about:meta])* $name:ident = $text:literal) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, Default)]
        pub struct $name;

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.serialize_str($text)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let text = utoipa::openapi::schema::Type::String;
                utoipa::openapi::ObjectBuilder::new().schema_type(text).enum_values(Some([$text])).into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}
pub(crate) use literal;
