//! Who is asking: from what a request shows to a caller inside a transaction.

use sql::Tx;

use crate::audit::{Actor, Author, Origin};
use crate::domain::id::IdBlock;
use crate::domain::scope::{Scope, Scopes};
use crate::domain::secret::{KeyHash, mask};
use crate::error::{Error, Result};
use crate::organization::Organization;
use crate::resources::admin_api_keys::store::{self as keys, Holder};

/// What a request shows to be let in. It proves nothing until [`authenticate`] found it in the store.
#[derive(Debug, Clone)]
pub struct Credential {
    hash: KeyHash,
    masked: String,
    organization: Option<String>,
}

impl Credential {
    /// What this key shows, of a request that may name an organization.
    #[must_use]
    pub fn new(key: &str, organization: Option<String>) -> Self {
        Self { hash: KeyHash::of(key), masked: mask(key), organization }
    }
}

/// The circumstances of a request, drawn before its transaction starts so that a second run sees the same.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// The time of the request, in seconds.
    pub now: i64,
    /// From where it came.
    pub origin: Origin,
    /// The ids for its audit events.
    pub event_ids: IdBlock,
}

/// Somebody whose key was found valid in this very transaction. There is no other way to get one, and no way to keep one.
#[derive(Debug)]
pub struct Caller {
    /// Writes the audit events of this request; carries the organization.
    pub author: Author,
    /// What the key may do.
    pub scopes: Scopes,
    /// The id of the person whose key it is.
    pub owner_id: String,
    /// The id of the key.
    pub key_id: String,
    /// When the key was last seen in use, as far as it is recorded.
    pub last_used_at: Option<i64>,
}

impl Caller {
    /// The organization of the caller.
    #[must_use]
    pub fn organization(&self) -> &Organization {
        &self.author.organization
    }

    /// Its id, which leads every query.
    #[must_use]
    pub fn organization_id(&self) -> &str {
        &self.author.organization.id
    }
}

/// Finds who holds this credential now, and whether they may do this.
pub fn authenticate(
    tx: &mut Tx<'_>,
    credential: &Credential,
    scope: Scope,
    at: &Circumstances,
) -> Result<Caller> {
    let found = keys::holder(tx, &credential.hash)?;
    let holder = found.filter(|key| key.is_owner && key.expires_at.is_none_or(|end| at.now < end));
    let Holder { organization, key_id, scopes, owner_id, owner_email, last_used_at, .. } =
        holder.ok_or_else(|| Error::wrong_key(&credential.masked))?;
    if let Some(named) = &credential.organization
        && *named != organization.id
        && *named != organization.slug
    {
        return Err(Error::mismatched_organization());
    }
    if !scopes.has(scope) {
        return Err(Error::missing_scopes([scope].into_iter().collect()));
    }
    let actor =
        Actor::ApiKey { key_id: key_id.clone(), user_id: owner_id.clone(), email: owner_email };
    let author = Author::new(organization, actor, at.origin.clone(), at.now, at.event_ids.clone());
    Ok(Caller { author, scopes, owner_id, key_id, last_used_at })
}
