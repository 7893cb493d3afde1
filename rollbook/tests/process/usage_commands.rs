//! Usage on the command line: brought in from files, shown with names, and what it costs.

use std::fmt::Write as _;
use std::fs::write;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::commands::{Ran, founded, on, through};
use crate::database::Database;
use crate::server::Start;
use crate::wire::Client;

/// The machine's time: events that are too old are refused.
fn now() -> i64 {
    use admin::domain::clock::{Clock, SystemClock};
    SystemClock.now()
}

fn file(database: &Database, name: &str, text: &str) -> PathBuf {
    let path = database.folder().join(name);
    write(&path, text).unwrap();
    path
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Makes a project and answers its id.
fn project(database: &Database, name: &str) -> String {
    let made = on(database, &["project", "create", name, "--json"]).ok();
    lines(&made)[0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_file_is_counted_once_on_both_roads_and_what_is_refused_is_listed_with_its_line() {
    let database = founded();
    let (project, now) = (project(&database, "Search"), now());
    let mut csv = "id,time,kind,project_id,api_key_id,model,input_tokens\n".to_owned();
    // More than one request takes.
    for number in 0..2500 {
        let _ = writeln!(csv, "{number},{now},embeddings,{project},key_x,small,2");
    }
    let _ = writeln!(csv, "bad,{now},embeddings,{project},key_x,small,many\nshort,{now}");
    let _ = writeln!(csv, "bad too,{now},embeddings,proj_unknown,key_x,small,1");
    let path = file(&database, "events.csv", &csv);
    let import = ["usage", "import", path.to_str().unwrap()];
    let ran = on(&database, &import);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.stdout.contains("2,500 counted, 0 there already, 3 refused, in "),
        "{}",
        ran.stdout
    );
    for line in ["2502", "2503", "2504"] {
        assert!(ran.stdout.contains(line), "{}", ran.stdout);
    }
    assert!(
        ran.stdout.contains("input_tokens") && ran.stdout.contains("project_id"),
        "{}",
        ran.stdout
    );
    let server = Start::with_key(&database).start();
    let key = on(&database, &["admin-key", "create", "ci"]).ok();
    let ran = through(&server, key.trim(), &[&import[..], &["--json"]].concat());
    assert_eq!(ran.code, 3, "{ran:?}");
    let told = lines(&ran.stdout);
    let refused: Vec<_> = told[..3].iter().map(|row| row["line"].as_i64().unwrap()).collect();
    // A line that is no event is told when it is read, the others when they are answered.
    assert_eq!(refused, [2503, 2502, 2504]);
    let counts =
        |row: &Value| ["accepted", "duplicates", "refused"].map(|name| row[name].as_i64().unwrap());
    assert_eq!(counts(&told[3]), [0, 2500, 3]);
    let shown = through(
        &server,
        key.trim(),
        &["usage", "show", "--kind", "embeddings", "--by", "project", "--json"],
    );
    let row = json!({ "project_id": project, "name": "Search", "input_tokens": 5000, "num_model_requests": 2500 });
    assert_eq!(lines(&shown.ok()), [row]);
    server.stop();
}

#[test]
fn json_lines_come_from_standard_input_too() {
    let database = founded();
    let (project, now) = (project(&database, "Search"), now());
    let event = |id: &str| json!({ "id": id, "time": now, "kind": "images", "project_id": project, "api_key_id": "key_x", "images": 3, "model": "i" });
    let text = format!("{}\n\n{}\nnonsense\n", event("a"), event("b"));
    let path = file(&database, "events", &text);
    let start = Start::program(&["usage", "import", "-", "--json", "--database", &database.url]);
    let ran = Ran::of(start.stdin(std::fs::File::open(path).unwrap()));
    assert_eq!(ran.code, 3);
    let told = lines(&ran.stdout);
    assert_eq!((&told[0]["line"], &told[1]["accepted"]), (&json!(4), &json!(2)), "{told:?}");
}

#[test]
fn files_that_cannot_be_read_are_told_before_anything_is_sent() {
    let database = founded();
    let run = |arguments: &[&str]| on(&database, arguments);
    assert_eq!(run(&["usage", "import", "/nowhere/events.csv"]).code, 2);
    for (text, fault) in [
        ("id,time,kind,tokens\n1,2,3,4\n", "no event has a member 'tokens'"),
        ("", "the file is empty"),
        ("[{}]", "the file is a JSON array"),
    ] {
        let path = file(&database, "wrong", text);
        let ran = run(&["usage", "import", path.to_str().unwrap()]);
        assert_eq!(ran.code, 3, "{ran:?}");
        assert!(ran.stderr.contains(fault), "{}", ran.stderr);
    }
}

#[test]
fn rows_have_the_names_of_today_and_of_those_who_are_gone() {
    let database = founded();
    let project = project(&database, "Search");
    let added = on(&database, &["user", "add", "grace@example.com", "--json"]).ok();
    let grace = lines(&added)[0]["id"].as_str().unwrap().to_owned();
    let server = Start::serve(&database)
        .flag("--price", "m input_tokens=0.25/1000 output_tokens=1/1000")
        .start();
    let key = on(&database, &["admin-key", "create", "ci"]).ok();
    let client = Client::with_key(&server, key.trim());
    let event = |id: &str, user: &str, input: i64| {
        json!({
            "id": id, "time": now(), "kind": "completions", "model": "m", "project_id": project, "user_id": user,
            "input_tokens": input, "output_tokens": 10,
        })
    };
    let events =
        json!([event("1", &grace, 3000), event("2", "user-never", 1000), event("3", &grace, 100)]);
    let (status, answer) = client.post("/rollbook/v1/usage_events", &events);
    assert_eq!((status, &answer["accepted"]), (200, &json!(3)), "{answer}");
    on(&database, &["user", "remove", "grace@example.com", "--yes"]).ok();

    let by_user = on(&database, &["usage", "show", "--by", "user"]).ok();
    let table: Vec<Vec<_>> =
        by_user.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(table[1][..4], ["grace@example.com", "3,100", "20", "2"], "{by_user}");
    assert_eq!(table[1][4], "█".repeat(20));
    assert_eq!(table[2][..4], ["user-never", "1,000", "10", "1"], "{by_user}");
    assert_eq!(table[3], ["total", "4,100", "30", "3"], "{by_user}");

    let costs =
        on(&database, &["usage", "show", "--by", "model", "--kind", "costs", "--json"]).ok();
    assert_eq!(lines(&costs), [json!({ "model": "m", "amount": "1.055", "currency": "usd" })]);
    let by_day = on(&database, &["usage", "show", "--kind", "costs", "--json"]).ok();
    let days = lines(&by_day);
    assert_eq!(days.len(), 30);
    assert_eq!((&days[0]["amount"], &days[29]["amount"]), (&json!("0"), &json!("1.055")));
    let through_server =
        through(&server, key.trim(), &["usage", "show", "--by", "user", "--json"]).ok();
    let names: Vec<_> = lines(&through_server).iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, [Value::Null, Value::Null], "a server does not tell who is gone");
    server.stop();
}

#[test]
fn what_cannot_be_shown_is_told() {
    let database = founded();
    for (arguments, fault) in [
        (&["--by", "model", "--kind", "vector_stores"][..], "not counted by model"),
        (&["--by", "user", "--kind", "code_interpreter_sessions"], "not counted by user"),
        (&["--kind", "sheep"], "completions"),
        (&["--from", "2026-12-02", "--to", "2026-12-01"], "later than"),
        (&["--from", "yesterday"], "2026-11-29"),
    ] {
        let ran = on(&database, &[&["usage", "show"], arguments].concat());
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(fault), "{}", ran.stderr);
    }
    let empty = on(&database, &["usage", "show", "--by", "project"]);
    assert_eq!((empty.code, &*empty.stdout), (0, ""));
    assert!(empty.stderr.contains("Nothing was used"));
}

#[test]
fn a_price_is_added_and_never_changed() {
    let database = founded();
    let set = |arguments: &[&str]| on(&database, &[&["price", "set"], arguments].concat());
    let first =
        set(&["gpt-4o", "input_tokens", "2.50", "--per", "1000000", "--from", "2026-01-01"]);
    assert_eq!(
        first.ok(),
        "input_tokens of gpt-4o costs $2.50 per 1,000,000 from 2026-01-01T00:00Z on.\n"
    );
    let again =
        set(&["gpt-4o", "input_tokens", "2.50", "--per", "1000000", "--from", "2026-01-01"]);
    assert!(again.ok().ends_with("on, as it was.\n"));
    set(&["gpt-4o", "input_tokens", "3", "--per", "1000000", "--from", "2026-06-01T12:00:00Z"])
        .ok();
    set(&["-", "web_search_calls", "0.01", "--from", "2026-01-01"]).ok();
    for (arguments, fault) in [
        (
            &["gpt-4o", "input_tokens", "9", "--per", "1000000", "--from", "2026-03-01"][..],
            "must begin later than the last one",
        ),
        (&["gpt-4o", "sheep", "1"], "sheep"),
        (&["gpt-4o", "images", "1e3"], "plain decimal"),
        (&["gpt-4o", "images", "1", "--per", "3"], "no exact price"),
    ] {
        let ran = set(arguments);
        assert_ne!(ran.code, 0, "{ran:?}");
        assert!(ran.stderr.contains(fault), "{}", ran.stderr);
    }
    let listed = lines(&on(&database, &["price", "list", "--json"]).ok());
    let row = |model: Option<&str>, measure: &str, price: &str, per: i64, from: i64| json!({ "model": model, "measure": measure, "price": price, "per": per, "effective_from": from });
    let expected = [
        row(None, "web_search_calls", "0.01", 1, 1_767_225_600),
        row(Some("gpt-4o"), "input_tokens", "2.50", 1_000_000, 1_767_225_600),
        row(Some("gpt-4o"), "input_tokens", "3", 1_000_000, 1_780_315_200),
    ];
    assert_eq!(listed, expected);
}

#[test]
fn each_start_adds_the_prices_of_the_settings_and_none_changes_what_was_counted() {
    let database = Database::fresh();
    let text = "price = ['m images=0.02 input_tokens=1/1000', 'm images=0.04 from=2026-06-01']";
    let settings = file(&database, "rollbook.toml", text);
    let start = || Start::with_key(&database).flag("--config", &settings);
    let told = "3 prices of the settings are new to the organization 'default'";
    assert!(start().start().stop().1.contains(told));
    assert!(!start().start().stop().1.contains("prices of the settings"), "nothing is new");
    let prices = lines(&on(&database, &["price", "list", "--json"]).ok());
    let row =
        |row: &Value| (row["measure"].clone(), row["price"].clone(), row["effective_from"].clone());
    let expected = [
        (json!("images"), json!("0.02"), json!(0)),
        (json!("images"), json!("0.04"), json!(1_780_272_000)),
        (json!("input_tokens"), json!("1"), json!(0)),
    ];
    assert_eq!(prices.iter().map(row).collect::<Vec<_>>(), expected);
    write(&settings, "price = ['m images=0.05 from=2026-06-01']").unwrap();
    let (code, _, log) = start().run();
    assert!(code == 1 && log.contains("A price must begin later than the last one"), "{log}");
    write(&settings, "price = ['m sheep=0.05']").unwrap();
    let (code, _, log) = start().run();
    assert!(code == 2 && log.contains("at price") && log.contains("sheep"), "{log}");
}
