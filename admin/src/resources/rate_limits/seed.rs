//! Some models of the operator, for the tests that walk all operations.

use crate::testing::fixture;
use crate::testing::seed::{Filling, List, Seed, no_body};

/// Models of the organization, each of which every project has a limit for.
pub const SEED: Seed = Seed {
    resource: "rate_limits",
    parameters: &[("", "rate_limit_id")],
    lists: &[List::cut("/organization/projects/{project_id}/rate_limits", "rl-m-")],
    make: |api, world, number| {
        Box::pin(async move {
            let organization = &world.tenant.organization;
            // No two organizations have a name in common, and no two names differ in the last character alone.
            let name = format!("model-{number}-{}", organization.id);
            fixture::add_model(&api.app, organization, &name).await;
            format!("rl-{name}")
        })
    },
    body: no_body,
    fill: |filling| {
        let id = Filling::ID;
        let limited =
            "rate_limits (organization_id, project_id, model_id, max_requests_per_minute)";
        vec![
            filling.insert(
                "models (organization_id, id, max_requests_per_minute, max_tokens_per_minute, origin, created_at)",
                &format!("$1, 'm-' || {id}, 9, 9, 'command', 1"),
            ),
            filling.insert(limited, &format!("$1, $2, 'm-' || {id}, 5")),
            // Some of them in other projects too, so that an index of models is no index of this project.
            filling.insert_some(
                2000,
                limited,
                &format!("$1, 'proj_' || CAST(1000001 + i % 4 AS TEXT), 'm-' || {id}, 5"),
            ),
        ]
    },
};
