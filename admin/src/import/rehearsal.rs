//! The second pass without its changes: what an import would do, from reads only, so that nobody waits for it.
//!
//! The store does not change underneath, so the run's own memory tells what would be there by now.

use std::collections::HashSet;

use sql::{Store, Tx};

use super::apply::{changes, find_project};
use super::consistency::hash;
use super::row::Row;
use super::tally::Tally;
use crate::domain::role::ProjectRole;
use crate::error::{Error, Kind, Result};
use crate::resources::project_users::store as members;
use crate::resources::users::store::{self as users, fold};

/// What was counted so far. Everything is counted once, in whatever portion it comes up.
#[derive(Debug, Default)]
pub struct Rehearsal {
    /// What would be changed.
    pub tally: Tally,
    people: HashSet<u64>,
    projects: HashSet<u64>,
    memberships: HashSet<u64>,
}

/// What the store has of a row.
#[derive(Debug, Default, Clone, Copy)]
struct Found {
    has_person: bool,
    would_change_person: bool,
    has_project: bool,
    role: Option<ProjectRole>,
}

impl Rehearsal {
    /// Counts what this portion would change.
    pub fn portion(&mut self, store: &Store, organization: &str, rows: Vec<Row>) -> Result<()> {
        let organization = organization.to_owned();
        let (rows, found) = store.read_blocking(move |tx| {
            let found = rows.iter().map(|row| look(tx, &organization, row));
            Ok::<_, Error>((rows.clone(), found.collect::<Result<Vec<_>>>()?))
        })?;
        for (row, found) in rows.iter().zip(found) {
            self.row(row, found);
        }
        Ok(())
    }

    /// Counts an owner who would become a reader.
    pub fn demote(&mut self, email: &str) {
        if self.people.insert(hash(&fold(email))) {
            self.tally.people_updated += 1;
        }
    }

    fn row(&mut self, row: &Row, found: Found) {
        let email = fold(&row.email);
        if !found.has_person {
            self.tally.people_added += u64::from(self.people.insert(hash(&email)));
        } else if found.would_change_person {
            self.tally.people_updated += u64::from(self.people.insert(hash(&email)));
        }
        let Some((project, role)) = &row.membership else { return };
        if !found.has_project {
            self.tally.projects_created += u64::from(self.projects.insert(hash(project)));
        }
        if found.role == Some(*role) || !self.memberships.insert(hash(&(&email, project))) {
            return;
        }
        if found.role.is_none() {
            self.tally.memberships_added += 1;
        } else {
            self.tally.memberships_updated += 1;
        }
    }
}

fn look(tx: &mut Tx<'_>, organization: &str, row: &Row) -> Result<Found> {
    let user = users::find_by_email(tx, organization, &row.email)?;
    let mut found = Found {
        has_person: user.is_some(),
        would_change_person: user
            .as_ref()
            .is_some_and(|user| changes(row.name.as_deref(), row.role, user).is_some()),
        ..Found::default()
    };
    let Some((name, _)) = &row.membership else { return Ok(found) };
    let Some(project) = find_project(tx, organization, name)? else { return Ok(found) };
    found.has_project = true;
    if let Some(user) = user {
        found.role = role_in(tx, organization, &project.id, &user.id)?;
    }
    Ok(found)
}

fn role_in(
    tx: &mut Tx<'_>,
    organization: &str,
    project: &str,
    user: &str,
) -> Result<Option<ProjectRole>> {
    match members::find(tx, organization, project, user) {
        Ok(member) => Ok(Some(member.role)),
        Err(error) if error.kind == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
