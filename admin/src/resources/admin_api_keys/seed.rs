//! Some keys, for the tests that walk all operations.

use serde_json::json;

use crate::testing::seed::{Filling, List, Seed, no_body};

/// Keys of the owner.
pub const SEED: Seed = Seed {
    resource: "admin_api_keys",
    parameters: &[("", "key_id")],
    lists: &[List::cut("/organization/admin_api_keys", "key_")],
    make: |api, world, number| {
        Box::pin(async move {
            let body = json!({ "name": format!("Key {number}") });
            world.post(api, "/organization/admin_api_keys", body).await.id()
        })
    },
    body: no_body,
    fill: |filling| {
        let (id, bytes) = (Filling::ID, filling.bytes());
        vec![filling.insert(
            "admin_api_keys (organization_id, id, owner_id, secret_hash, redacted_value, scopes, created_at)",
            &format!("$1, 'key_' || {id}, 'user-' || {id}, {bytes}, 'x', '', 1"),
        )]
    },
};
