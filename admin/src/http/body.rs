//! Request bodies, received only of somebody who is let in, or was until now. What is in one is read by `fields`.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, Request};
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value;

use super::fields::{Fields, FromFields, type_of};
use super::query::Query;
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

    /// Receives objects that are sent together, within the cap and the deadline.
    pub async fn receive_many(self, cap: usize, deadline: Duration) -> Result<Many> {
        let form = match self.media_type.as_deref() {
            Some("application/x-ndjson" | "application/jsonl") => Some(Form::Lines),
            other => is_json(other).then_some(Form::Array),
        };
        Ok(Many { form, bytes: self.receive_bytes(cap, deadline).await? })
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
        Value::Object(members) => Fields::of(members).read(),
        Value::Null if T::OPTIONAL => Fields::default().read(),
        other => Err(unexpected("the request body", "an object", &other)),
    }
}

/// How many objects are sent together.
#[derive(Debug, Clone, Copy)]
enum Form {
    Array,
    Lines,
}

/// Objects that were received together and not read yet.
#[derive(Debug)]
pub struct Many {
    form: Option<Form>,
    bytes: Bytes,
}

impl Many {
    /// Reads each for itself, with the text that it has for an id: what is wrong with one is no matter of the others.
    pub fn read<T: FromFields>(&self, most: usize) -> Result<Vec<(Option<String>, Result<T>)>> {
        let values = match self.form {
            Some(Form::Array) => self.array()?,
            Some(Form::Lines) => self.lines()?,
            None => {
                let message = "The request body is not JSON by its Content-Type. Send 'Content-Type: application/json', or 'application/x-ndjson' for a line of JSON for each event.";
                return Err(
                    Error::new(Kind::UnsupportedMedia, message).code("unsupported_media_type")
                );
            }
        };
        if values.len() > most {
            let message = format!(
                "Invalid request body: array too long. Expected at most {most} items, but got {}.",
                values.len()
            );
            return Err(Error::invalid("array_above_max_length", message));
        }
        Ok(values.into_iter().map(one).collect())
    }

    fn array(&self) -> Result<Vec<Value>> {
        match serde_json::from_slice(&self.bytes).map_err(|error| malformed(&error.to_string()))? {
            Value::Array(values) => Ok(values),
            other => Err(unexpected("the request body", "an array", &other)),
        }
    }

    fn lines(&self) -> Result<Vec<Value>> {
        let lines = self.bytes.split(|byte| *byte == b'\n').enumerate();
        let lines = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
        let read = |(number, line): (usize, &[u8])| {
            let read = serde_json::from_slice(line);
            read.map_err(|error| malformed(&format!("line {}: {error}", number + 1)))
        };
        lines.map(read).collect()
    }
}

fn one<T: FromFields>(value: Value) -> (Option<String>, Result<T>) {
    match value {
        Value::Object(members) => {
            let id = members.get("id").and_then(Value::as_str).map(str::to_owned);
            (id, Fields::of(members).read())
        }
        other => (None, Err(unexpected("an item of the request body", "an object", &other))),
    }
}

fn unexpected(what: &str, expected: &str, got: &Value) -> Error {
    let message =
        format!("Invalid type for {what}: expected {expected}, but got {} instead.", type_of(got));
    Error::invalid("invalid_type", message)
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
