//! The second pass: applies a portion of rows in the caller's transaction, by the rules of the resources.

use std::collections::HashMap;

use sql::Tx;

use super::row::Row;
use crate::audit::Author;
use crate::domain::id::{IdBlock, Ids};
use crate::domain::role::{OrganizationRole, ProjectRole};
use crate::error::{Error, Result};
use crate::resources::project_users::store as members;
use crate::resources::projects::store::{self as projects, NewProject, Project};
use crate::resources::users::store::{self as users, Changes, NewUser, User};

/// The most events that one row can write: a new or changed person, a new project, a new or changed membership.
const EVENTS_PER_ROW: usize = 7;

/// Rows to be applied together, with the ids that they may need drawn beforehand.
#[derive(Debug, Clone)]
pub struct Batch {
    rows: Vec<Row>,
    user_ids: IdBlock,
    project_ids: IdBlock,
    event_ids: IdBlock,
}

impl Batch {
    /// At most [`super::BATCH`] rows.
    #[must_use]
    pub fn draw(rows: Vec<Row>, ids: &Ids) -> Self {
        let count = u16::try_from(rows.len()).unwrap_or(u16::MAX);
        let events = u16::try_from(rows.len() * EVENTS_PER_ROW).unwrap_or(u16::MAX);
        Self {
            rows,
            user_ids: ids.block(count),
            project_ids: ids.block(count),
            event_ids: ids.block(events),
        }
    }

    /// The ids for the events of this portion's author.
    #[must_use]
    pub fn event_ids(&self) -> IdBlock {
        self.event_ids.clone()
    }
}

/// What an import changed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// People who were not there.
    pub people_added: u64,
    /// People with another role or name.
    pub people_updated: u64,
    /// Projects that were not there.
    pub projects_created: u64,
    /// Memberships that were not there.
    pub memberships_added: u64,
    /// Memberships with another role.
    pub memberships_updated: u64,
}

impl Tally {
    /// All changes together.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.people_added
            + self.people_updated
            + self.projects_created
            + self.memberships_added
            + self.memberships_updated
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.people_added += other.people_added;
        self.people_updated += other.people_updated;
        self.projects_created += other.projects_created;
        self.memberships_added += other.memberships_added;
        self.memberships_updated += other.memberships_updated;
    }
}

/// Applies a portion. Owners who become readers are left for [`demote`], so that those who follow them come first.
pub fn apply(tx: &mut Tx<'_>, by: &Author, batch: &Batch) -> Result<Tally> {
    let mut portion = Portion {
        by,
        batch,
        tally: Tally::default(),
        people: HashMap::new(),
        projects: HashMap::new(),
    };
    for (place, row) in batch.rows.iter().enumerate() {
        let place = u16::try_from(place).unwrap_or(u16::MAX);
        portion.row(tx, place, row)?;
    }
    Ok(portion.tally)
}

/// Makes an owner a reader, after everybody else was imported.
pub fn demote(tx: &mut Tx<'_>, by: &Author, email: &str) -> Result<Tally> {
    let user = users::find_by_email(tx, by.organization_id(), email)?;
    let Some(user) = user.filter(|user| user.role == OrganizationRole::Owner) else {
        return Ok(Tally::default());
    };
    let changes = Changes { role: Some(OrganizationRole::Reader), ..Changes::default() };
    users::modify(tx, by, &user, &changes)?;
    Ok(Tally { people_updated: 1, ..Tally::default() })
}

/// A portion under way, with what it looked up: a file names the same people and projects again and again.
struct Portion<'a> {
    by: &'a Author,
    batch: &'a Batch,
    tally: Tally,
    people: HashMap<String, User>,
    projects: HashMap<&'a str, Project>,
}

impl<'a> Portion<'a> {
    fn row(&mut self, tx: &mut Tx<'_>, place: u16, row: &'a Row) -> Result<()> {
        let key = users::fold(&row.email);
        let known = self.people.remove(&key);
        let user = self.person(tx, place, row, known)?;
        if let Some((name, role)) = &row.membership {
            let project = self.project(tx, place, name)?;
            self.membership(tx, &project, &user, *role)?;
        }
        self.people.insert(key, user);
        Ok(())
    }

    fn person(
        &mut self,
        tx: &mut Tx<'_>,
        place: u16,
        row: &Row,
        known: Option<User>,
    ) -> Result<User> {
        let user = if let Some(user) = known {
            user
        } else {
            let id = self.batch.user_ids.id("user-", place);
            let (email, name) = (row.email.clone(), row.name.clone());
            if let Some(user) =
                users::add_if_new(tx, self.by, &NewUser { id, email, name, role: row.role })?
            {
                self.tally.people_added += 1;
                return Ok(user);
            }
            let found = users::find_by_email(tx, self.by.organization_id(), &row.email)?;
            found.ok_or_else(|| Error::not_found("User", &row.email))?
        };
        let is_demotion =
            user.role == OrganizationRole::Owner && row.role == OrganizationRole::Reader;
        let role = Some(row.role).filter(|role| *role != user.role && !is_demotion);
        let name = row.name.clone().filter(|name| Some(name) != user.name.as_ref());
        if role.is_none() && name.is_none() {
            return Ok(user);
        }
        self.tally.people_updated += 1;
        users::modify(tx, self.by, &user, &Changes { name, role, ..Changes::default() })
    }

    fn project(&mut self, tx: &mut Tx<'_>, place: u16, name: &'a str) -> Result<Project> {
        if let Some(project) = self.projects.get(name) {
            return Ok(project.clone());
        }
        let found = projects::find_by_name(tx, self.by.organization_id(), name)?;
        let project = match found.as_slice() {
            [] => {
                self.tally.projects_created += 1;
                let new = NewProject::named(self.batch.project_ids.id("proj_", place), name);
                projects::create(tx, self.by, &new)?
            }
            [one] => one.clone(),
            several => {
                let ids: Vec<_> = several.iter().map(|project| project.id.as_str()).collect();
                return Err(Error::which("active project of this name", &ids));
            }
        };
        self.projects.insert(name, project.clone());
        Ok(project)
    }

    fn membership(
        &mut self,
        tx: &mut Tx<'_>,
        project: &Project,
        user: &User,
        role: ProjectRole,
    ) -> Result<()> {
        if members::add_if_new(tx, self.by, project, user, role)?.is_some() {
            self.tally.memberships_added += 1;
            return Ok(());
        }
        let member = members::find(tx, self.by.organization_id(), &project.id, &user.id)?;
        if member.role != role {
            self.tally.memberships_updated += 1;
            members::modify(tx, self.by, project, member, role)?;
        }
        Ok(())
    }
}
