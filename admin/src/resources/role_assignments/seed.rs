//! Some roles of a person and of a group at both levels, for the tests that walk all operations.

use serde_json::json;

use crate::testing::Api;
use crate::testing::seed::{Filling, List, Making, Seed, no_body};
use crate::testing::world::World;

const USER: &str = "/organization/users/{user_id}/roles";
const GROUP: &str = "/organization/groups/{group_id}/roles";
const PROJECT_USER: &str = "/projects/{project_id}/users/{user_id}/roles";
const PROJECT_GROUP: &str = "/projects/{project_id}/groups/{group_id}/roles";

/// Indexes that find what one principal has at one level, the membership behind it, and their groups, as well as the primary keys
/// do: each is asked for with an equality for every column that matters.
const STRAYS: &[&str] =
    &["role_assignments_of_principal", "project_members_of_user", "group_members_of_user"];

/// Of a person in the organization.
pub const OF_USER: Seed = Seed {
    resource: "user_roles",
    parameters: &[],
    lists: &[List::whole(USER).with_strays(STRAYS)],
    make: |api, world, number| give(api, world, USER, "roles", number),
    body: no_body,
    fill: |filling| fill(filling, "''", "user", filling.world.row("users", 0)),
};

/// Of a person in a project.
pub const OF_PROJECT_USER: Seed = Seed {
    resource: "project_user_roles",
    parameters: &[],
    lists: &[List::whole(PROJECT_USER).with_strays(STRAYS)],
    make: |api, world, number| give(api, world, PROJECT_USER, "project_roles", number),
    body: no_body,
    fill: |filling| fill(filling, "$2", "user", filling.world.row("users", 0)),
};

/// Of a group in the organization.
pub const OF_GROUP: Seed = Seed {
    resource: "group_roles",
    parameters: &[],
    lists: &[List::whole(GROUP).with_strays(STRAYS)],
    make: |api, world, number| give(api, world, GROUP, "roles", number),
    body: no_body,
    fill: |filling| fill(filling, "''", "group", filling.world.row("groups", 0)),
};

/// Of a group in a project.
pub const OF_PROJECT_GROUP: Seed = Seed {
    resource: "project_group_roles",
    parameters: &[],
    lists: &[List::whole(PROJECT_GROUP).with_strays(STRAYS)],
    make: |api, world, number| give(api, world, PROJECT_GROUP, "project_roles", number),
    body: no_body,
    fill: |filling| fill(filling, "$2", "group", filling.world.row("groups", 0)),
};

/// Gives the first principal role number n.
fn give<'a>(
    api: &'a Api,
    world: &'a World,
    list: &'static str,
    roles: &'static str,
    number: usize,
) -> Making<'a> {
    Box::pin(async move {
        let role = world.row(roles, number).to_owned();
        world.post(api, list, json!({ "role_id": role })).await.ok();
        role
    })
}

/// Roles of a great many principals, and a few more of the first one.
fn fill(filling: &Filling<'_>, project: &str, kind: &str, first: &str) -> Vec<String> {
    let id = Filling::ID;
    let into = "role_assignments (organization_id, project_id, principal_type, principal_id, role_id, created_at)";
    vec![
        filling.insert(
            into,
            &format!("$1, {project}, '{kind}', '{kind}-' || {id}, 'role_1000007', 1"),
        ),
        filling.insert_some(
            4,
            into,
            &format!("$1, {project}, '{kind}', '{first}', 'role_' || {id}, 1"),
        ),
    ]
}
