//! Admin keys: rules and rows.

use serde_json::json;
use sql::{Row, Tx, args};

use crate::audit::{self, Author, Event};
use crate::domain::id::is_possible_id;
use crate::domain::page::{Order, PageRequest, Slice};
use crate::domain::role::OrganizationRole;
use crate::domain::scope::{Scope, Scopes};
use crate::domain::secret::KeyHash;
use crate::error::{Error, Result};
use crate::organization::Organization;
use crate::resources::users::store::User;

/// An admin key, without the secret, which nobody has any more.
#[derive(Debug, Clone)]
pub struct AdminKey {
    /// The id by which it is deleted.
    pub id: String,
    /// What it is for, in its maker's words.
    pub name: Option<String>,
    /// Enough of the secret to recognise it.
    pub redacted_value: String,
    /// When it was made, in seconds.
    pub created_at: i64,
    /// When it stops, in seconds.
    pub expires_at: Option<i64>,
    /// When it was seen in use, within minutes.
    pub last_used_at: Option<i64>,
    /// The person whose key it is.
    pub owner: Owner,
}

/// The person behind a key.
#[derive(Debug, Clone)]
pub struct Owner {
    /// The person's id.
    pub id: String,
    /// The name to show.
    pub name: String,
    /// When the person joined, in seconds.
    pub added_at: i64,
}

impl AdminKey {
    fn from_row(row: &Row<'_>) -> sql::Result<Self> {
        let (name, email): (Option<String>, String) = (row.get(7)?, row.get(8)?);
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            redacted_value: row.get(2)?,
            created_at: row.get(3)?,
            expires_at: row.get(4)?,
            last_used_at: row.get(5)?,
            owner: Owner { id: row.get(6)?, name: name.unwrap_or(email), added_at: row.get(9)? },
        })
    }
}

/// A key about to be made. The secret itself stays with whoever shows it.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// The id to be.
    pub id: String,
    /// What it is for.
    pub name: Option<String>,
    /// What is kept of the secret.
    pub hash: KeyHash,
    /// What is shown of the secret.
    pub redacted_value: String,
    /// What it may do.
    pub scopes: Scopes,
    /// When it stops, in seconds.
    pub expires_at: Option<i64>,
}

/// What a secret opens: found by hash, in the transaction of the request.
#[derive(Debug)]
pub struct FoundKey {
    /// The organization.
    pub organization: Organization,
    /// The key's id.
    pub key_id: String,
    /// What it may do.
    pub scopes: Scopes,
    /// When it stops, in seconds.
    pub expires_at: Option<i64>,
    /// When it was seen in use.
    pub last_used_at: Option<i64>,
    /// The owner's id.
    pub owner_id: String,
    /// The owner's address.
    pub owner_email: String,
    /// Whether that person is an owner of the organization. Nobody else may hold a key, whatever else the store says.
    pub is_owner: bool,
}

impl FoundKey {
    /// Whether the key opens anything at this time.
    #[must_use]
    pub fn is_valid(&self, now: i64) -> bool {
        self.is_owner && self.expires_at.is_none_or(|end| now < end)
    }
}

/// Who holds the key with this hash. The role is not part of the condition: an engine that knows how few owners there are
/// would begin with them and read them all.
pub fn find_by_secret(tx: &mut Tx<'_>, hash: &KeyHash) -> Result<Option<FoundKey>> {
    let sql = "SELECT o.id, o.slug, o.default_project_id, k.id, k.scopes, k.expires_at, k.last_used_at, u.id, u.email,
                   u.role
               FROM admin_api_keys k
               JOIN users u ON u.organization_id = k.organization_id AND u.id = k.owner_id
               JOIN organizations o ON o.id = k.organization_id
               WHERE k.secret_hash = $1";
    let read = |row: &Row<'_>| {
        let (scopes, role): (String, Option<String>) = (row.get(4)?, row.get(9)?);
        Ok(FoundKey {
            organization: Organization::from_row(row, 0)?,
            key_id: row.get(3)?,
            scopes: Scopes::parse(&scopes),
            expires_at: row.get(5)?,
            last_used_at: row.get(6)?,
            owner_id: row.get(7)?,
            owner_email: row.get(8)?,
            is_owner: role.as_deref() == Some(OrganizationRole::Owner.name()),
        })
    };
    Ok(tx.one(sql, args![hash.bytes()], read)?)
}

/// Notes when a key was used. Not a change in the sense of the record: it has no event.
pub fn record_use(tx: &mut Tx<'_>, organization: &str, id: &str, now: i64) -> Result<()> {
    let sql = "UPDATE admin_api_keys SET last_used_at = $3 WHERE organization_id = $1 AND id = $2";
    tx.execute(sql, args![organization, id, now])?;
    Ok(())
}

/// A page of keys, by id. Expired ones stay until they are deleted.
pub fn list(tx: &mut Tx<'_>, organization: &str, page: &PageRequest) -> Result<Slice<AdminKey>> {
    let direction = match page.order {
        Order::Ascending => "ASC",
        Order::Descending => "DESC",
    };
    let sql = format!(
        "SELECT k.id, k.name, k.redacted_value, k.created_at, k.expires_at, k.last_used_at, u.id, u.name, u.email, u.added_at
         FROM (SELECT organization_id, id, owner_id, name, redacted_value, created_at, expires_at, last_used_at
               FROM admin_api_keys WHERE organization_id = $1 AND id > $2 AND id < $3
               ORDER BY id {direction} LIMIT $4) k
         JOIN users u ON u.organization_id = k.organization_id AND u.id = k.owner_id
         ORDER BY k.id {direction}"
    );
    let rows = tx.all(
        &sql,
        args![organization, &page.above, &page.below, page.fetch()],
        AdminKey::from_row,
    )?;
    Ok(page.cut(rows))
}

/// The key of this id, or 404.
pub fn find(tx: &mut Tx<'_>, organization: &str, id: &str) -> Result<AdminKey> {
    let not_found = || Error::not_found("Admin API key", id);
    if !is_possible_id(id) {
        return Err(not_found());
    }
    let found = tx.one(
        "SELECT k.id, k.name, k.redacted_value, k.created_at, k.expires_at, k.last_used_at, u.id, u.name, u.email, u.added_at
         FROM admin_api_keys k JOIN users u ON u.organization_id = k.organization_id AND u.id = k.owner_id
         WHERE k.organization_id = $1 AND k.id = $2",
        args![organization, id],
        AdminKey::from_row,
    )?;
    found.ok_or_else(not_found)
}

/// Makes a key for an owner.
pub fn create(tx: &mut Tx<'_>, by: &Author, owner: &User, new: &NewKey) -> Result<AdminKey> {
    tx.execute(
        "INSERT INTO admin_api_keys (organization_id, id, owner_id, name, secret_hash, redacted_value, scopes, created_at,
             expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        args![
            by.organization_id(),
            &new.id,
            &owner.id,
            new.name.as_deref(),
            new.hash.bytes(),
            &new.redacted_value,
            &new.scopes.to_string(),
            by.now,
            new.expires_at
        ],
    )?;
    let scopes: Vec<_> = new.scopes.iter().map(Scope::name).collect();
    let payload = json!({ "id": new.id, "data": { "scopes": scopes } });
    audit::append(tx, by, &Event::new("api_key.created", &new.id, payload))?;
    Ok(AdminKey {
        id: new.id.clone(),
        name: new.name.clone(),
        redacted_value: new.redacted_value.clone(),
        created_at: by.now,
        expires_at: new.expires_at,
        last_used_at: None,
        owner: Owner {
            id: owner.id.clone(),
            name: owner.display_name().to_owned(),
            added_at: owner.added_at,
        },
    })
}

/// Deletes a key. It is dead for every request that starts after this transaction.
pub fn delete(tx: &mut Tx<'_>, by: &Author, id: &str) -> Result<()> {
    let key = find(tx, by.organization_id(), id)?;
    let sql = "DELETE FROM admin_api_keys WHERE organization_id = $1 AND id = $2";
    tx.execute(sql, args![by.organization_id(), &key.id])?;
    audit::append(tx, by, &Event::new("api_key.deleted", &key.id, json!({ "id": key.id })))
}
