//! Names of people, service accounts and keys that are gone, for what they used.

use sql::{Row, Tx, args};

use crate::error::Result;

/// What a name is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// A person.
    User,
    /// A service account.
    ServiceAccount,
    /// A project key.
    ApiKey,
}

impl Of {
    const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ServiceAccount => "service_account",
            Self::ApiKey => "api_key",
        }
    }
}

/// How somebody was called who is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerName {
    /// The name.
    pub name: Option<String>,
    /// A person's address.
    pub email: Option<String>,
}

/// Remembers the name of somebody who goes, in place of what was remembered of the same id.
pub fn remember(
    tx: &mut Tx<'_>,
    organization: &str,
    of: Of,
    id: &str,
    name: Option<&str>,
    email: Option<&str>,
) -> Result<()> {
    tx.execute(
        "INSERT INTO former_names (organization_id, kind, id, name, email) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (organization_id, kind, id) DO UPDATE SET name = excluded.name, email = excluded.email",
        args![organization, of.name(), id, name, email],
    )?;
    Ok(())
}

/// Remembers the names of all keys of a service account that goes.
pub fn remember_keys_of(tx: &mut Tx<'_>, organization: &str, account: &str) -> Result<()> {
    // The owner is a range, because then only the index by owner fits.
    tx.execute(
        "INSERT INTO former_names (organization_id, kind, id, name)
         SELECT organization_id, $3, id, name FROM project_api_keys
         WHERE organization_id = $1 AND (owner_id, project_id, id) > ($2, '', '') AND owner_id <= $2
             AND owner_kind = 'service_account'
         ON CONFLICT (organization_id, kind, id) DO UPDATE SET name = excluded.name",
        args![organization, account, Of::ApiKey.name()],
    )?;
    Ok(())
}

/// How somebody was called, if they are gone.
pub fn find(tx: &mut Tx<'_>, organization: &str, of: Of, id: &str) -> Result<Option<FormerName>> {
    let sql =
        "SELECT name, email FROM former_names WHERE organization_id = $1 AND kind = $2 AND id = $3";
    let read = |row: &Row<'_>| Ok(FormerName { name: row.get(0)?, email: row.get(1)? });
    Ok(tx.one(sql, args![organization, of.name(), id], read)?)
}

/// How a person or a service account is called, or was when they went: people by their address.
pub fn of_user(tx: &mut Tx<'_>, organization: &str, id: &str) -> Result<Option<String>> {
    let person = "SELECT email FROM users WHERE organization_id = $1 AND id = $2";
    let account = "SELECT name FROM service_accounts WHERE organization_id = $1 AND id = $2";
    for living in [person, account] {
        let name = tx.one(living, args![organization, id], |row| row.get::<String>(0))?;
        if name.is_some() {
            return Ok(name);
        }
    }
    let mut former = find(tx, organization, Of::User, id)?;
    if former.is_none() {
        former = find(tx, organization, Of::ServiceAccount, id)?;
    }
    Ok(former.and_then(|former| former.email.or(former.name)))
}
