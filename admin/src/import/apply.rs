//! The second pass inside a transaction: applies a portion of rows by the rules of the resources.

use std::collections::HashMap;
use std::rc::Rc;

use sql::Tx;

use super::consistency::hash;
use super::row::Row;
use crate::audit::Author;
use crate::domain::id::{IdBlock, Ids};
use crate::domain::role::{OrganizationRole, ProjectRole};
use crate::error::{Error, Result};
use crate::resources::project_users::store as members;
use crate::resources::projects::store::{self as projects, NewProject, Project};
use crate::resources::users::store::{self as users, Changes, NewUser, User};

/// The most events that one row can write: a person with another role (three), a new project, and a membership with another role
/// in place of up to two (four).
const EVENTS_PER_ROW: usize = 8;

/// Rows to be applied together, with the ids that they may need drawn beforehand.
#[derive(Debug, Clone)]
pub struct Portion {
    rows: Vec<Row>,
    user_ids: IdBlock,
    project_ids: IdBlock,
    event_ids: IdBlock,
}

impl Portion {
    /// At most [`super::BATCH`] rows.
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
    pub fn event_ids(&self) -> IdBlock {
        self.event_ids.clone()
    }
}

/// What a portion changed. People are named by the hash of their folded address, because several portions may change one.
#[derive(Debug, Default)]
pub struct Applied {
    /// People who were not there.
    pub added: Vec<u64>,
    /// People who got another role or name.
    pub updated: Vec<u64>,
    /// How many projects were created.
    pub projects_created: u64,
    /// How many memberships were added.
    pub memberships_added: u64,
    /// How many memberships got another role.
    pub memberships_updated: u64,
}

/// Applies a portion. Owners who become readers are left for [`demote`], so that those who follow them come first.
pub fn apply(tx: &mut Tx<'_>, by: &Author, portion: &Portion) -> Result<Applied> {
    let mut application = Application {
        by,
        portion,
        applied: Applied::default(),
        people: HashMap::new(),
        projects: HashMap::new(),
    };
    for (place, row) in (0..).zip(&portion.rows) {
        application.row(tx, place, row)?;
    }
    Ok(application.applied)
}

/// Makes an owner a reader, after everybody else was imported.
pub fn demote(tx: &mut Tx<'_>, by: &Author, email: &str) -> Result<bool> {
    let user = users::find_by_email(tx, by.organization_id(), email)?;
    let Some(user) = user.filter(|user| user.role == OrganizationRole::Owner) else {
        return Ok(false);
    };
    let changes = Changes { role: Some(OrganizationRole::Reader), ..Changes::default() };
    users::modify(tx, by, &user, &changes)?;
    Ok(true)
}

/// What a row changes about a person who is there, demotion aside.
pub fn changes(row: &Row, user: &User) -> Option<Changes> {
    let is_promotion = row.role == OrganizationRole::Owner && user.role != row.role;
    let role = is_promotion.then_some(row.role);
    let name = row.name.clone().filter(|name| Some(name) != user.name.as_ref());
    (role.is_some() || name.is_some()).then(|| Changes { name, role, ..Changes::default() })
}

/// The active project of this name, which the first pass found to be one at most.
pub fn find_project(tx: &mut Tx<'_>, organization: &str, name: &str) -> Result<Option<Project>> {
    let mut found = projects::find_by_name(tx, organization, name)?;
    if found.len() > 1 {
        let ids: Vec<_> = found.iter().map(|project| project.id.as_str()).collect();
        return Err(Error::which(&format!("active project named '{name}'"), &ids));
    }
    Ok(found.pop())
}

/// A portion under way, with what it looked up: a file names the same people and projects again and again.
struct Application<'a> {
    by: &'a Author,
    portion: &'a Portion,
    applied: Applied,
    people: HashMap<String, User>,
    projects: HashMap<&'a str, Rc<Project>>,
}

impl<'a> Application<'a> {
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
        let key = hash(&users::fold(&row.email));
        let user = match known {
            Some(user) => user,
            None => match self.add_person(tx, place, row)? {
                Some(user) => {
                    self.applied.added.push(key);
                    return Ok(user);
                }
                None => users::find_by_email(tx, self.by.organization_id(), &row.email)?
                    .ok_or_else(|| Error::not_found("User", &row.email))?,
            },
        };
        let Some(changes) = changes(row, &user) else { return Ok(user) };
        self.applied.updated.push(key);
        users::modify(tx, self.by, &user, &changes)
    }

    fn add_person(&self, tx: &mut Tx<'_>, place: u16, row: &Row) -> Result<Option<User>> {
        let id = self.portion.user_ids.id("user-", place);
        let (email, name) = (row.email.clone(), row.name.clone());
        users::add_if_new(tx, self.by, &NewUser { id, email, name, role: row.role })
    }

    fn project(&mut self, tx: &mut Tx<'_>, place: u16, name: &'a str) -> Result<Rc<Project>> {
        if let Some(project) = self.projects.get(name) {
            return Ok(Rc::clone(project));
        }
        let project = if let Some(project) = find_project(tx, self.by.organization_id(), name)? {
            project
        } else {
            self.applied.projects_created += 1;
            let new = NewProject::named(self.portion.project_ids.id("proj_", place), name);
            projects::create(tx, self.by, &new)?
        };
        let project = Rc::new(project);
        self.projects.insert(name, Rc::clone(&project));
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
            self.applied.memberships_added += 1;
            return Ok(());
        }
        let member = members::find(tx, self.by.organization_id(), &project.id, &user.id)?;
        if member.role != role {
            self.applied.memberships_updated += 1;
            members::modify(tx, self.by, project, member, role)?;
        }
        Ok(())
    }
}
