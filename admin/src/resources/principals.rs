//! Who can have roles: people, service accounts, and groups of both.

use sql::Tx;

use super::groups::store::{self as groups, Group};
use super::level::Level;
use super::project_users::store as members;
use super::service_accounts::store::{self as accounts, ServiceAccount};
use super::users::store::{self as users, User};
use crate::error::{Error, Result};
use crate::holdings::Kind;

/// What a path names.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// A person or service account of this id.
    User(String),
    /// The group of this id.
    Group(String),
}

/// Somebody who can have roles.
#[derive(Debug, Clone)]
pub enum Principal {
    /// A person.
    Person(User),
    /// A service account.
    Account(ServiceAccount),
    /// A group.
    Group(Group),
}

impl Principal {
    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Person(user) => &user.id,
            Self::Account(account) => &account.id,
            Self::Group(group) => &group.id,
        }
    }

    /// How roles are assigned to it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Person(_) | Self::Account(_) => Kind::User,
            Self::Group(_) => Kind::Group,
        }
    }
}

/// The person of this id, else the service account, wherever it is.
pub fn find_user(tx: &mut Tx<'_>, organization: &str, id: &str) -> Result<Option<Principal>> {
    if let Some(user) = users::find_if_any(tx, organization, id)? {
        return Ok(Some(Principal::Person(user)));
    }
    Ok(accounts::find_anywhere(tx, organization, id)?.map(Principal::Account))
}

impl Wanted {
    /// The principal, if it can have roles at this level: in a project only its members can and its own service accounts, and any
    /// group of the organization.
    pub fn find(&self, tx: &mut Tx<'_>, level: &Level) -> Result<Principal> {
        let organization = &level.organization;
        let id = match self {
            Self::Group(id) => return Ok(Principal::Group(groups::find(tx, organization, id)?)),
            Self::User(id) => id,
        };
        let found = find_user(tx, organization, id)?.ok_or_else(|| Error::not_found("User", id))?;
        match (&level.project, &found) {
            (Some(project), Principal::Person(_)) => {
                members::find(tx, organization, &project.id, id)?;
            }
            (Some(project), Principal::Account(account)) if account.project_id != project.id => {
                return Err(Error::not_found("User", id));
            }
            _ => {}
        }
        Ok(found)
    }
}
