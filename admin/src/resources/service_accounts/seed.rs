//! Some service accounts, for the tests that walk all operations.

use serde_json::json;

use crate::testing::seed::{Filling, List, Seed, no_body};

const LIST: &str = "/organization/projects/{project_id}/service_accounts";

/// All of them are in the first project, each with a key.
pub const SEED: Seed = Seed {
    resource: "service_accounts",
    parameters: &[("", "service_account_id")],
    lists: &[List::cut(LIST, "svc_acct_")],
    make: |api, world, number| {
        Box::pin(async move {
            world.post(api, LIST, json!({ "name": format!("Robot {number}") })).await.id()
        })
    },
    body: no_body,
    fill: |filling| {
        let id = Filling::ID;
        let into = "service_accounts (organization_id, project_id, id, name, role, created_at)";
        vec![
            filling.insert(into, &format!("$1, $2, 'svc_acct_' || {id}, 'Robot', 'member', 1")),
            // Accounts of other projects too, so that the index of ids is no index of this project.
            filling.insert_some(
                2000,
                into,
                &format!("$1, 'proj_' || CAST(1000001 + i % 4 AS TEXT), 'svc_acct_z' || {id}, 'Robot', 'member', 1"),
            ),
        ]
    },
};
