//! Hosted tools of the first project, for the tests that walk all operations.

use serde_json::json;

use crate::testing::seed::Seed;

/// They are always there, and have neither a list nor an id.
pub const SEED: Seed = Seed {
    resource: "hosted_tool_permissions",
    parameters: &[],
    lists: &[],
    make: |api, world, number| {
        Box::pin(async move {
            let template = "/organization/projects/{project_id}/hosted_tool_permissions";
            let body = json!({ "web_search": { "enabled": number % 2 == 0 } });
            world.post(api, template, body).await.ok();
            format!("hosted tools {number}")
        })
    },
    body: |_, _, member| (member == "mcp").then(|| json!({ "enabled": false })),
    fill: |_| Vec::new(),
};
