//! What a request shows of itself in its headers.

use std::borrow::Cow;

use http::request::Parts;
use http::{HeaderMap, header};

use crate::access::{Credential, Operator};
use crate::error::{Error, Result};

/// What a request shows: the operator that this process put into it, or else a key.
pub fn read(parts: &Parts) -> Result<Credential> {
    match parts.extensions.get::<Operator>() {
        Some(operator) => Ok(Credential::Operator(operator.clone())),
        None => key(&parts.headers),
    }
}

/// The key and the organization that the headers name, or that there is no key.
fn key(headers: &HeaderMap) -> Result<Credential> {
    let (key, organization) = shown(headers).ok_or_else(Error::no_key)?;
    Ok(Credential::of_key(&key, organization.map(Cow::into_owned)))
}

/// The key that the headers show and the organization that they name beside it.
pub fn shown(headers: &HeaderMap) -> Option<(Cow<'_, str>, Option<Cow<'_, str>>)> {
    let (scheme, key) = split(headers.get(header::AUTHORIZATION)?.as_bytes())?;
    if !scheme.eq_ignore_ascii_case(b"bearer") || key.is_empty() {
        return None;
    }
    let organization = headers.get("openai-organization").filter(|name| !name.is_empty());
    let organization = organization.map(|name| String::from_utf8_lossy(name.as_bytes()));
    Some((String::from_utf8_lossy(key), organization))
}

/// What stands before the first space, and what behind it.
fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = text.iter().position(|byte| *byte == b' ')?;
    Some((&text[..space], &text[space + 1..]))
}
