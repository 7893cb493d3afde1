//! Custom roles: how they come, change and go. Nothing of this touches a built-in one.

use std::collections::HashSet;

use serde_json::{Map, Value, json};
use sql::{Tx, args};

use super::store::{Role, find_by_name};
use crate::audit::{self, Actor, Author, Event};
use crate::domain::patch::Patch;
use crate::domain::permission::Permissions;
use crate::domain::role::BuiltIn;
use crate::error::{Error, Result};
use crate::resources::level::Level;

/// A role about to be made.
#[derive(Debug, Clone)]
pub struct NewRole {
    /// The id to be.
    pub id: String,
    /// The name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it permits, each once.
    pub tokens: Vec<String>,
}

/// What a request wants to change about a role.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// A new name.
    pub name: Option<String>,
    /// A new description, or none any more.
    pub description: Patch<String>,
    /// Other permissions, each once.
    pub tokens: Option<Vec<String>>,
}

/// Makes a role.
pub fn create(tx: &mut Tx<'_>, by: &Author, level: &Level, new: &NewRole) -> Result<Role> {
    refuse_built_in_name(level, &new.name)?;
    let role = Role {
        id: new.id.clone(),
        name: new.name.clone(),
        description: new.description.clone(),
        tokens: new.tokens.clone(),
        built_in: None,
        created_at: Some(by.now),
        updated_at: Some(by.now),
        created_by: match &by.actor {
            Actor::ApiKey { user_id, .. } | Actor::Session { user_id, .. } => Some(user_id.clone()),
            Actor::CommandLine { .. } | Actor::System => None,
        },
    };
    // The insert itself finds out whether the name is taken.
    let inserted = tx.execute(
        "INSERT INTO roles (organization_id, project_id, id, name, description, permissions, reaches_projects, created_at,
             updated_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9) ON CONFLICT DO NOTHING",
        args![
            &level.organization,
            level.project_key(),
            &role.id,
            &role.name,
            role.description.as_deref(),
            &role.tokens.join(" "),
            role.permissions().reaches_projects(),
            by.now,
            role.created_by.as_deref()
        ],
    )?;
    if inserted == 0 {
        return Err(name_taken(&role.name));
    }
    let payload = json!({
        "id": role.id, "role_name": role.name, "permissions": role.tokens,
        "resource_type": level.kind().resource_type(), "resource_id": level.resource_id(),
    });
    audit::append(tx, by, &level.place(Event::new("role.created", &role.id, payload)))?;
    Ok(role)
}

/// What a role would permit after these changes and does not now.
#[must_use]
pub fn added(role: &Role, changes: &Changes) -> Permissions {
    let wanted: Permissions = changes.tokens.iter().flatten().map(String::as_str).collect();
    wanted.beyond(&role.permissions())
}

/// Changes a role, for everybody who has it.
pub fn update(
    tx: &mut Tx<'_>,
    by: &Author,
    level: &Level,
    role: Role,
    changes: &Changes,
) -> Result<Role> {
    let mut after = Role {
        name: changes.name.clone().unwrap_or_else(|| role.name.clone()),
        description: changes.description.clone().apply(role.description.clone()),
        tokens: changes.tokens.clone().unwrap_or_else(|| role.tokens.clone()),
        ..role.clone()
    };
    let requested = difference(level, &role, &after);
    let Some(requested) = requested else { return Ok(role) };
    if after.name != role.name {
        refuse_built_in_name(level, &after.name)?;
        if find_by_name(tx, level, &after.name)?.is_some() {
            return Err(name_taken(&after.name));
        }
    }
    after.updated_at = Some(by.now);
    tx.execute(
        "UPDATE roles SET name = $4, description = $5, permissions = $6, reaches_projects = $7, updated_at = $8
         WHERE organization_id = $1 AND project_id = $2 AND id = $3",
        args![
            &level.organization,
            level.project_key(),
            &role.id,
            &after.name,
            after.description.as_deref(),
            &after.tokens.join(" "),
            after.permissions().reaches_projects(),
            by.now
        ],
    )?;
    let payload = json!({ "id": role.id, "changes_requested": requested });
    audit::append(tx, by, &level.place(Event::new("role.updated", &role.id, payload)))?;
    Ok(after)
}

/// What an event says of a change; none if there is no change.
fn difference(level: &Level, before: &Role, after: &Role) -> Option<Value> {
    let mut told = Map::new();
    if after.name != before.name {
        told.insert("role_name".to_owned(), json!(after.name));
    }
    if after.description != before.description {
        told.insert("description".to_owned(), json!(after.description.as_deref().unwrap_or("")));
    }
    if after.tokens != before.tokens {
        let beyond = |these: &Role, those: &Role| -> Vec<String> {
            let those: HashSet<_> = those.tokens.iter().collect();
            these.tokens.iter().filter(|token| !those.contains(token)).cloned().collect()
        };
        let (added, removed) = (beyond(after, before), beyond(before, after));
        told.insert("permissions_added".to_owned(), json!(added));
        told.insert("permissions_removed".to_owned(), json!(removed));
    }
    if told.is_empty() {
        return None;
    }
    told.insert("resource_id".to_owned(), json!(level.resource_id()));
    told.insert("resource_type".to_owned(), json!(level.kind().resource_type()));
    Some(Value::Object(told))
}

/// Deletes a role and takes it from everybody who has it. A group for which it was the last one in a project leaves the project.
pub fn delete(tx: &mut Tx<'_>, by: &Author, level: &Level, role: &Role) -> Result<()> {
    let this = args![&level.organization, level.project_key(), &role.id];
    // The role is a range throughout, because then only the index by role fits: with an equality SQLite takes the primary key of
    // the assignments to be as good, and reads those of everybody.
    if level.project.is_some() {
        tx.execute(
            "DELETE FROM project_groups WHERE organization_id = $1 AND project_id = $2 AND group_id IN (
                 SELECT a.principal_id FROM role_assignments a
                 WHERE a.organization_id = $1 AND a.project_id = $2
                     AND (a.role_id, a.principal_type, a.principal_id) > ($3, 'group', '') AND a.role_id <= $3
                     AND a.principal_type = 'group'
             ) AND NOT EXISTS (
                 SELECT 1 FROM role_assignments o
                 WHERE o.organization_id = $1 AND o.project_id = $2 AND o.principal_type = 'group'
                     AND o.principal_id = project_groups.group_id AND o.role_id <> $3
             )",
            this,
        )?;
    }
    tx.execute(
        "DELETE FROM role_assignments
         WHERE organization_id = $1 AND project_id = $2 AND (role_id, principal_type, principal_id) > ($3, '', '')
             AND role_id <= $3",
        this,
    )?;
    tx.execute(
        "DELETE FROM roles WHERE organization_id = $1 AND project_id = $2 AND id = $3",
        this,
    )?;
    let payload = json!({ "id": role.id });
    audit::append(tx, by, &level.place(Event::new("role.deleted", &role.id, payload)))
}

fn refuse_built_in_name(level: &Level, name: &str) -> Result<()> {
    BuiltIn::from_name(level.kind(), name).map_or(Ok(()), |_| Err(name_taken(name)))
}

fn name_taken(name: &str) -> Error {
    let message = format!("A role named '{name}' already exists here. Choose another name.");
    Error::invalid("already_exists", message).param("role_name")
}
