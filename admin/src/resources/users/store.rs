//! The people of an organization: rules and rows.

use serde_json::json;
use sql::{Row, Tx, args};

use super::departure::end_ownership;
use super::event;
use crate::audit::{self, Author, Event};
use crate::domain::id::is_possible_id;
use crate::domain::page::{PageRequest, Slice};
use crate::domain::patch::Patch;
use crate::domain::role::{BuiltIn, OrganizationRole};
use crate::error::{Error, Result};
use crate::resources::level::Level;
use crate::resources::project_users::shown;
use crate::resources::role_assignments::ladder::{self, Swap};

/// A person in an organization.
#[derive(Debug, Clone)]
pub struct User {
    /// The id that memberships and keys refer to.
    pub id: String,
    /// The address, as it was given.
    pub email: String,
    /// What the person is called, where that is known.
    pub name: Option<String>,
    /// The mightiest built-in role, as it is shown: whoever has none is a reader.
    pub role: OrganizationRole,
    /// Whether the person has that role, or only what others give.
    pub has_role: bool,
    /// When the person joined, in seconds.
    pub added_at: i64,
    /// What the person said of their experience.
    pub technical_level: Option<String>,
    /// What the person said of their work.
    pub developer_persona: Option<String>,
}

impl User {
    /// The name to show: never empty, because clients demand one.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.email)
    }

    /// The mightiest built-in role, if the person has one.
    #[must_use]
    pub fn built_in(&self) -> Option<BuiltIn> {
        self.has_role.then(|| self.role.into())
    }

    fn from_row(row: &Row<'_>) -> sql::Result<Self> {
        let role: Option<String> = row.get(3)?;
        Ok(Self {
            id: row.get(0)?,
            email: row.get(1)?,
            name: row.get(2)?,
            has_role: role.is_some(),
            role: role
                .as_deref()
                .and_then(OrganizationRole::from_name)
                .unwrap_or(OrganizationRole::Reader),
            added_at: row.get(4)?,
            technical_level: row.get(5)?,
            developer_persona: row.get(6)?,
        })
    }
}

/// A person about to join.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The id to be.
    pub id: String,
    /// The address.
    pub email: String,
    /// The name, if it is known.
    pub name: Option<String>,
    /// The first role.
    pub role: OrganizationRole,
}

impl NewUser {
    /// The person, who joins now.
    fn user(&self, now: i64) -> User {
        User {
            id: self.id.clone(),
            email: self.email.clone(),
            name: self.name.clone(),
            role: self.role,
            has_role: true,
            added_at: now,
            technical_level: None,
            developer_persona: None,
        }
    }

    fn event(&self) -> Result<Event> {
        event::added(&self.id, self.role.name())
    }
}

/// What a request wants to change about a person.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// A new name. People cannot be renamed over the wire, but an import may know better.
    pub name: Option<String>,
    /// A new role.
    pub role: Option<OrganizationRole>,
    /// The name of a custom role that is given beside what the person is.
    pub beside: Option<String>,
    /// A new answer about experience.
    pub technical_level: Patch<String>,
    /// A new answer about work.
    pub developer_persona: Patch<String>,
}

/// The form in which two spellings of one address are equal.
#[must_use]
pub fn fold(email: &str) -> String {
    email.to_lowercase()
}

/// Adds a person to the organization, as somebody who accepted an invitation.
pub fn add(tx: &mut Tx<'_>, by: &Author, new: &NewUser) -> Result<User> {
    let added = add_new(tx, by, std::slice::from_ref(new))?.pop().flatten();
    added.ok_or_else(|| {
        let message = format!(
            "A user with the e-mail address {} already exists in the organization.",
            new.email
        );
        Error::invalid("already_exists", message).param("email")
    })
}

/// Adds those whose address nobody has, which the insert itself finds out, and answers for each the person who was added.
pub fn add_new(tx: &mut Tx<'_>, by: &Author, new: &[NewUser]) -> Result<Vec<Option<User>>> {
    let folded: Vec<_> = new.iter().map(|new| fold(&new.email)).collect();
    let mut cells = Vec::new();
    for (new, folded) in new.iter().zip(&folded) {
        let (name, role) = (new.name.as_deref(), new.role.name());
        let person = args![by.organization_id(), &new.id, &new.email, folded, name, role, by.now];
        cells.extend_from_slice(person);
    }
    let columns = "users (organization_id, id, email, email_folded, name, role, added_at)";
    let added = tx.insert_new(columns, &cells, &[1])?;
    let added = new.iter().zip(added).map(|(new, is_added)| is_added.then_some(new));
    let added: Vec<_> = added.collect();
    let events = added.iter().flatten().map(|new| new.event()).collect::<Result<Vec<_>>>()?;
    audit::append_all(tx, by, events)?;
    Ok(added.into_iter().map(|new| new.map(|new| new.user(by.now))).collect())
}

/// A page of everybody, by id.
pub fn list(tx: &mut Tx<'_>, organization: &str, page: &PageRequest) -> Result<Slice<User>> {
    let rows = tx.all(
        "SELECT id, email, name, role, added_at, technical_level, developer_persona FROM users
         WHERE organization_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        args![organization, &page.above, page.fetch()],
        User::from_row,
    )?;
    Ok(page.cut(rows))
}

/// A page of those who have one of these addresses.
pub fn list_by_email(
    tx: &mut Tx<'_>,
    organization: &str,
    emails: &[String],
    page: &PageRequest,
) -> Result<Slice<User>> {
    let mut arguments = args![organization, &page.above, page.fetch()].to_vec();
    let places = sql::list(&mut arguments, emails);
    let sql = format!(
        "SELECT id, email, name, role, added_at, technical_level, developer_persona FROM users
         WHERE organization_id = $1 AND id > $2 AND email_folded IN ({places}) ORDER BY id LIMIT $3"
    );
    let rows = tx.all(&sql, &arguments, User::from_row)?;
    Ok(page.cut(rows))
}

/// The person of this id, or 404.
pub fn find(tx: &mut Tx<'_>, organization: &str, id: &str) -> Result<User> {
    find_if_any(tx, organization, id)?.ok_or_else(|| Error::not_found("User", id))
}

/// Those of these people that there are.
pub fn find_several(tx: &mut Tx<'_>, organization: &str, ids: &[&str]) -> Result<Vec<User>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut arguments = args![organization].to_vec();
    let places = sql::list(&mut arguments, ids.iter().copied());
    let sql = format!(
        "SELECT id, email, name, role, added_at, technical_level, developer_persona FROM users
         WHERE organization_id = $1 AND id IN ({places})"
    );
    Ok(tx.all(&sql, &arguments, User::from_row)?)
}

/// The person of this id, if there is one.
pub fn find_if_any(tx: &mut Tx<'_>, organization: &str, id: &str) -> Result<Option<User>> {
    if !is_possible_id(id) {
        return Ok(None);
    }
    let sql =
        "SELECT id, email, name, role, added_at, technical_level, developer_persona FROM users
               WHERE organization_id = $1 AND id = $2";
    Ok(tx.one(sql, args![organization, id], User::from_row)?)
}

/// The person of this address in any spelling, if there is one.
pub fn find_by_email(tx: &mut Tx<'_>, organization: &str, email: &str) -> Result<Option<User>> {
    let sql =
        "SELECT id, email, name, role, added_at, technical_level, developer_persona FROM users
               WHERE organization_id = $1 AND email_folded = $2";
    Ok(tx.one(sql, args![organization, &fold(email)], User::from_row)?)
}

/// The owner of this address; without one, the only owner there is.
pub fn find_owner(tx: &mut Tx<'_>, organization: &str, email: Option<&str>) -> Result<User> {
    if let Some(email) = email {
        let user = find_by_email(tx, organization, email)?;
        let owner = user.filter(|user| user.role == OrganizationRole::Owner);
        return owner.ok_or_else(|| Error::not_found("Owner", email));
    }
    let owners = tx.all(
        "SELECT id, email, name, role, added_at, technical_level, developer_persona FROM users
         WHERE organization_id >= $1 AND organization_id <= $1 AND role = 'owner'
         ORDER BY organization_id, id LIMIT 10",
        args![organization],
        User::from_row,
    )?;
    match owners.as_slice() {
        [one] => Ok(one.clone()),
        several => {
            let emails: Vec<_> = several.iter().map(|owner| owner.email.as_str()).collect();
            Err(Error::which("owner", &emails))
        }
    }
}

/// Changes a person. A new role takes the place of every built-in one; losing the owner role ends the person's admin keys for good.
pub fn modify(tx: &mut Tx<'_>, by: &Author, user: &User, changes: &Changes) -> Result<User> {
    let after = User {
        name: changes.name.clone().or_else(|| user.name.clone()),
        role: changes.role.unwrap_or(user.role),
        has_role: user.has_role || changes.role.is_some(),
        technical_level: changes.technical_level.clone().apply(user.technical_level.clone()),
        developer_persona: changes.developer_persona.clone().apply(user.developer_persona.clone()),
        ..user.clone()
    };
    let level = Level { organization: by.organization_id().to_owned(), project: None };
    let swap = match changes.role {
        Some(role) => ladder::swap(tx, &level, &user.id, user.built_in(), role.into())?,
        None => Swap::default(),
    };
    let is_change = swap.is_change
        || changes.beside.is_some()
        || after.name != user.name
        || after.technical_level != user.technical_level
        || after.developer_persona != user.developer_persona;
    if !is_change {
        return Ok(after);
    }
    if swap.lost.contains(&BuiltIn::OrganizationOwner) {
        end_ownership(tx, by, user)?;
    }
    tx.execute(
        "UPDATE users SET role = $3, technical_level = $4, developer_persona = $5, name = $6
         WHERE organization_id = $1 AND id = $2",
        args![
            by.organization_id(),
            &user.id,
            after.has_role.then(|| after.role.name()),
            after.technical_level.as_deref(),
            after.developer_persona.as_deref(),
            after.name.as_deref()
        ],
    )?;
    if after.name != user.name {
        let person = (after.name.as_deref(), after.email.as_str());
        shown::renew(tx, by.organization_id(), &user.id, person)?;
    }
    let role = swap.is_change.then(|| after.role.name()).or(changes.beside.as_deref());
    let requested = role.map_or_else(|| json!({}), |role| json!({ "role": role }));
    let payload = json!({ "id": user.id, "changes_requested": requested });
    audit::append(tx, by, &Event::new("user.updated", &user.id, payload))?;
    swap.record(tx, by, &level, &user.id)?;
    Ok(after)
}

/// Writes a person's mightiest built-in role, when a role was given or taken beside others (`role_assignments::ladder`).
pub fn set_built_in(
    tx: &mut Tx<'_>,
    by: &Author,
    user: &User,
    role: Option<OrganizationRole>,
) -> Result<()> {
    let owner = Some(BuiltIn::OrganizationOwner);
    if user.built_in() == owner && role.map(BuiltIn::from) != owner {
        end_ownership(tx, by, user)?;
    }
    tx.execute(
        "UPDATE users SET role = $3 WHERE organization_id = $1 AND id = $2",
        args![by.organization_id(), &user.id, role.map(OrganizationRole::name)],
    )?;
    Ok(())
}
