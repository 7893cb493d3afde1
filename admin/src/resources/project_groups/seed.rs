//! Some groups of a project, for the tests that walk all operations.

use serde_json::json;

use crate::testing::seed::{Filling, List, Seed, no_body};

const LIST: &str = "/organization/projects/{project_id}/groups";

/// Every group is in the first project.
pub const SEED: Seed = Seed {
    resource: "project_groups",
    parameters: &[],
    lists: &[List::cut(LIST, "")],
    make: |api, world, number| {
        Box::pin(async move {
            let group = world.row("groups", number).to_owned();
            let body = json!({ "group_id": group, "role": "member" });
            world.post(api, LIST, body).await.ok();
            group
        })
    },
    body: no_body,
    fill: |filling| {
        let id = Filling::ID;
        let into = "project_groups (organization_id, project_id, group_id, created_at)";
        vec![
            filling.insert(into, &format!("$1, $2, {id}, 1")),
            // Some of them in other projects too, so that an index of groups is no index of this project.
            filling.insert_some(
                2000,
                into,
                &format!("$1, 'proj_' || CAST(1000001 + i % 4 AS TEXT), {id}, 1"),
            ),
        ]
    },
};
