//! Admin keys as they are sent and received.

use serde::Serialize;
use utoipa::ToSchema;

use super::store;
use crate::domain::scope::{Scope, Scopes};
use crate::domain::secret::PlainKey;
use crate::error::{Error, Result};
use crate::http::fields::{Fields, FromFields};
use crate::http::page::Identified;
use crate::http::reply::literal;

/// The longest life that a request can ask for in seconds: a year.
const LONGEST_LIFE: i64 = 31_536_000;

literal!(
    /// Names an admin key.
    AdminApiKeyObject = "organization.admin_api_key"
);
literal!(
    /// Names the end of an admin key.
    AdminApiKeyDeletedObject = "organization.admin_api_key.deleted"
);

/// An admin key. The secret is shown once, at its making.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdminApiKey {
    object: AdminApiKeyObject,
    /// The key's id.
    id: String,
    /// What it is for, in its maker's words.
    name: Option<String>,
    /// Enough of the secret to recognise it.
    redacted_value: String,
    /// When it was made, in Unix seconds.
    #[schema(format = "unixtime")]
    created_at: i64,
    /// When it stops, in Unix seconds; null if it does not.
    #[schema(required, format = "unixtime")]
    expires_at: Option<i64>,
    /// When it was seen in use, in Unix seconds, within minutes.
    #[schema(format = "unixtime")]
    last_used_at: Option<i64>,
    owner: AdminApiKeyOwner,
}

/// The person behind a key.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdminApiKeyOwner {
    /// Always `user`.
    r#type: &'static str,
    /// Always `organization.user`.
    object: &'static str,
    /// The person's id.
    id: String,
    /// What the person is called.
    name: String,
    /// When the person joined, in Unix seconds.
    #[schema(format = "unixtime")]
    created_at: i64,
    /// Always `owner`: nobody else may hold one.
    role: &'static str,
}

impl From<store::AdminKey> for AdminApiKey {
    fn from(key: store::AdminKey) -> Self {
        Self {
            object: AdminApiKeyObject,
            id: key.id,
            name: key.name,
            redacted_value: key.redacted_value,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            owner: AdminApiKeyOwner {
                r#type: "user",
                object: "organization.user",
                id: key.owner.id,
                name: key.owner.name,
                created_at: key.owner.added_at,
                role: "owner",
            },
        }
    }
}

impl Identified for AdminApiKey {
    fn id(&self) -> &str {
        &self.id
    }
}

/// A new admin key with its secret, which is not shown again.
#[derive(Serialize, ToSchema)]
pub struct AdminApiKeyCreateResponse {
    #[serde(flatten)]
    key: AdminApiKey,
    /// The secret.
    value: String,
}

impl AdminApiKeyCreateResponse {
    /// Shows a key with its secret, this once.
    #[must_use]
    pub fn new(key: store::AdminKey, secret: &PlainKey) -> Self {
        Self { key: key.into(), value: secret.expose().to_owned() }
    }
}

/// A new admin key.
#[derive(Debug, ToSchema)]
pub struct AdminApiKeyCreateRequest {
    /// What it is for, 1 to 255 characters.
    pub name: String,
    /// After how many seconds it stops; without this it does not.
    #[schema(minimum = 1, maximum = 31_536_000, nullable = false)]
    pub expires_in_seconds: Option<i64>,
    /// When it stops, in Unix seconds, instead of `expires_in_seconds`.
    #[schema(format = "unixtime")]
    pub expires_at: Option<i64>,
    /// What it may do: some of `api.management.read`, `api.management.write` and `api.usage.read`. Without this, what the calling key may do.
    #[schema(value_type = Option<Vec<String>>)]
    pub scopes: Option<Scopes>,
}

impl AdminApiKeyCreateRequest {
    /// When the key stops, for a request made now.
    pub fn end(&self, now: i64) -> Result<Option<i64>> {
        match (self.expires_in_seconds, self.expires_at) {
            (Some(_), Some(_)) => {
                let message = "Send either 'expires_in_seconds' or 'expires_at', not both.";
                Err(Error::invalid("invalid_value", message).param("expires_at"))
            }
            (_, Some(end)) if end <= now => {
                let message =
                    format!("Invalid value for 'expires_at': {end} is not in the future.");
                Err(Error::invalid("invalid_value", message).param("expires_at"))
            }
            (seconds, end) => Ok(seconds.map(|seconds| now + seconds).or(end)),
        }
    }
}

impl FromFields for AdminApiKeyCreateRequest {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        Ok(Self {
            name: fields.required_text("name", 1..=255)?,
            expires_in_seconds: fields.integer("expires_in_seconds", 1..=LONGEST_LIFE)?,
            expires_at: fields.optional_integer("expires_at", 0..=i64::MAX)?,
            scopes: fields.optional_texts("scopes")?.map(|names| scopes(&names)).transpose()?,
        })
    }
}

fn scopes(names: &[String]) -> Result<Scopes> {
    if names.is_empty() {
        let message = "Invalid 'scopes': empty array. Name at least one scope, or leave it out.";
        return Err(Error::invalid("array_below_min_length", message).param("scopes"));
    }
    let known = Scope::ALL.map(Scope::name);
    let scope = |(place, name): (usize, &String)| {
        Scope::from_name(name)
            .ok_or_else(|| Error::unsupported_value(&format!("scopes[{place}]"), name, &known))
    };
    names.iter().enumerate().map(scope).collect()
}
