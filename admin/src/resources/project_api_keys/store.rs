//! Project keys: rules and rows.

use serde_json::json;
use sql::{Tx, args};

pub use super::holder::{Holder, HolderOwner, find_holder};
use crate::audit::{self, Author, Event};
use crate::domain::secret::KeyHash;
use crate::error::Result;

/// Whose key one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerKind {
    /// A person's.
    User,
    /// A service account's.
    ServiceAccount,
}

impl OwnerKind {
    /// The word in the store and on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ServiceAccount => "service_account",
        }
    }
}

/// A key about to be made. The secret itself stays with whoever shows it.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// The id to be.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What is kept of the secret.
    pub hash: KeyHash,
    /// What is shown of the secret.
    pub redacted_value: String,
    /// What it is limited to: permissions in the order in which they were told. Without this, it may do what its owner may.
    pub scopes: Option<Vec<String>>,
    /// When it stops, in seconds.
    pub expires_at: Option<i64>,
}

/// Makes a key of this owner for a project.
pub fn insert(
    tx: &mut Tx<'_>,
    by: &Author,
    project: &str,
    (kind, owner): (OwnerKind, &str),
    new: &NewKey,
) -> Result<()> {
    let scopes = new.scopes.as_ref().map(|scopes| scopes.join(" "));
    tx.execute(
        "INSERT INTO project_api_keys (organization_id, project_id, id, owner_kind, owner_id, name, secret_hash,
             redacted_value, scopes, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        args![
            by.organization_id(),
            project,
            &new.id,
            kind.name(),
            owner,
            &new.name,
            new.hash.bytes(),
            &new.redacted_value,
            scopes.as_deref(),
            by.now,
            new.expires_at
        ],
    )?;
    let scopes = new.scopes.as_deref().unwrap_or_default();
    let payload = json!({ "id": new.id, "data": { "scopes": scopes } });
    audit::append(tx, by, &Event::new("api_key.created", &new.id, payload).in_project(project))
}
