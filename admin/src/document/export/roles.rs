//! Custom roles, and who has which role beside the one that their row says.

use std::collections::HashMap;

use sql::{Row, Tx, args};

use super::find;
use super::organization::unknown;
use super::projects::within;
use crate::document::format::{Assigned, Document, Role};
use crate::error::Result;
use crate::holdings::Kind;

/// Reads them into the document, in which everybody is already.
pub fn read(tx: &mut Tx<'_>, organization: &str, document: &mut Document) -> Result<()> {
    for (project, role) in roles(tx, organization)? {
        if project.is_empty() {
            document.roles.push(role);
        } else {
            within(document, &project)?.roles.push(role);
        }
    }
    let homes: HashMap<String, String> = document
        .projects
        .iter()
        .flat_map(|project| {
            project.service_accounts.iter().map(|account| (account.id.clone(), project.id.clone()))
        })
        .collect();
    for assignment in assignments(tx, organization)? {
        let Assignment { project, kind, principal, role } = assignment;
        let place = place(document, &homes, &project, &kind, &principal)?;
        place.ok_or_else(|| unknown("role of", &principal))?.push(role);
    }
    Ok(())
}

fn roles(tx: &mut Tx<'_>, organization: &str) -> Result<Vec<(String, Role)>> {
    let sql = "SELECT project_id, id, name, description, permissions, created_at, updated_at, created_by FROM roles
               WHERE organization_id = $1 ORDER BY project_id, id";
    let read = |row: &Row<'_>| {
        let permissions: String = row.get(4)?;
        let tokens = permissions.split(' ').filter(|token| !token.is_empty());
        let role = Role {
            id: row.get(1)?,
            name: row.get(2)?,
            description: row.get(3)?,
            permissions: tokens.map(str::to_owned).collect(),
            created_at: row.get(5)?,
            updated_at: row.get(6)?,
            created_by: row.get(7)?,
        };
        Ok((row.get(0)?, role))
    };
    Ok(tx.all(sql, args![organization], read)?)
}

struct Assignment {
    project: String,
    kind: String,
    principal: String,
    role: Assigned,
}

fn assignments(tx: &mut Tx<'_>, organization: &str) -> Result<Vec<Assignment>> {
    let sql = "SELECT project_id, principal_type, principal_id, role_id, created_at FROM role_assignments
               WHERE organization_id = $1 ORDER BY project_id, principal_type, principal_id, role_id";
    let read = |row: &Row<'_>| {
        Ok(Assignment {
            project: row.get(0)?,
            kind: row.get(1)?,
            principal: row.get(2)?,
            role: Assigned { id: row.get(3)?, created_at: row.get(4)? },
        })
    };
    Ok(tx.all(sql, args![organization], read)?)
}

/// Where the roles of somebody at a level stand. A service account's are in its own project, wherever they hold.
fn place<'a>(
    document: &'a mut Document,
    homes: &HashMap<String, String>,
    project: &str,
    kind: &str,
    principal: &str,
) -> Result<Option<&'a mut Vec<Assigned>>> {
    let is_group = kind == Kind::Group.name();
    Ok(match (project.is_empty(), is_group, homes.get(principal)) {
        (true, true, _) => find(&mut document.groups, principal).map(|group| &mut group.roles),
        (false, true, _) => {
            find(&mut within(document, project)?.groups, principal).map(|group| &mut group.roles)
        }
        (true, false, Some(home)) => {
            let accounts = &mut within(document, home)?.service_accounts;
            find(accounts, principal).map(|account| &mut account.organization_roles)
        }
        (false, false, Some(_)) => {
            let accounts = &mut within(document, project)?.service_accounts;
            find(accounts, principal).map(|account| &mut account.roles)
        }
        (true, false, None) => find(&mut document.users, principal).map(|user| &mut user.roles),
        (false, false, None) => {
            find(&mut within(document, project)?.users, principal).map(|member| &mut member.roles)
        }
    })
}
