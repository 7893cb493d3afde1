//! What an orchestrator asks.

use serde_json::json;
use sql::{Options, Store, args};

use crate::database::Database;
use crate::server::Start;
use crate::wire::Client;

#[test]
fn a_server_with_a_current_store_is_healthy_and_ready() {
    let database = Database::fresh();
    let server = Start::with_key(&database).start();
    let stranger = Client::with_key(&server, "nobody");
    assert_eq!(stranger.get("/healthz"), (200, json!({ "status": "ok" })));
    assert_eq!(stranger.get("/readyz"), (200, json!({ "status": "ready" })));
    let (_, log) = server.stop();
    assert!(!log.contains(r#""message":"request""#), "{log}");
}

#[test]
fn a_server_whose_migrations_are_missing_is_healthy_but_not_ready() {
    let database = Database::fresh();
    let server = Start::with_key(&database).start();
    let store = Store::open(Options::new(&database.url)).unwrap();
    let forget = "DELETE FROM schema_migrations WHERE number = 6";
    store.write_blocking(|tx| tx.execute(forget, args![])).unwrap();
    let client = Client::of(&server);
    assert_eq!(client.get("/healthz").0, 200);
    let (status, body) = client.get("/readyz");
    assert_eq!(status, 503);
    assert_eq!(body, json!({ "status": "unavailable", "reason": "migrations are pending: [6]" }));
}
