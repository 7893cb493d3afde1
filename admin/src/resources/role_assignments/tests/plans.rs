//! Whoever leaves or asks is one of very many, so no statement about roles may walk those of everybody.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::json;
use sql::{Arg, Engine};

use super::fixture::{add_group, add_role, join};
use crate::app::Settings;
use crate::testing::Api;

#[tokio::test]
async fn every_statement_about_roles_finds_its_rows_by_an_index() {
    let seen = Arc::<Mutex<BTreeMap<String, usize>>>::default();
    let collected = Arc::clone(&seen);
    let observer = Arc::new(move |sql: &str, arguments: &[Arg<'_>]| {
        collected.lock().unwrap().insert(sql.to_owned(), arguments.len());
    });
    let api = Api::with(Settings::default(), Some(observer)).await.unwatched();
    if api.app.store.engine() == Engine::Postgres {
        // Its plans are asserted where there are rows to plan for: in `contract::plans`.
        return;
    }
    let (user, project) =
        (api.add_user("ada@example.com").await, api.create_project("Engine").await);
    api.add_member(&project, &user).await;
    let group = add_group(&api, "0a").await;
    join(&api, &group, &user).await;
    let (everywhere, here) =
        (add_role(&api, "", "A", &[]).await, add_role(&api, &project, "A", &[]).await);
    seen.lock().unwrap().clear();
    for (list, role) in [
        (format!("/organization/users/{user}/roles"), &everywhere),
        (format!("/organization/groups/{group}/roles"), &everywhere),
        (format!("/projects/{project}/users/{user}/roles"), &here),
        (format!("/projects/{project}/groups/{group}/roles"), &here),
    ] {
        api.post(&list, json!({ "role_id": role })).await.ok();
        api.get(&list).await.ok();
        api.delete(&format!("{list}/{role}")).await.ok();
    }
    let member = format!("/organization/projects/{project}/users/{user}");
    api.post(&member, json!({ "role": "owner" })).await.ok();
    api.post(&format!("/projects/{project}/roles/{here}"), json!({ "role_name": "B" })).await.ok();
    api.delete(&format!("/projects/{project}/roles/{here}")).await.ok();
    api.delete(&member).await.ok();
    api.delete(&format!("/organization/users/{user}")).await.ok();
    let statements = std::mem::take(&mut *seen.lock().unwrap());
    // When a person goes, SQLite looks for their admin keys by the foreign key's first column, which is known and borne.
    let is_look_up = |sql: &&String| sql.contains("WHERE") && !sql.starts_with("DELETE FROM users");
    assert!(statements.keys().filter(is_look_up).count() >= 20, "{statements:#?}");
    for (sql, count) in statements.into_iter().filter(|(sql, _)| is_look_up(&sql)) {
        let explain = format!("EXPLAIN QUERY PLAN {sql}");
        let read = move |tx: &mut sql::Tx<'_>| {
            tx.all(&explain, &vec![Arg::Null; count], |row| row.get::<String>(3))
        };
        let plan = api.app.store.write::<_, sql::Error>(read).await.expect("it can be explained");
        for step in plan {
            // Less than one person, group or role behind the organization and the project.
            let is_walk = step.starts_with("SCAN")
                || step.ends_with("(organization_id=?)")
                || step.ends_with("(organization_id=? AND project_id=?)")
                    && !step.contains(" projects ")
                || step.ends_with("principal_type=?)")
                || step.ends_with("principal_id>?)");
            assert!(!is_walk, "{step} in {sql}");
        }
    }
}
