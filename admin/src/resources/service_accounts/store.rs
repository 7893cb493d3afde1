//! Service accounts: rules and rows.

use sql::{Row, Tx, args};

use crate::domain::id::is_possible_id;
use crate::domain::role::ProjectRole;
use crate::error::Result;

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
