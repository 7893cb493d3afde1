//! An event of each number, for the tests that walk all operations.

use serde_json::json;

use crate::testing::seed::Seed;

const PATH: &str = "/rollbook/v1/usage_events";

/// Events of the first project. Nothing lists them.
pub const SEED: Seed = Seed {
    resource: "usage_events",
    parameters: &[],
    lists: &[],
    make: |api, world, number| {
        Box::pin(async move {
            let id = format!("event-{number}");
            let event = json!({
                "id": id, "time": 1_750_000_000, "kind": "embeddings", "model": "m",
                "project_id": world.row("projects", 0), "user_id": world.row("users", 0), "input_tokens": 1,
            });
            let reply = world.post(api, PATH, json!([event])).await;
            assert_eq!(reply.ok()["accepted"], 1, "{}", reply.body);
            id
        })
    },
    body: |world, template, member| {
        let told = match member {
            "id" => json!("another event"),
            "time" => json!(1_750_000_000),
            "kind" => json!("embeddings"),
            "project_id" => json!(world.row("projects", 0)),
            "user_id" => json!(world.row("users", 0)),
            _ => return None,
        };
        (template == PATH).then_some(told)
    },
    fill: |_| Vec::new(),
};
