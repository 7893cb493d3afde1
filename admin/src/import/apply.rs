//! The second pass inside a transaction: applies a portion by the rules of the resources.

use std::collections::{BTreeSet, HashMap};

use sql::Tx;

use super::consistency::hash;
use super::window::{Membership, Person};
use crate::audit::Author;
use crate::domain::id::IdBlock;
use crate::domain::role::OrganizationRole;
use crate::error::{Error, Result};
use crate::resources::project_users::store::{self as members, NewMember};
use crate::resources::projects::store::{self as projects, NewProject, Project};
use crate::resources::users::store::{self as users, Changes, NewUser, User, fold};

/// The most events that one person can write, with another role.
pub const EVENTS_PER_PERSON: usize = 3;
/// The most events that one membership can write: a new project, and another role in place of up to two.
pub const EVENTS_PER_MEMBERSHIP: usize = 5;

/// So many people are read by one statement.
const AT_ONCE: usize = 64;

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

/// Applies people, whose ids are drawn if they are new, and answers them as they are now, in the same order. Owners who become readers
/// are left for [`demote`], so that those who follow them come first.
pub fn people(
    tx: &mut Tx<'_>,
    by: &Author,
    ids: &IdBlock,
    people: &[Person],
) -> Result<(Applied, Vec<User>)> {
    let drawn = |(place, person): (u16, &Person)| {
        let Person { email, name, role } = person.clone();
        NewUser { id: ids.id("user-", place), email, name, role }
    };
    let new: Vec<_> = (0..).zip(people).map(drawn).collect();
    let (mut applied, mut all) = (Applied::default(), Vec::with_capacity(people.len()));
    for (person, added) in people.iter().zip(users::add_new(tx, by, &new)?) {
        let key = hash(&fold(&person.email));
        if let Some(user) = added {
            applied.added.push(key);
            all.push(user);
            continue;
        }
        let user = users::find_by_email(tx, by.organization_id(), &person.email)?
            .ok_or_else(|| Error::not_found("User", &person.email))?;
        all.push(match changes(person.name.as_deref(), person.role, &user) {
            Some(changes) => {
                applied.updated.push(key);
                users::modify(tx, by, &user, &changes)?
            }
            None => user,
        });
    }
    Ok((applied, all))
}

/// The people of these memberships, by id. They were applied by transactions before, and somebody else may have changed them since.
pub fn read_again(
    tx: &mut Tx<'_>,
    by: &Author,
    memberships: &[Membership],
    people: &[User],
) -> Result<HashMap<String, User>> {
    let ids: BTreeSet<_> = memberships.iter().map(|one| people[one.person].id.as_str()).collect();
    let ids: Vec<_> = ids.into_iter().collect();
    let mut current = HashMap::with_capacity(ids.len());
    for some in ids.chunks(AT_ONCE) {
        let found = users::find_several(tx, by.organization_id(), some)?;
        let mut found: HashMap<_, _> =
            found.into_iter().map(|user| (user.id.clone(), user)).collect();
        for id in some {
            let gone = || Error::not_found("User", id);
            current.insert((*id).to_owned(), found.remove(*id).ok_or_else(gone)?);
        }
    }
    Ok(current)
}

/// Applies memberships, and makes the projects that are not there. `person` answers who stands at a place of the window.
pub fn memberships<'p>(
    tx: &mut Tx<'_>,
    by: &Author,
    ids: &IdBlock,
    memberships: &[Membership],
    person: impl Fn(usize) -> &'p User,
) -> Result<Applied> {
    let (mut applied, mut projects) = (Applied::default(), HashMap::new());
    for (place, Membership { project: name, .. }) in (0..).zip(memberships) {
        if !projects.contains_key(name.as_str()) {
            projects.insert(name.as_str(), project(tx, by, &mut applied, ids, place, name)?);
        }
    }
    let new = |membership: &Membership| NewMember {
        project: &projects[membership.project.as_str()],
        user: person(membership.person),
        role: membership.role,
    };
    let new: Vec<_> = memberships.iter().map(new).collect();
    for (NewMember { project, user, role }, added) in
        new.iter().zip(members::add_new(tx, by, &new)?)
    {
        if added.is_some() {
            applied.memberships_added += 1;
            continue;
        }
        let member = members::find(tx, by.organization_id(), &project.id, &user.id)?;
        if member.role != *role {
            applied.memberships_updated += 1;
            members::modify(tx, by, project, member, *role)?;
        }
    }
    Ok(applied)
}

fn project(
    tx: &mut Tx<'_>,
    by: &Author,
    applied: &mut Applied,
    ids: &IdBlock,
    place: u16,
    name: &str,
) -> Result<Project> {
    if let Some(project) = find_project(tx, by.organization_id(), name)? {
        return Ok(project);
    }
    applied.projects_created += 1;
    projects::create(tx, by, &NewProject::named(ids.id("proj_", place), name))
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

/// What the file changes about a person who is there, demotion aside.
pub fn changes(name: Option<&str>, role: OrganizationRole, user: &User) -> Option<Changes> {
    let is_promotion = role == OrganizationRole::Owner && user.role != role;
    let role = is_promotion.then_some(role);
    let name = name.filter(|name| Some(*name) != user.name.as_deref()).map(str::to_owned);
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
