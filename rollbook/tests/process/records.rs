//! What the process says about itself: the log and the metrics, and what neither may ever say.

use std::net::TcpListener;

use serde_json::{Value, json};
use sql::{Options, Store, args};

use crate::database::Database;
use crate::server::{KEY, Start};
use crate::wire::{Client, Raw};

#[test]
fn the_log_has_one_line_a_request_and_no_secret() {
    let database = Database::fresh();
    let server = Start::with_key(&database).start();
    let client = Client::of(&server);
    client.get("/v1/organization/users?limit=3&after=secret-cursor");
    client.post("/v1/organization/projects", &json!({ "name": "secret-name" }));
    Client::with_key(&server, "sk-admin-secret-wrong-key-0123456789").get("/v1/organization/users");
    client.get("/v1/nowhere/secret-path");
    let made = client.post("/v1/organization/admin_api_keys", &json!({ "name": "secret-name" }));
    let value = made.1["value"].as_str().expect("a new key is shown once").to_owned();
    let (stdout, log) = server.stop();
    assert_eq!(stdout, "");
    assert!(!log.contains("secret-") && !log.contains(KEY) && !log.contains(&value), "{log}");

    let lines =
        log.lines().map(|line| serde_json::from_str::<Value>(line).expect("every line is JSON"));
    let requests: Vec<_> = lines.filter(|line| line["message"] == "request").collect();
    let shown: Vec<_> = requests
        .iter()
        .map(|line| json!([line["method"], line["route"], line["status"]]))
        .collect();
    let expected = [
        json!(["GET", "/v1/organization/users", 200]),
        json!(["POST", "/v1/organization/projects", 200]),
        json!(["GET", "/v1/organization/users", 401]),
        json!(["GET", "unmatched", 404]),
        json!(["POST", "/v1/organization/admin_api_keys", 200]),
    ];
    assert_eq!(shown, expected);
    assert!(requests[0]["id"].as_str().unwrap().starts_with("req_"));
    assert!(requests[0]["organization"].as_str().unwrap().starts_with("org-"));
    assert!(requests[0]["key"].as_str().unwrap().starts_with("key_"));
    assert_eq!(requests[2]["organization"], "");
}

#[test]
fn the_log_can_be_text_and_quiet() {
    let database = Database::fresh();
    let server = Start::with_key(&database).flag("--log-format", "text").start();
    Client::of(&server).get("/v1/organization/users");
    let (_, log) = server.stop();
    let line = log.lines().find(|line| line.contains("/v1/organization/users")).expect(&log);
    assert!(line.contains("INFO") && !line.contains('{'), "{line}");

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let start = Start::serve(&database).env("ROLLBOOK_UNKNOWN", "").flag("--log-level", "error");
    let (code, _, log) = start.flag("--metrics-listen", address).run();
    assert_eq!(code, 1);
    assert!(log.lines().count() == 1 && log.contains("--metrics-listen"), "{log}");
}

#[test]
fn metrics_are_on_a_listener_of_their_own_and_hold_no_key() {
    let database = Database::fresh();
    let server = Start::with_key(&database).flag("--metrics-listen", "127.0.0.1:0").start();
    let client = Client::of(&server);
    client.get("/v1/organization/users");
    let metrics =
        ureq::get(server.metrics_url()).call().unwrap().body_mut().read_to_string().unwrap();
    let counted = r#"rollbook_http_requests_total{method="GET",route="/v1/organization/users",status="200"} 1"#;
    assert!(metrics.contains(counted), "{metrics}");
    assert!(metrics.contains("rollbook_http_request_seconds_bucket"), "{metrics}");
    assert!(metrics.contains(r#"rollbook_store_jobs_total{kind="read",result="ok"}"#), "{metrics}");
    assert!(metrics.contains("rollbook_connections 1"), "{metrics}");
    assert!(!metrics.contains("sk-admin-"), "{metrics}");
    assert_eq!(client.get("/metrics").0, 404);
}

#[test]
fn the_record_names_the_client_behind_a_trusted_proxy_only() {
    let recorded = |proxies: &str| {
        let database = Database::fresh();
        let server = Start::with_key(&database).flag("--trusted-proxy", proxies).start();
        let body = r#"{"name":"forwarded"}"#;
        let mut request = Raw::connect(server.address());
        request.begin_project(KEY, body.len(), "X-Forwarded-For: 203.0.113.7\r\n");
        request.send(body);
        assert!(request.head().starts_with("HTTP/1.1 200 "));
        server.stop();
        let store = Store::open(Options::new(&database.url)).unwrap();
        let sql = "SELECT e.ip_address FROM audit_events e
                   JOIN audit_actors a ON a.organization_id = e.organization_id AND a.actor = e.actor
                   WHERE a.kind = 'api_key'";
        store.read_blocking(move |tx| tx.one(sql, args![], |row| row.get::<String>(0))).unwrap()
    };
    assert_eq!(recorded("10.0.0.0/8,127.0.0.0/8").as_deref(), Some("203.0.113.7"));
    assert_eq!(recorded("10.0.0.0/8").as_deref(), Some("127.0.0.1"));
}
