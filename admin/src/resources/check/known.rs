//! A project key that was found, with what every answer about it repeats.

use std::sync::Arc;

use axum::body::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::Map;

use super::policy::ProjectPolicy;
use super::wire::Whose;
use crate::error::{Error, Result};
use crate::http::reply;
use crate::resources::project_api_keys::store::{Holder, HolderOwner};

/// What a project key opens. Made once for each state of the store, so that an answer only has to be put together.
#[derive(Debug)]
pub struct Known {
    /// What the key opens.
    pub holder: Holder,
    /// The members of an answer that say whose key it is, from the comma before the first to the end of the object.
    pub whose: Bytes,
    /// The headers with which a proxy is told whose key it is.
    pub headers: HeaderMap,
    /// What its project says of models.
    pub policy: Arc<ProjectPolicy>,
}

impl Known {
    /// Prepares what answers about this key repeat.
    pub fn of(holder: Holder, policy: Arc<ProjectPolicy>) -> Result<Self> {
        let whose = tail(&reply::bytes(&Whose::of(&holder))?)?;
        let headers = headers(&holder);
        Ok(Self { holder, whose, headers, policy })
    }
}

/// An object that goes on in another one: its brace becomes a comma.
fn tail(object: &[u8]) -> Result<Bytes> {
    let rest = object.strip_prefix(b"{").ok_or_else(|| Error::internal("it is no object"))?;
    Ok([b",", rest].concat().into())
}

/// The same of a key that nobody holds.
pub fn tail_of_nobody() -> Result<Bytes> {
    let members = ["organization", "project", "api_key", "owner", "service_account"];
    let nulls: Map<_, _> =
        members.iter().map(|name| ((*name).to_owned(), serde_json::Value::Null)).collect();
    tail(&reply::bytes(&nulls)?)
}

/// What cannot stand in a header is left out, never mangled.
fn headers(holder: &Holder) -> HeaderMap {
    let (kind, email) = match &holder.owner {
        HolderOwner::Account { .. } => ("service_account", None),
        HolderOwner::User { email, .. } | HolderOwner::Left { email, .. } => ("user", Some(email)),
    };
    let texts = [
        ("x-rollbook-organization-id", Some(holder.organization.id.as_str())),
        ("x-rollbook-organization", Some(holder.organization.slug.as_str())),
        ("x-rollbook-project-id", Some(holder.project_id.as_str())),
        ("x-rollbook-key-id", Some(holder.key_id.as_str())),
        ("x-rollbook-owner-type", Some(kind)),
        ("x-rollbook-owner-id", Some(holder.owner.id())),
        ("x-rollbook-owner-email", email.map(String::as_str)),
        ("openai-project", Some(holder.project_id.as_str())),
    ];
    // Room for these and for what the edge adds.
    let mut headers = HeaderMap::with_capacity(16);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, text) in texts {
        let text = text.filter(|text| text.is_ascii());
        if let Some(Ok(value)) = text.map(HeaderValue::from_str) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers
}
