//! Request bodies: received only after authentication, read member by member so that each fault has its own words.

use std::ops::RangeInclusive;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, Request};
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};

use super::query::Query;
use crate::domain::patch::Patch;
use crate::error::{Error, Kind, Result};

/// A body that has not been received yet.
#[derive(Debug)]
pub struct Incoming {
    media_type: Option<String>,
    body: Body,
}

impl<S: Sync> FromRequest<S> for Incoming {
    type Rejection = std::convert::Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Self::Rejection> {
        let (parts, body) = request.into_parts();
        Ok(Self::new(&parts.headers, body))
    }
}

/// What the body is by its own account, without parameters.
fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().unwrap_or("");
    let name = value.split(';').next().unwrap_or("").trim();
    Some(name.to_ascii_lowercase()).filter(|name| !name.is_empty())
}

impl Incoming {
    /// The body of a request with these headers.
    #[must_use]
    pub fn new(headers: &HeaderMap, body: Body) -> Self {
        Self { media_type: media_type(headers), body }
    }

    /// Receives the body within its cap and deadline and reads it. Faults of transport end the request here; faults of
    /// content are kept in [`Parsed`], because the state of the parents is checked before them.
    pub async fn receive<T: FromFields>(self, cap: usize, deadline: Duration) -> Result<Parsed<T>> {
        let is_json = is_json(self.media_type.as_deref());
        let bytes = self.receive_bytes(cap, deadline).await?;
        Ok(Parsed(read(&bytes, is_json)))
    }

    /// Receives the fields of a form within the cap and the deadline.
    pub async fn receive_form(self, cap: usize, deadline: Duration) -> Result<Query> {
        if self.media_type.as_deref() != Some("application/x-www-form-urlencoded") {
            let message = "The request body is not a form by its Content-Type. Send it with the form on the page.";
            return Err(Error::new(Kind::UnsupportedMedia, message).code("unsupported_media_type"));
        }
        let bytes = self.receive_bytes(cap, deadline).await?;
        Ok(Query::parse(&String::from_utf8_lossy(&bytes)))
    }

    async fn receive_bytes(self, cap: usize, deadline: Duration) -> Result<Bytes> {
        received(self.body, cap, deadline).await
    }
}

/// A body that was received and not read yet.
#[derive(Debug)]
pub struct Received {
    is_json: bool,
    /// What was sent.
    pub bytes: Bytes,
}

impl Received {
    /// Receives a body within its cap and deadline.
    pub async fn of<B>(headers: &HeaderMap, body: B, cap: usize, deadline: Duration) -> Result<Self>
    where
        B: HttpBody<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let is_json = is_json(media_type(headers).as_deref());
        Ok(Self { is_json, bytes: received(body, cap, deadline).await? })
    }

    /// Reads it.
    pub fn read<T: FromFields>(&self) -> Result<T> {
        read(&self.bytes, self.is_json)
    }
}

/// A client that says nothing is believed to send JSON.
fn is_json(media_type: Option<&str>) -> bool {
    media_type.is_none_or(|name| name == "application/json")
}

async fn received<B>(body: B, cap: usize, deadline: Duration) -> Result<Bytes>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let too_large = || {
        let message = format!("The request body is too large. At most {cap} bytes are accepted.");
        Error::new(Kind::TooLarge, message).code("request_too_large")
    };
    // A body that announces itself as too large is not worth receiving.
    if body.size_hint().lower() > cap as u64 {
        return Err(too_large());
    }
    let received = tokio::time::timeout(deadline, Limited::new(body, cap).collect()).await;
    match received {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(malformed("it ended early")),
        Err(_) => {
            let message = "The request body was not received in time. Send it without pauses.";
            Err(Error::new(Kind::BodyTimeout, message).code("request_timeout"))
        }
    }
}

fn read<T: FromFields>(bytes: &[u8], is_json: bool) -> Result<T> {
    if bytes.is_empty() && T::OPTIONAL {
        return Fields::default().read();
    }
    if !is_json {
        let message = "The request body is not JSON by its Content-Type. Send 'Content-Type: application/json'.";
        return Err(Error::new(Kind::UnsupportedMedia, message).code("unsupported_media_type"));
    }
    match serde_json::from_slice(bytes).map_err(|error| malformed(&error.to_string()))? {
        Value::Object(members) => Fields(members).read(),
        Value::Null if T::OPTIONAL => Fields::default().read(),
        other => {
            let message = format!(
                "Invalid type for the request body: expected an object, but got {} instead.",
                type_of(&other)
            );
            Err(Error::invalid("invalid_type", message))
        }
    }
}

fn malformed(why: &str) -> Error {
    Error::new(Kind::Invalid, format!("The request body could not be parsed as JSON: {why}."))
}

/// A body that was received. Its faults wait until the handler asks for it.
#[derive(Debug)]
pub struct Parsed<T>(Result<T>);

impl<T> Parsed<T> {
    /// The body, or what is wrong with it.
    pub fn get(&self) -> Result<&T> {
        self.0.as_ref().map_err(Clone::clone)
    }
}

/// A body type that knows how to read its members.
pub trait FromFields: Sized {
    /// Whether the operation works without a body.
    const OPTIONAL: bool = false;

    /// Takes each member that exists. What is left over is refused by the caller of this.
    fn from_fields(fields: &mut Fields) -> Result<Self>;
}

/// For operations that take no arguments but are sent some empty body by one client or another.
#[derive(Debug)]
pub struct NoBody;

impl FromFields for NoBody {
    const OPTIONAL: bool = true;

    fn from_fields(_: &mut Fields) -> Result<Self> {
        Ok(Self)
    }
}

/// The members of a body. Every reader takes its member out; what remains was unknown.
#[derive(Debug, Default)]
pub struct Fields(Map<String, Value>);

impl Fields {
    fn read<T: FromFields>(mut self) -> Result<T> {
        let read = T::from_fields(&mut self)?;
        match self.0.keys().next() {
            None => Ok(read),
            Some(name) => {
                Err(Error::invalid("unknown_parameter", format!("Unknown parameter: '{name}'."))
                    .param(name))
            }
        }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// A member that may be missing but not null.
    fn present<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str, Value) -> Result<T>,
    ) -> Result<Option<T>> {
        self.take(name).map(|value| read(name, value)).transpose()
    }

    /// A nullable member of an update.
    fn patch<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str, Value) -> Result<T>,
    ) -> Result<Patch<T>> {
        match self.take(name) {
            None => Ok(Patch::Absent),
            Some(Value::Null) => Ok(Patch::Null),
            Some(value) => read(name, value).map(Patch::Value),
        }
    }

    /// A text that must be there, between these numbers of characters.
    pub fn required_text(&mut self, name: &str, length: RangeInclusive<usize>) -> Result<String> {
        self.present(name, |name, value| text(name, value, length))?.ok_or_else(|| missing(name))
    }

    /// A text that may be null or missing.
    pub fn optional_text(
        &mut self,
        name: &str,
        length: RangeInclusive<usize>,
    ) -> Result<Option<String>> {
        Ok(self.patch_text(name, length)?.apply(None))
    }

    /// A text that may be left, cleared or set.
    pub fn patch_text(
        &mut self,
        name: &str,
        length: RangeInclusive<usize>,
    ) -> Result<Patch<String>> {
        self.patch(name, |name, value| text(name, value, length))
    }

    /// A whole number that may be missing but not null.
    pub fn integer(&mut self, name: &str, bounds: RangeInclusive<i64>) -> Result<Option<i64>> {
        self.present(name, |name, value| integer(name, &value, bounds))
    }

    /// A whole number that may be null or missing.
    pub fn optional_integer(
        &mut self,
        name: &str,
        bounds: RangeInclusive<i64>,
    ) -> Result<Option<i64>> {
        Ok(self.patch(name, |name, value| integer(name, &value, bounds))?.apply(None))
    }

    /// A whole number that must be there.
    pub fn required_integer(&mut self, name: &str, bounds: RangeInclusive<i64>) -> Result<i64> {
        self.integer(name, bounds)?.ok_or_else(|| missing(name))
    }

    /// One of a few words, which must be there.
    pub fn required_one_of(&mut self, name: &str, words: &[&'static str]) -> Result<&'static str> {
        let text = self.required_text(name, 0..=255)?;
        let known = words.iter().find(|word| **word == text);
        known.copied().ok_or_else(|| Error::unsupported_value(name, &text, words))
    }

    /// An object that must be there. What is wrong inside it is named with its place, like `channel.type`.
    pub fn required_object<T: FromFields>(&mut self, name: &str) -> Result<T> {
        self.present(name, object)?.ok_or_else(|| missing(name))
    }

    /// A list of so many texts of this length, which must be there.
    pub fn required_texts_within(
        &mut self,
        name: &str,
        count: RangeInclusive<usize>,
        length: RangeInclusive<usize>,
    ) -> Result<Vec<String>> {
        let read = |name: &str, value: Value| {
            array(name, value, "an array of strings", count, |name, item| {
                text(name, item, length.clone())
            })
        };
        self.present(name, read)?.ok_or_else(|| missing(name))
    }

    /// A list of texts that may be null or missing.
    pub fn optional_texts(&mut self, name: &str) -> Result<Option<Vec<String>>> {
        Ok(self.patch(name, texts)?.apply(None))
    }

    /// A list of texts that may be missing but not null.
    pub fn present_texts(&mut self, name: &str) -> Result<Option<Vec<String>>> {
        self.present(name, texts)
    }

    /// A list of texts that must be there.
    pub fn required_texts(&mut self, name: &str) -> Result<Vec<String>> {
        self.present(name, texts)?.ok_or_else(|| missing(name))
    }

    /// A text that may be missing but not null.
    pub fn present_text(
        &mut self,
        name: &str,
        length: RangeInclusive<usize>,
    ) -> Result<Option<String>> {
        self.present(name, |name, value| text(name, value, length))
    }

    /// A truth value that may be null or missing.
    pub fn optional_boolean(&mut self, name: &str) -> Result<Option<bool>> {
        let read = |name: &str, value: Value| {
            value.as_bool().ok_or_else(|| wrong_type(name, "a boolean", &value))
        };
        Ok(self.patch(name, read)?.apply(None))
    }

    /// A list of objects that may be missing but not null. What is wrong inside one is named with its place, like
    /// `projects[0].id`.
    pub fn objects<T: FromFields>(&mut self, name: &str, most: usize) -> Result<Option<Vec<T>>> {
        self.present(name, |name, value| {
            array(name, value, "an array of objects", 0..=most, |name, item| object(name, item))
        })
    }
}

fn object<T: FromFields>(name: &str, value: Value) -> Result<T> {
    match value {
        Value::Object(members) => Fields(members).read().map_err(|error| within(name, error)),
        other => Err(wrong_type(name, "an object", &other)),
    }
}

fn within_count(name: &str, count: usize, bounds: &RangeInclusive<usize>) -> Result<()> {
    let (least, most) = (bounds.start(), bounds.end());
    if count > *most {
        let message = format!(
            "Invalid '{name}': array too long. Expected at most {most} items, but got {count}."
        );
        return Err(Error::invalid("array_above_max_length", message).param(name));
    }
    if count < *least {
        let message = format!(
            "Invalid '{name}': array too short. Expected at least {least} items, but got {count}."
        );
        return Err(Error::invalid("array_below_min_length", message).param(name));
    }
    Ok(())
}

/// Names a fault of a member by its place in the whole body.
fn within(place: &str, mut error: Error) -> Error {
    if let Some(param) = error.param.take() {
        let whole = format!("{place}.{param}");
        error.message = error.message.replace(&format!("'{param}'"), &format!("'{whole}'"));
        error.param = Some(whole);
    }
    error
}

fn texts(name: &str, value: Value) -> Result<Vec<String>> {
    array(name, value, "an array of strings", 0..=usize::MAX, |name, item| {
        text(name, item, 1..=255)
    })
}

/// An array of so many items. What is wrong with one is named by its place.
fn array<T>(
    name: &str,
    value: Value,
    expected: &str,
    count: RangeInclusive<usize>,
    read: impl Fn(&str, Value) -> Result<T>,
) -> Result<Vec<T>> {
    let Value::Array(items) = value else { return Err(wrong_type(name, expected, &value)) };
    within_count(name, items.len(), &count)?;
    let item = |(index, item)| read(&format!("{name}[{index}]"), item);
    items.into_iter().enumerate().map(item).collect()
}

/// A member that must be there is not.
#[must_use]
pub fn missing(name: &str) -> Error {
    Error::invalid("missing_required_parameter", format!("Missing required parameter: '{name}'."))
        .param(name)
}

fn wrong_type(name: &str, expected: &str, got: &Value) -> Error {
    let message = format!(
        "Invalid type for '{name}': expected {expected}, but got {} instead.",
        type_of(got)
    );
    Error::invalid("invalid_type", message).param(name)
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a decimal",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn text(name: &str, value: Value, length: RangeInclusive<usize>) -> Result<String> {
    let Value::String(text) = value else { return Err(wrong_type(name, "a string", &value)) };
    let count = text.chars().count();
    if count > *length.end() {
        let message = format!(
            "Invalid '{name}': string too long. Expected at most {} characters, but got {count}.",
            length.end()
        );
        return Err(Error::invalid("string_above_max_length", message).param(name));
    }
    if count < *length.start() {
        let message = format!(
            "Invalid '{name}': empty string. Expected at least {} character.",
            length.start()
        );
        return Err(Error::invalid("empty_string", message).param(name));
    }
    // PostgreSQL cannot keep a NUL in a text, and what one engine refuses the other must not accept.
    if text.contains('\0') {
        let message =
            format!("Invalid value for '{name}': it contains a NUL character. Remove it.");
        return Err(Error::invalid("invalid_value", message).param(name));
    }
    Ok(text)
}

/// A whole number, or the nearest one that a machine word holds: too large is out of bounds, not of the wrong type.
fn whole(value: &Value) -> Option<i64> {
    let decimal = value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() >= 9e18);
    let beyond = decimal.map(|number| if number > 0.0 { i64::MAX } else { i64::MIN });
    value.as_i64().or(beyond)
}

fn integer(name: &str, value: &Value, bounds: RangeInclusive<i64>) -> Result<i64> {
    let Some(number) = whole(value) else { return Err(wrong_type(name, "an integer", value)) };
    if number > *bounds.end() {
        let message = format!(
            "Invalid '{name}': integer above maximum value. Expected a value <= {}, but got {number} instead.",
            bounds.end()
        );
        return Err(Error::invalid("integer_above_max_value", message).param(name));
    }
    if number < *bounds.start() {
        let message = format!(
            "Invalid '{name}': integer below minimum value. Expected a value >= {}, but got {number} instead.",
            bounds.start()
        );
        return Err(Error::invalid("integer_below_min_value", message).param(name));
    }
    Ok(number)
}
