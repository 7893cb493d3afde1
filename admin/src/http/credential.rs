//! What a request shows of itself in its headers.

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
    let value = headers.get(header::AUTHORIZATION).ok_or_else(Error::no_key)?;
    let text = String::from_utf8_lossy(value.as_bytes());
    let (scheme, key) = text.split_once(' ').ok_or_else(Error::no_key)?;
    if !scheme.eq_ignore_ascii_case("bearer") || key.is_empty() {
        return Err(Error::no_key());
    }
    let organization = headers.get("openai-organization").filter(|name| !name.is_empty());
    let organization =
        organization.map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned());
    Ok(Credential::of_key(key, organization))
}
