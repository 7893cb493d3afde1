//! What an import asks the store for beyond what the resources' own rules do.

use sql::{Engine, Store, Tx, args};

use crate::error::{Error, Result};

/// The addresses of all owners, by id. The organization is a range, so that `SQLite` takes the index of owners.
pub fn owners(tx: &mut Tx<'_>, organization: &str) -> Result<Vec<String>> {
    let sql = "SELECT email FROM users WHERE organization_id >= $1 AND organization_id <= $1 AND role = 'owner'
               ORDER BY organization_id, id";
    Ok(tx.all(sql, args![organization], |row| row.get(0))?)
}

/// An admin key that ends with its owner's role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndingKey {
    /// The key's id.
    pub id: String,
    /// What it is for, if somebody said so.
    pub name: Option<String>,
}

/// The admin keys of this person, by id. The owner is a range, so that `SQLite` takes the index of owners.
pub fn keys_of(tx: &mut Tx<'_>, organization: &str, user: &str) -> Result<Vec<EndingKey>> {
    let sql = "SELECT id, name FROM admin_api_keys
               WHERE organization_id = $1 AND (owner_id, id) > ($2, '') AND owner_id <= $2
               ORDER BY owner_id, id";
    let read = |row: &sql::Row<'_>| Ok(EndingKey { id: row.get(0)?, name: row.get(1)? });
    Ok(tx.all(sql, args![organization, user], read)?)
}

/// Tells `PostgreSQL` how large its tables have become; by itself it would find out a minute later, and plan for empty ones
/// until then. `SQLite` is left alone: without statistics its plans depend on nothing but the indexes, which is what the tests
/// assert, and gathering them would keep its only writer busy for as long as all tables take to read.
pub fn analyze(store: &Store) -> Result<()> {
    if store.engine() == Engine::Sqlite {
        return Ok(());
    }
    let sql = "ANALYZE users, projects, project_members, audit_events, audit_actors, audit_tail";
    store.write_blocking(move |tx| {
        tx.execute(sql, args![])?;
        Ok::<_, Error>(())
    })
}
