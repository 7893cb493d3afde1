//! The built-in roles of somebody who can have several at one level.
//!
//! The mightiest of them stands in the row that says that they are there, so that a list of people shows a role without a second
//! question, and so that a membership with its role is one row. The lesser ones are assignments like any other. What stands in the
//! row is here called the seat.

use sql::Tx;

use super::store;
use crate::audit::{self, Author};
use crate::domain::role::{BuiltIn, OrganizationRole, ProjectRole};
use crate::error::Result;
use crate::holdings::{self, Kind};
use crate::resources::level::Level;
use crate::resources::principals::Principal;
use crate::resources::project_users::store as members;
use crate::resources::projects::store::Project;
use crate::resources::service_accounts::store::{self as accounts, ServiceAccount};
use crate::resources::users::store::{self as users, User};

/// The row of a person or service account at one level.
#[derive(Debug, Clone, Copy)]
pub enum Seat<'a> {
    /// A person in the organization.
    User(&'a User),
    /// A person in a project, with what stands in the row of the membership.
    Member(&'a Project, &'a str, Option<BuiltIn>),
    /// A service account in its project.
    Account(&'a ServiceAccount),
}

impl<'a> Seat<'a> {
    /// The seat of a principal at this level. Groups have none, and service accounts only in their project.
    pub fn find(
        tx: &mut Tx<'_>,
        level: &'a Level,
        principal: &'a Principal,
    ) -> Result<Option<Self>> {
        Ok(match (principal, &level.project) {
            (Principal::Person(user), None) => Some(Self::User(user)),
            (Principal::Person(user), Some(project)) => {
                let role = members::built_in(tx, &level.organization, &project.id, &user.id)?;
                Some(Self::Member(project, &user.id, role))
            }
            (Principal::Account(account), Some(project)) if account.project_id == project.id => {
                Some(Self::Account(account))
            }
            (Principal::Account(_) | Principal::Group(_), _) => None,
        })
    }

    /// The role that stands in it.
    #[must_use]
    pub fn role(&self) -> Option<BuiltIn> {
        match self {
            Self::User(user) => user.built_in(),
            Self::Member(_, _, role) => *role,
            Self::Account(account) => account.role.map(BuiltIn::from),
        }
    }

    fn id(&self) -> &str {
        match self {
            Self::User(user) => &user.id,
            Self::Member(_, id, _) => id,
            Self::Account(account) => &account.id,
        }
    }

    fn set(&self, tx: &mut Tx<'_>, by: &Author, role: Option<BuiltIn>) -> Result<()> {
        let organization = by.organization_id();
        match self {
            Self::User(user) => {
                let role = role.and_then(OrganizationRole::from_built_in);
                users::set_built_in(tx, by, user, role)
            }
            Self::Member(project, user, _) => {
                let role = role.and_then(ProjectRole::from_built_in);
                members::set_built_in(tx, organization, &project.id, user, role)
            }
            Self::Account(account) => {
                let role = role.and_then(ProjectRole::from_built_in);
                accounts::set_built_in(tx, organization, account, role)
            }
        }
    }

    /// Gives a role beside those that are there; false if it is one of them. A mightier role takes the seat, and what stood there
    /// becomes an assignment.
    pub fn climb(
        &self,
        tx: &mut Tx<'_>,
        by: &Author,
        level: &Level,
        role: BuiltIn,
    ) -> Result<bool> {
        let row = |tx: &mut Tx<'_>, role: BuiltIn| {
            let (organization, project) = (by.organization_id(), level.project_key());
            holdings::insert(tx, organization, project, Kind::User, self.id(), role.alias(), by.now)
        };
        // The mightier role is the smaller one.
        match self.role() {
            _ if !can_sit(role) => row(tx, role),
            Some(held) if held == role => Ok(false),
            Some(held) if held < role => row(tx, role),
            held => {
                if let Some(held) = held {
                    row(tx, held)?;
                }
                self.set(tx, by, Some(role))?;
                Ok(true)
            }
        }
    }

    /// Takes one role; false if it was not there. From the seat it is followed by the next lesser one.
    pub fn descend(
        &self,
        tx: &mut Tx<'_>,
        by: &Author,
        level: &Level,
        role: BuiltIn,
    ) -> Result<bool> {
        let row = |tx: &mut Tx<'_>, role: BuiltIn| {
            let (organization, project) = (by.organization_id(), level.project_key());
            holdings::remove(tx, organization, project, Kind::User, self.id(), role.alias())
        };
        if self.role() != Some(role) {
            return row(tx, role);
        }
        let mut next = None;
        for lesser in BuiltIn::of(level.kind()).iter().copied().filter(|lesser| *lesser > role) {
            if can_sit(lesser) && row(tx, lesser)? {
                next = Some(lesser);
                break;
            }
        }
        self.set(tx, by, next)?;
        Ok(true)
    }
}

/// Whether a role can stand in a row: all can but the viewer, which no membership shows.
fn can_sit(role: BuiltIn) -> bool {
    role != BuiltIn::ProjectViewer
}

/// What it means that somebody has exactly one built-in role from now on.
#[derive(Debug, Default)]
pub struct Swap {
    /// Whether something is different from what it was.
    pub is_change: bool,
    /// The roles that are gone.
    pub lost: Vec<BuiltIn>,
    /// The role, if it was not there.
    pub gained: Option<BuiltIn>,
}

/// Leaves somebody with exactly one built-in role at this level, apart from custom ones, which stay. The assignments go here; the
/// caller writes the role into the seat, in which `seated` stands.
pub fn swap(
    tx: &mut Tx<'_>,
    level: &Level,
    id: &str,
    seated: Option<BuiltIn>,
    role: BuiltIn,
) -> Result<Swap> {
    let mut lost = store::take_built_in(tx, level, id)?;
    lost.extend(seated);
    lost.sort_unstable();
    let gained = (!lost.contains(&role)).then_some(role);
    lost.retain(|lost| *lost != role);
    Ok(Swap { is_change: seated != Some(role) || !lost.is_empty(), lost, gained })
}

impl Swap {
    /// Records what was lost and gained.
    pub fn record(&self, tx: &mut Tx<'_>, by: &Author, level: &Level, id: &str) -> Result<()> {
        let lost = self.lost.iter().map(|role| ("role.assignment.deleted", role));
        let gained = self.gained.iter().map(|role| ("role.assignment.created", role));
        for (kind, role) in lost.chain(gained) {
            audit::append(tx, by, &level.assignment(kind, role.alias(), id, Kind::User))?;
        }
        Ok(())
    }
}
