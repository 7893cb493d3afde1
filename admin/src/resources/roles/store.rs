//! Roles: rules and rows. The built-in ones are part of the program and stand in front of no table.

use sql::{Row, Tx, args};

use crate::domain::id::is_possible_id;
use crate::domain::level::LevelKind;
use crate::domain::page::{Order, PageRequest, Slice};
use crate::domain::permission::Permissions;
use crate::domain::role::BuiltIn;
use crate::error::{Error, Kind as ErrorKind, Result};
use crate::holdings::Grant;
use crate::resources::level::Level;

/// A role of either kind.
#[derive(Debug, Clone)]
pub struct Role {
    /// The id as assignments store it: of a custom role its own, of a built-in one the alias.
    pub id: String,
    /// The name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it permits, in the order in which it was told.
    pub tokens: Vec<String>,
    /// The built-in role, if it is one.
    pub built_in: Option<BuiltIn>,
    /// When it was made, in seconds; nobody made a built-in one.
    pub created_at: Option<i64>,
    /// When it was changed last, in seconds.
    pub updated_at: Option<i64>,
    /// Who made it.
    pub created_by: Option<String>,
}

impl Role {
    /// A built-in role.
    #[must_use]
    pub fn of(built_in: BuiltIn) -> Self {
        Self {
            id: built_in.alias().to_owned(),
            name: built_in.name().to_owned(),
            description: Some(built_in.description().to_owned()),
            tokens: built_in.permissions().known().map(|(token, _)| token.to_owned()).collect(),
            built_in: Some(built_in),
            created_at: None,
            updated_at: None,
            created_by: None,
        }
    }

    /// The role that was assigned, if it still is one.
    #[must_use]
    pub fn granted(grant: &Grant) -> Option<Self> {
        if let Some(built_in) = grant.built_in() {
            return Some(Self::of(built_in));
        }
        let custom = grant.custom.as_ref()?;
        Some(Self {
            id: grant.role_id.clone(),
            name: custom.name.clone(),
            description: custom.description.clone(),
            tokens: tokens(&custom.permissions),
            built_in: None,
            created_at: Some(custom.created_at),
            updated_at: Some(custom.updated_at),
            created_by: custom.created_by.clone(),
        })
    }

    /// Reads `id, name, description, permissions, created_at, updated_at, created_by` of a custom role.
    pub fn from_row(row: &Row<'_>) -> sql::Result<Self> {
        let permissions: String = row.get(3)?;
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            description: row.get(2)?,
            tokens: tokens(&permissions),
            built_in: None,
            created_at: row.get(4)?,
            updated_at: row.get(5)?,
            created_by: row.get(6)?,
        })
    }

    /// What it permits.
    #[must_use]
    pub fn permissions(&self) -> Permissions {
        match self.built_in {
            Some(role) => role.permissions().clone(),
            None => self.tokens.iter().map(String::as_str).collect(),
        }
    }

    /// The id as it is shown: a built-in role's is scoped to the place.
    #[must_use]
    pub fn shown_id(&self, level: &Level) -> String {
        self.built_in.map_or_else(|| self.id.clone(), |role| role.scoped_id(level.resource_id()))
    }
}

/// Reads the stored form of what a role permits.
fn tokens(stored: &str) -> Vec<String> {
    stored.split(' ').filter(|token| !token.is_empty()).map(str::to_owned).collect()
}

/// There is no such role at this level.
#[must_use]
pub fn not_found(level: &Level, id: &str) -> Error {
    let mut error = Error::not_found("Role", id);
    if level.kind() == LevelKind::Project {
        error.message = format!("Role with id '{id}' not found in project.");
    }
    error
}

/// The role of this id at this level, in either spelling of a built-in one, or 404.
pub fn find(tx: &mut Tx<'_>, level: &Level, id: &str) -> Result<Role> {
    if let Some(built_in) = BuiltIn::from_id(level.kind(), level.resource_id(), id) {
        return Ok(Role::of(built_in));
    }
    if !is_possible_id(id) {
        return Err(not_found(level, id));
    }
    let sql =
        "SELECT id, name, description, permissions, created_at, updated_at, created_by FROM roles
        WHERE organization_id = $1 AND project_id = $2 AND id = $3";
    let found = tx.one(sql, args![&level.organization, level.project_key(), id], Role::from_row)?;
    found.ok_or_else(|| not_found(level, id))
}

/// The same for a role that a body names in this member.
pub fn find_named(tx: &mut Tx<'_>, level: &Level, id: &str, param: &str) -> Result<Role> {
    find(tx, level, id).map_err(|error| match error.kind {
        ErrorKind::NotFound => error.param(param),
        _ => error,
    })
}

/// The same, where a role may also be named by its name. An id comes before a custom name, so that nobody gets another role than
/// the one of the id because somebody called theirs so.
pub fn find_spelled(tx: &mut Tx<'_>, level: &Level, text: &str) -> Result<Role> {
    if let Some(built_in) = BuiltIn::from_name(level.kind(), text) {
        return Ok(Role::of(built_in));
    }
    match find(tx, level, text) {
        Err(unknown) if unknown.kind == ErrorKind::NotFound && is_possible_id(text) => {
            find_by_name(tx, level, text)?.ok_or(unknown)
        }
        found => found,
    }
}

/// The custom role of this name at this level, if there is one.
pub fn find_by_name(tx: &mut Tx<'_>, level: &Level, name: &str) -> Result<Option<Role>> {
    // The name is a range, because then only the index of names fits.
    let sql =
        "SELECT id, name, description, permissions, created_at, updated_at, created_by FROM roles
        WHERE organization_id = $1 AND project_id = $2 AND name >= $3 AND name <= $3";
    Ok(tx.one(sql, args![&level.organization, level.project_key(), name], Role::from_row)?)
}

/// A page of a level's roles by the ids that are shown, built-in ones among the others.
pub fn list(tx: &mut Tx<'_>, level: &Level, page: &PageRequest) -> Result<Slice<Role>> {
    let direction = match page.order {
        Order::Ascending => "ASC",
        Order::Descending => "DESC",
    };
    let sql = format!(
        "SELECT id, name, description, permissions, created_at, updated_at, created_by FROM roles
         WHERE organization_id = $1 AND project_id = $2 AND id > $3 AND id < $4
         ORDER BY id {direction} LIMIT $5"
    );
    let this =
        args![&level.organization, level.project_key(), &page.above, &page.below, page.fetch()];
    let mut roles = tx.all(&sql, this, Role::from_row)?;
    roles.extend(BuiltIn::of(level.kind()).iter().copied().map(Role::of));
    let shown = roles.into_iter().map(|role| (role.shown_id(level), role)).collect();
    let slice = page.slice(shown, |(id, _): &(String, Role)| id);
    let rows = slice.rows.into_iter().map(|(_, role)| role).collect();
    Ok(Slice { rows, has_more: slice.has_more })
}
