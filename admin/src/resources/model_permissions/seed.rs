//! What is said of a project's models, for the tests that walk all operations.

use serde_json::json;

use crate::testing::seed::{Seed, no_body};

const TEMPLATE: &str = "/organization/projects/{project_id}/model_permissions";

/// The first project may not use the last of the models.
pub const SEED: Seed = Seed {
    resource: "model_permissions",
    parameters: &[],
    lists: &[],
    make: |api, world, number| {
        Box::pin(async move {
            let model = world.row("rate_limits", number).trim_start_matches("rl-");
            let body = json!({ "mode": "deny_list", "model_ids": [model] });
            world.post(api, TEMPLATE, body).await.ok();
            model.to_owned()
        })
    },
    body: no_body,
    fill: |_| Vec::new(),
};
