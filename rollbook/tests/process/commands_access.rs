//! Commands about who may do what: groups, roles, service accounts, keys of projects, and what a key opens.

use serde_json::Value;

use crate::commands::{Ran, Story, founded, on, tell_on_both_roads};
use crate::database::Database;
use crate::server::Start;

const STORY: Story = &[
    (0, &["project", "create", "Search", "--json"]),
    (0, &["member", "add", "Search", "grace@example.com", "--json"]),
    (0, &["group", "create", "Researchers", "--json"]),
    (0, &["group", "list", "--json"]),
    (0, &["group", "add", "Researchers", "grace@example.com", "--json"]),
    (0, &["group", "add", "Researchers", "Grace@example.com", "--json"]),
    (4, &["group", "add", "Researchers", "nobody@example.com", "--json"]),
    (4, &["group", "add", "Nowhere", "grace@example.com", "--json"]),
    (0, &["group", "members", "Researchers", "--json"]),
    (0, &["group", "grant", "Researchers", "Search", "--role", "viewer", "--json"]),
    (1, &["group", "grant", "Researchers", "Search", "--role", "owner", "--json"]),
    (4, &["group", "grant", "Researchers", "Search", "--role", "emperor", "--json"]),
    (0, &["group", "rename", "Researchers", "Scientists", "--json"]),
    (0, &["role", "list", "--json"]),
    (0, &["role", "create", "Judge", "--permission", "api.groups.read", "--json"]),
    (1, &["role", "create", "Judge", "--json"]),
    (1, &["role", "create", "Nonsense", "--permission", "*", "--json"]),
    (
        0,
        &[
            "role",
            "create",
            "Asker",
            "--project",
            "Search",
            "--permission",
            "api.model.request",
            "--description",
            "Asks models",
            "--json",
        ],
    ),
    (0, &["role", "update", "Judge", "--name", "Referee", "--description", "", "--json"]),
    (1, &["role", "update", "owner", "--name", "king", "--json"]),
    (0, &["role", "list", "--project", "Search", "--json"]),
    (0, &["role", "assign", "Referee", "--group", "Scientists", "--json"]),
    (
        0,
        &[
            "role",
            "assign",
            "Asker",
            "--user",
            "grace@example.com",
            "--project",
            "Search",
            "--json",
        ],
    ),
    (4, &["role", "assign", "Asker", "--user", "grace@example.com", "--json"]),
    (0, &["role", "of", "--user", "grace@example.com", "--json"]),
    (0, &["role", "of", "--user", "grace@example.com", "--project", "Search", "--json"]),
    (0, &["role", "of", "--group", "Scientists", "--project", "Search", "--json"]),
    (
        0,
        &[
            "role",
            "unassign",
            "Asker",
            "--user",
            "grace@example.com",
            "--project",
            "Search",
            "--json",
        ],
    ),
    (
        4,
        &[
            "role",
            "unassign",
            "Asker",
            "--user",
            "grace@example.com",
            "--project",
            "Search",
            "--json",
        ],
    ),
    (0, &["service-account", "create", "Search", "indexer", "--json"]),
    (0, &["service-account", "create", "Search", "bare", "--no-key", "--json"]),
    (0, &["service-account", "rename", "Search", "indexer", "crawler", "--json"]),
    (0, &["service-account", "role", "Search", "bare", "owner", "--json"]),
    (
        0,
        &[
            "service-account",
            "key",
            "Search",
            "crawler",
            "--name",
            "night",
            "--scope",
            "api.model.request",
            "--expires-in",
            "90d",
            "--json",
        ],
    ),
    (0, &["service-account", "list", "Search", "--json"]),
    (0, &["api-key", "create", "Search", "laptop", "--user", "grace@example.com", "--json"]),
    (4, &["api-key", "create", "Search", "laptop", "--user", "nobody@example.com", "--json"]),
    (0, &["api-key", "list", "Search", "--json"]),
    (0, &["api-key", "list", "Search", "--access", "inactive", "--json"]),
    (1, &["api-key", "delete", "Search", "night", "--yes", "--json"]),
    (0, &["api-key", "delete", "Search", "laptop", "--yes", "--json"]),
    (4, &["api-key", "delete", "Search", "laptop", "--yes", "--json"]),
    (0, &["service-account", "delete", "Search", "crawler", "--yes", "--json"]),
    (4, &["service-account", "delete", "Search", "crawler", "--yes", "--json"]),
    (0, &["group", "remove", "Scientists", "grace@example.com", "--json"]),
    (4, &["group", "remove", "Scientists", "grace@example.com", "--json"]),
    (0, &["group", "revoke", "Scientists", "Search", "--json"]),
    (4, &["group", "revoke", "Scientists", "Search", "--json"]),
    (0, &["role", "delete", "Referee", "--yes", "--json"]),
    (1, &["role", "delete", "reader", "--yes", "--json"]),
    (0, &["group", "delete", "Scientists", "--yes", "--json"]),
    (4, &["group", "delete", "Scientists", "--yes", "--json"]),
];

#[test]
fn both_roads_tell_the_same_story_of_access() {
    tell_on_both_roads(STORY);
}

/// A store in which Grace is a member of a project, with a key there.
fn with_key() -> (Database, String) {
    let database = founded();
    on(&database, &["user", "add", "grace@example.com"]).ok();
    on(&database, &["project", "create", "Search"]).ok();
    on(&database, &["member", "add", "Search", "grace@example.com"]).ok();
    let create = ["api-key", "create", "Search", "laptop", "--user", "grace@example.com"];
    let key = on(&database, &create).ok();
    assert!(key.starts_with("sk-proj-") && key.lines().count() == 1, "{key}");
    (database, key.trim_end().to_owned())
}

fn check(start: Start, key: &str) -> Ran {
    Ran::of(start.env("ROLLBOOK_CHECK_KEY", key))
}

#[test]
fn what_a_key_opens_is_told_in_words_and_as_an_exit_code() {
    let (database, key) = with_key();
    let server = Start::serve(&database).start();
    let asked = |key: &str, wish: &[&str]| {
        let arguments = [&["check"], wish].concat();
        let near = check(Start::program(&arguments).flag("--database", &database.url), key);
        let far = check(Start::program(&arguments).flag("--server", &server.url), key);
        assert_eq!(near, far);
        near
    };
    let yes = asked(&key, &["--model", "gpt-4o"]).ok();
    assert!(yes.contains("grace@example.com") && yes.contains("Search"), "{yes}");
    let no = asked(&key, &["--permission", "api.groups.write"]);
    assert_eq!((no.code, no.stdout.as_str()), (5, ""));
    assert!(no.stderr.contains("missing_permission"), "{}", no.stderr);
    let json = asked(&key, &["--permission", "api.groups.write", "--json"]);
    let answer: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((json.code, &answer["reason"]), (5, &Value::from("missing_permission")));
    let unknown = asked("sk-proj-unknown-unknown-unknown-unknown", &[]);
    assert_eq!(unknown.code, 5);
    assert!(unknown.stderr.contains("unknown_key"), "{}", unknown.stderr);
    for ran in [&no, &json, &unknown] {
        assert!(!ran.stderr.contains(&key) && !ran.stdout.contains(&key));
    }
    on(&database, &["member", "remove", "Search", "grace@example.com"]).ok();
    let gone = asked(&key, &[]);
    assert!(gone.code == 5 && gone.stderr.contains("owner_without_access"), "{}", gone.stderr);
}

#[test]
fn a_key_to_check_comes_from_standard_input_or_nowhere() {
    let (database, key) = with_key();
    let file = database.folder().join("key");
    std::fs::write(&file, format!("{key}\n")).unwrap();
    let start = || Start::program(&["check"]).flag("--database", &database.url);
    let given = start().stdin(std::fs::File::open(&file).unwrap());
    assert_eq!(Ran::of(given).code, 0);
    let nothing = Ran::of(start());
    assert_eq!(nothing.code, 1);
    assert!(nothing.stderr.contains("ROLLBOOK_CHECK_KEY"), "{}", nothing.stderr);
}

#[test]
fn tables_say_through_which_group_a_role_comes_and_whose_a_key_is() {
    let (database, _) = with_key();
    on(&database, &["service-account", "create", "Search", "indexer"]).ok();
    on(&database, &["group", "create", "Researchers"]).ok();
    on(&database, &["group", "add", "Researchers", "grace@example.com"]).ok();
    on(&database, &["group", "grant", "Researchers", "Search", "--role", "viewer"]).ok();
    let group = on(&database, &["group", "list", "--json"]).ok();
    let group: Value = serde_json::from_str(&group).unwrap();
    let of = ["role", "of", "--user", "grace@example.com", "--project", "Search"];
    let roles = on(&database, &of).ok();
    let viewer = roles.lines().find(|line| line.starts_with("viewer")).unwrap();
    assert!(viewer.contains(group["id"].as_str().unwrap()), "{roles}");
    let keys = on(&database, &["api-key", "list", "Search"]).ok();
    assert!(keys.contains("grace@example.com") && keys.contains("indexer"), "{keys}");
}

#[test]
fn the_permissions_are_listed_without_a_store() {
    let listed = Ran::of(Start::program(&["role", "permissions"])).ok();
    assert!(listed.contains("api.model.request") && listed.contains("using a project"), "{listed}");
}

#[test]
fn a_command_that_names_nobody_or_two_is_wrong() {
    let commands: [&[&str]; 4] = [
        &["role", "update", "Referee"],
        &["role", "assign", "Referee"],
        &["role", "assign", "Referee", "--user", "a@example.com", "--group", "b"],
        &["service-account", "create", "Search", "x", "--no-key", "--expires-in", "1d"],
    ];
    for arguments in commands {
        let ran = Ran::of(Start::program(arguments));
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}");
    }
}
