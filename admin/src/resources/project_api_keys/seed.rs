//! Some project keys, for the tests that walk all operations.

use serde_json::json;

use crate::testing::seed::{Filling, List, Seed};

const LIST: &str = "/organization/projects/{project_id}/api_keys";

/// Each is the key of another member of the first project.
pub const SEED: Seed = Seed {
    resource: "project_api_keys",
    parameters: &[("", "api_key_id")],
    // Whether somebody may use the project can depend on their groups, for each key of a page; and their membership is found
    // as well by person as by project.
    lists: &[List::cut(LIST, "key_")
        .with_strays(&[
            "group_members_of_user",
            "role_assignments_of_principal",
            "project_members_of_user",
        ])
        .filtering()],
    make: |api, world, number| {
        Box::pin(async move {
            let body =
                json!({ "name": format!("Key {number}"), "user_id": world.row("users", number) });
            world.post(api, "/rollbook/v1/projects/{project_id}/api_keys", body).await.id()
        })
    },
    body: |world, template, member| {
        // An owner holds more than most keys may grant.
        let is_this = template.starts_with("/rollbook/") && template.ends_with("/api_keys");
        (is_this && member == "user_id").then(|| json!(world.row("users", 0)))
    },
    fill: |filling| {
        let (id, bytes) = (Filling::ID, filling.bytes());
        // Every second person left, so that each list shows some and passes over others.
        vec![filling.insert(
            "project_api_keys (organization_id, project_id, id, owner_kind, owner_id, name, secret_hash, redacted_value, created_at,
                 owner_left_at)",
            &format!("$1, $2, 'key_' || {id}, 'user', 'user-' || {id}, 'Key', {bytes}, 'sk-proj-***', 1, CASE WHEN i % 2 = 0 THEN 1 END"),
        )]
    },
};
