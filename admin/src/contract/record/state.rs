//! What is there, and what is on record, so that what happened can be told from both.

use std::collections::BTreeSet;

use serde_json::Value;
use sql::{Tx, args};

use crate::testing::Api;

/// A role that somebody has: where (empty for the organization), who, which.
pub type Holding = (String, String, String);

/// What is there at one moment.
pub struct State {
    /// Every row of every table that is not the record's own.
    pub rows: Vec<String>,
    /// Every role that somebody has themselves.
    pub roles: BTreeSet<Holding>,
    /// The same without those that a person, member or account shows.
    pub other_roles: BTreeSet<Holding>,
    /// Which certificates are active where.
    pub active: BTreeSet<(String, String)>,
    /// The events on record, oldest first.
    pub events: Vec<(String, Option<String>, Value)>,
}

impl State {
    /// Reads it.
    pub async fn of(api: &Api) -> Self {
        let mut rows = api.snapshot().await;
        rows.retain(|row| !row.starts_with("audit_"));
        let read = |tx: &mut Tx<'_>| {
            let other_roles = holdings(tx, OTHER_ROLES)?;
            let shown = SHOWN_ROLES.iter().map(|sql| holdings(tx, sql));
            let shown = shown.collect::<sql::Result<Vec<_>>>()?;
            let active = "SELECT project_id, certificate_id FROM certificate_activations";
            let active = tx.all(active, args![], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let roles = shown.into_iter().flatten().chain(other_roles.iter().cloned()).collect();
            Ok::<_, sql::Error>((roles, other_roles, active.into_iter().collect()))
        };
        let (roles, other_roles, active) =
            api.app.store.read(read).await.expect("the store can be read");
        Self { rows, roles, other_roles, active, events: api.events().await }
    }
}

const OTHER_ROLES: &str = "SELECT project_id, principal_id, role_id FROM role_assignments";

/// What a person, a member and an account show as their role.
const SHOWN_ROLES: [&str; 3] = [
    "SELECT '', id, 'role-api-organization-' || role FROM users WHERE role IS NOT NULL",
    "SELECT project_id, user_id, 'role-api-project-' || role FROM project_members WHERE role IS NOT NULL",
    "SELECT project_id, id, 'role-api-project-' || role FROM service_accounts WHERE role IS NOT NULL",
];

fn holdings(tx: &mut Tx<'_>, sql: &str) -> sql::Result<BTreeSet<Holding>> {
    let rows = tx.all(sql, args![], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.into_iter().collect())
}

/// What one has and the other has not, both ways: what went, and what came.
pub fn difference<T: Ord + Clone>(before: &BTreeSet<T>, after: &BTreeSet<T>) -> (Vec<T>, Vec<T>) {
    (before.difference(after).cloned().collect(), after.difference(before).cloned().collect())
}
