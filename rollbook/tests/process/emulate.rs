//! The emulator as a tested program and its tests meet it: over a socket.

use std::time::Instant;

use serde_json::{Value, json};
use tempfile::tempdir;
use ureq::Agent;
use ureq::http::Response;

use crate::database::Database;
use crate::server::{KEY, Server, Start};
use crate::wire::{Client, Raw};

/// The emulator's own key.
pub const EMULATOR: &str = "sk-admin-emulator";

/// An emulator on a free port with a clock that stands still.
pub fn emulator(flags: &[&str]) -> Server {
    let arguments =
        [&["emulate", "--port", "0", "--clock", "2026-01-01T00:00:00Z"], flags].concat();
    let mut server = Start::program(&arguments).spawn();
    let shown = server.stdout_until("OPENAI_ADMIN_KEY=");
    let url = shown.lines().find_map(|line| line.strip_prefix("OPENAI_BASE_URL=")).unwrap();
    url.strip_suffix("/v1").unwrap().clone_into(&mut server.url);
    server
}

fn get(server: &Server, path: &str) -> Result<Response<ureq::Body>, ureq::Error> {
    let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
    agent
        .get(format!("{}{path}", server.url))
        .header("authorization", format!("Bearer {EMULATOR}"))
        .call()
}

fn order(client: &Client, body: &Value) -> Value {
    let (status, ordered) = client.post("/rollbook/v1/emulator/faults", body);
    assert_eq!(status, 200, "{ordered}");
    ordered
}

#[test]
fn requests_fail_as_ordered_and_as_often() {
    let server = emulator(&[]);
    let client = Client::with_key(&server, EMULATOR);
    let users = "/v1/organization/users";
    order(
        &client,
        &json!({ "fault": "rate_limit", "times": 2, "method": "GET", "path": users, "retry_after_ms": 20 }),
    );
    order(&client, &json!({ "fault": "unavailable", "path": users, "retry_after": 3 }));
    order(&client, &json!({ "fault": "server_error", "path": "/v1/organization/*" }));
    let header = |response: &Response<ureq::Body>, name: &str| {
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    for _ in 0..2 {
        let response = get(&server, users).unwrap();
        assert_eq!(response.status(), 429);
        assert_eq!(header(&response, "retry-after").as_deref(), Some("1"));
        assert_eq!(header(&response, "retry-after-ms").as_deref(), Some("20"));
    }
    let response = get(&server, users).unwrap();
    assert_eq!(
        (response.status().as_u16(), header(&response, "retry-after").as_deref()),
        (503, Some("3"))
    );
    assert_eq!(client.get("/v1/organization/projects").0, 500);
    assert_eq!((client.get(users).0, client.get("/v1/organization/projects").0), (200, 200));
    let (_, faults) = client.get("/rollbook/v1/emulator/faults");
    let left: Vec<_> =
        faults["data"].as_array().unwrap().iter().map(|fault| fault["remaining"].clone()).collect();
    assert_eq!(left, [0, 0, 0]);
    assert_eq!(client.delete("/rollbook/v1/emulator/faults").0, 200);
    assert_eq!(client.get("/rollbook/v1/emulator/faults").1["data"], json!([]));
}

#[test]
fn a_cut_connection_ends_before_or_after_the_change() {
    let server = emulator(&[]);
    let client = Client::with_key(&server, EMULATOR);
    let count =
        || client.get("/v1/organization/projects?limit=100").1["data"].as_array().unwrap().len();
    let (before, new) = (count(), json!({ "name": "Cut" }));
    order(&client, &json!({ "fault": "cut", "method": "POST" }));
    client.try_post("/v1/organization/projects", &new).expect_err("the connection is cut");
    assert_eq!(count(), before);
    order(&client, &json!({ "fault": "cut", "method": "POST", "after": true }));
    client.try_post("/v1/organization/projects", &new).expect_err("the connection is cut");
    assert_eq!(count(), before + 1);
}

#[test]
fn a_delay_is_as_long_as_ordered() {
    let server = emulator(&[]);
    let client = Client::with_key(&server, EMULATOR);
    order(&client, &json!({ "fault": "delay", "delay_ms": 300 }));
    let began = Instant::now();
    assert_eq!(client.get("/v1/organization/users").0, 200);
    assert!(began.elapsed().as_millis() >= 300);
}

#[test]
fn none_of_it_exists_in_serve() {
    let server = Start::with_key(&Database::fresh()).start();
    // A connection may end with a refusal whose body was not read, so each request gets its own.
    let client = || Client::of(&server);
    for path in ["reset", "clock", "faults"] {
        let (status, body) = client().post(&format!("/rollbook/v1/emulator/{path}"), &json!({}));
        assert_eq!((status, &body["error"]["code"]), (404, &json!("unknown_url")), "{path}");
    }
    for path in ["state", "clock", "faults"] {
        assert_eq!(client().get(&format!("/rollbook/v1/emulator/{path}")).0, 404, "{path}");
    }
    assert_eq!(client().delete("/rollbook/v1/emulator/faults").0, 404);
}

#[test]
fn a_store_that_lasts_is_refused_wherever_it_is_named() {
    let refused = |start: Start, what: &str| {
        let (code, _, log) = start.run();
        assert_eq!(code, 2, "{log}");
        assert!(log.contains(what) && log.contains("rollbook serve"), "{log}");
    };
    let start = || Start::program(&["emulate", "--port", "0"]);
    refused(start().flag("--database", "sqlite:tests.db"), "--database");
    refused(start().env("ROLLBOOK_DATABASE", "postgres://u@h/d"), "ROLLBOOK_DATABASE");
    refused(start().flag("--config", "rollbook.toml"), "--config");
    refused(start().env("ROLLBOOK_CONFIG", "rollbook.toml"), "ROLLBOOK_CONFIG");
    assert_eq!(start().flag("--key", "two words").run().0, 2);
    assert_eq!(start().flag("--clock", "1960-01-01T00:00:00Z").run().0, 2);
    let (code, _, log) = start().flag("--seed", "one=/nowhere/one.json").run();
    assert!(code == 2 && log.contains("/nowhere/one.json"), "{log}");
}

#[test]
fn it_answers_this_machine_and_its_own_key() {
    let server = emulator(&["--key", "any-string"]);
    assert_eq!(Client::with_key(&server, "any-string").get("/v1/organization/users").0, 200);
    assert_eq!(Client::with_key(&server, KEY).get("/v1/organization/users").0, 401);
    assert_eq!(ureq::get(format!("{}/readyz", server.url)).call().unwrap().status(), 200);
    assert!(server.address().ip().is_loopback());
    let mut request = Raw::connect(server.address());
    request.send("GET /healthz HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n");
    assert!(request.rest().starts_with("HTTP/1.1 403 "));
    server.stop();
}

/// A measurement, of resets as a test of somebody else's asks for them: over HTTP, of an organization of 100 things.
/// `cargo test -p rollbook --test process -- --ignored --nocapture a_thousand_resets`; with `--release` for the other build.
#[test]
#[ignore = "a measurement"]
fn a_thousand_resets() {
    let people: Vec<_> = (0..70)
        .map(|n| json!({ "id": format!("user-{n}"), "email": format!("p{n}@example.com"), "role": "owner" }))
        .collect();
    let projects: Vec<_> = (0..15)
        .map(|n| json!({ "id": format!("proj_{n}"), "name": format!("Project {n}"), "users": [{ "id": "user-0" }] }))
        .collect();
    let seed = json!({ "default_project_id": "proj_0", "users": people, "projects": projects });
    let folder = tempdir().unwrap();
    let file = folder.path().join("seed.json");
    std::fs::write(&file, seed.to_string()).unwrap();
    let server = emulator(&["--seed", &format!("hundred={}", file.display())]);
    let client = Client::with_key(&server, EMULATOR);
    let began = Instant::now();
    for _ in 0..1000 {
        assert_eq!(client.post("/rollbook/v1/emulator/reset", &json!({})).0, 200);
    }
    println!("1000 resets of 100 things in {:.2} s", began.elapsed().as_secs_f64());
    assert_eq!(
        client.get("/v1/organization/users?limit=100").1["data"].as_array().unwrap().len(),
        70
    );
}
