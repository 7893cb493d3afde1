//! What these tests put into the store beside the wire: that way they need no other resource.

use serde_json::json;
use sql::{Tx, args};

use crate::testing::Api;

async fn execute(api: &Api, sql: &'static str, arguments: Vec<String>) {
    let organization = api.first.organization.id.clone();
    let execute = move |tx: &mut Tx<'_>| {
        let texts = std::iter::once(&organization).chain(&arguments);
        let arguments: Vec<sql::Arg<'_>> = texts.map(sql::Arg::from).collect();
        tx.execute(sql, &arguments)
    };
    api.app.store.write::<_, sql::Error>(execute).await.expect("the row can be written");
}

/// A group of this id.
pub async fn add_group(api: &Api, id: &str) -> String {
    let sql =
        "INSERT INTO groups (organization_id, id, name, created_at) VALUES ($1, $2, 'Crew', 7)";
    execute(api, sql, vec![id.to_owned()]).await;
    id.to_owned()
}

/// Puts somebody into a group.
pub async fn join(api: &Api, group: &str, user: &str) {
    let sql = "INSERT INTO group_members (organization_id, group_id, user_id, added_at) VALUES ($1, $2, $3, 7)";
    execute(api, sql, vec![group.to_owned(), user.to_owned()]).await;
}

/// A service account without a role, under this id.
pub async fn add_account(api: &Api, project: &str, id: &str) -> String {
    let sql = "INSERT INTO service_accounts (organization_id, project_id, id, name, created_at)
               VALUES ($1, $2, $3, 'Robot', 7)";
    execute(api, sql, vec![project.to_owned(), id.to_owned()]).await;
    id.to_owned()
}

/// A project key of a person.
pub async fn add_project_key(api: &Api, project: &str, id: &str, owner: &str) {
    let sql = "INSERT INTO project_api_keys (organization_id, project_id, id, owner_kind, owner_id, name, secret_hash,
                   redacted_value, created_at)
               VALUES ($1, $2, $3, 'user', $4, 'k', CAST(CAST($5 AS TEXT) AS BYTES), 'sk-…', 7)";
    let sql = match api.app.store.engine() {
        sql::Engine::Sqlite => sql.replace("BYTES", "BLOB"),
        sql::Engine::Postgres => sql.replace("BYTES", "BYTEA"),
    };
    execute(
        api,
        sql.leak(),
        vec![project.to_owned(), id.to_owned(), owner.to_owned(), id.to_owned()],
    )
    .await;
}

/// What a row says of a project key: the owner's id, when they left, and what is kept of them.
pub async fn owner_of_key(
    api: &Api,
    id: &str,
) -> (String, Option<i64>, Option<String>, Option<i64>) {
    let id = id.to_owned();
    let read = move |tx: &mut Tx<'_>| {
        let sql = "SELECT owner_id, owner_left_at, owner_email, owner_added_at FROM project_api_keys WHERE id = $1";
        tx.one(sql, args![&id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
    };
    api.app
        .store
        .read::<_, sql::Error>(read)
        .await
        .expect("the key can be read")
        .expect("it is there")
}

/// An admin key of the first owner with these scopes only.
pub async fn key_with(api: &Api, scopes: &[&str]) -> String {
    let body = json!({ "name": "narrow", "scopes": scopes });
    let reply = api.post("/organization/admin_api_keys", body).await;
    reply.ok()["value"].as_str().expect("a new key shows its secret").to_owned()
}

/// A custom role with these permissions, of the organization (`""`) or of a project.
pub async fn add_role(api: &Api, project: &str, name: &str, permissions: &[&str]) -> String {
    let path = if project.is_empty() {
        "/organization/roles".to_owned()
    } else {
        format!("/projects/{project}/roles")
    };
    api.post(&path, json!({ "role_name": name, "permissions": permissions })).await.id()
}

/// The types of the events since the first so many, with the role of each assignment.
pub async fn told_since(api: &Api, seen: usize) -> Vec<String> {
    let events = api.events().await;
    let told = events[seen..].iter().map(|(kind, _, payload)| {
        let id = payload["id"].as_str().unwrap_or_default();
        match id.strip_prefix("role_assignment_").and_then(|id| id.split("__").next()) {
            Some(role) => format!("{kind} {role}"),
            None => kind.clone(),
        }
    });
    told.collect()
}
