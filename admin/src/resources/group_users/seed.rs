//! Some people in groups, for the tests that walk all operations.

use serde_json::json;

use crate::testing::seed::{Filling, List, Seed, no_body};

const LIST: &str = "/organization/groups/{group_id}/users";

/// Everybody is in the first group.
pub const SEED: Seed = Seed {
    resource: "group_users",
    parameters: &[],
    lists: &[List::cut(LIST, "user-")],
    make: |api, world, number| {
        Box::pin(async move {
            let user = world.row("users", number).to_owned();
            world.post(api, LIST, json!({ "user_id": user })).await.ok();
            user
        })
    },
    body: no_body,
    fill: |filling| {
        let id = Filling::ID;
        let into = "group_members (organization_id, group_id, user_id, added_at)";
        let group = filling.world.row("groups", 0);
        vec![
            filling.insert(into, &format!("$1, '{group}', 'user-' || {id}, 1")),
            // Some of them in other groups too, so that an index of people is no index of this group.
            filling.insert_some(
                2000,
                into,
                &format!("$1, CAST(1000001 + i % 4 AS TEXT), 'user-' || {id}, 1"),
            ),
        ]
    },
};
