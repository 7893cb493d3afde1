//! Some alerts of both levels, for the tests that walk all operations.

use serde_json::{Value, json};

use crate::testing::seed::{Filling, List, Seed, no_body};
use crate::testing::world::World;

const LIST: &str = "/organization/spend_alerts";
const PROJECT_LIST: &str = "/organization/projects/{project_id}/spend_alerts";

/// Of the organization.
pub const ORGANIZATION: Seed = Seed {
    resource: "spend_alerts",
    parameters: &[("/organization/spend_alerts", "alert_id")],
    lists: &[List::cut(LIST, "alert_")],
    make: |api, world, number| {
        Box::pin(async move { world.post(api, LIST, body(number)).await.id() })
    },
    body: channel,
    fill: |filling| vec![fill(filling, "''")],
};

/// Of the first project.
pub const PROJECT: Seed = Seed {
    resource: "project_spend_alerts",
    parameters: &[("/organization/projects/", "alert_id")],
    lists: &[List::cut(PROJECT_LIST, "alert_")],
    make: |api, world, number| {
        Box::pin(async move { world.post(api, PROJECT_LIST, body(number)).await.id() })
    },
    body: no_body,
    fill: |filling| vec![fill(filling, "$2")],
};

fn body(number: usize) -> Value {
    json!({
        "threshold_amount": 1000 + number, "currency": "USD", "interval": "month",
        "notification_channel": { "type": "email", "recipients": [format!("person{number}@example.com")] },
    })
}

/// Whoever is told, wherever somebody is.
fn channel(_: &World, _: &str, member: &str) -> Option<Value> {
    let channel = || json!({ "type": "email", "recipients": ["somebody@example.com"] });
    (member == "notification_channel").then(channel)
}

fn fill(filling: &Filling<'_>, project: &str) -> String {
    let id = Filling::ID;
    filling.insert(
        "spend_alerts (organization_id, project_id, id, threshold_amount, recipients, created_at)",
        &format!("$1, {project}, 'alert_' || {id}, i, '[\"a@example.com\"]', 1"),
    )
}
