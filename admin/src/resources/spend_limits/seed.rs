//! A limit for each level, for the tests that walk all operations.

use serde_json::json;

use crate::testing::seed::{Seed, no_body};

/// The limits of the organization and of the first project. Every further one is another amount, so that each is a change.
pub const SEED: Seed = Seed {
    resource: "spend_limits",
    parameters: &[],
    lists: &[],
    make: |api, world, number| {
        Box::pin(async move {
            let body = json!({
                "threshold_amount": 5000 + number, "currency": "USD", "interval": "month",
            });
            for template in
                ["/organization/spend_limit", "/organization/projects/{project_id}/spend_limit"]
            {
                world.post(api, template, body.clone()).await.ok();
            }
            String::new()
        })
    },
    body: no_body,
    fill: |_| Vec::new(),
};
