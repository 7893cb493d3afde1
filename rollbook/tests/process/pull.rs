//! `rollbook pull`: what a server shows arrives, whatever happens on the way, and the key goes nowhere else.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use admin::audit::Actor;
use admin::document::{self, Hashes, Restoration};
use admin::domain::clock::{SystemClock, SystemRandom};
use admin::domain::id::Ids;
use admin::error::Error;
use serde_json::{Value, json};
use sql::{Options, Store};
use tempfile::{TempDir, tempdir};

use crate::commands::Ran;
use crate::emulate::{EMULATOR, emulator};
use crate::server::{Server, Start};
use crate::wire::Client;

/// Everything that a document can say, and more people than there are on a page.
fn seed() -> Value {
    let literal = include_str!("../../../admin/src/document/seeds/literal.json");
    let mut seed: Value = serde_json::from_str(literal).unwrap();
    for n in 0..120 {
        let id = format!("user-{n:03}");
        let person = json!({ "id": id, "email": format!("p{n}@example.com"), "added_at": 1_750_000_000 + n });
        seed["users"].as_array_mut().unwrap().push(person);
        let members = seed["projects"][1]["users"].as_array_mut().unwrap();
        members.push(json!({ "id": id, "role": if n % 7 == 0 { "owner" } else { "member" } }));
    }
    seed["users"][2]["name"] = json!("Somebody with a name");
    seed["users"][3]["role"] = json!("none");
    seed["users"][4]["roles"] = json!([{ "id": "role_id" }]);
    seed["projects"].as_array_mut().unwrap().push(json!({
        "id": "proj_archived", "name": "Archived", "created_at": 1_750_000_000, "archived_at": 1_760_000_000,
        "groups": [{ "group_id": "group_id", "roles": [{ "id": "role-api-project-viewer" }] }],
        "spend_limit": { "threshold_amount": 7 },
    }));
    seed
}

/// When the emulator's seed came to be: a second before its clock begins.
const PLANTED: i64 = 1_767_225_599;

/// An emulator of this organization, and the folder of the document.
fn source(seed: &Value) -> (Server, TempDir) {
    let folder = tempdir().unwrap();
    let file = folder.path().join("seed.json");
    fs::write(&file, seed.to_string()).unwrap();
    (emulator(&["--seed", &format!("seed={}", file.display())]), folder)
}

fn pull(server: &Server) -> Start {
    let start = Start::program(&["pull", "--from", &server.url]);
    start.env("OPENAI_ADMIN_KEY", EMULATOR).env("ROLLBOOK_ADMIN_KEY", "")
}

/// The same organization as its store has it.
fn exported(store: &Store) -> Value {
    let document = store.read_blocking(|tx| {
        let organization = admin::organization::find_named_or_only(tx, None)?;
        document::export(tx, &organization.id, Hashes::Included)
    });
    serde_json::to_value(document.unwrap()).unwrap()
}

fn restored(seed: &Value) -> Store {
    let store = Store::open(Options::new("sqlite::memory:")).unwrap();
    store.migrate(&admin::migrations()).unwrap();
    let ids = Ids::new(Arc::new(SystemClock), Arc::new(SystemRandom));
    let document = document::parse(&seed.to_string()).unwrap();
    let restoration = Restoration::draw(document, Actor::System, PLANTED, &ids).unwrap();
    store.write_blocking(move |tx| restoration.execute(tx).map_err(Error::from)).unwrap();
    store
}

/// What servers show nobody, by the list or object that it is in. Everything else has to arrive.
const NEVER_SHOWN: &[(&str, &[&str])] = &[
    ("", &["id", "slug", "name", "created_at", "required_hosted_tools"]),
    ("models", &["created_at", "origin"]),
    ("roles", &["created_at", "updated_at", "created_by"]),
    ("organization_roles", &["created_at"]),
    ("groups/users", &["added_at"]),
    ("invites", &["token_sha256"]),
    ("spend_alerts", &["created_at"]),
    ("admin_api_keys", &["scopes", "secret_sha256"]),
    ("api_keys", &["scopes", "expires_at", "secret_sha256"]),
];

/// The part of a document that a server shows.
fn shown(mut document: Value) -> Value {
    fn strip(value: &mut Value, place: (&str, &str)) {
        let (outer, inner) = place;
        match value {
            Value::Array(rows) => rows.iter_mut().for_each(|row| strip(row, place)),
            Value::Object(members) => {
                for (list, names) in NEVER_SHOWN {
                    if *list == inner || *list == format!("{outer}/{inner}") {
                        names.iter().for_each(|name| drop(members.remove(*name)));
                    }
                }
                members.iter_mut().for_each(|(name, value)| strip(value, (inner, name)));
            }
            _ => {}
        }
    }
    strip(&mut document, ("", ""));
    // Made by the emulator for itself.
    document["admin_api_keys"].as_array_mut().unwrap().retain(|key| key["name"] != "Emulator");
    for project in document["projects"].as_array_mut().unwrap() {
        let project = project.as_object_mut().unwrap();
        if project.contains_key("archived_at") {
            for name in ["users", "service_accounts", "api_keys"] {
                project.remove(name);
            }
        }
        // The same as if nothing were said.
        if project.get("data_retention") == Some(&json!({ "type": "organization_default" })) {
            project.remove("data_retention");
        }
    }
    document
}

/// The same without keys, which cannot be brought anywhere without their secrets.
fn without_keys(mut document: Value) -> Value {
    document["admin_api_keys"] = json!([]);
    for project in document["projects"].as_array_mut().unwrap() {
        project.as_object_mut().unwrap().remove("api_keys");
    }
    document
}

/// Asserts that two documents are the same, and shows only where they are not.
fn assert_same(left: &Value, right: &Value) {
    let lines = |document: &Value| serde_json::to_string_pretty(document).unwrap();
    let (left, right) = (lines(left), lines(right));
    let differing = left.lines().zip(right.lines()).enumerate().filter(|(_, (a, b))| a != b);
    assert_eq!(differing.take(5).collect::<Vec<_>>(), []);
    assert_eq!(left.lines().count(), right.lines().count());
}

fn read(file: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn everything_that_is_shown_arrives_whatever_goes_wrong_on_the_way() {
    let seed = seed();
    let (server, folder) = source(&seed);
    let client = Client::with_key(&server, EMULATOR);
    for fault in [
        json!({ "fault": "rate_limit", "times": 3, "retry_after_ms": 20, "path": "/v1/*" }),
        json!({ "fault": "cut", "path": "/v1/organization/groups/{group_id}/users" }),
        json!({ "fault": "unavailable", "retry_after_ms": 20, "path": "/v1/organization/roles" }),
        json!({ "fault": "server_error", "path": "/v1/organization/projects/{project_id}/users" }),
        json!({ "fault": "cut", "after": true, "path": "/v1/projects/{project_id}/users/{user_id}/roles" }),
    ] {
        assert_eq!(client.post("/rollbook/v1/emulator/faults", &fault).0, 200, "{fault}");
    }
    let file = folder.path().join("pulled.json");
    let ran = Ran::of(pull(&server).flag("--output", &file));
    assert_eq!((ran.code, &*ran.stdout), (0, ""), "{}", ran.stderr);
    assert!(!ran.stderr.contains("left out"), "{}", ran.stderr);
    let (_, faults) = client.get("/rollbook/v1/emulator/faults");
    let unused =
        faults["data"].as_array().unwrap().iter().filter(|fault| fault["remaining"] != 0).count();
    assert_eq!(unused, 0, "{faults}");
    assert!(!folder.path().join("pulled.json.pull").exists(), "what it remembered is gone");

    let (pulled, there) = (read(&file), restored(&seed));
    assert_same(&shown(pulled.clone()), &shown(exported(&there)));
    assert_eq!(pulled["users"].as_array().unwrap().len(), 122);

    // From there into another one, which then shows the same.
    let url = format!("sqlite:{}", folder.path().join("copy.db").display());
    let ran = Ran::of(pull(&server).flag("--database", &url));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("keys without their secrets"), "{}", ran.stderr);
    let copy = Store::open(Options::new(url)).unwrap();
    assert_same(&without_keys(shown(exported(&copy))), &without_keys(shown(exported(&there))));
    copy.close();
}

#[test]
fn a_pull_that_was_cut_goes_on_where_it_was() {
    let (server, folder) = source(&seed());
    let client = Client::with_key(&server, EMULATOR);
    let fail = |path: &str| {
        let order = json!({ "fault": "rate_limit", "retry_after": 3600, "path": path });
        assert_eq!(client.post("/rollbook/v1/emulator/faults", &order).0, 200);
    };
    let file = folder.path().join("pulled.json");
    let state = folder.path().join("pulled.json.pull");
    fail("/v1/organization/invites");
    let ran = Ran::of(pull(&server).flag("--output", &file));
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("run the same command again"), "{}", ran.stderr);
    assert!(state.exists() && !file.exists());
    assert!(!fs::read_to_string(&state).unwrap().contains(EMULATOR), "the key is in no file");

    // Whoever asks for the people once more gets nowhere.
    client.delete("/rollbook/v1/emulator/faults");
    fail("/v1/organization/users");
    let other =
        Start::program(&["pull", "--from", "http://127.0.0.1:9"]).env("OPENAI_ADMIN_KEY", EMULATOR);
    let ran = Ran::of(other.env("ROLLBOOK_ADMIN_KEY", "").flag("--output", &file));
    assert!(ran.code == 1 && ran.stderr.contains("another pull"), "{}", ran.stderr);
    let ran = Ran::of(pull(&server).flag("--output", &file));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!state.exists());
    assert_eq!(client.get("/rollbook/v1/emulator/faults").1["data"][0]["remaining"], 1);
    client.delete("/rollbook/v1/emulator/faults");
    let (_, whole, _) = pull(&server).run();
    assert_same(&read(&file), &serde_json::from_str(&whole).unwrap());
}

#[test]
fn the_key_goes_to_no_other_host() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    let here = TcpListener::bind("127.0.0.1:0").unwrap();
    let (from, to) = (here.local_addr().unwrap(), elsewhere.local_addr().unwrap());
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = here.accept().unwrap();
        let mut request = [0; 4096];
        let length = stream.read(&mut request).unwrap();
        let head = format!(
            "HTTP/1.1 307 X\r\nlocation: http://{to}/v1/organization/users\r\ncontent-length: 0\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let start = Start::program(&["pull", "--from", &format!("http://{from}")]);
    let ran = Ran::of(start.env("OPENAI_ADMIN_KEY", EMULATOR).env("ROLLBOOK_ADMIN_KEY", ""));
    assert_eq!((ran.code, &*ran.stdout), (1, ""));
    assert!(ran.stderr.contains("redirects to") && ran.stderr.contains("--from"), "{}", ran.stderr);
    assert!(answering.join().unwrap().contains(EMULATOR));
    elsewhere.set_nonblocking(true).unwrap();
    assert_eq!(elsewhere.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "nobody came");
}

#[test]
fn the_key_is_read_from_the_environment_or_a_file_and_a_partial_view_is_told() {
    let (server, folder) = source(&seed());
    let client = Client::with_key(&server, EMULATOR);
    let bare = || {
        Start::program(&["pull", "--from", &server.url])
            .env("OPENAI_ADMIN_KEY", "")
            .env("ROLLBOOK_ADMIN_KEY", "")
    };
    assert_eq!(bare().run().0, 5, "there is no key");
    assert_eq!(bare().flag("--key", EMULATOR).run().0, 2, "an argument is for everybody to see");
    let key = folder.path().join("key");
    assert_eq!(bare().flag("--key-file", &key).run().0, 2);
    fs::write(&key, format!("{EMULATOR}\n")).unwrap();
    let (code, document, _) = bare().flag("--key-file", &key).run();
    assert_eq!(
        (code, serde_json::from_str::<Value>(&document).unwrap()["version"].clone()),
        (0, json!(1))
    );
    fs::write(&key, "sk-admin-unknown").unwrap();
    assert_eq!(bare().flag("--key-file", &key).run().0, 5);

    let (_, certificate) = client.delete("/v1/organization/certificates/certificate_id");
    assert_eq!(certificate["error"]["param"], Value::Null, "{certificate}");
    let (code, _, log) = Start::program(&["pull"]).run();
    assert!(code == 2 && log.contains("--from"), "{log}");
}
