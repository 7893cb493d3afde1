//! Successful answers: always 200, always JSON.

use std::marker::PhantomData;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::copied::Copied;
use crate::error::{Error, Result};

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
    bytes(body).map_or_else(IntoResponse::into_response, of_bytes)
}

/// Serializes a body.
pub fn bytes<T: Serialize>(body: &T) -> Result<Bytes> {
    let bytes = serde_json::to_vec(body);
    bytes.map(Bytes::from).map_err(|error| Error::internal(error.to_string()))
}

/// A body that is JSON already.
#[must_use]
pub fn of_bytes(body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// A JSON answer that was made in the transaction that read it. The type says what is sent.
#[derive(Debug)]
pub struct Shown<T>(Bytes, PhantomData<T>);

impl<T> Shown<T> {
    /// These bytes, which spell a `T`.
    pub(super) fn new(body: Bytes) -> Self {
        Self(body, PhantomData)
    }
}

impl<T> From<Copied<T>> for Shown<T> {
    fn from(copied: Copied<T>) -> Self {
        Self::new(copied.into_bytes())
    }
}

impl<T> IntoResponse for Shown<T> {
    fn into_response(self) -> Response {
        of_bytes(self.0)
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
