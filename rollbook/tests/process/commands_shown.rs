//! What commands show: nothing that a terminal would obey, nothing wider than it, and no complaint when nobody reads on.

use std::io::{Read as _, Write as _, pipe};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::commands::{Ran, founded, on};
use crate::database::Database;
use crate::server::{Lines, Start};
use crate::terminal::terminal;

const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}evil\u{2066}\r\n\u{200b}end";

fn is_harmful(character: char) -> bool {
    character.is_control() && character != '\n'
        || ('\u{2028}'..='\u{202e}').contains(&character)
        || ('\u{2066}'..='\u{2069}').contains(&character)
        || character == '\u{200b}'
}

#[test]
fn what_a_terminal_would_obey_is_shown_instead() {
    let database = founded();
    let email = "a\u{202e}b@example.com";
    let added = on(&database, &["user", "add", email, "--name", HOSTILE]).ok();
    let created = on(&database, &["project", "create", HOSTILE]).ok();
    let joined = on(&database, &["member", "add", HOSTILE, email]).ok();
    let key = on(&database, &["admin-key", "list"]).ok();
    let refused = on(&database, &["member", "add", HOSTILE, "\u{1b}[31m@example.com"]).stderr;
    let unknown = on(&database, &["member", "list", "\u{1b}[31m"]).stderr;
    let grouped = on(&database, &["group", "create", HOSTILE]).ok();
    let role = ["role", "create", HOSTILE, "--description", HOSTILE, "--project", HOSTILE];
    let role = on(&database, &role).ok();
    let machine = on(&database, &["service-account", "create", HOSTILE, HOSTILE, "--no-key"]).ok();
    let mut shown = vec![added, created, joined, key, refused, unknown, grouped, role, machine];
    for list in [
        &["user", "list"][..],
        &["project", "list"],
        &["member", "list", HOSTILE],
        &["group", "list"],
        &["role", "list", "--project", HOSTILE],
        &["service-account", "list", HOSTILE],
    ] {
        let table = on(&database, list).ok();
        assert!(
            table.contains(r"\u{1b}[2J") || table.contains(r"a\u{202e}b@example.com"),
            "{table}"
        );
        let json = on(&database, &[list, &["--json"]].concat()).ok();
        let rows: Vec<Value> =
            json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(rows.iter().any(|row| row["name"] == HOSTILE || row["email"] == email), "{json}");
        shown.extend([table, json]);
    }
    for text in shown {
        assert!(!text.contains(is_harmful), "{text:?}");
        assert!(!text.is_empty());
    }
}

#[test]
fn an_empty_list_says_so_beside_the_output() {
    let database = founded();
    on(&database, &["project", "create", "Search"]).ok();
    let ran = on(&database, &["member", "list", "Search"]);
    assert_eq!(
        ran,
        Ran { code: 0, stdout: String::new(), stderr: "The project has no members.\n".to_owned() }
    );
    assert_eq!(on(&database, &["member", "list", "Search", "--json"]).ok(), "");
}

#[test]
fn whoever_stops_reading_is_not_told_of_an_error() {
    let database = founded();
    let commands: [&[&str]; 6] = [
        &["user", "list"],
        &["user", "list", "--json"],
        &["check-config"],
        &["project", "create", "Search"],
        &["migrate"],
        &["org", "list"],
    ];
    for arguments in commands {
        assert_eq!(
            closed(Start::program(arguments).flag("--database", &database.url)),
            (0, String::new())
        );
    }
    for arguments in [
        &["completions", "bash"][..],
        &["man"],
        &["openapi"],
        &["help"],
        &["user", "list", "--help"],
    ] {
        assert_eq!(closed(Start::program(arguments)), (0, String::new()), "{arguments:?}");
    }
    // A key that nobody saw is no success.
    on(&database, &["project", "create", "Index"]).ok();
    let unseen = ["service-account", "create", "Index", "indexer"];
    let (code, log) = closed(Start::program(&unseen).flag("--database", &database.url));
    assert_eq!(code, 1);
    assert!(log.contains("rollbook service-account key proj_"), "{log}");
    let (code, log) =
        closed(Start::program(&["admin-key", "create", "ci"]).flag("--database", &database.url));
    assert_eq!(code, 1);
    assert!(log.contains("rollbook admin-key delete key_"), "{log}");
}

fn closed(start: Start) -> (i32, String) {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let (code, _, log) = start.stdout(writer).run();
    (code, log)
}

#[test]
fn what_cannot_be_undone_wants_a_yes() {
    let database = founded();
    on(&database, &["user", "add", "grace@example.com"]).ok();
    on(&database, &["project", "create", "Search"]).ok();
    on(&database, &["admin-key", "create", "ci"]).ok();
    on(&database, &["group", "create", "Researchers"]).ok();
    on(&database, &["role", "create", "Judge"]).ok();
    on(&database, &["service-account", "create", "Search", "indexer"]).ok();
    on(&database, &["api-key", "create", "Search", "laptop", "--user", "owner@example.com"]).ok();
    let commands: [&[&str]; 7] = [
        &["group", "delete", "Researchers"],
        &["role", "delete", "Judge"],
        &["service-account", "delete", "Search", "indexer"],
        &["api-key", "delete", "Search", "laptop"],
        &["user", "remove", "grace@example.com"],
        &["project", "archive", "Search"],
        &["admin-key", "delete", "ci"],
    ];
    for arguments in commands {
        let ran = on(&database, arguments);
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains("--yes"), "{}", ran.stderr);
        let (code, shown) = asked(&database, arguments, "n\n");
        assert_eq!(code, 1);
        assert!(shown.contains("[y/N]") && shown.contains("nothing was changed"), "{shown}");
        assert_eq!(asked(&database, arguments, "y\n").0, 0);
        assert_eq!(on(&database, &[arguments, &["--yes"]].concat()).code, 4);
    }
}

/// Runs a command with somebody at its terminal who types this.
fn asked(database: &Database, arguments: &[&str], typed: &str) -> (i32, String) {
    let (terminal, other_end) = terminal(80);
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollbook"));
    command.args(arguments).args(["--database", &database.url]);
    command.stdin(other_end.try_clone().unwrap()).stdout(Stdio::null()).stderr(other_end);
    let mut child = command.spawn().unwrap();
    drop(command);
    (&terminal).write_all(typed.as_bytes()).unwrap();
    let code = child.wait().unwrap().code().unwrap();
    let mut shown = Vec::new();
    // A terminal ends with an error instead of an end.
    let _ = (&terminal).read_to_end(&mut shown);
    (code, String::from_utf8_lossy(&shown).into_owned())
}

/// What a command shows on a terminal of this width.
fn on_terminal(start: Start, columns: u16) -> String {
    let (terminal, other_end) = terminal(columns);
    let shown = Lines::of(terminal);
    assert_eq!(start.stdout(other_end).run().0, 0);
    shown.all()
}

#[test]
fn a_table_fits_the_terminal_and_is_whole_elsewhere() {
    let database = founded();
    on(&database, &["user", "add", "grace.hopper@example.com", "--name", "Grace Hopper"]).ok();
    let list =
        || Start::program(&["user", "list"]).flag("--database", &database.url).env("NO_COLOR", "1");
    let whole = list().run().1;
    assert!(whole.lines().all(|line| line.contains("user-") || line.ends_with("ID")), "{whole}");
    for columns in [40, 80, 200] {
        let shown = on_terminal(list(), columns);
        assert!(shown.lines().all(|line| line.chars().count() <= columns.into()), "{shown}");
        assert_eq!(shown.contains("user-"), columns == 200, "{shown}");
        assert!(!shown.contains('\u{1b}'), "{shown}");
    }
    let colours =
        Start::program(&["user", "list"]).flag("--database", &database.url).env("TERM", "xterm");
    assert!(on_terminal(colours, 80).starts_with("\u{1b}[1m"));
}

#[test]
fn on_a_terminal_a_new_key_comes_with_a_word_about_it() {
    let database = founded();
    let start = Start::program(&["admin-key", "create", "ci", "--expires-in", "90d"]);
    let shown = on_terminal(start.flag("--database", &database.url), 80);
    assert!(shown.contains("shown only now") && shown.contains("expires at 20"), "{shown}");
    assert_eq!(shown.matches("sk-admin-").count(), 1, "{shown}");
}
