//! Who is asking: from what a request shows to a caller inside a transaction.

use sql::Tx;

use crate::audit::{Actor, Author, Origin};
use crate::domain::id::IdBlock;
use crate::domain::scope::{Scope, Scopes};
use crate::domain::secret::{KeyHash, mask};
use crate::error::{Error, Result};
use crate::organization::{self, Organization};
use crate::resources::admin_api_keys::store as keys;

/// What a request shows to be let in. It proves nothing until [`authenticate`] looked it up in the store.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A bearer key, kept as its hash, with what may be repeated of it.
    Key {
        /// What is looked up.
        hash: KeyHash,
        /// What a refusal may show.
        masked: String,
        /// The organization that the request names beside it.
        organization: Option<String>,
    },
    /// Somebody who has the store itself in their hands.
    Operator(Operator),
}

/// The person at the command line of the machine that has the store. They could change the file itself, so no key is asked
/// for; that they act through the API gives their changes the same rules and the same record. It can only be put into a
/// request by this process: nothing that comes over a network becomes one.
#[derive(Debug, Clone)]
pub struct Operator {
    /// The name of the user at the operating system, for the record.
    pub user: String,
    /// The slug or id of the organization to act in; without it, the only one there is.
    pub organization: Option<String>,
    /// The e-mail address of the owner for whom a key is made; without it, the only owner there is.
    pub on_behalf_of: Option<String>,
}

impl Credential {
    /// What this key shows, of a request that may name an organization.
    #[must_use]
    pub fn of_key(key: &str, organization: Option<String>) -> Self {
        Self::Key { hash: KeyHash::of(key), masked: mask(key), organization }
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
    /// Whose key it is, or the operator.
    pub holder: Holder,
}

/// Through what a caller came in.
#[derive(Debug)]
pub enum Holder {
    /// A key.
    Key {
        /// The id of the key.
        key_id: String,
        /// The id of the person whose key it is.
        owner_id: String,
        /// When the key was last seen in use, as far as it is recorded.
        last_used_at: Option<i64>,
    },
    /// The command line, on behalf of nobody or of the owner with this address.
    Operator {
        /// See [`Operator::on_behalf_of`].
        on_behalf_of: Option<String>,
    },
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

impl Caller {
    /// Refuses unless the caller may do this.
    pub fn require(&self, scope: Scope) -> Result<()> {
        if self.scopes.has(scope) {
            Ok(())
        } else {
            Err(Error::missing_scopes([scope].into_iter().collect()))
        }
    }
}

/// Finds who holds this credential now. What they may do is asked separately, so that a refusal knows whom it refuses.
pub fn authenticate(
    tx: &mut Tx<'_>,
    credential: &Credential,
    at: &Circumstances,
) -> Result<Caller> {
    match credential {
        Credential::Key { hash, masked, organization } => {
            key_holder(tx, hash, masked, organization.as_deref(), at)
        }
        Credential::Operator(operator) => at_the_command_line(tx, operator, at),
    }
}

fn key_holder(
    tx: &mut Tx<'_>,
    hash: &KeyHash,
    masked: &str,
    named: Option<&str>,
    at: &Circumstances,
) -> Result<Caller> {
    let found = keys::find_by_secret(tx, hash)?;
    let key = found.filter(|key| key.is_owner && key.expires_at.is_none_or(|end| at.now < end));
    let key = key.ok_or_else(|| Error::wrong_key(masked))?;
    if named.is_some_and(|named| named != key.organization.id && named != key.organization.slug) {
        return Err(Error::mismatched_organization());
    }
    let (key_id, user_id) = (key.key_id.clone(), key.owner_id.clone());
    let actor = Actor::ApiKey { key_id, user_id, email: key.owner_email };
    let holder =
        Holder::Key { key_id: key.key_id, owner_id: key.owner_id, last_used_at: key.last_used_at };
    Ok(Caller { author: author(key.organization, actor, at), scopes: key.scopes, holder })
}

fn at_the_command_line(tx: &mut Tx<'_>, operator: &Operator, at: &Circumstances) -> Result<Caller> {
    let organization = organization::find_named_or_only(tx, operator.organization.as_deref())?;
    let actor = Actor::CommandLine { user: operator.user.clone() };
    let holder = Holder::Operator { on_behalf_of: operator.on_behalf_of.clone() };
    Ok(Caller { author: author(organization, actor, at), scopes: Scopes::all(), holder })
}

fn author(organization: Organization, actor: Actor, at: &Circumstances) -> Author {
    Author::new(organization, actor, at.origin.clone(), at.now, at.event_ids.clone())
}
