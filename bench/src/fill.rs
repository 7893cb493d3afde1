//! A store with as many projects and members as wanted.
//!
//! Everything goes in through statements of many rows, because a million memberships one by one, each with its audit event, take
//! longer than everything that is measured. So there are no events of theirs; the lists that are measured do not read any. All
//! values are of equal width, so that every full page has the same number of bytes.

use std::fmt::Write;
use std::ops::Range;
use std::sync::atomic::AtomicUsize;

use admin::domain::secret::PlainKey;
use anyhow::Result;
use postgres::{Client, NoTls};
use rollbook::population::Population;
use sql::{Arg, Engine, Options, Store, Tx, args};

/// Admin keys that take turns.
const KEYS: usize = 8;
/// Project keys, each of another member of the first project.
const PROJECT_KEYS: usize = 10_000;
/// Rows per statement.
const ROWS: usize = 500;
/// Rows per transaction.
const CHUNK: usize = 10_000;

/// So many projects with so many members each. Nobody is in two, and one project more has no members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub projects: usize,
    pub members: usize,
}

impl Shape {
    pub const fn memberships(self) -> usize {
        self.projects * self.members
    }
}

/// What somebody who makes requests has to know of a store.
pub struct Filled {
    pub shape: Shape,
    pub organization: String,
    pub keys: Vec<String>,
    /// Keys for the first project.
    pub project_keys: Vec<String>,
    /// How many people have been put into the project without members since, in the order of their numbers.
    pub added: AtomicUsize,
    /// How many people have been taken out of the first project since, likewise.
    pub removed: AtomicUsize,
}

/// The id of the project with this number.
pub fn project(number: usize) -> String {
    format!("proj_{number:024}")
}

/// The id of the person with this number. The first project has the first people, and so on.
pub fn person(number: usize) -> String {
    format!("user-{number:024}")
}

/// The hash of an admin key, as the store keeps it.
pub fn hash(key: &str) -> Vec<u8> {
    PlainKey::given(key.to_owned()).hash().bytes().to_vec()
}

/// Fills an empty store. `report` is told how many rows are there.
pub fn fill(url: &str, shape: Shape, report: impl Fn(usize) -> Result<()>) -> Result<Filled> {
    let store = Store::open(Options::new(url))?;
    store.migrate(&admin::migrations())?;
    let keys: Vec<_> = (0..KEYS).map(|number| format!("sk-admin-{number:055}")).collect();
    let first = PlainKey::given(keys[0].clone());
    let population = Population::found(&store, first, "owner@example.com", "Owner")?;
    let organization = population.organization_id().to_owned();
    for (number, key) in keys.iter().enumerate().skip(1) {
        let (id, hash) = (format!("key_{number:024}"), hash(key));
        store.write_blocking(move |tx| another_key(tx, &id, &hash))?;
    }
    for (table, count) in tables(shape) {
        for start in (0..count).step_by(CHUNK) {
            let (organization, range) = (organization.clone(), start..count.min(start + CHUNK));
            report(range.end)?;
            store.write_blocking(move |tx| insert(tx, &organization, &table, range.clone()))?;
        }
    }
    let project_keys: Vec<_> = (0..PROJECT_KEYS.min(shape.members))
        .map(|number| format!("sk-proj-{number:049}"))
        .collect();
    add_project_keys(&store, &organization, &project_keys)?;
    let engine = store.engine();
    store.close();
    if engine == Engine::Postgres {
        // What autovacuum does on a server that has been running for a while.
        Client::connect(url, NoTls)?.batch_execute("VACUUM ANALYZE")?;
    }
    let (added, removed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    Ok(Filled { shape, organization, keys, project_keys, added, removed })
}

/// A key like the first one, of the same person.
fn another_key(tx: &mut Tx<'_>, id: &str, hash: &[u8]) -> sql::Result<()> {
    let text = "SELECT organization_id, owner_id, scopes FROM admin_api_keys ORDER BY id LIMIT 1";
    let like: Option<(String, String, String)> =
        tx.one(text, args![], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let (organization, owner, scopes) = like.unwrap_or_default();
    tx.execute(
        "INSERT INTO admin_api_keys (organization_id, id, owner_id, secret_hash, redacted_value, scopes, created_at)
         VALUES ($1, $2, $3, $4, 'sk-admin-***', $5, 1700000000)",
        args![&organization, id, &owner, hash, &scopes],
    )
    .map(drop)
}

/// A key for each of the first members of the first project.
fn add_project_keys(store: &Store, organization: &str, keys: &[String]) -> Result<()> {
    let organization = organization.to_owned();
    let keys: Vec<_> = keys.iter().enumerate().map(|(number, key)| (number, hash(key))).collect();
    let insert = move |tx: &mut Tx<'_>| {
        for (number, hash) in &keys {
            let (id, owner) = (format!("key_{number:024}"), person(*number));
            tx.execute(
                "INSERT INTO project_api_keys (organization_id, project_id, id, owner_kind, owner_id, name, secret_hash,
                     redacted_value, created_at)
                 VALUES ($1, $2, $3, 'user', $4, 'Key', $5, 'sk-proj-***', 1700000000)",
                args![&organization, &project(0), &id, &owner, hash.as_slice()],
            )?;
        }
        Ok(())
    };
    Ok(store.write_blocking::<_, sql::Error>(insert)?)
}

/// How rows get into a table: what stands before them, one of them with `?` for its own texts, and these by number.
#[derive(Clone, Copy)]
struct Table {
    head: &'static str,
    row: &'static str,
    texts: fn(usize, Shape) -> Vec<String>,
    shape: Shape,
}

fn email(number: usize) -> String {
    format!("person{number:07}@example.com")
}

fn name(number: usize) -> String {
    format!("Person {number:07}")
}

fn tables(shape: Shape) -> [(Table, usize); 3] {
    let projects = Table {
        head: "INSERT INTO projects (organization_id, id, name, created_at) VALUES",
        row: "($1, ?, ?, 1700000000)",
        texts: |number, _| vec![project(number), format!("Project {number:07}")],
        shape,
    };
    let people = Table {
        head: "INSERT INTO users (organization_id, id, email, email_folded, name, role, added_at) VALUES",
        row: "($1, ?, ?, ?, ?, 'reader', 1700000000)",
        texts: |number, _| {
            let email = email(number);
            vec![person(number), email.clone(), email, name(number)]
        },
        shape,
    };
    let members = Table {
        head: "INSERT INTO project_members (organization_id, project_id, user_id, shown, role, added_at) VALUES",
        row: "($1, ?, ?, ?, 'member', 1700000000)",
        texts: |number, shape| {
            let (name, email) = (name(number), email(number));
            let shown = format!(
                r#""name":"{name}","email":"{email}","role":"member","added_at":1700000000}}"#
            );
            vec![project(number / shape.members), person(number), shown]
        },
        shape,
    };
    let memberships = shape.memberships();
    [(projects, shape.projects + 1), (people, memberships), (members, memberships)]
}

/// Inserts the rows of these numbers.
fn insert(
    tx: &mut Tx<'_>,
    organization: &str,
    table: &Table,
    range: Range<usize>,
) -> sql::Result<()> {
    for start in range.clone().step_by(ROWS) {
        let numbers = start..range.end.min(start + ROWS);
        let rows: Vec<_> = numbers.map(|number| (table.texts)(number, table.shape)).collect();
        let mut args = args![organization].to_vec();
        args.extend(rows.iter().flatten().map(Arg::from));
        tx.execute(&statement(table, rows.len()), &args)?;
    }
    Ok(())
}

/// The text of a statement with so many rows, its places counted from the organization's on.
fn statement(table: &Table, rows: usize) -> String {
    let rows = vec![table.row; rows].join(", ");
    let mut text = table.head.to_owned();
    for (number, part) in rows.split('?').enumerate() {
        if number > 0 {
            // Writing into a text cannot fail.
            let _ = write!(text, "${}", number + 1);
        }
        text += part;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_over_all_rows() {
        let (table, _) = tables(Shape { projects: 1, members: 1 })[0];
        let expected = "($1, $2, $3, 1700000000), ($1, $4, $5, 1700000000)";
        assert_eq!(statement(&table, 2).strip_prefix(table.head), Some(expected));
    }

    #[test]
    fn a_filled_store_holds_what_is_asked_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("store.db").display());
        let filled = fill(&url, Shape { projects: 3, members: 700 }, |_| Ok(())).unwrap();
        assert_eq!(filled.keys.len(), KEYS);
        let store = Store::open(Options::new(url)).unwrap();
        for number in 0..=3 {
            let found = store.read_blocking(move |tx| {
                let text =
                    "SELECT user_id FROM project_members WHERE project_id = $1 ORDER BY user_id";
                tx.all(text, args![&project(number)], |row| row.get::<String>(0))
            });
            let expected = if number == 3 { 0..0 } else { number * 700..(number + 1) * 700 };
            assert_eq!(found, Ok(expected.map(person).collect()));
        }
        store.close();
    }
}
