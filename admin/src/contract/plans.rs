//! Every list is one index range: asserted on the engine's own plan for every statement of a page, with 200,000 rows and
//! fresh statistics, at the first and at the last page.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use sql::{Arg, Engine, Tx, args};

use super::world::operations;
use crate::app::Settings;
use crate::testing::Api;

const ROWS: usize = 200_000;

/// A statement as it was executed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Statement {
    sql: String,
    arguments: Vec<Literal>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Literal {
    Null,
    Text(String),
    Int(i64),
    Bool(bool),
    Bytes(Vec<u8>),
}

impl Literal {
    fn of(argument: &Arg<'_>) -> Self {
        match argument {
            Arg::Null => Self::Null,
            Arg::Text(text) => Self::Text((*text).to_owned()),
            Arg::Int(number) => Self::Int(*number),
            Arg::Bool(truth) => Self::Bool(*truth),
            Arg::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
        }
    }

    fn argument(&self) -> Arg<'_> {
        match self {
            Self::Null => Arg::Null,
            Self::Text(text) => Arg::Text(text),
            Self::Int(number) => Arg::Int(*number),
            Self::Bool(truth) => Arg::Bool(*truth),
            Self::Bytes(bytes) => Arg::Bytes(bytes),
        }
    }

    /// As a constant in PostgreSQL's SQL, for `EXECUTE`, which takes no parameters.
    fn constant(&self) -> String {
        match self {
            Self::Null => "NULL".to_owned(),
            Self::Text(text) => format!("'{}'", text.replace('\'', "''")),
            Self::Int(number) => number.to_string(),
            Self::Bool(truth) => truth.to_string(),
            Self::Bytes(bytes) => {
                bytes.iter().fold("'\\x".to_owned(), |mut hex, byte| {
                    write!(hex, "{byte:02x}").expect("a string takes everything");
                    hex
                }) + "'"
            }
        }
    }
}

/// Fills the store: 200,000 of everything that is listed, and as many members in one project as outside it.
async fn fill(api: &Api, project: &str) {
    let organization = &api.first.organization;
    let bytes = match api.app.store.engine() {
        Engine::Sqlite => "CAST(CAST(i AS TEXT) AS BLOB)",
        Engine::Postgres => "CAST(CAST(i AS TEXT) AS BYTEA)",
    };
    let numbers =
        format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})");
    let id = "CAST(1000000 + i AS TEXT)";
    let statements = [
        format!(
            "{numbers} INSERT INTO users (organization_id, id, email, email_folded, role, added_at) SELECT $1, 'user-' || {id}, {id} || '@x', {id} || '@x', 'reader', 1 FROM n"
        ),
        format!(
            "{numbers} INSERT INTO projects (organization_id, id, name, created_at, archived_at) SELECT $1, 'proj_' || {id}, 'p', 1, CASE WHEN i % 2 = 0 THEN 1 END FROM n"
        ),
        format!(
            "{numbers} INSERT INTO project_members (organization_id, project_id, user_id, user_email, role, added_at) SELECT $1, $2, 'user-' || {id}, {id} || '@x', 'member', 1 FROM n"
        ),
        format!(
            "{numbers} INSERT INTO project_members (organization_id, project_id, user_id, user_email, role, added_at) SELECT $1, 'proj_' || CAST(1000001 + i % 4 AS TEXT), 'user-' || {id}, {id} || '@x', 'member', 1 FROM n WHERE i <= 2000"
        ),
        format!(
            "{numbers} INSERT INTO admin_api_keys (organization_id, id, owner_id, secret_hash, redacted_value, scopes, created_at) SELECT $1, 'key_' || {id}, 'user-' || {id}, {bytes}, 'x', '', 1 FROM n"
        ),
        "ANALYZE".to_owned(),
    ];
    for statement in statements {
        let (organization, project) = (organization.id.clone(), project.to_owned());
        let places = statement.matches('$').count();
        let fill = move |tx: &mut Tx<'_>| {
            tx.execute(&statement, &args![&organization, &project][..places])
        };
        api.app.store.write::<_, sql::Error>(fill).await.expect("the store can be filled");
    }
}

async fn statements_of(
    api: &Api,
    seen: &Mutex<BTreeSet<Statement>>,
    path: &str,
) -> BTreeSet<Statement> {
    seen.lock().expect("the observer does not panic").clear();
    assert!(!api.get(path).await.ids().is_empty(), "{path} shows rows");
    seen.lock().expect("the observer does not panic").clone()
}

/// How many rows a statement answers, and how many instructions of its machine SQLite needs for them.
async fn work(api: &Api, statement: Statement) -> (usize, Option<u64>) {
    let run = move |tx: &mut Tx<'_>| {
        let arguments: Vec<_> = statement.arguments.iter().map(Literal::argument).collect();
        let rows = tx.all(&statement.sql, &arguments, |_| Ok(()))?;
        Ok::<_, sql::Error>((rows.len(), tx.steps()))
    };
    api.app.store.read(run).await.expect("what was read can be read again")
}

async fn plan(api: &Api, statement: Statement) -> Vec<String> {
    let is_sqlite = api.app.store.engine() == Engine::Sqlite;
    let explain = move |tx: &mut Tx<'_>| {
        if is_sqlite {
            let arguments: Vec<_> = statement.arguments.iter().map(Literal::argument).collect();
            tx.all(&format!("EXPLAIN QUERY PLAN {}", statement.sql), &arguments, |row| {
                row.get::<String>(3)
            })
        } else {
            let mut lines = Vec::new();
            // Once as planned for these arguments, once as planned for any: the engine may choose either.
            for mode in ["force_custom_plan", "force_generic_plan"] {
                tx.execute(&format!("SET LOCAL plan_cache_mode = {mode}"), args![])?;
                tx.execute(&format!("PREPARE explained AS {}", statement.sql), args![])?;
                let constants: Vec<_> = statement.arguments.iter().map(Literal::constant).collect();
                let list = if constants.is_empty() {
                    String::new()
                } else {
                    format!("({})", constants.join(", "))
                };
                let sql =
                    format!("EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) EXECUTE explained{list}");
                lines.extend(tx.all(&sql, args![], |row| row.get::<String>(0))?);
                tx.execute("DEALLOCATE explained", args![])?;
            }
            Ok(lines)
        }
    };
    api.app.store.read::<_, sql::Error>(explain).await.expect("statements can be explained")
}

/// What is wrong with a plan, if anything: a scan of a table, a sort, another index, or more rows than a page needs.
fn fault(engine: Engine, lines: &[String], may_sort: bool) -> Option<String> {
    // An index that finds the things of one person is in no list's order, though it may look so while there is little data.
    let strays = |line: &str| line.contains("_of_user") || line.contains("_of_owner");
    let is_fault = |line: &&String| match engine {
        _ if strays(line) => true,
        Engine::Sqlite => {
            let scans = line.starts_with("SCAN ") && !["SCAN m", "SCAN k"].contains(&line.as_str());
            scans || (line.contains("TEMP B-TREE") && !may_sort)
        }
        Engine::Postgres => {
            let scans = ["Seq Scan", "Hash Join", "Merge Join", "Bitmap"]
                .iter()
                .any(|word| line.contains(word));
            scans
                || (line.contains("Sort") && !may_sort)
                || line.contains("Rows Removed by Filter")
                || rows(line) > 30
        }
    };
    lines.iter().find(is_fault).cloned()
}

/// The rows that a node of PostgreSQL's plan produced in all its loops.
fn rows(line: &str) -> u64 {
    let number = |name: &str| {
        let rest = line.split_once("(actual ").and_then(|(_, rest)| rest.split_once(name))?.1;
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<u64>().ok()
    };
    number("rows=").unwrap_or(0) * number("loops=").unwrap_or(1)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_is_one_index_range_at_any_depth() {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let log = Arc::clone(&seen);
    let observer = move |sql: &str, arguments: &[Arg<'_>]| {
        let statement = Statement {
            sql: sql.to_owned(),
            arguments: arguments.iter().map(Literal::of).collect(),
        };
        log.lock().expect("the observer does not panic").insert(statement);
    };
    let api = Api::with(Settings::default(), Some(Arc::new(observer))).await.unwatched();
    let project = api.create_project("Large").await;
    fill(&api, &project).await;
    let engine = api.app.store.engine();
    for ((_, template), operation) in operations().filter(|(_, operation)| operation.is_list()) {
        let path = template.replace("{project_id}", &project);
        for query in ["limit=20", "limit=20&include_archived=true", "limit=20&order=desc"] {
            let pages = [
                format!("{path}?{query}"),
                format!("{path}?{query}&after={}", near_the_end(template, query)),
            ];
            let (mut shapes, mut works) = (Vec::new(), Vec::new());
            for page in pages {
                for statement in statements_of(&api, &seen, &page).await {
                    let lines = plan(&api, statement.clone()).await;
                    assert_eq!(
                        fault(engine, &lines, false),
                        None,
                        "{page}\n{}\n{lines:#?}",
                        statement.sql
                    );
                    // The key is looked up for the first page only, and kept.
                    if !statement.sql.contains("secret_hash") {
                        works.push(work(&api, statement.clone()).await);
                        shapes.push((statement.sql, shape(&lines)));
                    }
                }
            }
            let (first, last) = shapes.split_at(shapes.len() / 2);
            assert_eq!(first, last, "{path}: the last page has the plan of the first");
            let (first, last) = works.split_at(works.len() / 2);
            for (first, last) in first.iter().zip(last) {
                assert_eq!(first.0, last.0, "{path}: the last page is as full as the first");
                // One row more would take as many steps as each of these.
                if let ((rows, Some(first)), (_, Some(last))) = (first, last) {
                    let row = first / *rows as u64;
                    assert!(first.abs_diff(*last) < row, "{path}: {first} and {last} steps");
                }
            }
        }
        for ((place, parameter), (_, schema)) in &operation.parameters {
            if place == "query" && schema["type"] == "array" {
                let page = format!(
                    "{path}?{parameter}[]=1000007@x&{parameter}[]=1199999@x&{parameter}[]=1000009@x"
                );
                for statement in statements_of(&api, &seen, &page).await {
                    let lines = plan(&api, statement.clone()).await;
                    assert_eq!(
                        fault(engine, &lines, true),
                        None,
                        "{page}\n{}\n{lines:#?}",
                        statement.sql
                    );
                }
            }
        }
    }
}

/// A cursor with a page and a little more behind it.
fn near_the_end(template: &str, query: &str) -> String {
    let prefix = match template.rsplit('/').next() {
        Some("users") => "user-",
        Some("projects") => "proj_",
        _ => "key_",
    };
    let number = if query.contains("desc") { 1_000_030 } else { 1_000_000 + ROWS - 60 };
    format!("{prefix}{number}")
}

/// A plan without its figures and arguments.
fn shape(lines: &[String]) -> Vec<String> {
    let bare = |line: &String| {
        let node = line.split("  (").next().unwrap_or_default();
        node.split('\'').step_by(2).collect::<Vec<_>>().join("?")
    };
    lines.iter().map(bare).collect()
}
