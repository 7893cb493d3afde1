//! What a principal holds: every role that somebody has, directly or through a group, and what that permits.
//!
//! Nothing here is copied into a key or anywhere else: it is asked for whenever it matters, so a role that was taken away is gone
//! at the next question.

use std::sync::LazyLock;

use sql::{Row, Tx, args};

use crate::domain::level::LevelKind;
use crate::domain::permission::Permissions;
use crate::domain::role::BuiltIn;
use crate::error::Result;

/// The two kinds of principals that roles are assigned to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// People and service accounts.
    User,
    /// Groups of them.
    Group,
}

impl Kind {
    /// The word in the store and on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
        }
    }
}

/// A custom role, as an assignment finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomRole {
    /// The name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it permits, in the order in which it was told.
    pub permissions: String,
    /// When it was made, in seconds.
    pub created_at: i64,
    /// When it was changed last, in seconds.
    pub updated_at: i64,
    /// Who made it.
    pub created_by: Option<String>,
}

/// One role that a principal has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The project in which the role holds; empty for the organization.
    pub project_id: String,
    /// The id of a custom role, or the alias of a built-in one.
    pub role_id: String,
    /// The group through which the principal has it.
    pub via: Option<String>,
    /// The custom role.
    pub custom: Option<CustomRole>,
}

impl Grant {
    /// Reads `project_id, role_id, via, name, description, permissions, created_at, updated_at, created_by`.
    fn from_row(row: &Row<'_>) -> sql::Result<Self> {
        let name: Option<String> = row.get(3)?;
        let custom = name.map(|name| -> sql::Result<CustomRole> {
            Ok(CustomRole {
                name,
                description: row.get(4)?,
                permissions: row.get(5)?,
                created_at: row.get(6)?,
                updated_at: row.get(7)?,
                created_by: row.get(8)?,
            })
        });
        Ok(Self {
            project_id: row.get(0)?,
            role_id: row.get(1)?,
            via: row.get(2)?,
            custom: custom.transpose()?,
        })
    }

    /// The built-in role, if it is one.
    #[must_use]
    pub fn built_in(&self) -> Option<BuiltIn> {
        let level =
            if self.project_id.is_empty() { LevelKind::Organization } else { LevelKind::Project };
        BuiltIn::of(level).iter().copied().find(|role| role.alias() == self.role_id)
    }

    /// What the role permits.
    #[must_use]
    pub fn permissions(&self) -> Permissions {
        match (self.built_in(), &self.custom) {
            (Some(role), _) => role.permissions().clone(),
            (None, Some(custom)) => Permissions::parse(&custom.permissions),
            (None, None) => Permissions::default(),
        }
    }
}

/// The assignments of one principal at one level, with the custom roles among them.
fn own(project: &str, kind: &str, principal: &str) -> String {
    format!(
        "SELECT a.project_id, a.role_id, CAST(NULL AS TEXT), r.name, r.description, r.permissions, r.created_at, r.updated_at,
             r.created_by
         FROM role_assignments a
         LEFT JOIN roles r ON r.organization_id = a.organization_id AND r.project_id = a.project_id AND r.id = a.role_id
         WHERE a.organization_id = $1 AND a.project_id = {project} AND a.principal_type = '{kind}' AND a.principal_id = {principal}"
    )
}

/// The same of all groups of a person or service account.
///
/// The cross join makes SQLite begin with the groups: without statistics it takes it to be as good to begin with what is assigned
/// to anybody's. A range of one person does the same, but PostgreSQL takes that for a large part of everybody.
fn through_groups(project: &str, user: &str) -> String {
    format!(
        "SELECT a.project_id, a.role_id, m.group_id, r.name, r.description, r.permissions, r.created_at, r.updated_at, r.created_by
         FROM group_members m
         CROSS JOIN role_assignments a
         LEFT JOIN roles r ON r.organization_id = a.organization_id AND r.project_id = a.project_id AND r.id = a.role_id
         WHERE m.organization_id = $1 AND m.user_id = {user} AND a.organization_id = $1 AND a.project_id = {project}
             AND a.principal_type = 'group' AND a.principal_id = m.group_id"
    )
}

static OF_USER: LazyLock<String> =
    LazyLock::new(|| [own("''", "user", "$2"), through_groups("''", "$2")].join(" UNION ALL "));

/// One arm for each level and way, because with both levels in one PostgreSQL reads what somebody has in all projects.
static OF_USER_IN_PROJECT: LazyLock<String> = LazyLock::new(|| {
    let arms = [
        own("''", "user", "$3"),
        own("$2", "user", "$3"),
        through_groups("''", "$3"),
        through_groups("$2", "$3"),
    ];
    arms.join(" UNION ALL ")
});

static OF_GROUP: LazyLock<String> = LazyLock::new(|| own("$2", "group", "$3"));

/// What is assigned to a person or service account in the organization and, if one is named, in that project: directly, and
/// through groups.
pub fn grants_of_user(
    tx: &mut Tx<'_>,
    organization: &str,
    project: Option<&str>,
    user: &str,
) -> Result<Vec<Grant>> {
    Ok(match project {
        None => tx.all(&OF_USER, args![organization, user], Grant::from_row)?,
        Some(project) => {
            tx.all(&OF_USER_IN_PROJECT, args![organization, project, user], Grant::from_row)?
        }
    })
}

/// What is assigned to a group at one level: in this project, or in the organization if none is named.
pub fn grants_of_group(
    tx: &mut Tx<'_>,
    organization: &str,
    project: Option<&str>,
    group: &str,
) -> Result<Vec<Grant>> {
    Ok(tx.all(&OF_GROUP, args![organization, project.unwrap_or(""), group], Grant::from_row)?)
}

/// What is assigned to a group wherever it is: what whoever joins it gets.
pub fn grants_of_group_anywhere(
    tx: &mut Tx<'_>,
    organization: &str,
    group: &str,
) -> Result<Vec<Grant>> {
    let sql = "SELECT a.project_id, a.role_id, CAST(NULL AS TEXT), r.name, r.description, r.permissions, r.created_at, r.updated_at,
            r.created_by
        FROM role_assignments a
        LEFT JOIN roles r ON r.organization_id = a.organization_id AND r.project_id = a.project_id AND r.id = a.role_id
        WHERE a.organization_id = $1 AND a.principal_type = 'group'
            AND (a.principal_id, a.project_id, a.role_id) > ($2, '', '') AND a.principal_id <= $2";
    Ok(tx.all(sql, args![organization, group], Grant::from_row)?)
}

/// The only place where roles become permissions. Roles of the organization hold in each of its projects, and nothing is ever
/// denied.
#[must_use]
pub fn effective(built_in: &[BuiltIn], grants: &[Grant]) -> Permissions {
    let mut all = Permissions::default();
    for role in built_in {
        all.add(role.permissions());
    }
    for grant in grants {
        all.add(&grant.permissions());
    }
    all
}

/// Whether somebody may use a project at all: as a member of it, by a role in it, or by a role of the organization that is about
/// the use of projects, as the owner's is. `all` is what is effective there.
#[must_use]
pub fn reaches(is_member: bool, grants: &[Grant], project: &str, all: &Permissions) -> bool {
    is_member || all.reaches_projects() || grants.iter().any(|grant| grant.project_id == project)
}

/// Takes every role and group from a principal that goes, without an event of their own: they go with it.
pub fn forget(tx: &mut Tx<'_>, organization: &str, kind: Kind, id: &str) -> Result<()> {
    tx.execute(
        "DELETE FROM role_assignments
         WHERE organization_id = $1 AND principal_type = $2 AND (principal_id, project_id, role_id) > ($3, '', '')
             AND principal_id <= $3",
        args![organization, kind.name(), id],
    )?;
    if kind == Kind::User {
        tx.execute(
            "DELETE FROM group_members
             WHERE organization_id = $1 AND (user_id, group_id) > ($2, '') AND user_id <= $2",
            args![organization, id],
        )?;
    }
    Ok(())
}

/// Whether this principal has this role at this level itself, by a row of its own.
pub fn has(
    tx: &mut Tx<'_>,
    organization: &str,
    project: &str,
    kind: Kind,
    principal: &str,
    role: &str,
) -> Result<bool> {
    let sql = "SELECT 1 FROM role_assignments
        WHERE organization_id = $1 AND project_id = $2 AND principal_type = $3 AND principal_id = $4 AND role_id = $5";
    let found = tx.one(sql, args![organization, project, kind.name(), principal, role], |row| {
        row.get::<i64>(0)
    })?;
    Ok(found.is_some())
}

/// Gives a principal a role by a row of its own; false if it has it so already.
pub fn insert(
    tx: &mut Tx<'_>,
    organization: &str,
    project: &str,
    kind: Kind,
    principal: &str,
    role: &str,
    now: i64,
) -> Result<bool> {
    let sql = "INSERT INTO role_assignments (organization_id, project_id, principal_type, principal_id, role_id, created_at)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    Ok(tx.execute(sql, args![organization, project, kind.name(), principal, role, now])? > 0)
}

/// Takes such a role away; false if there was none.
pub fn remove(
    tx: &mut Tx<'_>,
    organization: &str,
    project: &str,
    kind: Kind,
    principal: &str,
    role: &str,
) -> Result<bool> {
    let sql = "DELETE FROM role_assignments
        WHERE organization_id = $1 AND project_id = $2 AND principal_type = $3 AND principal_id = $4 AND role_id = $5";
    Ok(tx.execute(sql, args![organization, project, kind.name(), principal, role])? > 0)
}
