//! Service accounts: rules and rows.

use serde_json::json;
use sql::{Row, Tx, args};

use crate::audit::{self, Author, Event};
use crate::domain::id::is_possible_id;
use crate::domain::page::{PageRequest, Slice};
use crate::domain::permission::Permissions;
use crate::domain::role::{BuiltIn, ProjectRole};
use crate::error::{Error, Result};
use crate::holdings::{self, Kind};
use crate::resources::level::Level;
use crate::resources::project_api_keys::store as keys;
use crate::resources::projects::store::Project;
use crate::resources::role_assignments::store as assignments;
use crate::usage::names::{self, Of};

/// Somebody in a project who is no person.
#[derive(Debug, Clone)]
pub struct ServiceAccount {
    /// The project that it is in.
    pub project_id: String,
    /// The id, which stands wherever the id of a person may stand.
    pub id: String,
    /// The name.
    pub name: String,
    /// The built-in role; none for an account that was made without.
    pub role: Option<ProjectRole>,
    /// When it was made, in seconds.
    pub created_at: i64,
}

impl ServiceAccount {
    /// The name of the built-in role.
    #[must_use]
    pub fn role_name(&self) -> &'static str {
        self.role.map_or("none", ProjectRole::name)
    }

    /// Reads `project_id, id, name, role, created_at`.
    pub fn from_row(row: &Row<'_>) -> sql::Result<Self> {
        let role: Option<String> = row.get(3)?;
        Ok(Self {
            project_id: row.get(0)?,
            id: row.get(1)?,
            name: row.get(2)?,
            role: role.as_deref().and_then(ProjectRole::from_name),
            created_at: row.get(4)?,
        })
    }
}

/// What a request wants to change about a service account.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// A new name.
    pub name: Option<String>,
    /// The built-in role in place of the one it has.
    pub role: Option<ProjectRole>,
}

/// There is no such service account in the project.
#[must_use]
pub fn not_found(id: &str) -> Error {
    Error::not_found("Service account", id)
}

/// A page of a project's service accounts, by id. The project is a range for the reason told where members are listed:
/// ids have an index of their own here too.
pub fn list(
    tx: &mut Tx<'_>,
    organization: &str,
    project: &str,
    page: &PageRequest,
) -> Result<Slice<ServiceAccount>> {
    let rows = tx.all(
        "SELECT project_id, id, name, role, created_at FROM service_accounts
         WHERE organization_id = $1 AND (project_id, id) > ($2, $3) AND project_id <= $2
         ORDER BY project_id, id LIMIT $4",
        args![organization, project, &page.above, page.fetch()],
        ServiceAccount::from_row,
    )?;
    Ok(page.cut(rows))
}

/// The service account of this id in this project, or 404.
pub fn find(
    tx: &mut Tx<'_>,
    organization: &str,
    project: &str,
    id: &str,
) -> Result<ServiceAccount> {
    if !is_possible_id(id) {
        return Err(not_found(id));
    }
    let sql = "SELECT project_id, id, name, role, created_at FROM service_accounts
        WHERE organization_id = $1 AND project_id = $2 AND id = $3";
    let found = tx.one(sql, args![organization, project, id], ServiceAccount::from_row)?;
    found.ok_or_else(|| not_found(id))
}

/// The service account of this id in whatever project, if there is one.
pub fn find_anywhere(
    tx: &mut Tx<'_>,
    organization: &str,
    id: &str,
) -> Result<Option<ServiceAccount>> {
    if !is_possible_id(id) {
        return Ok(None);
    }
    // The account is a range, because then only the index of ids fits.
    let sql = "SELECT project_id, id, name, role, created_at FROM service_accounts
        WHERE organization_id = $1 AND (id, project_id) > ($2, '') AND id <= $2";
    Ok(tx.one(sql, args![organization, id], ServiceAccount::from_row)?)
}

/// Writes the built-in role into an account's row; the lesser ones are assignments (`role_assignments::ladder`).
pub fn set_built_in(
    tx: &mut Tx<'_>,
    organization: &str,
    account: &ServiceAccount,
    role: Option<ProjectRole>,
) -> Result<()> {
    tx.execute(
        "UPDATE service_accounts SET role = $4 WHERE organization_id = $1 AND project_id = $2 AND id = $3",
        args![organization, &account.project_id, &account.id, role.map(ProjectRole::name)],
    )?;
    Ok(())
}

/// What a service account may do in its project, by every role there is.
pub fn effective(
    tx: &mut Tx<'_>,
    organization: &str,
    account: &ServiceAccount,
) -> Result<Permissions> {
    let grants =
        holdings::grants_of_user(tx, organization, Some(&account.project_id), &account.id)?;
    let built_in: Vec<_> = account.role.into_iter().map(BuiltIn::from).collect();
    Ok(holdings::effective(&built_in, &grants))
}

/// Creates a service account in a project.
pub fn create(
    tx: &mut Tx<'_>,
    by: &Author,
    project: &Project,
    id: &str,
    name: &str,
    role: Option<ProjectRole>,
) -> Result<ServiceAccount> {
    let account = ServiceAccount {
        project_id: project.id.clone(),
        id: id.to_owned(),
        name: name.to_owned(),
        role,
        created_at: by.now,
    };
    tx.execute(
        "INSERT INTO service_accounts (organization_id, project_id, id, name, role, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        args![
            by.organization_id(),
            &account.project_id,
            &account.id,
            &account.name,
            account.role.map(ProjectRole::name),
            account.created_at
        ],
    )?;
    let payload = json!({ "id": account.id, "data": { "role": account.role_name() } });
    append(tx, by, "service_account.created", &account, payload)?;
    Ok(account)
}

/// Changes a service account. A role takes the place of every built-in one that the account has in the project.
pub fn modify(
    tx: &mut Tx<'_>,
    by: &Author,
    level: &Level,
    account: &ServiceAccount,
    changes: &Changes,
) -> Result<ServiceAccount> {
    let after = ServiceAccount {
        name: changes.name.clone().unwrap_or_else(|| account.name.clone()),
        role: changes.role.or(account.role),
        ..account.clone()
    };
    let others = match changes.role {
        Some(_) => assignments::take_built_in(tx, level, &account.id)?,
        None => Vec::new(),
    };
    let is_role_change = !others.is_empty() || after.role != account.role;
    if !is_role_change && after.name == account.name {
        return Ok(after);
    }
    tx.execute(
        "UPDATE service_accounts SET name = $4, role = $5
         WHERE organization_id = $1 AND project_id = $2 AND id = $3",
        args![
            by.organization_id(),
            &after.project_id,
            &after.id,
            &after.name,
            after.role.map(ProjectRole::name)
        ],
    )?;
    let requested = if is_role_change { json!({ "role": after.role_name() }) } else { json!({}) };
    let payload = json!({ "id": after.id, "changes_requested": requested });
    append(tx, by, "service_account.updated", &after, payload)?;
    for role in others {
        let kind = "role.assignment.deleted";
        audit::append(tx, by, &level.assignment(kind, role.alias(), &after.id, Kind::User))?;
    }
    Ok(after)
}

/// Deletes a service account with its keys, its groups and its roles at every level.
pub fn delete(tx: &mut Tx<'_>, by: &Author, account: &ServiceAccount) -> Result<()> {
    names::remember_keys_of(tx, by.organization_id(), &account.id)?;
    keys::end_all_of(tx, by.organization_id(), &account.id)?;
    let name = Some(account.name.as_str());
    names::remember(tx, by.organization_id(), Of::ServiceAccount, &account.id, name, None)?;
    holdings::forget(tx, by.organization_id(), Kind::User, &account.id)?;
    tx.execute(
        "DELETE FROM service_accounts WHERE organization_id = $1 AND project_id = $2 AND id = $3",
        args![by.organization_id(), &account.project_id, &account.id],
    )?;
    append(tx, by, "service_account.deleted", account, json!({ "id": account.id }))
}

fn append(
    tx: &mut Tx<'_>,
    by: &Author,
    kind: &'static str,
    account: &ServiceAccount,
    payload: serde_json::Value,
) -> Result<()> {
    audit::append(tx, by, &Event::new(kind, &account.id, payload).in_project(&account.project_id))
}
