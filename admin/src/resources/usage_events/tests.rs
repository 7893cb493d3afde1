//! Reports over the wire.

mod costs;
mod counting;
mod money;
mod names;

use serde_json::{Value, json};
use sql::args;

use crate::testing::{Api, Reply};

const PATH: &str = "/rollbook/v1/usage_events";
/// The time at which every test starts.
const NOW: i64 = 1_750_000_000;
const DAY: i64 = 86_400;

/// An event of embeddings in a project, by somebody.
fn event(id: &str, project: &str) -> Value {
    json!({
        "id": id, "time": NOW, "kind": "embeddings", "project_id": project, "user_id": "user_a", "model": "m",
        "input_tokens": 5,
    })
}

/// The same with these members in place of its own.
fn with(mut event: Value, members: Value) -> Value {
    let changes = members.as_object().expect("members are an object").clone();
    event.as_object_mut().expect("an event is an object").extend(changes);
    event
}

async fn report(api: &Api, events: &[Value]) -> Reply {
    api.post(PATH, json!(events)).await
}

/// Status and code of each result.
fn results(reply: &Reply) -> Vec<(String, Option<String>)> {
    let results = reply.ok()["results"].as_array().expect("there are results");
    let text = |value: &Value| value.as_str().map(str::to_owned);
    results
        .iter()
        .map(|one| (text(&one["status"]).expect("it has a status"), text(&one["code"])))
        .collect()
}

fn statuses(reply: &Reply) -> Vec<String> {
    results(reply).into_iter().map(|(status, _)| status).collect()
}

/// Counts of accepted events, duplicates and refusals.
fn counts(reply: &Reply) -> [u64; 3] {
    ["accepted", "duplicates", "refused"]
        .map(|name| reply.ok()[name].as_u64().expect("it is a number"))
}

/// Every event in the store, in the order of batches.
async fn stored(api: &Api) -> Vec<crate::usage::event::Event> {
    let read = |tx: &mut sql::Tx<'_>| {
        let sql = "SELECT body FROM usage_batches ORDER BY organization_id, id";
        tx.all(sql, args![], |row| row.get::<Vec<u8>>(0))
    };
    let bodies = api.app.store.read::<_, sql::Error>(read).await.expect("batches can be read");
    let unpack = |body: &Vec<u8>| crate::usage::batch::unpack(body).expect("it was packed");
    bodies.iter().flat_map(unpack).collect()
}

/// A key of a person in a project.
async fn project_key(api: &Api, project: &str, user: &str) -> (String, String) {
    let path = format!("/rollbook/v1/projects/{project}/api_keys");
    let made = api.post(&path, json!({ "name": "gateway", "user_id": user })).await;
    let secret = made.ok()["value"].as_str().expect("a new key shows its secret").to_owned();
    (made.id(), secret)
}
