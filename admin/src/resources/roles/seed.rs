//! Some custom roles of both levels, for the tests that walk all operations.

use serde_json::{Value, json};

use crate::testing::seed::{Filling, List, Seed, no_body};
use crate::testing::world::World;

const LIST: &str = "/organization/roles";
const PROJECT_LIST: &str = "/projects/{project_id}/roles";

/// Of the organization.
pub const ORGANIZATION: Seed = Seed {
    resource: "roles",
    parameters: &[("/organization/", "role_id")],
    lists: &[List::cut(LIST, "role_")],
    make: |api, world, number| {
        Box::pin(async move { world.post(api, LIST, body(number)).await.id() })
    },
    body: name,
    fill: |filling| vec![fill(filling, "''")],
};

/// Of the first project.
pub const PROJECT: Seed = Seed {
    resource: "project_roles",
    parameters: &[("/projects/", "role_id")],
    lists: &[List::cut(PROJECT_LIST, "role_")],
    make: |api, world, number| {
        Box::pin(async move { world.post(api, PROJECT_LIST, body(number)).await.id() })
    },
    body: no_body,
    fill: |filling| vec![fill(filling, "$2")],
};

fn body(number: usize) -> Value {
    json!({ "role_name": format!("Role {number}"), "permissions": ["api.model.read"] })
}

/// A name that no role has, wherever a role is named.
fn name(_: &World, _: &str, member: &str) -> Option<Value> {
    (member == "role_name").then(|| json!("Another role"))
}

fn fill(filling: &Filling<'_>, project: &str) -> String {
    let id = Filling::ID;
    filling.insert(
        "roles (organization_id, project_id, id, name, permissions, reaches_projects, created_at, updated_at)",
        &format!("$1, {project}, 'role_' || {id}, {id}, 'api.model.read', TRUE, 1, 1"),
    )
}
