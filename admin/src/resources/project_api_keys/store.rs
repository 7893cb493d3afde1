//! Project keys: rules and rows.

use std::sync::LazyLock;

use serde_json::json;
use sql::{Row, Tx, args};

pub use super::holder::{Holder, HolderOwner, find_holder};
use crate::audit::{self, Author, Event};
use crate::domain::id::is_possible_id;
use crate::domain::page::{PageRequest, Slice};
use crate::domain::permission::Permissions;
use crate::domain::role::{BuiltIn, OrganizationRole, ProjectRole};
use crate::domain::secret::KeyHash;
use crate::error::{Error, Kind, Result};
use crate::holdings;
use crate::resources::projects::store::Project;
use crate::usage::names::{self, Of};
use crate::uses::Use;

/// Whose key one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerKind {
    /// A person's.
    User,
    /// A service account's.
    ServiceAccount,
}

impl OwnerKind {
    /// The word in the store and on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ServiceAccount => "service_account",
        }
    }
}

/// A project key, without the secret, which nobody has any more.
#[derive(Debug, Clone)]
pub struct ProjectKey {
    /// The id by which it is deleted.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// Enough of the secret to recognise it.
    pub redacted_value: String,
    /// When it was made, in seconds.
    pub created_at: i64,
    /// When it was seen in use, within minutes.
    pub last_used_at: Option<i64>,
    /// When it stops, in seconds.
    pub expires_at: Option<i64>,
    /// Whether its owner may use the project.
    pub is_active: bool,
    /// Whose key it is.
    pub owner: Owner,
}

/// The person or account behind a key.
#[derive(Debug, Clone)]
pub struct Owner {
    /// Which of the two.
    pub kind: OwnerKind,
    /// The owner's id.
    pub id: String,
    /// A person's address.
    pub email: Option<String>,
    /// The name to show.
    pub name: String,
    /// When the owner came into the organization, in seconds.
    pub created_at: i64,
    /// The owner's built-in role in the project, as it is shown.
    pub role: &'static str,
}

/// Which keys a list shows, by what their owners may do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Those of direct members and of service accounts.
    Direct,
    /// Those whose owner may use the project, in whatever way.
    Active,
    /// Those whose owner left or may not use the project.
    Inactive,
    /// All of them.
    Any,
}

/// Whether the owner of `k` may use its project: what `holdings::reaches` says, for many keys in one statement.
///
/// That the owner did not leave is asked again in each part, because it keeps PostgreSQL from answering a part for all keys at
/// once, which would read a whole table for one page.
const IS_ACTIVE: &str = "
    k.owner_kind = 'service_account' OR k.owner_left_at IS NULL AND (
    EXISTS (SELECT 1 FROM project_members m WHERE k.owner_left_at IS NULL AND m.organization_id = k.organization_id
        AND m.project_id = k.project_id AND m.user_id = k.owner_id)
    OR EXISTS (SELECT 1 FROM users u WHERE k.owner_left_at IS NULL AND u.organization_id = k.organization_id
        AND u.id = k.owner_id AND u.role = 'owner')
    OR EXISTS (SELECT 1 FROM role_assignments a WHERE k.owner_left_at IS NULL AND a.organization_id = k.organization_id
        AND a.project_id = k.project_id AND a.principal_type = 'user' AND a.principal_id = k.owner_id)
    OR EXISTS (SELECT 1 FROM role_assignments a
        LEFT JOIN roles r ON r.organization_id = a.organization_id AND r.project_id = a.project_id AND r.id = a.role_id
        WHERE k.owner_left_at IS NULL AND a.organization_id = k.organization_id AND a.project_id = ''
            AND a.principal_type = 'user' AND a.principal_id = k.owner_id
            AND (a.role_id = 'role-api-organization-owner' OR r.reaches_projects))
    OR EXISTS (SELECT 1 FROM group_members g
        JOIN role_assignments a ON a.organization_id = g.organization_id AND a.project_id = k.project_id
            AND a.principal_type = 'group' AND a.principal_id = g.group_id
        WHERE k.owner_left_at IS NULL AND g.organization_id = k.organization_id
            AND (g.user_id, g.group_id) > (k.owner_id, '') AND g.user_id <= k.owner_id)
    OR EXISTS (SELECT 1 FROM group_members g
        JOIN role_assignments a ON a.organization_id = g.organization_id AND a.project_id = ''
            AND a.principal_type = 'group' AND a.principal_id = g.group_id
        LEFT JOIN roles r ON r.organization_id = a.organization_id AND r.project_id = a.project_id AND r.id = a.role_id
        WHERE k.owner_left_at IS NULL AND g.organization_id = k.organization_id
            AND (g.user_id, g.group_id) > (k.owner_id, '') AND g.user_id <= k.owner_id
            AND (a.role_id = 'role-api-organization-owner' OR r.reaches_projects)))";

/// Whether the owner of `k` is a direct member of the project or a service account.
const IS_DIRECT: &str = "
    k.owner_kind = 'service_account' OR k.owner_left_at IS NULL AND EXISTS (
        SELECT 1 FROM project_members m WHERE k.owner_left_at IS NULL AND m.organization_id = k.organization_id
            AND m.project_id = k.project_id AND m.user_id = k.owner_id)";

/// The statement that shows the keys for which a condition on `k` holds: cut first, then joined with their owners. Each join needs
/// the one before it, so that there is one order for all pages.
fn showing(condition: &str, rest: &str) -> String {
    format!(
        "SELECT k.id, k.name, k.redacted_value, k.created_at, k.last_used_at, k.expires_at, k.owner_kind, k.owner_id,
             COALESCE(k.owner_email, u.email), COALESCE(k.owner_name, k.owner_email, u.name, u.email, s.name, k.owner_id),
             COALESCE(k.owner_added_at, u.added_at, s.created_at, k.created_at),
             CASE WHEN k.owner_left_at IS NULL THEN COALESCE(m.role, s.role) END,
             CASE WHEN k.owner_left_at IS NULL THEN u.role END,
             CASE WHEN {IS_ACTIVE} THEN 1 ELSE 0 END
         FROM (SELECT k.organization_id, k.project_id, k.id, k.name, k.redacted_value, k.created_at, k.last_used_at,
                   k.expires_at, k.owner_kind, k.owner_id, k.owner_left_at, k.owner_email, k.owner_name, k.owner_added_at
               FROM project_api_keys k WHERE k.organization_id = $1 AND k.project_id = $2 AND {condition} {rest}) k
         LEFT JOIN users u ON k.owner_kind = 'user' AND u.organization_id = k.organization_id AND u.id = k.owner_id
         LEFT JOIN project_members m ON m.organization_id = u.organization_id AND m.project_id = k.project_id
             AND m.user_id = u.id
         LEFT JOIN service_accounts s ON m.user_id IS NULL AND k.owner_kind = 'service_account'
             AND s.organization_id = k.organization_id AND s.project_id = k.project_id AND s.id = k.owner_id
         ORDER BY k.id"
    )
}

static ANY: LazyLock<String> = LazyLock::new(|| showing("k.id > $3", "ORDER BY k.id LIMIT $4"));
static DIRECT: LazyLock<String> =
    LazyLock::new(|| showing(&format!("k.id > $3 AND ({IS_DIRECT})"), "ORDER BY k.id LIMIT $4"));
static ACTIVE: LazyLock<String> =
    LazyLock::new(|| showing(&format!("k.id > $3 AND ({IS_ACTIVE})"), "ORDER BY k.id LIMIT $4"));
static INACTIVE: LazyLock<String> = LazyLock::new(|| {
    showing(&format!("k.id > $3 AND NOT ({IS_ACTIVE})"), "ORDER BY k.id LIMIT $4")
});
static BY_ID: LazyLock<String> = LazyLock::new(|| showing("k.id = $3", ""));

impl ProjectKey {
    fn from_row(row: &Row<'_>) -> sql::Result<Self> {
        let kind: String = row.get(6)?;
        let kind = if kind == OwnerKind::User.name() {
            OwnerKind::User
        } else {
            OwnerKind::ServiceAccount
        };
        let (project, organization): (Option<String>, Option<String>) =
            (row.get(11)?, row.get(12)?);
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            redacted_value: row.get(2)?,
            created_at: row.get(3)?,
            last_used_at: row.get(4)?,
            expires_at: row.get(5)?,
            is_active: row.get(13)?,
            owner: Owner {
                kind,
                id: row.get(7)?,
                email: row.get(8)?,
                name: row.get(9)?,
                created_at: row.get(10)?,
                role: shown_role(kind, project.as_deref(), organization.as_deref()),
            },
        })
    }
}

/// The built-in role to show of an owner: the one in the project, if there is one. An owner of the organization is an owner of
/// each project, and whoever else may use one is shown as a member.
fn shown_role(kind: OwnerKind, project: Option<&str>, organization: Option<&str>) -> &'static str {
    let is_owner = organization == Some(OrganizationRole::Owner.name());
    match (kind, project.and_then(ProjectRole::from_name)) {
        (_, Some(role)) => role.name(),
        (OwnerKind::ServiceAccount, None) => "none",
        (OwnerKind::User, None) if is_owner => ProjectRole::Owner.name(),
        (OwnerKind::User, None) => ProjectRole::Member.name(),
    }
}

/// There is no such key in the project.
#[must_use]
pub fn not_found(id: &str) -> Error {
    Error::not_found("API key", id)
}

/// A page of a project's keys, by id. Expired ones stay until they are deleted.
pub fn list(
    tx: &mut Tx<'_>,
    organization: &str,
    project: &str,
    access: Access,
    page: &PageRequest,
) -> Result<Slice<ProjectKey>> {
    let sql = match access {
        Access::Direct => &DIRECT,
        Access::Active => &ACTIVE,
        Access::Inactive => &INACTIVE,
        Access::Any => &ANY,
    };
    let arguments = args![organization, project, &page.above, page.fetch()];
    Ok(page.cut(tx.all(sql, arguments, ProjectKey::from_row)?))
}

/// The key of this id in this project, or 404.
pub fn find(tx: &mut Tx<'_>, organization: &str, project: &str, id: &str) -> Result<ProjectKey> {
    if !is_possible_id(id) {
        return Err(not_found(id));
    }
    let found = tx.one(&BY_ID, args![organization, project, id], ProjectKey::from_row)?;
    found.ok_or_else(|| not_found(id))
}

/// What a person may do in a project, if they may use it at all.
pub fn access_of_person(
    tx: &mut Tx<'_>,
    organization: &str,
    project: &str,
    person: &str,
) -> Result<Option<Permissions>> {
    let sql = "SELECT u.role, m.user_id, m.role FROM users u
        LEFT JOIN project_members m ON m.organization_id = u.organization_id AND m.project_id = $2 AND m.user_id = u.id
        WHERE u.organization_id = $1 AND u.id = $3";
    let read = |row: &Row<'_>| {
        let (own, member, role): (Option<String>, Option<String>, Option<String>) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let own = own.as_deref().and_then(OrganizationRole::from_name).map(BuiltIn::from);
        let role = role.as_deref().and_then(ProjectRole::from_name).map(BuiltIn::from);
        Ok((member.is_some(), own.into_iter().chain(role).collect::<Vec<_>>()))
    };
    let Some((is_member, built_in)) = tx.one(sql, args![organization, project, person], read)?
    else {
        return Ok(None);
    };
    let grants = holdings::grants_of_user(tx, organization, Some(project), person)?;
    let all = holdings::effective(&built_in, &grants);
    Ok(holdings::reaches(is_member, &grants, project, &all).then_some(all))
}

/// Deletes a key. It is dead for every request that starts after this transaction. A service account's keys go with it.
pub fn delete(tx: &mut Tx<'_>, by: &Author, project: &Project, key: &ProjectKey) -> Result<()> {
    if key.owner.kind == OwnerKind::ServiceAccount {
        let message =
            "API keys of service accounts cannot be deleted. Delete the service account instead.";
        return Err(Error::new(Kind::Invalid, message));
    }
    names::remember(tx, by.organization_id(), Of::ApiKey, &key.id, Some(&key.name), None)?;
    tx.execute(
        "DELETE FROM project_api_keys WHERE organization_id = $1 AND project_id = $2 AND id = $3",
        args![by.organization_id(), &project.id, &key.id],
    )?;
    let payload = json!({ "id": key.id });
    audit::append(tx, by, &Event::new("api_key.deleted", &key.id, payload).in_project(&project.id))
}

/// Ends every key of a service account that goes, without an event of their own: they go with it.
pub fn end_all_of(tx: &mut Tx<'_>, organization: &str, account: &str) -> Result<()> {
    // The owner is a range, because then only the index by owner fits.
    tx.execute(
        "DELETE FROM project_api_keys
         WHERE organization_id = $1 AND (owner_id, project_id, id) > ($2, '', '') AND owner_id <= $2
             AND owner_kind = 'service_account'",
        args![organization, account],
    )?;
    Ok(())
}

/// Notes when keys were used. Not a change in the sense of the record: it has no event.
pub fn record_uses(tx: &mut Tx<'_>, used: &[Use]) -> Result<()> {
    let sql = "UPDATE project_api_keys SET last_used_at = $4
        WHERE organization_id = $1 AND project_id = $2 AND id = $3";
    for one in used {
        tx.execute(sql, args![&one.organization, &one.project, &one.key, one.at])?;
    }
    Ok(())
}

/// A key about to be made. The secret itself stays with whoever shows it.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// The id to be.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What is kept of the secret.
    pub hash: KeyHash,
    /// What is shown of the secret.
    pub redacted_value: String,
    /// What it is limited to: permissions in the order in which they were told. Without this, it may do what its owner may.
    pub scopes: Option<Vec<String>>,
    /// When it stops, in seconds.
    pub expires_at: Option<i64>,
}

/// Makes a key of this owner for a project.
pub fn insert(
    tx: &mut Tx<'_>,
    by: &Author,
    project: &str,
    (kind, owner): (OwnerKind, &str),
    new: &NewKey,
) -> Result<()> {
    let scopes = new.scopes.as_ref().map(|scopes| scopes.join(" "));
    tx.execute(
        "INSERT INTO project_api_keys (organization_id, project_id, id, owner_kind, owner_id, name, secret_hash,
             redacted_value, scopes, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        args![
            by.organization_id(),
            project,
            &new.id,
            kind.name(),
            owner,
            &new.name,
            new.hash.bytes(),
            &new.redacted_value,
            scopes.as_deref(),
            by.now,
            new.expires_at
        ],
    )?;
    let scopes = new.scopes.as_deref().unwrap_or_default();
    let payload = json!({ "id": new.id, "data": { "scopes": scopes } });
    audit::append(tx, by, &Event::new("api_key.created", &new.id, payload).in_project(project))
}
