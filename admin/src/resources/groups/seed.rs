//! Some groups, for the tests that walk all operations.

use serde_json::json;

use crate::testing::seed::{Filling, List, Seed, no_body};

/// Groups of the organization.
pub const SEED: Seed = Seed {
    resource: "groups",
    parameters: &[("", "group_id")],
    lists: &[List::cut("/organization/groups", "")],
    make: |api, world, number| {
        Box::pin(async move {
            let body = json!({ "name": format!("Group {number}") });
            world.post(api, "/organization/groups", body).await.id()
        })
    },
    body: no_body,
    fill: |filling| {
        let id = Filling::ID;
        vec![filling.insert(
            "groups (organization_id, id, name, created_at)",
            &format!("$1, {id}, 'Some group', 1"),
        )]
    },
};
