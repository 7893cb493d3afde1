//! The operator's models: from the settings at each start, and from the command line.

use std::fs::write;

use serde_json::{Value, json};

use crate::commands::{Ran, founded, on};
use crate::database::Database;
use crate::server::{Server, Start};
use crate::wire::Client;

/// What the first project may use, as `id requests tokens`.
fn limits(server: &Server) -> Vec<String> {
    let client = Client::of(server);
    let (_, projects) = client.get("/v1/organization/projects");
    let project = projects["data"][0]["id"].as_str().unwrap();
    let (status, page) = client.get(&format!("/v1/organization/projects/{project}/rate_limits"));
    assert_eq!(status, 200, "{page}");
    let rows = page["data"].as_array().unwrap().iter();
    let number = |row: &Value, name: &str| row[name].as_i64().unwrap();
    let row = |row: &Value| {
        let requests = number(row, "max_requests_per_1_minute");
        let tokens = number(row, "max_tokens_per_1_minute");
        format!("{} {requests} {tokens}", row["id"].as_str().unwrap())
    };
    rows.map(row).collect()
}

#[test]
fn each_start_makes_the_models_those_of_the_settings() {
    let database = Database::fresh();
    let file = database.folder().join("rollbook.toml");
    let text = "model = ['gpt-4o requests-per-minute=500 tokens-per-minute=30000', 'tts-1']";
    write(&file, text).unwrap();
    let server = Start::with_key(&database).flag("--config", &file).start();
    assert_eq!(limits(&server), ["rl-gpt-4o 500 30000", "rl-tts-1 2147483647 2147483647"]);
    let (_, log) = server.stop();
    let told = "the models of the organization 'default' are as the settings say now";
    assert!(log.contains(told), "{log}");
    on(&database, &["model", "add", "by-hand", "--requests-per-minute", "1"]).ok();
    let models = "gpt-4o tokens-per-minute=7,o3";
    let server = Start::with_key(&database).env("ROLLBOOK_MODEL", models).start();
    let expected =
        ["rl-by-hand 1 2147483647", "rl-gpt-4o 2147483647 7", "rl-o3 2147483647 2147483647"];
    assert_eq!(limits(&server), expected);
    server.stop();
    let server = Start::with_key(&database).env("ROLLBOOK_MODEL", models).start();
    assert!(!server.stop().1.contains(told), "nothing changed");
    let server = Start::with_key(&database).start();
    assert_eq!(limits(&server), ["rl-by-hand 1 2147483647"]);
    server.stop();
}

#[test]
fn a_model_that_cannot_be_is_named() {
    let database = Database::fresh();
    for (setting, fault) in [
        ("gpt-4o rpm=1", "'rpm' is no limit of a model"),
        ("gpt-4o requests-per-minute=x", "'x' is no whole number"),
        ("gpt-4o,o3,gpt-4o requests-per-day=1", "the model gpt-4o is set twice"),
    ] {
        let (code, _, log) = Start::serve(&database).flag("--model", setting).run();
        assert_eq!(code, 2);
        assert!(log.contains(fault), "{log}");
    }
    write(database.folder().join("rollbook.toml"), "model = ['a', 'b rpm=1']").unwrap();
    let (code, _, log) = Start::serve(&database).flag("--config", "rollbook.toml").run();
    assert_eq!(code, 2);
    assert!(log.contains("at model") && log.contains("'rpm' is no limit"), "{log}");
}

#[test]
fn models_are_added_listed_changed_and_removed() {
    let database = founded();
    let run = |arguments: &[&str]| on(&database, arguments);
    let refused = |arguments: &[&str], code: i32, fault: &str| {
        let Ran { code: ended, stderr, .. } = run(arguments);
        assert_eq!(ended, code, "{stderr}");
        assert!(stderr.contains(fault), "{stderr}");
    };
    let flags = ["--requests-per-minute", "500", "--images-per-minute", "5", "--json"];
    let added: Value =
        serde_json::from_str(&run(&[&["model", "add", "m"], &flags[..]].concat()).ok()).unwrap();
    let expected = json!({
        "object": "model", "id": "m", "origin": "command", "created_at": added["created_at"],
        "requests_per_minute": 500, "tokens_per_minute": 2_147_483_647, "images_per_minute": 5,
        "audio_megabytes_per_minute": null, "requests_per_day": null, "batch_tokens_per_day": null,
    });
    assert_eq!(added, expected);
    refused(&["model", "add", "m"], 1, "already exists");
    refused(&["model", "add", "a b"], 2, "no spaces");
    refused(
        &["model", "update", "x", "--tokens-per-minute", "1"],
        4,
        "Model with id 'x' not found.",
    );
    refused(&["model", "update", "m", "--tokens-per-minute", "-1"], 2, "-1");
    let changed =
        ["model", "update", "m", "--tokens-per-minute", "9", "--images-per-minute", "none"];
    assert_eq!(run(&changed).ok(), "The model m is as you said.\n");
    let listed: Value = serde_json::from_str(&run(&["model", "list", "--json"]).ok()).unwrap();
    let now = (
        &listed["requests_per_minute"],
        &listed["tokens_per_minute"],
        &listed["images_per_minute"],
    );
    assert_eq!(now, (&json!(500), &json!(9), &Value::Null));
    let table = run(&["model", "list", "--organization", "default"]).ok();
    assert!(table.contains("REQUESTS/MIN") && table.contains("500"), "{table}");
    refused(&["model", "list", "--organization", "other"], 4, "not found");
    refused(&["model", "remove", "m"], 2, "--yes");
    assert_eq!(
        run(&["model", "remove", "m", "--yes"]).ok(),
        "Removed the model m with the limits of projects for it.\n"
    );
    let none = run(&["model", "list"]);
    assert!(none.code == 0 && none.stderr.contains("has no models"), "{}", none.stderr);
}
