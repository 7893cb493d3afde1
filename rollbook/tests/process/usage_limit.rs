//! A month that reaches its limit while many report: each alert fires once, and the limit is shown as reached from the next check on.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::spawn;

use serde_json::{Value, json};

use crate::commands::on;
use crate::database::Database;
use crate::server::{Server, Start};
use crate::wire::Client;

const REPORTERS: i64 = 16;
/// How many requests each of them sends, and how many events are in one.
const REQUESTS: i64 = 20;
const EVENTS: i64 = 5;
/// What an event costs, in cents.
const CENTS: i64 = 1;
const ALL: i64 = REPORTERS * REQUESTS * EVENTS * CENTS;
/// Where the limits are: of the project, and of the organization.
const OF_PROJECT: i64 = ALL / 4;
const OF_ALL: i64 = ALL / 2;

fn ok((status, body): (u16, Value)) -> Value {
    assert_eq!(status, 200, "{body}");
    body
}

/// What is at the levels whose limits are looked at.
struct Scene {
    project: String,
    key: String,
}

fn set(server: &Server) -> Scene {
    let client = Client::of(server);
    let project = ok(client.post("/v1/organization/projects", &json!({ "name": "Busy" })));
    let project = project["id"].as_str().unwrap().to_owned();
    let accounts = format!("/v1/organization/projects/{project}/service_accounts");
    let account = ok(client.post(&accounts, &json!({ "name": "reporter" })));
    let key = account["api_key"]["value"].as_str().unwrap().to_owned();
    let place = format!("/projects/{project}");
    for (place, limit) in [(&*place, OF_PROJECT), ("", OF_ALL)] {
        let terms = |cents: i64| json!({ "threshold_amount": cents, "currency": "USD", "interval": "month" });
        ok(client.post(&format!("/v1/organization{place}/spend_limit"), &terms(limit)));
        for cents in [0, limit / 2, limit, ALL + 1] {
            let mut alert = terms(cents);
            alert["notification_channel"] =
                json!({ "type": "email", "recipients": ["a@example.com"] });
            ok(client.post(&format!("/v1/organization{place}/spend_alerts"), &alert));
        }
    }
    Scene { project, key }
}

/// Whether the limits of the project and the organization are shown as reached: as what is set, and by the check of the key.
fn reached(server: &Server, scene: &Scene) -> [[bool; 2]; 2] {
    let client = Client::of(server);
    let status = |place: &str| {
        let limit = ok(client.get(&format!("/v1/organization{place}/spend_limit")));
        limit["enforcement"]["status"] == "enforcing"
    };
    let check = ok(Client::with_key(server, &scene.key).post("/rollbook/v1/check", &json!({})));
    let checked = |level: &str| check["spend_limit"][level]["reached"] == true;
    let project = format!("/projects/{}", scene.project);
    [[status(&project), checked("project")], [status(""), checked("organization")]]
}

#[test]
fn a_limit_is_shown_as_reached_from_the_next_check_on_and_each_alert_fires_once() {
    let database = Database::fresh();
    let server = Start::with_key(&database).flag("--price", "m images=0.01").start();
    let server = Arc::new(server);
    let scene = Arc::new(set(&server));
    assert_eq!(reached(&server, &scene), [[false; 2]; 2]);
    // What was acknowledged by now, and what may have been counted by now.
    let (counted, sent) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
    let reporters: Vec<_> = (0..REPORTERS)
        .map(|reporter| {
            let (server, scene) = (Arc::clone(&server), Arc::clone(&scene));
            let (counted, sent) = (Arc::clone(&counted), Arc::clone(&sent));
            spawn(move || {
                let client = Client::with_key(&server, &scene.key);
                for request in 0..REQUESTS {
                    let cents = EVENTS * CENTS;
                    sent.fetch_add(cents, Ordering::SeqCst);
                    let answer =
                        ok(client.post("/rollbook/v1/usage_events", &events(reporter, request)));
                    assert_eq!(answer["accepted"], EVENTS, "{answer}");
                    counted.fetch_add(cents, Ordering::SeqCst);
                    let least = counted.load(Ordering::SeqCst);
                    let reached = reached(&server, &scene);
                    let most = sent.load(Ordering::SeqCst);
                    for (reached, limit) in reached.into_iter().zip([OF_PROJECT, OF_ALL]) {
                        if least >= limit {
                            assert_eq!(
                                reached, [true; 2],
                                "{least} of {limit} was acknowledged before"
                            );
                        }
                        if most < limit {
                            assert_eq!(reached, [false; 2], "only {most} of {limit} was sent");
                        }
                    }
                }
            })
        })
        .collect();
    for reporter in reporters {
        reporter.join().unwrap();
    }
    assert_eq!(reached(&server, &scene), [[true; 2]; 2]);
    let listed = on(&database, &["alerts", "list", "--json"]).ok();
    let mut fired: Vec<_> = listed
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|row| (row["project_id"].is_string(), row["threshold_amount"].as_i64().unwrap()))
        .collect();
    fired.sort_unstable();
    let of =
        |is_of_project: bool, limit: i64| [0, limit / 2, limit].map(|cents| (is_of_project, cents));
    assert_eq!(fired, [of(false, OF_ALL), of(true, OF_PROJECT)].concat());
    let Ok(server) = Arc::try_unwrap(server) else { panic!("the reporters have ended") };
    server.stop();
}

fn events(reporter: i64, request: i64) -> Value {
    use admin::domain::clock::{Clock, SystemClock};
    let now = SystemClock.now();
    let event = |number: i64| {
        json!({
            "id": format!("{reporter}-{request}-{number}"), "time": now, "kind": "images", "model": "m",
            "images": 1,
        })
    };
    (0..EVENTS).map(event).collect()
}
