//! A setting for each level, for the tests that walk all operations.

use serde_json::json;

use crate::testing::seed::{Seed, no_body};

/// The settings of the organization and of the first project. Every further one says something else, so that each is a change.
pub const SEED: Seed = Seed {
    resource: "data_retention",
    parameters: &[],
    lists: &[],
    make: |api, world, number| {
        Box::pin(async move {
            let words = ["zero_data_retention", "modified_abuse_monitoring"];
            let body = json!({ "retention_type": words[number % 2] });
            for template in [
                "/organization/data_retention",
                "/organization/projects/{project_id}/data_retention",
            ] {
                world.post(api, template, body.clone()).await.ok();
            }
            String::new()
        })
    },
    body: no_body,
    fill: |_| Vec::new(),
};
