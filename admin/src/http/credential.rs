//! What a request shows of itself in its headers.

use http::{HeaderMap, header};

use crate::access::Credential;
use crate::error::{Error, Result};

/// Reads the key and the organization that a request names, or says that there is no key.
pub fn read(headers: &HeaderMap) -> Result<Credential> {
    let value = headers.get(header::AUTHORIZATION).ok_or_else(Error::no_key)?;
    let text = String::from_utf8_lossy(value.as_bytes());
    let (scheme, key) = text.split_once(' ').ok_or_else(Error::no_key)?;
    if !scheme.eq_ignore_ascii_case("bearer") || key.is_empty() {
        return Err(Error::no_key());
    }
    let organization = headers.get("openai-organization").filter(|name| !name.is_empty());
    let organization =
        organization.map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned());
    Ok(Credential::new(key, organization))
}
