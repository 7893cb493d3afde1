//! Who is asking: from what a request shows to a caller inside a transaction.

use std::sync::Arc;

use sql::{Stamp, Tx};

use crate::audit::{Actor, Author, Origin};
use crate::domain::decision::{Reason, Wish, decide};
use crate::domain::id::IdBlock;
use crate::domain::permission::Permissions;
use crate::domain::scope::{Scope, Scopes};
use crate::domain::secret::{KeyHash, mask};
use crate::error::{Error, Result};
use crate::kept::Kept;
use crate::organization::{self, Organization};
use crate::resources::admin_api_keys::store::FoundKey;
use crate::resources::check::known::Known;

/// What a request shows to be let in. It proves nothing until [`identify`] looked it up in the store.
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

/// Who is asking, found valid in the transaction that serves the request.
#[derive(Debug, Clone)]
pub enum Identity {
    /// The holder of a key.
    Key(Arc<FoundKey>),
    /// The holder of a project key, who may do nothing here: such keys are for the use of a project.
    Project(Arc<Known>),
    /// The operator, in the organization that was found for them.
    Operator(Organization, Operator),
}

impl Identity {
    /// The organization of whoever asks.
    #[must_use]
    pub fn organization(&self) -> &Organization {
        match self {
            Self::Key(key) => &key.organization,
            Self::Project(key) => &key.holder.organization,
            Self::Operator(organization, _) => organization,
        }
    }

    /// The admin key, if there is one.
    #[must_use]
    pub fn key(&self) -> Option<&FoundKey> {
        if let Self::Key(key) = self { Some(key) } else { None }
    }

    /// The id of the key, if there is one of either kind.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        match self {
            Self::Key(key) => Some(&key.key_id),
            Self::Project(key) => Some(&key.holder.key_id),
            Self::Operator(..) => None,
        }
    }

    /// What may be done.
    #[must_use]
    pub fn scopes(&self) -> Scopes {
        match self {
            Self::Key(key) => key.scopes,
            Self::Project(_) => Scopes::default(),
            Self::Operator(..) => Scopes::all(),
        }
    }

    /// Refuses unless this may be done.
    pub fn require(&self, scope: Scope) -> Result<()> {
        if self.scopes().has(scope) {
            Ok(())
        } else {
            Err(Error::missing_scopes([scope].into_iter().collect()))
        }
    }

    fn actor(&self) -> Actor {
        match self {
            Self::Key(key) => Actor::ApiKey {
                key_id: key.key_id.clone(),
                user_id: key.owner_id.clone(),
                email: key.owner_email.clone(),
            },
            // Never written: whoever may do nothing changes nothing.
            Self::Project(key) => Actor::ApiKey {
                key_id: key.holder.key_id.clone(),
                user_id: key.holder.owner.id().to_owned(),
                email: String::new(),
            },
            Self::Operator(_, operator) => Actor::CommandLine { user: operator.user.clone() },
        }
    }
}

/// Somebody who may act: valid in this very transaction. There is no other way to get one, and no way to keep one.
#[derive(Debug)]
pub struct Caller {
    /// Writes the audit events of this request; carries the organization.
    pub author: Author,
    /// Who it is.
    pub identity: Identity,
}

impl Caller {
    /// Somebody in the circumstances of their request.
    #[must_use]
    pub fn new(identity: Identity, at: &Circumstances) -> Self {
        let (organization, actor) = (identity.organization().clone(), identity.actor());
        let author =
            Author::new(organization, actor, at.origin.clone(), at.now, at.event_ids.clone());
        Self { author, identity }
    }

    /// What the caller may do.
    #[must_use]
    pub fn scopes(&self) -> Scopes {
        self.identity.scopes()
    }

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

    /// Refuses unless the caller may do this.
    pub fn require(&self, scope: Scope) -> Result<()> {
        self.identity.require(scope)
    }

    /// Refuses if somebody would get what the caller does not hold. Every permission belongs to one scope of admin keys, and
    /// whoever holds such a key is an owner, so the scopes of the key are what limits them.
    pub fn may_grant(&self, what: &Permissions) -> Result<()> {
        self.may_grant_with(|| Ok(what.clone()))
    }

    /// The same for permissions that have to be read first, which nobody does for a caller who may grant everything.
    pub fn may_grant_with(&self, what: impl FnOnce() -> Result<Permissions>) -> Result<()> {
        let held = self.scopes();
        if held == Scopes::all() {
            return Ok(());
        }
        let excess = what()?.scopes().beyond(held);
        if excess.is_empty() { Ok(()) } else { Err(Error::missing_scopes(excess)) }
    }
}

/// Finds who holds this credential. What they may do is asked separately, so that a refusal knows whom it refuses. `known` keeps
/// what it finds under the stamp of the transaction, if that has one.
pub fn identify(
    tx: &mut Tx<'_>,
    credential: &Credential,
    now: i64,
    known: &Kept,
    stamp: Option<Stamp>,
) -> Result<Identity> {
    match credential {
        Credential::Key { hash, masked, organization } => {
            let identity = if let Some(key) = known.find_key(tx, stamp, hash)? {
                let key = Some(key).filter(|key| key.is_valid(now));
                Identity::Key(key.ok_or_else(|| Error::wrong_key(masked))?)
            } else {
                let opens = |key: &Arc<Known>| {
                    decide(&key.holder.standing(now), &Wish::default()) == Reason::Allowed
                };
                let key = known.find_holder(tx, stamp, hash, None, now)?.filter(opens);
                Identity::Project(key.ok_or_else(|| Error::wrong_key(masked))?)
            };
            let is_named = identity.organization().is_named(organization.as_deref());
            if is_named { Ok(identity) } else { Err(Error::mismatched_organization()) }
        }
        Credential::Operator(operator) => {
            let named = operator.organization.as_deref();
            let organization = organization::find_named_or_only(tx, named)?;
            Ok(Identity::Operator(organization, operator.clone()))
        }
    }
}
