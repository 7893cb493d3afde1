//! Invitations: their commands, their links, and the pages behind them.

use std::fs::write;

use serde_json::{Value, json};

use crate::commands::{Ran, founded, on, through};
use crate::database::Database;
use crate::server::{KEY, Server, Start};
use crate::wire::Client;

/// What a command shows on a store when nobody said where its server is.
const NOTE: &str =
    "note: the link leads to this machine; --public-url says where people reach the server\n";

/// Sends the form of a page as a browser would.
fn accept(url: &str) -> u16 {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    agent.post(url).send_form([("name", "Ada Lovelace")]).unwrap().status().as_u16()
}

fn rows(ran: Ran) -> Vec<Value> {
    ran.ok().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What an invitation says of its projects, as names of roles.
fn roles(invite: &Value) -> Vec<&str> {
    let projects = invite["projects"].as_array().unwrap();
    projects.iter().map(|project| project["role"].as_str().unwrap()).collect()
}

#[test]
fn an_invitation_is_made_shown_renewed_and_taken_back_on_a_store() {
    let database = founded();
    on(&database, &["project", "create", "Search"]).ok();
    on(&database, &["project", "create", "Data: raw"]).ok();
    let create = ["invite", "create", "Ada@example.com", "--project", "Search:owner"];
    let ran = on(&database, &[&create[..], &["--project", "Data: raw"]].concat());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, NOTE));
    let first = ran.stdout.trim_end();
    assert!(first.starts_with("http://127.0.0.1:8080/invite/") && !first.contains('\n'), "{first}");

    let address = ["--public-url", "https://rollbook.example.com/"];
    let again =
        on(&database, &[&["invite", "link", "ada@EXAMPLE.com"][..], &address].concat()).ok();
    assert!(again.starts_with("https://rollbook.example.com/invite/"), "{again}");
    assert_ne!(again.rsplit('/').next(), first.rsplit('/').next());

    let listed = rows(on(&database, &["invite", "list", "--json"]));
    assert_eq!((listed.len(), &listed[0]["email"]), (1, &json!("Ada@example.com")));
    assert_eq!(roles(&listed[0]), ["owner", "member"]);
    let table = on(&database, &["invite", "list"]).ok();
    assert!(table.contains("Ada@example.com") && table.contains("pending"), "{table}");

    let twice = on(&database, &create);
    assert_eq!(twice.code, 1);
    assert!(twice.stderr.contains("already pending"), "{}", twice.stderr);
    let taken = on(&database, &["invite", "delete", "ada@example.com", "--yes"]).ok();
    assert!(taken.starts_with("Took back the invitation of Ada@example.com"), "{taken}");
    let gone = on(&database, &["invite", "link", "ada@example.com"]);
    assert_eq!(gone.code, 4);
    assert!(gone.stderr.contains("ada@example.com is invited"), "{}", gone.stderr);
    let unknown = on(&database, &["invite", "delete", "invite-none", "--yes"]);
    assert_eq!(unknown.code, 4);
}

#[test]
fn an_invitation_has_the_default_project_unless_it_has_none() {
    let database = founded();
    on(&database, &["invite", "create", "a@example.com"]);
    on(&database, &["invite", "create", "b@example.com", "--role", "owner", "--no-projects"]);
    let listed = rows(on(&database, &["invite", "list", "--json"]));
    assert_eq!(roles(&listed[0]), ["member"]);
    assert_eq!((roles(&listed[1]), &listed[1]["role"]), (vec![], &json!("owner")));
    let both = ["invite", "create", "c@example.com", "--no-projects", "--project", "Search"];
    assert_eq!(on(&database, &both).code, 2);
    let ran = on(&database, &["invite", "create", "c@example.com", "--project", "Nowhere"]);
    assert_eq!(ran.code, 4);
}

#[test]
fn a_store_of_this_machine_obeys_the_settings_of_its_server() {
    let database = founded();
    let start = Start::program(&["invite", "create", "a@example.com"])
        .flag("--database", &database.url)
        .env("ROLLBOOK_PUBLIC_URL", "https://people.example.com")
        .env("ROLLBOOK_INVITE_LIFETIME", "1");
    let link = Ran::of(start).ok();
    assert!(link.starts_with("https://people.example.com/invite/"), "{link}");
    let invite = &rows(on(&database, &["invite", "list", "--json"]))[0];
    let time = |member: &str| invite[member].as_i64().unwrap();
    assert_eq!(time("expires_at") - time("created_at"), 24 * 60 * 60);
}

#[test]
fn through_a_server_a_link_leads_to_it_and_lets_somebody_in() {
    let database = Database::fresh();
    let server = Start::with_key(&database).start();
    let create = ["invite", "create", "ada@example.com", "--json"];
    let answer: Value = serde_json::from_str(&through(&server, KEY, &create).ok()).unwrap();
    let url = answer["url"].as_str().unwrap();
    assert!(url.starts_with(&format!("{}/invite/", server.url)), "{url}");
    assert_eq!(ureq::get(url).call().unwrap().status().as_u16(), 200);
    assert_eq!((accept(url), accept(url)), (200, 404));
    let (_, users) = Client::of(&server).get("/v1/organization/users?emails=ada@example.com");
    assert_eq!(users["data"][0]["name"], "Ada Lovelace");
    let used = through(&server, KEY, &["invite", "delete", "ada@example.com", "--yes"]);
    assert_eq!(used.code, 1);
    assert!(used.stderr.contains("already accepted"), "{}", used.stderr);
}

/// A page's path without its server, and the token in it.
fn token(server: &Server) -> String {
    let client = Client::of(server);
    let body = json!({ "email": "ada@example.com", "role": "reader" });
    let (_, invite) = client.post("/v1/organization/invites", &body);
    let path = format!("/rollbook/v1/invites/{}/link", invite["id"].as_str().unwrap());
    let (status, link) = client.post(&path, &json!({}));
    assert_eq!(status, 200, "{link}");
    link["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

#[test]
fn no_log_and_no_metric_shows_a_link() {
    let database = Database::fresh();
    let server = Start::with_key(&database).flag("--metrics-listen", "127.0.0.1:0").start();
    let token = token(&server);
    let url = format!("{}/invite/{token}", server.url);
    ureq::get(&url).call().unwrap();
    ureq::head(&url).call().unwrap();
    assert_eq!((accept(&url), accept(&url)), (200, 404));
    let metrics = ureq::get(server.metrics_url()).call().unwrap().body_mut().read_to_string();
    let metrics = metrics.unwrap();
    let (_, log) = server.stop();
    for text in [&metrics, &log] {
        assert!(text.contains("/invite/{token}"), "the route is named by its template:\n{text}");
        assert!(!text.contains(&token), "{text}");
    }
}

#[test]
fn links_begin_with_the_public_url_wherever_it_is_said() {
    let database = Database::fresh();
    let file = database.folder().join("rollbook.toml");
    write(&file, "public-url = 'https://people.example.com/rollbook/'\ninvite-lifetime = 2\n")
        .unwrap();
    let server = Start::with_key(&database).flag("--config", &file).start();
    let client = Client::of(&server);
    let body = json!({ "email": "ada@example.com", "role": "reader" });
    let (_, invite) = client.post("/v1/organization/invites", &body);
    let time = |member: &str| invite[member].as_i64().unwrap();
    assert_eq!(time("expires_at") - time("created_at"), 2 * 24 * 60 * 60);
    let path = format!("/rollbook/v1/invites/{}/link", invite["id"].as_str().unwrap());
    let (_, link) = client.post(&path, &json!({}));
    let url = link["url"].as_str().unwrap();
    assert!(url.starts_with("https://people.example.com/rollbook/invite/"), "{url}");
}

#[test]
fn a_public_url_or_lifetime_that_cannot_be_is_refused() {
    let database = Database::fresh();
    for (flag, value) in [
        ("--public-url", "people.example.com"),
        ("--public-url", "https://people.example.com/?a=b"),
        ("--invite-lifetime", "0"),
        ("--invite-lifetime", "91"),
    ] {
        let (code, _, log) = Start::serve(&database).flag(flag, value).run();
        assert_eq!(code, 2);
        assert!(log.contains(flag), "{log}");
    }
    let file = database.folder().join("rollbook.toml");
    for line in ["public-url = 'ftp://people.example.com'", "invite-lifetime = 91"] {
        write(&file, line).unwrap();
        let (code, _, log) = Start::serve(&database).flag("--config", &file).run();
        assert_eq!(code, 2);
        assert!(log.contains("line 1") && log.contains(&line[..10]), "{log}");
    }
}

#[test]
fn check_config_notes_where_links_lead_if_that_is_this_machine() {
    let database = Database::in_file();
    let check = || Start::program(&["check-config"]).flag("--database", &database.url);
    let shown = Ran::of(check()).ok();
    assert!(shown.contains("links") && shown.contains("--public-url"), "{shown}");
    let shown = Ran::of(check().flag("--public-url", "http://localhost:80")).ok();
    assert!(shown.contains("which is this machine"), "{shown}");
    let shown = Ran::of(check().flag("--public-url", "https://people.example.com")).ok();
    assert!(shown.contains("https://people.example.com") && !shown.contains("links"), "{shown}");
}
