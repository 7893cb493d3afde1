//! Clients that are slow, too big or strangers.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::database::Database;
use crate::server::{KEY, Start};
use crate::wire::{Client, Raw};

#[test]
fn a_connection_that_sends_no_whole_header_is_closed_within_its_deadline() {
    let database = Database::fresh();
    let server = Start::with_key(&database).flag("--header-timeout", "1").start();
    let asked = Instant::now();
    let mut silent = Raw::connect(server.address());
    let mut slow = Raw::connect(server.address());
    slow.send("GET /v1/organization/users HTTP/1.1\r\nHost: roll");
    let mut kept = Raw::connect(server.address());
    kept.send("GET /nowhere HTTP/1.1\r\nHost: rollbook\r\n\r\n");
    assert_eq!(silent.rest(), "");
    assert!(!slow.rest().contains(" 200 "));
    assert!(kept.rest().contains("unknown_url"));
    assert!((1..10).contains(&asked.elapsed().as_secs()), "{:?}", asked.elapsed());
}

#[test]
fn a_body_that_does_not_arrive_is_408_and_ends_the_connection() {
    let database = Database::fresh();
    let server = Start::with_key(&database).flag("--body-timeout", "1").start();
    let mut request = Raw::connect(server.address());
    request.begin_project(KEY, 100, "");
    request.send("{\"name\":");
    let head = request.head();
    assert!(head.starts_with("HTTP/1.1 408 ") && head.contains("connection: close"), "{head}");
    assert!(request.rest().contains("request_timeout"));
}

#[test]
fn a_body_over_the_limit_is_413_also_for_a_client_that_sends_all_of_it_first() {
    let database = Database::fresh();
    let server = Start::with_key(&database).flag("--body-limit", "1000").start();
    let body = json!({ "name": "x".repeat(5_000_000) }).to_string();
    for key in [KEY, "wrong"] {
        let mut request = Raw::connect(server.address());
        request.begin_project(key, body.len(), "");
        request.send(&body);
        let status = if key == KEY { "HTTP/1.1 413 " } else { "HTTP/1.1 401 " };
        let head = request.head();
        assert!(head.starts_with(status), "{head}");
    }
    assert_eq!(
        Client::of(&server).post("/v1/organization/projects", &json!({ "name": "x" })).0,
        200
    );
}

#[test]
fn a_stranger_is_refused_before_its_body_is_asked_for() {
    let database = Database::fresh();
    let server = Start::with_key(&database).start();
    let mut request = Raw::connect(server.address());
    request.begin_project("sk-admin-wrong", 20, "Expect: 100-continue\r\n");
    assert!(request.head().starts_with("HTTP/1.1 401 "));

    let body = r#"{"name":"expected"}"#;
    let mut request = Raw::connect(server.address());
    request.begin_project(KEY, body.len(), "Expect: 100-continue\r\n");
    assert!(request.head().starts_with("HTTP/1.1 100 "));
    request.send(body);
    assert!(request.head().starts_with("HTTP/1.1 200 "));
}

#[test]
fn connections_beyond_the_cap_wait_for_their_turn() {
    let database = Database::fresh();
    let server = Start::with_key(&database)
        .flag("--max-connections", "2")
        .flag("--header-timeout", "2")
        .start();
    let holders: Vec<_> = (0..2).map(|_| Raw::connect(server.address())).collect();
    let asked = Instant::now();
    assert_eq!(Client::of(&server).get("/v1/organization/users").0, 200);
    assert!(asked.elapsed() > Duration::from_secs(1), "{:?}", asked.elapsed());
    drop(holders);
}
