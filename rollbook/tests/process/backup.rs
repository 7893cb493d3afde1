//! `rollbook backup` and `rollbook restore` as an operator runs them, most of all beside a server that is being written to.

use std::fs::{metadata, read, write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::scope;
use std::time::Duration;

use admin::domain::secret::PlainKey;
use rollbook::population::Population;
use serde_json::{Value, json};
use sql::{Options, Store, args};
use tempfile::{TempDir, tempdir};

use crate::database::Database;
use crate::server::{KEY, Start};
use crate::wire::Client;

const WRITERS: usize = 8;
const PEOPLE: usize = 1000;
/// So many changes are acknowledged before a backup begins, and again after it has ended.
const CHANGES: usize = 200;
/// How many bytes a page of a store has.
const PAGE: usize = 4096;

/// A folder for backups and for the stores made of them.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn url(&self, name: &str) -> String {
        format!("sqlite:{}", self.path(name).display())
    }

    fn names(&self) -> Vec<String> {
        let entries = self.0.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// Runs the command and answers its exit code and all it said.
fn run(command: &str, file: &Path, database: &str, more: &[&str]) -> (i32, String) {
    let arguments = [&[command, file.to_str().unwrap(), "--database", database], more].concat();
    let (code, stdout, stderr) = Start::program(&arguments).run();
    (code, stdout + &stderr)
}

fn succeeds((code, said): (i32, String)) -> String {
    assert_eq!(code, 0, "{said}");
    said
}

fn fails((code, said): (i32, String), expected: i32, remedy: &str) {
    assert_eq!(code, expected, "{said}");
    assert!(said.contains(remedy), "{said}");
}

fn populated(url: &str, people: usize) {
    let store = Store::open(Options::new(url)).unwrap();
    store.migrate(&admin::migrations()).unwrap();
    let key = PlainKey::given(KEY.to_owned());
    let population = Population::found(&store, key, "owner@example.com", "Owner").unwrap();
    population.add_people(0..people).unwrap();
    store.close();
}

/// A whole list, page by page.
fn walk(client: &Client, list: &str) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let (status, page) = client.get(&format!("/v1/organization/{list}?limit=100{after}"));
        assert_eq!(status, 200, "{page}");
        all.extend(page["data"].as_array().unwrap().iter().cloned());
        if page["has_more"] == false {
            return all;
        }
        after = format!("&after={}", page["last_id"].as_str().unwrap());
    }
}

/// Creates projects, numbered, until told to stop.
fn keep_writing(
    client: &Client,
    writer: usize,
    acknowledged: &AtomicUsize,
    stop: &AtomicBool,
    done: &Sender<()>,
) {
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let body = json!({ "name": format!("{writer} {number}") });
        let (status, project) = client.post("/v1/organization/projects", &body);
        assert_eq!(status, 200, "{project}");
        acknowledged.store(number + 1, Ordering::SeqCst);
        done.send(()).unwrap();
    }
}

fn wait_for_changes(done: &Receiver<()>) {
    for _ in 0..CHANGES {
        done.recv_timeout(Duration::from_mins(1)).expect("the writers go on");
    }
}

#[test]
fn a_backup_under_writes_is_a_prefix_with_all_that_was_acknowledged_before() {
    let (database, place) = (Database::in_file(), Place::new());
    populated(&database.url, PEOPLE);
    let server = Start::serve(&database).start();
    let clients: Vec<_> = (0..WRITERS).map(|_| Client::of(&server)).collect();
    let acknowledged: Vec<_> = (0..WRITERS).map(|_| AtomicUsize::new(0)).collect();
    let counts = || acknowledged.iter().map(|count| count.load(Ordering::SeqCst)).collect();
    let (stop, (done, changes)) = (AtomicBool::new(false), channel());
    let (file, url) = (place.path("backup"), place.url("store.db"));

    let before: Vec<usize> = scope(|scope| {
        for (writer, client) in clients.iter().enumerate() {
            let (mine, stop, done) = (&acknowledged[writer], &stop, done.clone());
            scope.spawn(move || keep_writing(client, writer, mine, stop, &done));
        }
        wait_for_changes(&changes);
        let before = counts();
        let said = succeeds(run("backup", &file, &database.url, &[]));
        assert!(said.contains("bytes") && said.contains(file.to_str().unwrap()), "{said}");
        while changes.try_recv().is_ok() {}
        wait_for_changes(&changes);
        stop.store(true, Ordering::Relaxed);
        before
    });
    let after: Vec<usize> = counts();
    succeeds(run("restore", &file, &url, &[]));
    for path in [&file, &place.path("store.db")] {
        assert_eq!(metadata(path).unwrap().permissions().mode() & 0o7777, 0o600);
    }
    assert_eq!(place.names(), ["backup", "store.db"], "nothing else is left");

    let restored = Start::program(&["serve", "--listen", "127.0.0.1:0", "--database", &url]);
    let restored = restored.start();
    let (client, original) = (Client::of(&restored), Client::of(&server));
    assert_eq!(walk(&client, "users"), walk(&original, "users"));
    let projects = walk(&client, "projects");
    let names: Vec<_> = projects.iter().map(|project| project["name"].as_str().unwrap()).collect();
    for writer in 0..WRITERS {
        let of_writer = |name: &&str| name.strip_prefix(&format!("{writer} "))?.parse().ok();
        let mut numbers: Vec<usize> = names.iter().filter_map(of_writer).collect();
        numbers.sort_unstable();
        let count = numbers.len();
        assert_eq!(numbers, (0..count).collect::<Vec<_>>(), "writer {writer}: there is a hole");
        let (least, most) = (before[writer], after[writer]);
        assert!((least..=most).contains(&count), "writer {writer}: {least} {count} {most}");
    }
    restored.stop();
    server.stop();
}

#[test]
fn a_backup_replaces_nothing_unasked_and_never_the_store_itself() {
    let place = Place::new();
    let (url, file) = (place.url("store.db"), place.path("backup"));
    populated(&url, 1);
    write(&file, "precious").unwrap();
    fails(run("backup", &file, &url, &[]), 1, "--force");
    assert_eq!(read(&file).unwrap(), b"precious");
    for part in ["store.db", "store.db-wal", "store.db-shm"] {
        fails(run("backup", &place.path(part), &url, &["--force"]), 1, "part of the store");
    }
    write(place.path("other-wal"), "").unwrap();
    fails(run("backup", &place.path("other"), &url, &[]), 1, "not a backup");
    fails(run("backup", &place.path("no/folder"), &url, &[]), 1, "must exist");
    fails(run("backup", &file, &place.url("missing"), &["--force"]), 1, "--database");
    assert_eq!(place.names(), ["backup", "other-wal", "store.db"]);

    succeeds(run("backup", &file, &url, &["--force"]));
    succeeds(run("restore", &file, &place.url("copy.db"), &[]));
}

#[test]
fn a_restore_moves_the_old_store_aside_only_when_told_to_and_only_when_nobody_uses_it() {
    let (database, place) = (Database::in_file(), Place::new());
    let file = place.path("backup");
    let server = Start::with_key(&database).start();
    succeeds(run("backup", &file, &database.url, &[]));
    let (status, _) = Client::of(&server)
        .post("/v1/organization/projects", &json!({ "name": "after the backup" }));
    assert_eq!(status, 200);
    fails(run("restore", &file, &database.url, &[]), 1, "--force");
    fails(run("restore", &file, &database.url, &["--force"]), 1, "stop the server");
    assert_eq!(walk(&Client::of(&server), "projects").len(), 2, "the server was left alone");
    // Killed, it leaves its last changes in the log, which must go where the rest goes.
    let mut server = server;
    server.kill();
    let said = succeeds(run("restore", &file, &database.url, &["--force"]));
    let aside = format!("{}.replaced-1", database.url);
    assert!(said.contains(aside.trim_start_matches("sqlite:")), "{said}");
    for (url, projects) in [(&database.url, 1), (&aside, 2)] {
        let server = Start::program(&["serve", "--listen", "127.0.0.1:0", "--database", url]);
        let server = server.start();
        assert_eq!(walk(&Client::of(&server), "projects").len(), projects, "{url}");
        server.stop();
    }
}

#[test]
fn only_a_sound_store_of_a_known_version_is_restored() {
    let place = Place::new();
    let (url, file) = (place.url("store.db"), place.path("backup"));
    populated(&url, 500);
    succeeds(run("backup", &file, &url, &[]));
    let sound = read(&file).unwrap();
    let new = place.url("new.db");

    let bad = place.path("bad");
    fails(run("restore", &bad, &new, &[]), 1, "cannot read the backup");
    for bytes in [b"This is no database. ".repeat(1000), sound[..sound.len() / 2].to_vec()] {
        write(&bad, bytes).unwrap();
        fails(run("restore", &bad, &new, &[]), 1, "damaged");
    }
    let mut torn = sound;
    // The head of a page: within one there may be nothing yet.
    let page = torn.len() / 2 / PAGE * PAGE;
    torn[page..page + 100].fill(0xFF);
    write(&bad, torn).unwrap();
    fails(run("restore", &bad, &new, &[]), 1, "damaged");

    write(&bad, "").unwrap();
    fails(run("restore", &bad, &new, &[]), 1, "not a rollbook store");
    write(place.path("backup-wal"), "").unwrap();
    fails(run("restore", &file, &new, &[]), 1, "not a backup");

    let newer =
        "INSERT INTO schema_migrations (number, name, checksum) VALUES (9999, 'future', '')";
    let store = Store::open(Options::new(&url)).unwrap();
    store.write_blocking(move |tx| tx.execute(newer, args![])).unwrap();
    store.close();
    let newer = place.path("newer");
    succeeds(run("backup", &newer, &url, &[]));
    fails(run("restore", &newer, &new, &[]), 1, "run the newer rollbook");
    assert_eq!(place.names(), ["backup", "backup-wal", "bad", "newer", "store.db"]);
}

#[test]
fn a_lost_store_s_log_is_not_read_into_the_new_one() {
    let place = Place::new();
    let (url, file) = (place.url("store.db"), place.path("backup"));
    populated(&url, 1);
    succeeds(run("backup", &file, &url, &[]));
    let new = place.url("new.db");
    write(place.path("new.db-wal"), "of another store").unwrap();
    fails(run("restore", &file, &new, &[]), 1, "--force");
    succeeds(run("restore", &file, &new, &["--force"]));
    assert_eq!(read(place.path("new.db.replaced-1-wal")).unwrap(), b"of another store");
    assert_eq!(place.names(), ["backup", "new.db", "new.db.replaced-1-wal", "store.db"]);
}

#[test]
fn stores_without_a_file_are_sent_elsewhere() {
    let file = Path::new("it's a backup");
    let server = "postgres://ann:hunter2@db.example/rollbook";
    for (command, remedy) in [
        (
            "backup",
            r"pg_dump --format=custom --file='it'\''s a backup' 'postgres://ann@db.example/rollbook'",
        ),
        ("restore", r"--dbname='postgres://ann@db.example/rollbook' 'it'\''s a backup'"),
    ] {
        let (code, said) = run(command, file, server, &[]);
        assert!(!said.contains("hunter2"), "{said}");
        fails((code, said), 2, remedy);
        fails(run(command, file, "sqlite::memory:", &[]), 2, "sqlite:PATH");
    }
}
