//! Some members of a project, for the tests that walk all operations.

use serde_json::json;

use crate::testing::seed::{Filling, List, Seed, no_body};

const LIST: &str = "/organization/projects/{project_id}/users";

/// Everybody is in the first project.
pub const SEED: Seed = Seed {
    resource: "project_users",
    parameters: &[],
    lists: &[List::cut(LIST, "user-")],
    make: |api, world, number| {
        Box::pin(async move {
            let body = json!({ "user_id": world.row("users", number), "role": "member" });
            world.post(api, LIST, body).await.id()
        })
    },
    body: no_body,
    fill: |filling| {
        let id = Filling::ID;
        let into = "project_members (organization_id, project_id, user_id, shown, role, added_at)";
        let shown = format!(
            r#"'"name":"' || {id} || '@x","email":"' || {id} || '@x","role":"member","added_at":1}}'"#
        );
        vec![
            filling.insert(into, &format!("$1, $2, 'user-' || {id}, {shown}, 'member', 1")),
            // Members of other projects too, so that an index of people is no index of this project.
            filling.insert_some(
                2000,
                into,
                &format!(
                    "$1, 'proj_' || CAST(1000001 + i % 4 AS TEXT), 'user-' || {id}, {shown}, 'member', 1"
                ),
            ),
        ]
    },
};
