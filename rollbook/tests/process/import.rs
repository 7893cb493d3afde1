//! `rollbook import`: into a new store, again, beside a server, with a file at fault, and killed on its way.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sql::{Options, Store, args};

use crate::audit::verified;
use crate::database::Database;
use crate::server::Start;
use crate::wire::Client;

/// Longer than any import here takes, on a busy machine too.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often an import is killed.
const KILLS: usize = 20;
/// How many memberships each of the killed ones gets further, at least.
const STEP: usize = 90;

fn file(database: &Database, rows: &str) {
    let path = database.folder().join("people.csv");
    std::fs::write(&path, format!("email,name,role,project,project_role\n{rows}")).unwrap();
}

/// So many people, each in one of fifty projects and every third in two.
fn rows(people: usize) -> String {
    let mut rows = String::new();
    for number in 0..people {
        let role = if number % 7 == 0 { "owner" } else { "member" };
        let _ = writeln!(
            rows,
            "p{number}@example.com,P {number},reader,Project {},{role}",
            number % 50
        );
        if number % 3 == 0 {
            let _ = writeln!(rows, "P{number}@Example.com,,reader,Second,member");
        }
    }
    rows
}

fn import(database: &Database, flags: &[&str]) -> Start {
    let path = database.folder().join("people.csv");
    let path = path.to_str().unwrap();
    let start =
        Start::program(&[["import", "--database", &database.url, path].as_slice(), flags].concat());
    start.flag("--key-file", database.folder().join("key"))
}

/// Runs an import to its end: the exit code, its report, and standard error.
fn report(database: &Database, flags: &[&str]) -> (i32, Value, String) {
    let (code, stdout, stderr) = import(database, &[flags, &["--json"]].concat()).run();
    (code, serde_json::from_str(&stdout).expect(&stderr), stderr)
}

/// Added, updated and unchanged: people, projects, memberships.
fn counts(report: &Value) -> [[u64; 3]; 3] {
    ["people", "projects", "memberships"].map(|what| {
        ["added", "updated", "unchanged"].map(|how| report[what][how].as_u64().unwrap())
    })
}

#[test]
fn a_new_store_is_founded_and_a_second_run_changes_nothing() {
    let database = Database::fresh();
    file(&database, &rows(90));
    let (code, first, note) = report(&database, &["--owner-email", "boss@example.com"]);
    assert_eq!((code, first["applied"].as_bool()), (0, Some(true)), "{note}");
    assert_eq!(counts(&first), [[90, 0, 0], [51, 0, 0], [120, 0, 0]]);
    assert!(note.contains(database.folder().join("key").to_str().unwrap()), "{note}");
    let (_, second, note) = report(&database, &[]);
    assert_eq!(counts(&second), [[0, 0, 90], [0, 0, 51], [0, 0, 120]]);
    assert_eq!(note, "");

    let key = std::fs::read_to_string(database.folder().join("key")).unwrap();
    let server = Start::serve(&database).start();
    let users = Client::with_key(&server, key.trim_end()).get("/v1/organization/users?limit=100").1;
    assert_eq!(users["data"].as_array().unwrap().len(), 91);
    assert_eq!(users["data"][0]["email"], "boss@example.com");
}

#[test]
fn people_see_a_table_and_no_progress_where_there_is_no_terminal() {
    let database = Database::fresh();
    file(&database, &rows(3));
    let (code, stdout, stderr) = import(&database, &[]).run();
    assert_eq!((code, stderr.lines().count()), (0, 1), "{stderr}");
    let words = |line: &str| line.split(['│', '┆']).map(str::trim).collect::<Vec<_>>().join(" ");
    let lines: Vec<_> = stdout.lines().map(words).collect();
    assert!(lines.iter().any(|line| line.trim() == "people 3 3 0 0"), "{stdout}");
    assert!(lines.iter().any(|line| line.trim() == "memberships 4 4 0 0"), "{stdout}");
    assert!(stdout.contains("4 rows read, 0 skipped"), "{stdout}");
}

#[test]
fn a_file_at_fault_makes_no_store_unless_its_lines_may_be_left_out() {
    let database = Database::in_file();
    let store = database.folder().join("store.db");
    file(&database, "ada@example.com,Ada,reader,P,member\nnobody,\u{1b}[31m,king,,\n");
    let (code, refused, error) = report(&database, &[]);
    assert_eq!((code, &refused["applied"], &refused["fault_count"]), (3, &json!(false), &json!(1)));
    let fault = &refused["faults"][0];
    assert_eq!((&fault["line"], &fault["column"]), (&json!(3), &json!("name")));
    assert!(error.contains("--skip-invalid") && !error.contains('\u{1b}'), "{error}");
    assert!(!store.exists());
    let (code, done, _) = report(&database, &["--skip-invalid"]);
    assert_eq!((code, &done["rows"]), (0, &json!({ "in_file": 2, "skipped": 1 })));
    assert_eq!(counts(&done), [[1, 0, 0], [1, 0, 0], [1, 0, 0]]);
}

#[test]
fn a_rehearsal_makes_nothing_and_names_the_keys_that_would_end() {
    let database = Database::in_file();
    file(&database, "owner@localhost,,reader,,\nada@example.com,,owner,P,owner\n");
    let (code, new, _) = report(&database, &["--dry-run"]);
    assert_eq!((code, &new["applied"], counts(&new)[0]), (0, &json!(false), [1, 1, 0]));
    let people = database.folder().join("people.csv");
    let left: Vec<_> =
        database.folder().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [people]);
    let server = Start::with_key(&database).start();
    let (_, would, _) = report(&database, &["--dry-run"]);
    assert_eq!(would["demotions"][0]["email"], "owner@localhost");
    assert_eq!(would["demotions"][0]["keys"][0]["name"], "First key");
    assert_eq!(Client::of(&server).get("/v1/organization/users").0, 200);
    let (_, done, _) = report(&database, &[]);
    assert_eq!((counts(&done), &done["demotions"]), (counts(&would), &would["demotions"]));
    assert_eq!(Client::of(&server).get("/v1/organization/users").0, 401);
}

#[test]
fn what_cannot_be_read_twice_is_refused() {
    let database = Database::in_file();
    for path in ["/dev/null", "/does/not/exist"] {
        let start = Start::program(&["import", "--database", &database.url, path]);
        let (code, stdout, error) = start.run();
        assert_eq!((code, stdout.as_str()), (2, ""));
        assert!(error.contains(path), "{error}");
    }
}

#[test]
fn a_server_beside_goes_on_writing_and_shows_the_result_at_once() {
    let database = Database::fresh();
    file(&database, &rows(600));
    let server = Start::with_key(&database).start();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let client = Client::of(&server);
            let mut written = 0;
            while !over.load(Ordering::Relaxed) || written == 0 {
                let body = json!({ "name": format!("beside {written}") });
                assert_eq!(client.post("/v1/organization/projects", &body).0, 200);
                written += 1;
            }
        });
        let (code, report, _) = report(&database, &["--batch-size", "20"]);
        over.store(true, Ordering::Relaxed);
        let users = Client::of(&server).get("/v1/organization/users?emails=p599@example.com").1;
        assert_eq!(users["data"][0]["name"], "P 599");
        assert_eq!((code, counts(&report)[2]), (0, [800, 0, 0]));
        writing.join().unwrap();
    });
    server.stop();
}

/// What people see: users by address, projects by name, memberships by both.
fn seen(store: &Store) -> Vec<String> {
    let statements = [
        "SELECT email, COALESCE(name, '-'), role FROM users",
        "SELECT name, '', '' FROM projects WHERE archived_at IS NULL",
        "SELECT p.name, m.shown, m.role FROM project_members m
         JOIN projects p ON p.organization_id = m.organization_id AND p.id = m.project_id",
    ];
    let read = move |tx: &mut sql::Tx<'_>| {
        let mut lines = Vec::new();
        for (place, sql) in statements.iter().enumerate() {
            lines.extend(tx.all(sql, args![], |row| {
                let mut cells = [row.get::<String>(0)?, row.get(1)?, row.get(2)?];
                // When somebody was added is not what the file says.
                if let Some(end) = cells[1].find(",\"added_at\":") {
                    cells[1].truncate(end);
                }
                Ok(format!("{place} {}", cells.join(" | ")))
            })?);
        }
        lines.sort_unstable();
        Ok::<_, sql::Error>(lines)
    };
    store.read_blocking(read).unwrap()
}

/// A number that the store holds.
fn number(store: &Store, sql: &'static str) -> usize {
    let read = move |tx: &mut sql::Tx<'_>| tx.one(sql, args![], |row| row.get::<i64>(0));
    usize::try_from(store.read_blocking(read).unwrap().unwrap()).unwrap()
}

const EVENTS: [(&str, &str); 3] = [
    (
        "SELECT COUNT(*) FROM users",
        "SELECT COUNT(*) FROM audit_events WHERE kind = 'user.added' AND project_id IS NULL",
    ),
    (
        "SELECT COUNT(*) FROM projects",
        "SELECT COUNT(*) FROM audit_events WHERE kind = 'project.created'",
    ),
    (
        "SELECT COUNT(*) FROM project_members",
        "SELECT COUNT(*) FROM audit_events WHERE kind = 'user.added' AND project_id IS NOT NULL",
    ),
];

#[test]
fn killed_again_and_again_and_run_once_more_it_equals_a_clean_import() {
    let (database, clean) = (Database::in_file(), Database::in_file());
    file(&database, "");
    assert_eq!(report(&database, &[]).0, 0, "the store is founded");
    let rows = rows(KILLS * STEP);
    file(&database, &rows);
    file(&clean, &rows);
    let store = Store::open(Options::new(&database.url)).unwrap();
    for kill in 1..=KILLS {
        let mut process = import(&database, &["--batch-size", "50"]).spawn();
        let begun = Instant::now();
        // Seen in the store, so that each kill meets the import further on.
        while number(&store, "SELECT COUNT(*) FROM project_members") < kill * STEP {
            assert!(begun.elapsed() < PATIENCE, "the import does not get on");
            std::thread::yield_now();
        }
        process.kill();
    }
    let members = number(&store, "SELECT COUNT(*) FROM project_members");
    let (_, done, _) = report(&database, &[]);
    let added = usize::try_from(counts(&done)[2][0]).unwrap();
    // The owner of the store is in the default project.
    assert_eq!(added + members, KILLS * STEP * 4 / 3 + 1, "it goes on where it was");
    assert_eq!(report(&clean, &[]).0, 0);
    let other = Store::open(Options::new(&clean.url)).unwrap();
    assert_eq!(seen(&store), seen(&other));
    for (rows, events) in EVENTS {
        assert_eq!(number(&store, rows), number(&store, events), "{rows}");
    }
}

#[test]
fn killed_on_its_way_into_a_new_store_it_leaves_all_or_nothing() {
    const PEOPLE: usize = 12_000;
    let (database, clean) = (Database::in_file(), Database::in_file());
    let rows = rows(PEOPLE);
    file(&database, &rows);
    file(&clean, &rows);
    let mut process = import(&database, &[]).spawn();
    // The owner's key is there once the store is founded, the journal while a transaction without a log goes on.
    let (begun, paths) = (Instant::now(), ["key", "store.db-journal"]);
    while !paths.iter().all(|path| database.folder().join(path).exists()) {
        assert!(begun.elapsed() < PATIENCE, "the import does not begin");
        std::thread::yield_now();
    }
    process.kill();
    let store = Store::open(Options::new(&database.url)).unwrap();
    let people = number(&store, "SELECT COUNT(*) FROM users");
    assert!([1, PEOPLE + 1].contains(&people), "{people} people are there");
    assert_eq!(people, number(&store, EVENTS[0].1));
    store.close();
    assert_eq!(report(&database, &[]).0, 0);
    assert_eq!(report(&clean, &[]).0, 0);
    let [store, other] =
        [&database, &clean].map(|one| Store::open(Options::new(&one.url)).unwrap());
    assert_eq!(seen(&store), seen(&other));
    for (rows, events) in EVENTS {
        assert_eq!(number(&store, rows), number(&store, events), "{rows}");
    }
    // With the projects that the first memberships make, they write more events than a seal has.
    for (store, database) in [(&store, &database), (&other, &clean)] {
        let events = number(store, "SELECT COUNT(*) FROM audit_events");
        assert_eq!(verified(database)["records"], json!(events));
    }
    assert_eq!(verified(&clean)["waiting"], json!(0));
}

#[test]
fn the_record_names_who_imported() {
    let database = Database::fresh();
    file(&database, &rows(2));
    report(&database, &[]);
    let store = Store::open(Options::new(&database.url)).unwrap();
    let sql = "SELECT COUNT(*) FROM audit_events e
               JOIN audit_actors a ON a.organization_id = e.organization_id AND a.actor = e.actor
               WHERE a.kind = 'command_line' AND a.actor_id > 'command_line:'";
    assert_eq!(number(&store, sql), 2 + 3 + 3);
}
