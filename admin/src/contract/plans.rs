//! Every list is one index range: asserted on the engine's own plan for every statement of a page, with 200,000 rows and
//! fresh statistics, at the first and at the last page.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use sql::{Arg, Engine, Tx, args};

use crate::app::Settings;
use crate::testing::Api;
use crate::testing::document::{Operation, operations};
use crate::testing::seed::{self, ALL, Filling};
use crate::testing::world::World;

const ROWS: usize = 200_000;

/// A statement as it was executed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement {
    /// Its text.
    pub sql: String,
    arguments: Vec<Literal>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Literal {
    Null,
    Text(String),
    Int(i64),
    Bool(bool),
    Bytes(Vec<u8>),
}

impl Statement {
    /// A statement as it is executed.
    pub fn of(sql: &str, arguments: &[Arg<'_>]) -> Self {
        Self { sql: sql.to_owned(), arguments: arguments.iter().map(Literal::of).collect() }
    }
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
async fn fill(api: &Api, world: &World) {
    let filling = Filling { world, rows: ROWS, engine: api.app.store.engine() };
    let statements = ALL.iter().flat_map(|seed| (seed.fill)(&filling));
    for statement in statements.chain(["ANALYZE".to_owned()]) {
        let organization = world.tenant.organization.id.clone();
        let project = world.id("", "project_id").to_owned();
        let places = ["$1", "$2"].iter().filter(|place| statement.contains(**place)).count();
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
pub async fn work(api: &Api, statement: Statement) -> (usize, Option<u64>) {
    let run = move |tx: &mut Tx<'_>| {
        let arguments: Vec<_> = statement.arguments.iter().map(Literal::argument).collect();
        let rows = tx.all(&statement.sql, &arguments, |_| Ok(()))?;
        Ok::<_, sql::Error>((rows.len(), tx.steps()))
    };
    api.app.store.read(run).await.expect("what was read can be read again")
}

/// The lines of the engine's plan for a statement.
pub async fn plan(api: &Api, statement: Statement) -> Vec<String> {
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

/// What a plan may do in spite of the rules.
#[derive(Clone, Copy)]
struct Leave<'a> {
    sort: bool,
    filter: bool,
    strays: &'a [&'a str],
}

/// What is wrong with a plan, if anything: a scan of a table, a sort, another index, or more rows than a page needs.
fn fault(engine: Engine, lines: &[String], leave: Leave<'_>) -> Option<String> {
    // An index that finds the things of one person is in no list's order, though it may look so while there is little data.
    let strays = |line: &str| {
        let is_stray = ["_of_user", "_of_owner", "_of_principal", "_of_role", "_of_group"]
            .iter()
            .any(|ending| line.contains(ending));
        is_stray && !leave.strays.iter().any(|index| line.contains(index))
    };
    let is_fault = |line: &&String| match engine {
        _ if strays(line) => true,
        Engine::Sqlite => scans(line, lines) || (line.contains("TEMP B-TREE") && !leave.sort),
        Engine::Postgres => {
            let scans = ["Seq Scan", "Hash Join", "Merge Join", "Bitmap"]
                .iter()
                .any(|word| line.contains(word));
            scans
                || (line.contains("Sort") && !leave.sort)
                || (line.contains("Rows Removed by Filter") && !leave.filter)
                || rows(line) > 30
        }
    };
    lines.iter().find(is_fault).cloned()
}

/// Whether a line of SQLite's plan reads a whole table. What it cut before, it may read whole.
pub fn scans(line: &str, lines: &[String]) -> bool {
    let Some(name) = line.strip_prefix("SCAN ") else { return false };
    let was_cut =
        ["CO-ROUTINE", "MATERIALIZE"].iter().any(|word| lines.contains(&format!("{word} {name}")));
    !was_cut
}

/// The rows that a node of PostgreSQL's plan produced in all its loops.
pub fn rows(line: &str) -> u64 {
    let number = |name: &str| {
        let rest = line.split_once("(actual ").and_then(|(_, rest)| rest.split_once(name))?.1;
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<u64>().ok()
    };
    number("rows=").unwrap_or(0) * number("loops=").unwrap_or(1)
}

/// A page of a list: its path and query, where it begins, and what its plans may do.
struct Page<'a> {
    path: String,
    leave: Leave<'a>,
}

/// The store, and what it was asked.
struct Watched {
    api: Api,
    seen: Arc<Mutex<BTreeSet<Statement>>>,
}

impl Watched {
    /// The statements of a page, each with a good plan.
    async fn planned(&self, page: &Page<'_>) -> Vec<(Statement, Vec<String>)> {
        let mut planned = Vec::new();
        for statement in statements_of(&self.api, &self.seen, &page.path).await {
            let lines = plan(&self.api, statement.clone()).await;
            let fault = fault(self.api.app.store.engine(), &lines, page.leave);
            assert_eq!(fault, None, "{}\n{}\n{lines:#?}", page.path, statement.sql);
            planned.push((statement, lines));
        }
        planned
    }

    /// The same without the look-up of the key, which is made for the first page only, and kept.
    async fn of_the_page(&self, page: &Page<'_>) -> Vec<(Statement, Vec<String>)> {
        let mut planned = self.planned(page).await;
        planned.retain(|(statement, _)| !statement.sql.contains("secret_hash"));
        planned
    }

    async fn works(&self, planned: &[(Statement, Vec<String>)]) -> Vec<(usize, Option<u64>)> {
        let mut works = Vec::new();
        for (statement, _) in planned {
            works.push(work(&self.api, statement.clone()).await);
        }
        works
    }

    /// Holds the last page against the first.
    async fn compare(&self, first: &Page<'_>, last: &Page<'_>) {
        let (first_page, last_page) = (self.of_the_page(first).await, self.of_the_page(last).await);
        assert_eq!(shapes(&first_page), shapes(&last_page), "{}: the first's plan", last.path);
        let works = (self.works(&first_page).await, self.works(&last_page).await);
        for (first, one) in works.0.iter().zip(&works.1) {
            assert_eq!(first.0, one.0, "{}: the last page is as full as the first", last.path);
            // One row more would take as many steps as each of these.
            if let ((rows, Some(first)), (_, Some(steps))) = (first, one) {
                let row = first / (*rows).max(1) as u64;
                assert!(first.abs_diff(*steps) < row, "{}: {first} and {steps}", last.path);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_is_one_index_range_at_any_depth() {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let log = Arc::clone(&seen);
    let observer = move |sql: &str, arguments: &[Arg<'_>]| {
        let statement = Statement::of(sql, arguments);
        log.lock().expect("the observer does not panic").insert(statement);
    };
    let api = Api::with(Settings::default(), Some(Arc::new(observer))).await.unwatched();
    let world = World::of_first(&api).await;
    fill(&api, &world).await;
    let store = Watched { api, seen };
    for ((_, template), operation) in operations().filter(|(_, operation)| operation.is_list()) {
        let (_, known) = seed::list(template).expect("every list has a seed");
        if known.is_record {
            continue;
        }
        let path = world.path(template);
        for query in queries(operation) {
            let leave = Leave {
                sort: known.prefix.is_none(),
                filter: known.may_filter,
                strays: known.strays,
            };
            let first = Page { path: format!("{path}?{query}"), leave };
            let cursor = match known.prefix {
                Some(prefix) => {
                    let is_down = known.runs_down || is_descending(operation, &query);
                    near_the_end(prefix, is_down)
                }
                None => store.api.get(&first.path).await.ids()[0].clone(),
            };
            let last = Page { path: format!("{path}?{query}&after={cursor}"), leave };
            store.compare(&first, &last).await;
            if operation.argument("before").is_some() {
                // The page that ends there is a range too, as full as the first.
                let cursor = near_the_end(known.prefix.unwrap_or_default(), false);
                let back = Page { path: format!("{path}?{query}&before={cursor}"), leave };
                let planned = store.of_the_page(&back).await;
                assert!(store.works(&planned).await.iter().any(|(rows, _)| *rows > 20), "{path}");
            }
        }
        for ((place, parameter), (_, schema)) in &operation.parameters {
            if place == "query" && schema["type"] == "array" {
                let path = format!(
                    "{path}?{parameter}[]=1000007@x&{parameter}[]=1199999@x&{parameter}[]=1000009@x"
                );
                let leave = Leave { sort: true, filter: false, strays: &[] };
                store.planned(&Page { path, leave }).await;
            }
        }
    }
}

/// The ways to ask for a page: as it is, and with each argument that changes what is read.
fn queries(operation: &Operation) -> Vec<String> {
    let mut queries = vec!["limit=20".to_owned()];
    for (name, words) in operation.choices() {
        queries.extend(words.iter().map(|word| format!("limit=20&{name}={word}")));
    }
    for ((place, name), (_, schema)) in &operation.parameters {
        if place == "query" && schema["type"].to_string().contains("boolean") {
            queries.push(format!("limit=20&{name}=true"));
        }
    }
    queries
}

fn is_descending(operation: &Operation, query: &str) -> bool {
    let default = operation.argument("order").and_then(|order| order["default"].as_str());
    query.contains("order=desc") || (default == Some("desc") && !query.contains("order=asc"))
}

/// A cursor with a page and a little more behind it.
fn near_the_end(prefix: &str, is_descending: bool) -> String {
    let number = if is_descending { 1_000_030 } else { 1_000_000 + ROWS - 60 };
    format!("{prefix}{number}")
}

/// The statements of a page, and their plans without figures and arguments.
fn shapes(planned: &[(Statement, Vec<String>)]) -> Vec<(&str, Vec<String>)> {
    planned.iter().map(|(statement, lines)| (statement.sql.as_str(), shape(lines))).collect()
}

/// A plan without its figures and arguments.
fn shape(lines: &[String]) -> Vec<String> {
    let bare = |line: &String| {
        let node = line.split("  (").next().unwrap_or_default();
        // How many rows were looked up beside the index depends on when the engine cleaned up last.
        let figures = ["Rows Removed", "Heap Fetches"];
        let node = figures.into_iter().find(|name| node.contains(name)).unwrap_or(node);
        node.split('\'').step_by(2).collect::<Vec<_>>().join("?")
    };
    lines.iter().map(bare).collect()
}
