//! What a membership keeps of the member as it is sent: everything behind the id, so that a page copies rows instead of making them.
//!
//! It repeats the name and the address of the person and the row's own role and time. Whoever changes one of them calls one of the
//! functions below in the same transaction.

use serde::Serialize;
use sql::{Tx, args};

use crate::domain::role::ProjectRole;
use crate::error::{Error, Result};

/// The members of the object behind its id, in the order in which they are sent.
#[derive(Serialize)]
struct Rest<'a> {
    /// The address where no name is known: clients demand one.
    name: &'a str,
    email: &'a str,
    role: &'a str,
    added_at: i64,
}

/// `"name":"Ada","email":"ada@example.com","role":"member","added_at":1700000000}`, without the brace that opens the object. Whoever
/// has no built-in role is shown as a member.
pub fn rest(
    name: Option<&str>,
    email: &str,
    role: Option<ProjectRole>,
    added_at: i64,
) -> Result<String> {
    let role = role.unwrap_or(ProjectRole::Member).name();
    let rest = Rest { name: name.unwrap_or(email), email, role, added_at };
    let mut text = serde_json::to_string(&rest).map_err(|e| Error::internal(e.to_string()))?;
    text.remove(0);
    Ok(text)
}

/// Writes anew what all memberships of a person show, after the person's name or address changed.
pub fn renew(
    tx: &mut Tx<'_>,
    organization: &str,
    user: &str,
    (name, email): (Option<&str>, &str),
) -> Result<()> {
    // A range, so that only the index by person fits.
    let memberships = tx.all(
        "SELECT project_id, role, added_at FROM project_members
         WHERE organization_id = $1 AND (user_id, project_id) > ($2, '') AND user_id <= $2",
        args![organization, user],
        |row| Ok((row.get(0)?, row.text(1)?.and_then(ProjectRole::from_name), row.get(2)?)),
    )?;
    for (project, role, added_at) in memberships {
        let project: String = project;
        tx.execute(
            "UPDATE project_members SET shown = $4 WHERE organization_id = $1 AND project_id = $2 AND user_id = $3",
            args![organization, &project, user, &rest(name, email, role, added_at)?],
        )?;
    }
    Ok(())
}
