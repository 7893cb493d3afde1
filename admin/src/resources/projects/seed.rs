//! Some projects, for the tests that walk all operations.

use serde_json::json;

use crate::testing::seed::{Filling, List, Seed, no_body};

/// Projects of the organization. Everything that is in a project is in the first one.
pub const SEED: Seed = Seed {
    resource: "projects",
    parameters: &[("", "project_id")],
    lists: &[List::cut("/organization/projects", "proj_")],
    make: |api, world, number| {
        Box::pin(async move {
            let body = json!({ "name": format!("Project {number}") });
            world.post(api, "/organization/projects", body).await.id()
        })
    },
    body: no_body,
    fill: |filling| {
        let id = Filling::ID;
        vec![filling.insert(
            "projects (organization_id, id, name, created_at, archived_at)",
            &format!("$1, 'proj_' || {id}, 'p', 1, CASE WHEN i % 2 = 0 THEN 1 END"),
        )]
    },
};
