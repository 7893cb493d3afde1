//! The first start: who gets the key, and that there is only one.

use std::fs::{File, read_to_string};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use sql::{Options, Store, args};

use crate::database::Database;
use crate::server::{Lines, Start};
use crate::wire::Client;

fn key_in(file: &Path) -> String {
    read_to_string(file).unwrap().trim_end().to_owned()
}

fn organizations(database: &Database) -> i64 {
    let store = Store::open(Options::new(&database.url)).unwrap();
    let count = "SELECT COUNT(*) FROM organizations";
    store.read_blocking(move |tx| tx.one(count, args![], |row| row.get(0))).unwrap().unwrap()
}

#[test]
fn without_a_terminal_the_key_is_in_a_file_that_later_starts_leave_alone() {
    let database = Database::fresh();
    let file = database.folder().join("rollbook-admin-key");
    let server = Start::serve(&database).start();
    let key = key_in(&file);
    let answer = Client::with_key(&server, &key).get("/v1/organization/users");
    assert_eq!(answer.0, 200);
    for entry in database.folder().read_dir().unwrap().map(Result::unwrap) {
        let mode = entry.metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
    let (stdout, log) = server.stop();
    assert_eq!(stdout, "");
    assert!(log.contains(file.to_str().unwrap()) && !log.contains(&key), "{log}");

    let server = Start::with_key(&database).flag("--owner-email", "other@example.com").start();
    assert_eq!(Client::with_key(&server, &key).get("/v1/organization/users"), answer);
    assert_eq!(Client::of(&server).get("/v1/organization/users").0, 401);
    assert_eq!(key_in(&file), key);
}

#[test]
fn on_a_terminal_the_key_is_shown_once_with_commands_that_work() {
    let database = Database::fresh();
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let other_end = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let shown = Lines::of(File::from(terminal));
    let server = Start::serve(&database).stdout(other_end).start();
    let line = shown.wait_for("/users");
    let key = line.split("Bearer ").nth(1).unwrap().split('\'').next().unwrap();
    let path = line.trim_end().split(&server.url).nth(1).expect("the address that listens");
    assert_eq!(Client::with_key(&server, key).get(path).0, 200);
    assert!(!database.folder().join("rollbook-admin-key").exists());
    assert!(!server.stop().1.contains(key));
}

#[test]
fn a_chosen_key_works_and_is_shown_nowhere() {
    let database = Database::fresh();
    let server = Start::with_key(&database).start();
    assert_eq!(Client::of(&server).get("/v1/organization/users").0, 200);
    assert!(!database.folder().join("rollbook-admin-key").exists());
    let (stdout, log) = server.stop();
    assert_eq!(stdout, "");
    assert!(!log.contains("sk-admin-"), "{log}");
}

#[test]
fn an_unusable_chosen_key_is_refused_without_being_repeated() {
    let database = Database::fresh();
    let short = format!("sk-admin-{}", "x".repeat(39));
    let spaced = format!("sk-admin-{} {}", "y".repeat(30), "y".repeat(30));
    let other = format!("sk-proj-{}", "z".repeat(60));
    for key in [short.as_str(), &spaced, &other, ""] {
        let (code, stdout, log) = Start::serve(&database).env("ROLLBOOK_BOOTSTRAP_KEY", key).run();
        assert_eq!((code, stdout.as_str()), (2, ""));
        assert!(log.contains("ROLLBOOK_BOOTSTRAP_KEY") && log.contains("at least 40"), "{log}");
        assert!(!["xxxx", "yyyy", "zzzz"].iter().any(|part| log.contains(part)), "{log}");
    }
    assert_eq!(organizations(&database), 0);
}

#[test]
fn a_file_that_holds_another_key_is_not_overwritten() {
    let database = Database::fresh();
    let file = database.folder().join("key");
    std::fs::write(&file, "the key of another store").unwrap();
    let (code, _, log) = Start::serve(&database).flag("--key-file", &file).run();
    assert_eq!(code, 1);
    assert!(log.contains("--key-file"), "{log}");
    assert_eq!(key_in(&file), "the key of another store");
    assert_eq!(organizations(&database), 0);
}

#[test]
fn of_several_first_starts_at_once_all_come_up_with_one_organization() {
    for _ in 0..5 {
        let database = Database::fresh();
        let mut servers: Vec<_> = (0..3).map(|_| Start::serve(&database).spawn()).collect();
        for server in &mut servers {
            server.wait_until_listening();
        }
        let key = key_in(&database.folder().join("rollbook-admin-key"));
        for server in &servers {
            let (status, users) = Client::with_key(server, &key).get("/v1/organization/users");
            assert_eq!((status, users["data"].as_array().unwrap().len()), (200, 1));
        }
        assert_eq!(organizations(&database), 1);
        let keys = database.folder().read_dir().unwrap().filter(|entry| {
            let mut text = String::new();
            let file = File::open(entry.as_ref().unwrap().path()).unwrap();
            file.take(100).read_to_string(&mut text).is_ok() && text.starts_with("sk-admin-")
        });
        assert_eq!(keys.count(), 1, "the losers remove their files");
    }
}
