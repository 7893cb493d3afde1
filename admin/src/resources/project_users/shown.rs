//! What a membership keeps of the member as it is sent: everything behind the id, so that a page copies rows instead of making them.
//!
//! It repeats the name and the address of the person and the row's own role and time. Whoever changes one of them calls one of the
//! functions below in the same transaction.

use serde::Serialize;
use sql::{Tx, args};

use crate::domain::role::ProjectRole;
use crate::error::{Error, Result};

/// What is said of the person, the first half.
#[derive(Serialize)]
struct Person<'a> {
    /// The address where no name is known: clients demand one.
    name: &'a str,
    email: &'a str,
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
    Ok(format!(r#"{}{role}","added_at":{added_at}}}"#, up_to_role(name, email)?))
}

/// The same as far as it is alike in all projects: `"name":"Ada","email":"ada@example.com","role":"`.
fn up_to_role(name: Option<&str>, email: &str) -> Result<String> {
    let person = Person { name: name.unwrap_or(email), email };
    let mut text = serde_json::to_string(&person).map_err(|e| Error::internal(e.to_string()))?;
    text.remove(0);
    text.pop();
    text.push_str(r#","role":""#);
    Ok(text)
}

/// Writes anew what all memberships of a person show, after the person's name or address changed.
pub fn renew(
    tx: &mut Tx<'_>,
    organization: &str,
    user: &str,
    (name, email): (Option<&str>, &str),
) -> Result<()> {
    // A range, so that only the index by person fits. The end of the text is made as in [`rest`], of columns that need no escaping.
    tx.execute(
        r#"UPDATE project_members
           SET shown = CAST($3 AS TEXT) || COALESCE(role, 'member') || '","added_at":' || CAST(added_at AS TEXT) || '}'
           WHERE organization_id = $1 AND (user_id, project_id) > ($2, '') AND user_id <= $2"#,
        args![organization, user, &up_to_role(name, email)?],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Api;

    /// The end of the text is made in two places, by the program and by the store.
    #[tokio::test]
    async fn what_is_written_anew_is_what_would_be_written_first() {
        let api = Api::new().await;
        let names = [None, Some("Ada"), Some("Ada \"the\\first\" \u{1}\u{e9}")];
        let roles = [None, Some(ProjectRole::Owner), Some(ProjectRole::Member)];
        let work = move |tx: &mut Tx<'_>| {
            let sql = "SELECT organization_id, project_id, user_id FROM project_members";
            let found = tx.one(sql, args![], |row| {
                Ok((row.get::<String>(0)?, row.get::<String>(1)?, row.get::<String>(2)?))
            })?;
            let (organization, project, user) = found.expect("who founds is in a project");
            let mut seen = Vec::new();
            for (name, role) in names.iter().flat_map(|name| roles.map(|role| (*name, role))) {
                let sql = "UPDATE project_members SET role = $4, added_at = 7
                     WHERE organization_id = $1 AND project_id = $2 AND user_id = $3";
                let name_of = role.map(ProjectRole::name);
                tx.execute(sql, args![&organization, &project, &user, name_of])?;
                renew(tx, &organization, &user, (name, "a\"b@example.com"))?;
                let sql = "SELECT shown FROM project_members WHERE organization_id = $1 AND project_id = $2 AND user_id = $3";
                let args = args![&organization, &project, &user];
                let shown: Option<String> = tx.one(sql, args, |row| row.get(0))?;
                seen.push((shown, rest(name, "a\"b@example.com", role, 7)?));
            }
            Ok::<_, Error>(seen)
        };
        let seen = api.app.store.write(work).await.unwrap();
        assert_eq!(seen.len(), 9);
        for (renewed, first) in seen {
            assert_eq!(renewed, Some(first));
        }
    }
}
