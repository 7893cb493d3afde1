//! The emulator in this process: what a reset undoes, and that the same requests get the same answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use clap::Parser;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower::ServiceExt;

use super::stage::Stage;
use super::{Emulate, KEY, service};

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    emulate: Emulate,
}

/// An emulator without its listener, and a tested program's way to it.
struct Emulated {
    runtime: Runtime,
    stage: Arc<Stage>,
    router: Router,
}

impl Emulated {
    fn new(flags: &[&str]) -> Self {
        let flags = Flags::parse_from([&["emulate"], flags].concat()).emulate;
        let url = "http://127.0.0.1:8080";
        let stage = Arc::new(flags.stage(crate::config::Settings::default().api(url)).unwrap());
        let router = service(&stage, "127.0.0.1:8080".parse().unwrap()).unwrap().router;
        Self { runtime: Runtime::new().unwrap(), stage, router }
    }

    fn stopped() -> Self {
        Self::new(&["--clock", "2026-01-01T00:00:00Z"])
    }

    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> (StatusCode, Vec<u8>) {
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("authorization", format!("Bearer {KEY}"))
            .header("content-type", "application/json")
            .body(body)
            .unwrap();
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let status = response.status();
            (status, to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec())
        })
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let (status, body) = self.send(method, path, body);
        (status.as_u16(), serde_json::from_slice(&body).unwrap())
    }

    fn state(&self) -> String {
        let (status, state) = self.ask("GET", "/rollbook/v1/emulator/state", None);
        assert_eq!(status, 200);
        state["sha256"].as_str().unwrap().to_owned()
    }

    fn reset(&self) {
        assert_eq!(self.ask("POST", "/rollbook/v1/emulator/reset", None).0, 200);
    }

    /// The ids of a list.
    fn ids(&self, path: &str) -> Vec<String> {
        let (_, page) = self.ask("GET", path, None);
        let rows = page["data"].as_array().cloned().unwrap_or_default();
        rows.iter().filter_map(|row| row["id"].as_str().map(str::to_owned)).collect()
    }

    /// Everything that the organization shows of itself, by the path of each list.
    fn shown(&self) -> Vec<(String, Vec<u8>)> {
        let mut paths: Vec<String> =
            LISTS.iter().map(|list| format!("/v1/organization/{list}?limit=100")).collect();
        for project in self.ids("/v1/organization/projects?limit=100&include_archived=true") {
            let of = |list: &&str| format!("/v1/organization/projects/{project}/{list}?limit=100");
            paths.extend(PROJECT_LISTS.iter().map(of));
        }
        paths.into_iter().map(|path| (path.clone(), self.send("GET", &path, None).1)).collect()
    }
}

const LISTS: [&str; 9] = [
    "users",
    "projects",
    "groups",
    "roles",
    "invites",
    "admin_api_keys",
    "certificates",
    "spend_alerts",
    "audit_logs",
];
const PROJECT_LISTS: [&str; 7] = [
    "users",
    "groups",
    "service_accounts",
    "api_keys",
    "rate_limits",
    "spend_alerts",
    "certificates",
];

/// A change that a test might make. Numbers choose among what is there.
#[derive(Debug, Clone)]
enum Change {
    Create(&'static str, usize),
    CreateIn(&'static str, usize, usize),
    Delete(&'static str, usize),
    DeleteIn(&'static str, usize, usize),
    Archive(usize),
    Advance(u32),
    Fault,
}

fn change() -> impl Strategy<Value = Change> {
    let created = prop::sample::select(vec![
        "projects",
        "groups",
        "roles",
        "invites",
        "admin_api_keys",
        "spend_alerts",
    ]);
    let deleted = prop::sample::select(vec![
        "users",
        "groups",
        "roles",
        "invites",
        "admin_api_keys",
        "spend_alerts",
    ]);
    let within = prop::sample::select(vec!["service_accounts", "spend_alerts", "users"]);
    prop_oneof![
        4 => (created, 0..50_usize).prop_map(|(list, n)| Change::Create(list, n)),
        4 => (within.clone(), 0..50_usize, 0..50_usize).prop_map(|(list, p, n)| Change::CreateIn(list, p, n)),
        3 => (deleted, 0..50_usize).prop_map(|(list, n)| Change::Delete(list, n)),
        2 => (within, 0..50_usize, 0..50_usize).prop_map(|(list, p, n)| Change::DeleteIn(list, p, n)),
        1 => (0..50_usize).prop_map(Change::Archive),
        1 => (0..100_000_u32).prop_map(Change::Advance),
        1 => Just(Change::Fault),
    ]
}

impl Change {
    fn make(&self, on: &Emulated) {
        let pick = |ids: Vec<String>, n: usize| ids.get(n % ids.len().max(1)).cloned();
        let project = |n| pick(on.ids("/v1/organization/projects"), n).unwrap_or_default();
        let (method, path, body) = match *self {
            Self::Create(list, n) => {
                ("POST", format!("/v1/organization/{list}"), Some(body(list, n)))
            }
            Self::CreateIn("users", p, n) => {
                let user = pick(on.ids("/v1/organization/users"), n);
                let body = json!({ "user_id": user, "role": "member" });
                ("POST", format!("/v1/organization/projects/{}/users", project(p)), Some(body))
            }
            Self::CreateIn(list, p, n) => (
                "POST",
                format!("/v1/organization/projects/{}/{list}", project(p)),
                Some(body(list, n)),
            ),
            Self::Delete(list, n) => {
                let id = pick(on.ids(&format!("/v1/organization/{list}")), n).unwrap_or_default();
                ("DELETE", format!("/v1/organization/{list}/{id}"), None)
            }
            Self::DeleteIn(list, p, n) => {
                let place = format!("/v1/organization/projects/{}/{list}", project(p));
                let id = pick(on.ids(&place), n).unwrap_or_default();
                ("DELETE", format!("{place}/{id}"), None)
            }
            Self::Archive(n) => {
                ("POST", format!("/v1/organization/projects/{}/archive", project(n)), None)
            }
            Self::Advance(seconds) => (
                "POST",
                "/rollbook/v1/emulator/clock".to_owned(),
                Some(json!({ "advance_seconds": seconds })),
            ),
            Self::Fault => {
                let body = json!({ "fault": "server_error", "path": "/v1/organization/projects/{id}/archive" });
                ("POST", "/rollbook/v1/emulator/faults".to_owned(), Some(body))
            }
        };
        on.send(method, &path, body.as_ref());
    }
}

fn body(list: &str, n: usize) -> Value {
    match list {
        "roles" => {
            json!({ "role_name": format!("Role {n}"), "permissions": ["api.responses.write"] })
        }
        "groups" | "projects" | "admin_api_keys" | "service_accounts" => {
            json!({ "name": format!("Number {n}") })
        }
        "invites" => json!({ "email": format!("new{n}@example.com"), "role": "reader" }),
        _ => json!({
            "threshold_amount": n + 1, "currency": "USD", "interval": "month",
            "notification_channel": { "type": "email", "recipients": ["a@example.com"] },
        }),
    }
}

#[test]
fn a_reset_undoes_whatever_was_changed() {
    let emulated = Emulated::stopped();
    // The first use of the key is noted, which is a change.
    let (seed, shown) = (emulated.state(), emulated.shown());
    let (mut changed, mut runner) =
        (0, TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() }));
    let done = runner.run(&prop::collection::vec(change(), 1..25), |changes| {
        for change in &changes {
            change.make(&emulated);
        }
        let (_, answers) = emulated.ask("GET", "/rollbook/v1/emulator/clock", None);
        prop_assert_eq!(&answers["is_stopped"], &Value::Bool(true));
        emulated.reset();
        prop_assert_eq!(emulated.state(), seed.clone());
        prop_assert_eq!(
            emulated.stage.now().1.image_blocking().unwrap(),
            emulated.stage.image(0).clone()
        );
        prop_assert_eq!(emulated.shown(), shown.clone());
        prop_assert!(emulated.stage.faults.list().is_empty());
        Ok(())
    });
    // Otherwise the test would hold for an emulator that changes nothing.
    for change in
        [Change::Create("projects", 1), Change::Create("roles", 1), Change::Create("invites", 1)]
    {
        let before = emulated.state();
        change.make(&emulated);
        changed += usize::from(emulated.state() != before);
    }
    assert_eq!(changed, 3);
    done.unwrap();
}

/// The bodies of 500 requests of every kind, from the seed on.
fn five_hundred(emulated: &Emulated) -> Vec<Vec<u8>> {
    emulated.reset();
    let mut bodies = Vec::new();
    let mut send = |method: &str, path: &str, body: Option<&Value>| {
        let (_, text) = emulated.send(method, path, body);
        bodies.push(text.clone());
        serde_json::from_slice::<Value>(&text).unwrap()["id"].as_str().unwrap_or("none").to_owned()
    };
    for n in 0..25 {
        let project = send("POST", "/v1/organization/projects", Some(&body("projects", n)));
        let group = send("POST", "/v1/organization/groups", Some(&body("groups", n)));
        let role = send("POST", "/v1/organization/roles", Some(&body("roles", n)));
        let invite = send("POST", "/v1/organization/invites", Some(&body("invites", n)));
        let key = send("POST", "/v1/organization/admin_api_keys", Some(&body("admin_api_keys", n)));
        let place = format!("/v1/organization/projects/{project}");
        let account =
            send("POST", &format!("{place}/service_accounts"), Some(&body("service_accounts", n)));
        let alert = send("POST", &format!("{place}/spend_alerts"), Some(&body("spend_alerts", n)));
        send("POST", "/rollbook/v1/emulator/clock", Some(&json!({ "advance_seconds": n })));
        send(
            "POST",
            &format!("/v1/organization/groups/{group}/roles"),
            Some(&json!({ "role_id": role })),
        );
        send("GET", &format!("{place}/api_keys"), None);
        send("GET", &format!("{place}/service_accounts/{account}"), None);
        send("GET", "/v1/organization/audit_logs?limit=100", None);
        send("GET", "/v1/organization/admin_api_keys", None);
        send("GET", &format!("/v1/organization/roles/{role}"), None);
        send("GET", "/v1/organization/users/nobody", None);
        send("DELETE", &format!("/v1/organization/invites/{invite}"), None);
        send("DELETE", &format!("/v1/organization/admin_api_keys/{key}"), None);
        send("DELETE", &format!("{place}/spend_alerts/{alert}"), None);
        send("POST", &format!("{place}/archive"), None);
        send("GET", "/v1/organization/projects?limit=100&include_archived=true", None);
    }
    assert_eq!(bodies.len(), 500);
    bodies
}

#[test]
fn the_same_requests_get_the_same_bytes() {
    let emulated = Emulated::stopped();
    let first = five_hundred(&emulated);
    assert_eq!(five_hundred(&emulated), first, "after a reset");
    assert_eq!(five_hundred(&Emulated::stopped()), first, "in another process");
    let distinct: BTreeSet<_> = first.iter().collect();
    assert!(distinct.len() > 300, "{}", distinct.len());
    let refused = first.iter().filter(|body| body.starts_with(b"{\"error\"")).count();
    assert_eq!(refused, 25, "only the one who is nobody is refused");
}

#[test]
fn the_clock_is_what_answers_go_by() {
    let emulated = Emulated::stopped();
    let made =
        |n: usize| emulated.ask("POST", "/v1/organization/projects", Some(&body("projects", n))).1;
    let clock = |body: Value| emulated.ask("POST", "/rollbook/v1/emulator/clock", Some(&body));
    assert_eq!(made(1)["created_at"], 1_767_225_600);
    assert_eq!(clock(json!({ "advance_seconds": 90 })).1["now"], "2026-01-01T00:01:30Z");
    assert_eq!(made(2)["created_at"], 1_767_225_690);
    assert_eq!(
        clock(json!({ "now": "2026-03-01T12:00:00+01:00" })).1["now"],
        "2026-03-01T11:00:00Z"
    );
    assert_eq!(made(3)["created_at"], 1_772_362_800);
    for odd in [
        json!({}),
        json!({ "now": "soon" }),
        json!({ "now": "1969-01-01T00:00:00Z" }),
        json!({ "advance_seconds": -1 }),
        json!({ "advance_seconds": 1_u64 << 50 }),
        json!({ "advance_seconds": 1, "now": "2026-01-01T00:00:00Z" }),
        json!([]),
    ] {
        let (status, body) = clock(odd);
        assert_eq!((status, &body["error"]["code"]), (400, &json!("invalid_value")), "{body}");
    }
    assert_eq!(made(4)["created_at"], 1_772_362_800);
    let invite = emulated.ask("POST", "/v1/organization/invites", Some(&body("invites", 1))).1;
    let week = i64::from(7 * 24 * 60 * 60);
    assert_eq!(invite["expires_at"], 1_772_362_800 + week);
    clock(json!({ "advance_seconds": week }));
    let (_, invite) = emulated.ask(
        "GET",
        &format!("/v1/organization/invites/{}", invite["id"].as_str().unwrap()),
        None,
    );
    assert_eq!(invite["status"], "expired");
}

#[test]
fn a_reset_names_a_seed_that_there_is() {
    let emulated = Emulated::stopped();
    let reset =
        |query: &str| emulated.ask("POST", &format!("/rollbook/v1/emulator/reset{query}"), None);
    assert_eq!(
        reset("?seed=default"),
        (200, json!({ "object": "emulator.reset", "seed": "default" }))
    );
    let (status, body) = reset("?seed=other");
    assert_eq!((status, &body["error"]["param"]), (404, &json!("seed")));
    assert!(body["error"]["message"].as_str().unwrap().contains("'default'"), "{body}");
    assert_eq!(emulated.ask("GET", "/rollbook/v1/emulator/reset", None).0, 405);
    let (status, body) = emulated.ask("GET", "/rollbook/v1/emulator/other", None);
    assert_eq!((status, &body["error"]["code"]), (404, &json!("unknown_url")));
}
