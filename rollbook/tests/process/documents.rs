//! `rollbook export` and `rollbook import` of documents: there and back, a dry run, refusals, and configuration for Terraform.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::database::Database;
use crate::server::Start;
use crate::wire::Client;

const KEY: &str = "sk-admin-for-tests-0123456789-0123456789-0123456789";

/// What a command prints. It must succeed.
fn run(arguments: &[&str]) -> String {
    let (code, stdout, stderr) = Start::program(arguments).run();
    assert_eq!(code, 0, "{arguments:?}: {stderr}");
    stdout
}

fn export(database: &Database) -> String {
    run(&["export", "--with-key-hashes", "--database", &database.url])
}

/// A file beside the store.
fn file(database: &Database, text: &str) -> PathBuf {
    let path = database.folder().join("organization.json");
    std::fs::write(&path, text).unwrap();
    path
}

/// Imports a document: the exit code, the report, and standard error.
fn import(database: &Database, path: &Path, flags: &[&str]) -> (i32, Value, String) {
    let path = path.to_str().unwrap();
    let arguments = ["import", path, "--json", "--database", &database.url];
    let (code, stdout, stderr) = Start::program(&[arguments.as_slice(), flags].concat()).run();
    (code, serde_json::from_str(&stdout).expect(&stderr), stderr)
}

fn seed() -> Value {
    json!({
        "id": "org", "default_project_id": "home",
        "users": [{ "id": "ada", "email": "ada@example.com", "role": "owner" }],
        "admin_api_keys": [{ "id": "key", "owner": { "type": "user", "id": "ada" }, "value": KEY }],
        "projects": [{ "id": "home", "name": "Home" }, { "id": "engine", "name": "Engine ${x}", "users": [{ "id": "ada" }] }],
    })
}

/// The people of the file that `ROLLBOOK_IMPORT_CSV` names, or some made up here.
fn people(database: &Database) -> PathBuf {
    if let Some(named) = std::env::var_os("ROLLBOOK_IMPORT_CSV") {
        return PathBuf::from(named);
    }
    let mut rows = String::from("email,name,role,project,project_role\n");
    for number in 0..200 {
        let role = if number % 40 == 0 { "owner" } else { "reader" };
        let project = number % 30;
        let _ = writeln!(
            rows,
            "p{number}@example.com,\"Zoë, {number}\",{role},\"Project {project}, \"\"x\"\"\",member"
        );
    }
    let path = database.folder().join("people.csv");
    std::fs::write(&path, rows).unwrap();
    path
}

#[test]
fn an_imported_organization_comes_back_as_it_went() {
    let (first, second, third) = (Database::fresh(), Database::in_file(), Database::fresh());
    let people = people(&first);
    let key = first.folder().join("key");
    let arguments = ["import", people.to_str().unwrap(), "--database", &first.url];
    let (code, _, stderr) = Start::program(&arguments).flag("--key-file", &key).run();
    assert_eq!(code, 0, "{stderr}");
    // Through another engine and back, where the run selects one: what comes out is the same each time.
    let text = export(&first);
    for to in [&second, &third] {
        let (code, report, stderr) = import(to, &file(to, &text), &[]);
        assert_eq!((code, stderr.as_str()), (0, ""), "{report}");
        assert_eq!(export(to), text);
        let (_, again, _) = import(to, &to.folder().join("organization.json"), &[]);
        assert_eq!(again["changes"], json!([]));
    }
    // The key that the first import made opens the last store as well.
    let key = std::fs::read_to_string(key).unwrap();
    let server = Start::serve(&third).start();
    let users = Client::with_key(&server, key.trim_end()).get("/v1/organization/users?limit=100").1;
    assert!(users["data"].as_array().unwrap().len() >= 100, "{users}");
}

#[test]
fn a_seed_makes_a_store_that_its_key_opens_and_a_dry_run_makes_none() {
    let database = Database::in_file();
    let store = database.folder().join("store.db");
    let path = file(&database, &seed().to_string());
    let (code, report, _) = import(&database, &path, &["--dry-run"]);
    assert_eq!((code, &report["applied"], store.exists()), (0, &json!(false), false));
    let (code, done, stderr) = import(&database, &path, &[]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!((&done["applied"], &done["changes"]), (&json!(true), &report["changes"]));
    let text = std::fs::read(&store).unwrap();
    assert!(!text.windows(KEY.len()).any(|part| part == KEY.as_bytes()), "the key is hashed");
    let server = Start::serve(&database).start();
    let project = Client::with_key(&server, KEY).get("/v1/organization/projects/engine").1;
    assert_eq!(project["name"], "Engine ${x}");
}

#[test]
fn a_document_at_fault_is_refused_by_its_place_and_makes_no_store() {
    let database = Database::in_file();
    let mut faulty = seed();
    faulty["projects"][1]["users"][0]["id"] = json!("nobody\u{1b}[2J");
    for (text, place) in [
        (faulty.to_string(), "$.projects[1].users[0].id"),
        (seed().to_string().replace("owner\"", "king\""), "$."),
        ("{ \"users\": ".to_owned(), "$"),
    ] {
        let path = file(&database, &text);
        let (code, report, stderr) = import(&database, &path, &[]);
        assert_eq!((code, &report["applied"]), (3, &json!(false)), "{stderr}");
        let found = report["faults"][0]["path"].as_str().unwrap();
        assert!(found.starts_with(place), "{report}");
        let arguments = ["import", path.to_str().unwrap(), "--database", &database.url];
        let (code, stdout, stderr) = Start::program(&arguments).run();
        assert!(code == 3 && stdout.contains(found), "{stdout}");
        assert!(!(stdout + &stderr).contains('\u{1b}'));
    }
    assert!(!database.folder().join("store.db").exists());
}

#[test]
fn keys_without_hashes_are_left_out_aloud() {
    let (from, to) = (Database::fresh(), Database::fresh());
    import(&from, &file(&from, &seed().to_string()), &[]);
    let text = run(&["export", "--database", &from.url]);
    assert!(!text.contains("sha256"), "{text}");
    let (code, report, stderr) = import(&to, &file(&to, &text), &[]);
    assert_eq!(code, 0, "{report}");
    assert!(stderr.contains("1 keys were left out") && stderr.contains("no admin key"), "{stderr}");
}

#[test]
fn people_see_what_differs() {
    let database = Database::fresh();
    import(&database, &file(&database, &seed().to_string()), &[]);
    let mut changed = seed();
    changed["users"][0]["name"] = json!("Ada");
    let path = file(&database, &changed.to_string());
    let arguments = ["import", path.to_str().unwrap(), "--dry-run", "--database", &database.url];
    let shown = run(&arguments);
    for words in ["updated", "ada", "name: null -> \"Ada\"", "nothing was written"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
}

#[test]
fn configuration_is_written_once() {
    let database = Database::fresh();
    import(&database, &file(&database, &seed().to_string()), &[]);
    let folder = database.folder().join("terraform");
    let arguments =
        ["export", "--database", &database.url, "--terraform", folder.to_str().unwrap()];
    run(&arguments);
    let projects = std::fs::read_to_string(folder.join("projects.tf")).unwrap();
    assert!(projects.contains("name = \"Engine $${x}\""), "{projects}");
    let (code, _, stderr) = Start::program(&arguments).run();
    assert!(code == 1 && stderr.contains("--overwrite"), "{stderr}");
    run(&[arguments.as_slice(), &["--overwrite"]].concat());
}
