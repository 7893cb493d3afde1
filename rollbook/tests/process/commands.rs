//! Commands about an organization: the same on a store and through a server.

use std::fmt::Write as _;

use regex::{Captures, Regex};
use serde_json::{Value, json};
use sql::{Options, Store, args};

use crate::database::Database;
use crate::server::{KEY, Server, Start};
use crate::wire::Client;

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn of(start: Start) -> Self {
        let (code, stdout, stderr) = start.run();
        Self { code, stdout, stderr }
    }

    /// Standard output of a command that had to succeed and had nothing to complain about.
    pub fn ok(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{}", self.stdout);
        self.stdout
    }
}

/// Runs a command on a store.
pub fn on(database: &Database, arguments: &[&str]) -> Ran {
    Ran::of(Start::program(arguments).flag("--database", &database.url))
}

/// Runs a command through a server.
pub fn through(server: &Server, key: &str, arguments: &[&str]) -> Ran {
    let start = Start::program(arguments).flag("--server", &server.url);
    Ran::of(start.env("ROLLBOOK_ADMIN_KEY", key))
}

/// A store with an organization and one owner.
pub fn founded() -> Database {
    let database = Database::fresh();
    on(&database, &["migrate"]).ok();
    on(&database, &["org", "create", "default", "--owner-email", "owner@example.com"]).ok();
    database
}

/// Everything that differs between two runs, numbered in the order of its appearance or left out.
fn comparable(story: &str) -> String {
    let mut seen: Vec<String> = Vec::new();
    // Whoever acts on a store is nobody of the organization.
    let maker = Regex::new(r#""created_by":(null|"user-\w+")"#).unwrap();
    let story = maker.replace_all(story, "\"created_by\":x");
    let ids = "(user-|proj_|key_|org-|svc_acct_)[0-9A-Za-z]{24}|()[0-9a-f]{32}";
    let story = Regex::new(ids).unwrap().replace_all(&story, |found: &Captures<'_>| {
        let place = seen.iter().position(|id| *id == found[0]).unwrap_or_else(|| {
            seen.push(found[0].to_owned());
            seen.len() - 1
        });
        format!("{}{place}", found.get(1).map_or("", |kind| kind.as_str()))
    });
    let secrets = Regex::new("sk-(admin|proj|svcacct)-[0-9A-Za-z*]+").unwrap();
    let story = secrets.replace_all(&story, "sk-x");
    let story = Regex::new(r"\b1[0-9]{9}\b").unwrap().replace_all(&story, "time");
    story.replace("\"last_used_at\":time", "\"last_used_at\":null")
}

/// Commands, each with its exit code.
pub type Story = &'static [(i32, &'static [&'static str])];

const STORY: Story = &[
    (0, &["user", "list", "--json"]),
    (0, &["user", "list", "--email", "GRACE@example.com", "--json"]),
    (0, &["user", "list", "--email", "nobody@example.com", "--json"]),
    (0, &["project", "create", "Search", "--json"]),
    (0, &["project", "list", "--json"]),
    (0, &["member", "add", "Search", "grace@example.com", "--json"]),
    (0, &["member", "add", "Search", "owner@example.com", "--role", "owner", "--json"]),
    (1, &["member", "add", "Search", "grace@example.com", "--json"]),
    (4, &["member", "add", "Search", "nobody@example.com", "--json"]),
    (4, &["member", "add", "Search", "user-unknown", "--json"]),
    (0, &["member", "list", "Search", "--json"]),
    (0, &["member", "role", "Search", "Grace@Example.com", "owner", "--json"]),
    (0, &["member", "remove", "Search", "grace@example.com", "--json"]),
    (4, &["member", "remove", "Search", "grace@example.com", "--json"]),
    (0, &["member", "list", "Search", "--json"]),
    (4, &["member", "list", "Nowhere", "--json"]),
    (4, &["member", "list", "proj_unknown", "--json"]),
    (0, &["user", "role", "grace@example.com", "owner", "--json"]),
    (0, &["user", "role", "grace@example.com", "reader", "--json"]),
    (1, &["user", "role", "owner@example.com", "reader", "--json"]),
    (4, &["user", "role", "user-unknown", "reader", "--json"]),
    (
        0,
        &[
            "admin-key",
            "create",
            "ci",
            "--expires-in",
            "90d",
            "--scope",
            "api.management.read",
            "--json",
        ],
    ),
    (1, &["admin-key", "create", "ci", "--expires-in", "500d", "--json"]),
    (0, &["admin-key", "list", "--json"]),
    (0, &["admin-key", "delete", "ci", "--yes", "--json"]),
    (4, &["admin-key", "delete", "ci", "--yes", "--json"]),
    (0, &["project", "create", "Twins", "--json"]),
    (0, &["project", "create", "Twins", "--json"]),
    (1, &["project", "archive", "Twins", "--yes", "--json"]),
    (1, &["project", "archive", "Default project", "--yes", "--json"]),
    (0, &["project", "archive", "Search", "--yes", "--json"]),
    (4, &["member", "list", "Search", "--json"]),
    (0, &["project", "list", "--json"]),
    (0, &["project", "list", "--archived", "--json"]),
    (0, &["user", "remove", "grace@example.com", "--yes", "--json"]),
    (4, &["user", "remove", "grace@example.com", "--yes", "--json"]),
    (1, &["user", "remove", "owner@example.com", "--yes", "--json"]),
    (0, &["user", "list", "--json"]),
    (2, &["user", "list", "--nonsense"]),
];

fn tell(story: Story, run: impl Fn(&[&str]) -> Ran) -> Vec<String> {
    let mut told = String::new();
    for (code, arguments) in story {
        let ran = run(arguments);
        assert_eq!(ran.code, *code, "{arguments:?}: {ran:?}");
        // Nobody who reads JSON gets anything else on that stream.
        assert!(ran.stdout.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
        assert!(ran.stderr.is_empty() == (*code == 0), "{arguments:?}: {ran:?}");
        let _ = writeln!(told, "{arguments:?}\n{}{}\0", ran.stdout, ran.stderr);
    }
    comparable(&told).split('\0').map(str::to_owned).collect()
}

/// Tells a story on a store and through a server, with the same words.
pub fn tell_on_both_roads(story: Story) {
    let near = founded();
    let far = Database::fresh();
    let server = Start::with_key(&far).flag("--owner-email", "owner@example.com").start();
    for database in [&near, &far] {
        on(database, &["user", "add", "grace@example.com", "--name", "Grace"]).ok();
    }
    let near = tell(story, |arguments| on(&near, arguments));
    let far = tell(story, |arguments| through(&server, KEY, arguments));
    for (near, far) in near.iter().zip(&far) {
        assert_eq!(near, far);
    }
    let (stdout, log) = server.stop();
    assert!(!stdout.contains("sk-") && !log.contains("sk-"), "{log}");
}

#[test]
fn both_roads_tell_the_same_story() {
    tell_on_both_roads(STORY);
}

#[test]
fn changes_on_a_store_are_on_record_with_whoever_made_them() {
    let database = founded();
    on(&database, &["user", "add", "grace@example.com"]).ok();
    on(&database, &["project", "create", "Search"]).ok();
    on(&database, &["member", "add", "Search", "grace@example.com"]).ok();
    on(&database, &["admin-key", "create", "ci"]).ok();
    on(&database, &["user", "remove", "grace@example.com", "--yes"]).ok();
    let store = Store::open(Options::new(&database.url)).unwrap();
    let sql = "SELECT DISTINCT a.kind, a.actor_id FROM audit_events e
               JOIN audit_actors a ON a.organization_id = e.organization_id AND a.actor = e.actor";
    let actors = store.read_blocking(move |tx| {
        tx.all(sql, args![], |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?)))
    });
    let user = std::process::Command::new("id").arg("-un").output().unwrap().stdout;
    let user = String::from_utf8(user).unwrap().trim_end().to_owned();
    assert_eq!(
        actors.unwrap() as Vec<_>,
        [("command_line".to_owned(), format!("command_line:{user}"))]
    );
    let sql = "SELECT kind FROM audit_events WHERE user_agent LIKE 'rollbook/%' ORDER BY id";
    let kinds = store.read_blocking(move |tx| tx.all(sql, args![], |row| row.get::<String>(0)));
    let expected =
        ["user.added", "project.created", "user.added", "api_key.created", "user.deleted"];
    let kinds: sql::Result<Vec<_>> = kinds;
    assert_eq!(kinds.unwrap(), expected);
}

#[test]
fn people_cannot_be_added_through_a_server() {
    let database = Database::fresh();
    let server = Start::with_key(&database).start();
    let ran = through(&server, KEY, &["user", "add", "grace@example.com"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("invitation"), "{}", ran.stderr);
    let ran = through(&server, KEY, &["admin-key", "create", "ci", "--owner", "a@example.com"]);
    assert_eq!(ran.code, 2);
}

#[test]
fn a_new_key_is_alone_on_standard_output_and_opens_what_its_scope_says() {
    let database = founded();
    let printed =
        on(&database, &["admin-key", "create", "ci", "--scope", "api.management.read"]).ok();
    let key = printed.trim_end();
    assert!(key.starts_with("sk-admin-") && printed.lines().count() == 1, "{printed}");
    let server = Start::serve(&database).start();
    let client = Client::with_key(&server, key);
    assert_eq!(client.get("/v1/organization/users").0, 200);
    let ran = through(&server, key, &["project", "create", "x"]);
    assert_eq!(ran.code, 5);
    assert!(ran.stderr.contains("api.management.write"), "{}", ran.stderr);
    assert!(!on(&database, &["admin-key", "list", "--json"]).ok().contains(key));
}

#[test]
fn organizations_are_told_apart_and_the_key_file_is_for_one_person() {
    use std::os::unix::fs::PermissionsExt;
    let database = founded();
    let file = database.folder().join("second-key");
    let path = file.to_str().unwrap();
    let create = ["org", "create", "second", "--owner-email", "b@example.com", "--key-file", path];
    let said = on(&database, &create).ok();
    let key = std::fs::read_to_string(&file).unwrap();
    assert!(
        said.contains("second") && said.contains(path) && !said.contains(key.trim_end()),
        "{said}"
    );
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777, 0o600);

    let again = on(&database, &create);
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("second-key"), "{}", again.stderr);
    let taken = on(&database, &["org", "create", "second", "--owner-email", "c@example.com"]);
    assert_eq!(taken.code, 1);
    assert!(taken.stderr.contains("already exists"), "{}", taken.stderr);
    for (slug, email) in [("Second", "c@example.com"), ("third", "nobody"), ("-", "c@example.com")]
    {
        assert_eq!(on(&database, &["org", "create", slug, "--owner-email", email]).code, 2);
    }

    let which = on(&database, &["user", "list"]);
    assert_eq!(which.code, 1);
    assert!(which.stderr.contains("--organization"), "{}", which.stderr);
    let people = on(&database, &["user", "list", "--json", "--organization", "second"]).ok();
    let person: Value = serde_json::from_str(&people).unwrap();
    assert_eq!(person["email"], "b@example.com");
    assert_eq!(on(&database, &["user", "list", "--organization", "third"]).code, 4);
    let all = on(&database, &["org", "list", "--json"]).ok();
    let slugs: Vec<_> = all
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["slug"].clone())
        .collect();
    assert_eq!(slugs, [json!("default"), json!("second")]);
}

#[test]
fn an_owner_can_be_named_where_there_are_several() {
    let database = founded();
    on(&database, &["user", "add", "grace@example.com", "--role", "owner"]).ok();
    let which = on(&database, &["admin-key", "create", "ci"]);
    assert_eq!(which.code, 1);
    assert!(which.stderr.contains("--owner"), "{}", which.stderr);
    let key =
        on(&database, &["admin-key", "create", "ci", "--owner", "grace@example.com", "--json"])
            .ok();
    let key: Value = serde_json::from_str(&key).unwrap();
    assert_eq!(key["owner"]["name"], "grace@example.com");
    on(&database, &["user", "add", "ivy@example.com"]).ok();
    assert_eq!(on(&database, &["admin-key", "create", "ci", "--owner", "ivy@example.com"]).code, 4);
}
