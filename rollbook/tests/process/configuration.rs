//! Settings: where they come from, which wins, and what is refused.

use std::fs::write;

use serde_json::json;

use crate::database::Database;
use crate::server::Start;
use crate::wire::Client;

#[test]
fn an_unknown_flag_is_named() {
    let (code, _, log) = Start::program(&["serve", "--colour", "blue"]).run();
    assert_eq!(code, 2);
    assert!(log.contains("--colour"), "{log}");
}

#[test]
fn an_unknown_key_of_the_file_is_named_with_the_file() {
    let database = Database::fresh();
    let file = database.folder().join("settings.toml");
    // The last two are spelled like flags that are given, which must not hide them.
    for key in ["colour", "config", "owner_name"] {
        write(&file, format!("owner-email = 'ada@example.com'\n{key} = 'blue'\n")).unwrap();
        let start = Start::serve(&database).flag("--config", &file).flag("--owner-name", "Ada");
        let (code, _, log) = start.run();
        assert_eq!(code, 2);
        assert!(log.contains(key) && log.contains("line 2"), "{log}");
        assert!(log.contains(file.to_str().unwrap()), "{log}");
    }
}

#[test]
fn wrong_values_are_refused_wherever_they_stand() {
    let database = Database::fresh();
    let (code, _, log) = Start::serve(&database).flag("--body-timeout", "0").run();
    assert_eq!(code, 2);
    assert!(log.contains("--body-timeout"), "{log}");
    let (code, _, log) =
        Start::serve(&database).env("ROLLBOOK_TRUSTED_PROXY", "10.0.0.0/8,nonsense").run();
    assert_eq!(code, 2);
    assert!(log.contains("--trusted-proxy") && log.contains("nonsense"), "{log}");
    write(database.folder().join("rollbook.toml"), "body-timeout = 0").unwrap();
    let (code, _, log) = Start::serve(&database).flag("--config", "rollbook.toml").run();
    assert_eq!(code, 2);
    assert!(log.contains("body-timeout") && log.contains("rollbook.toml"), "{log}");
    let text = "listen = \"127.0.0.1:0\"\ndatabse = \"postgres://rollbook:S3cretPw@db/rollbook\"";
    write(database.folder().join("rollbook.toml"), text).unwrap();
    let (code, _, log) = Start::serve(&database).flag("--config", "rollbook.toml").run();
    assert_eq!(code, 2);
    assert!(log.contains("line 2, at databse") && !log.contains("S3cretPw"), "{log}");
    let (code, _, log) = Start::serve(&database).flag("--config", "missing.toml").run();
    assert_eq!(code, 2);
    assert!(log.contains("missing.toml"), "{log}");
}

#[test]
fn an_unknown_variable_is_a_warning() {
    let database = Database::fresh();
    let server = Start::with_key(&database)
        .env("ROLLBOOK_PORT", "tcp://10.0.0.1:80")
        .env("ROLLBOOK_TEST_STORE", "memory")
        .env("ROLLBOOK_REFERENCE", "/reference.json")
        .env("ROLLBOOK_OWNER_NAME", "Ada")
        .start();
    let (_, log) = server.stop();
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("WARN")).collect();
    assert!(matches!(*warnings, [warning] if warning.contains("ROLLBOOK_PORT")), "{log}");
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let database = Database::fresh();
    let file = database.folder().join("rollbook.toml");
    let text = "owner-email = 'file@example.com'\nowner-name = 'File'\nmetrics-listen = '127.0.0.1:0'\ntrusted-proxy = ['10.0.0.0/8']\n";
    write(&file, text).unwrap();
    let server = Start::with_key(&database)
        .env("ROLLBOOK_CONFIG", &file)
        .env("ROLLBOOK_OWNER_EMAIL", "variable@example.com")
        .env("ROLLBOOK_OWNER_NAME", "Variable")
        .flag("--owner-email", "flag@example.com")
        .start();
    server.metrics_url();
    let (_, users) = Client::of(&server).get("/v1/organization/users");
    assert_eq!(users["data"][0]["email"], json!("flag@example.com"));
    assert_eq!(users["data"][0]["name"], json!("Variable"));
}

#[test]
fn an_address_in_use_is_refused_before_the_store_is_touched() {
    let database = Database::in_file();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, _, log) =
        Start::program(&["serve", "--listen", &address, "--database", &database.url]).run();
    assert_eq!(code, 1);
    assert!(log.contains(&address) && log.contains("--listen"), "{log}");
    assert_eq!(database.folder().read_dir().unwrap().count(), 0);
}
