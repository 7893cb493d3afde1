//! What a project key opens: found by the hash of its secret, with all that decides what may be done with it.

use sql::{Row, Tx, args};

use crate::domain::decision::{ModelVerdict, Standing};
use crate::domain::permission::Permissions;
use crate::domain::role::{BuiltIn, OrganizationRole, ProjectRole};
use crate::domain::secret::KeyHash;
use crate::error::Result;
use crate::holdings;
use crate::organization::Organization;

/// A project key as it stands in one state of the store. Nothing in it depends on the time.
#[derive(Debug, Clone)]
pub struct Holder {
    /// The organization.
    pub organization: Organization,
    /// The project that the key opens.
    pub project_id: String,
    /// What people call it.
    pub project_name: String,
    /// Whether it is archived, which ends every key of it.
    pub is_archived: bool,
    /// The key's id.
    pub key_id: String,
    /// What the key is for.
    pub key_name: String,
    /// What the key is limited to; without this, it may do whatever its owner may.
    pub scopes: Option<Permissions>,
    /// When it stops, in seconds.
    pub expires_at: Option<i64>,
    /// When it was seen in use, in seconds.
    pub last_used_at: Option<i64>,
    /// Whose key it is.
    pub owner: HolderOwner,
    /// What the owner may do in the project, by every role there is.
    pub effective: Permissions,
    /// Whether the owner may use the project at all.
    pub reaches: bool,
}

/// Whose key it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HolderOwner {
    /// A person of the organization.
    User {
        /// The person's id.
        id: String,
        /// The person's address.
        email: String,
        /// The name to show.
        name: String,
    },
    /// A service account of the project.
    Account {
        /// The account's id.
        id: String,
        /// The account's name.
        name: String,
        /// Its built-in role, if it has one.
        role: Option<ProjectRole>,
    },
    /// A person who left the organization, as far as they are remembered.
    Left {
        /// The person's id.
        id: String,
        /// The person's address at that time.
        email: String,
        /// The name to show.
        name: String,
    },
}

impl HolderOwner {
    /// The owner's id.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::User { id, .. } | Self::Account { id, .. } | Self::Left { id, .. } => id,
        }
    }
}

impl Holder {
    /// What matters of the key for a decision at this time, as far as it is not about a model.
    #[must_use]
    pub fn standing(&self, now: i64) -> Standing<'_> {
        Standing {
            now,
            expires_at: self.expires_at,
            is_archived: self.is_archived,
            has_left: matches!(self.owner, HolderOwner::Left { .. }),
            reaches: self.reaches,
            effective: &self.effective,
            scopes: self.scopes.as_ref(),
            model: ModelVerdict::Free,
        }
    }
}

/// What the first statement finds of the owner's roles, beside the holder itself.
struct Found {
    holder: Holder,
    is_member: bool,
    built_in: Vec<BuiltIn>,
}

impl Found {
    fn from_row(row: &Row<'_>) -> sql::Result<Self> {
        let scopes: Option<String> = row.get(8)?;
        let archived_at: Option<i64> = row.get(5)?;
        let member: Option<String> = row.get(17)?;
        let owner = owner(row)?;
        let built_in = match &owner {
            HolderOwner::User { .. } => person_roles(row)?,
            HolderOwner::Account { role, .. } => role.iter().copied().map(BuiltIn::from).collect(),
            HolderOwner::Left { .. } => Vec::new(),
        };
        let holder = Holder {
            organization: Organization::from_row(row, 0)?,
            project_id: row.get(3)?,
            project_name: row.get(4)?,
            is_archived: archived_at.is_some(),
            key_id: row.get(6)?,
            key_name: row.get(7)?,
            scopes: scopes.as_deref().map(Permissions::parse),
            expires_at: row.get(9)?,
            last_used_at: row.get(10)?,
            owner,
            effective: Permissions::default(),
            reaches: false,
        };
        Ok(Self { holder, is_member: member.is_some(), built_in })
    }

    /// Completes the holder with what is assigned beyond the columns of the first statement. Nobody asks for that if it cannot
    /// matter: an owner of the organization may do everything, and whoever left nothing.
    fn complete(self, tx: &mut Tx<'_>) -> Result<Holder> {
        let Self { mut holder, is_member, built_in } = self;
        let grants = match &holder.owner {
            HolderOwner::Left { .. } => return Ok(holder),
            _ if built_in.contains(&BuiltIn::OrganizationOwner) => Vec::new(),
            HolderOwner::User { id, .. } | HolderOwner::Account { id, .. } => {
                let project = Some(holder.project_id.as_str());
                holdings::grants_of_user(tx, &holder.organization.id, project, id)?
            }
        };
        let is_account = matches!(holder.owner, HolderOwner::Account { .. });
        holder.effective = holdings::effective(&built_in, &grants);
        let (project, all) = (&holder.project_id, &holder.effective);
        holder.reaches = is_account || holdings::reaches(is_member, &grants, project, all);
        Ok(holder)
    }
}

/// The owner from the person, the account, or what the key remembers of somebody who is neither any more.
fn owner(row: &Row<'_>) -> sql::Result<HolderOwner> {
    let id: String = row.get(11)?;
    let email: Option<String> = row.get(14)?;
    let name: Option<String> = row.get(15)?;
    let account: Option<String> = row.get(19)?;
    let left_at: Option<i64> = row.get(12)?;
    if let Some(name) = account {
        let role: Option<String> = row.get(20)?;
        let role = role.as_deref().and_then(ProjectRole::from_name);
        return Ok(HolderOwner::Account { id, name, role });
    }
    if let (Some(email), None) = (email, left_at) {
        let name = name.unwrap_or_else(|| email.clone());
        return Ok(HolderOwner::User { id, email, name });
    }
    let (email, name): (Option<String>, Option<String>) = (row.get(13)?, row.get(21)?);
    let email = email.unwrap_or_default();
    let name = name.unwrap_or_else(|| email.clone());
    Ok(HolderOwner::Left { id, email, name })
}

/// The built-in roles that stand in a person's own columns.
fn person_roles(row: &Row<'_>) -> sql::Result<Vec<BuiltIn>> {
    let (organization, project): (Option<String>, Option<String>) = (row.get(16)?, row.get(18)?);
    let organization = organization.as_deref().and_then(OrganizationRole::from_name);
    let project = project.as_deref().and_then(ProjectRole::from_name);
    Ok(organization.map(BuiltIn::from).into_iter().chain(project.map(BuiltIn::from)).collect())
}

/// What the key with this hash opens, if there is one. Two statements at most, however much its owner holds.
pub fn find_holder(tx: &mut Tx<'_>, hash: &KeyHash) -> Result<Option<Holder>> {
    let sql = "SELECT o.id, o.slug, o.default_project_id, p.id, p.name, p.archived_at, k.id, k.name, k.scopes, k.expires_at,
                   k.last_used_at, k.owner_id, k.owner_left_at, k.owner_email, u.email, u.name, u.role, m.user_id, m.role,
                   s.name, s.role, k.owner_name
               FROM project_api_keys k
               JOIN organizations o ON o.id = k.organization_id
               JOIN projects p ON p.organization_id = k.organization_id AND p.id = k.project_id
               LEFT JOIN users u ON k.owner_kind = 'user' AND u.organization_id = k.organization_id AND u.id = k.owner_id
               LEFT JOIN project_members m ON k.owner_kind = 'user' AND m.organization_id = k.organization_id
                   AND m.project_id = k.project_id AND m.user_id = k.owner_id
               LEFT JOIN service_accounts s ON k.owner_kind = 'service_account' AND s.organization_id = k.organization_id
                   AND s.project_id = k.project_id AND s.id = k.owner_id
               WHERE k.secret_hash = $1";
    match tx.one(sql, args![hash.bytes()], Found::from_row)? {
        Some(found) => found.complete(tx).map(Some),
        None => Ok(None),
    }
}
