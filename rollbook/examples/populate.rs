//! Fills an empty store with made-up people and projects and prints everything that is in it, as one JSON document.
//!
//! For tests of clients in other languages: they compare what a server answers with what was put in.
//!
//! ```sh
//! ROLLBOOK_BOOTSTRAP_KEY=sk-admin-… populate --database sqlite:test.db --people 2000 --projects 30
//! ```

use std::io::{BufWriter, Write, stdout};

use admin::domain::secret::PlainKey;
use anyhow::{Context, Result};
use clap::Parser;
use rollbook::population::Population;
use serde_json::{Value, json};
use sql::{Options, Row, Store, Tx, args};

/// Fills an empty store and prints what is in it.
#[derive(Parser)]
struct Flags {
    /// The store to fill
    #[arg(long)]
    database: String,
    /// How many people to add to the owner
    #[arg(long)]
    people: usize,
    /// How many projects to add to the default one
    #[arg(long)]
    projects: usize,
}

/// How many members projects have, in turn: around the sizes of pages, where off-by-one errors live.
const SIZES: [usize; 14] = [1, 2, 19, 20, 21, 39, 40, 41, 99, 100, 101, 150, 200, 201];

fn main() -> Result<()> {
    let flags = Flags::parse();
    let key = std::env::var("ROLLBOOK_BOOTSTRAP_KEY")
        .context("ROLLBOOK_BOOTSTRAP_KEY must hold the owner's key")?;
    let store = Store::open(Options::new(&flags.database))?;
    store.migrate(&admin::migrations())?;
    let population =
        Population::found(&store, PlainKey::given(key), "owner@example.com", "Olive Owner")?;
    fill(&population, &flags)?;
    let organization = population.organization_id().to_owned();
    let document = store.read_blocking(move |tx| everything(tx, &organization))?;
    let mut out = BufWriter::new(stdout().lock());
    writeln!(out, "{document}")?;
    out.flush()?;
    store.close();
    Ok(())
}

/// One project holds everybody, one nobody, one is archived with members; the others vary.
fn fill(population: &Population, flags: &Flags) -> admin::error::Result<()> {
    let people = population.add_people(0..flags.people)?;
    for number in 0..flags.projects {
        let name = format!("Project {number}");
        let (start, size) = match number {
            0 => (0, people.len()),
            1 => (0, 0),
            _ => (number * 37 % people.len().max(1), SIZES[number % SIZES.len()]),
        };
        let members: Vec<_> =
            people.iter().cycle().skip(start).take(size.min(people.len())).cloned().collect();
        let project = population.add_project(&name, &members)?;
        if number == 2 {
            population.archive(project)?;
        }
    }
    Ok(())
}

/// Read with statements of its own and not through the API's functions: those are what is tested with it.
fn everything(tx: &mut Tx<'_>, organization: &str) -> sql::Result<Value> {
    let users = tx.all(
        "SELECT id, email, name, role FROM users WHERE organization_id = $1 ORDER BY id",
        args![organization],
        |row| Ok(json!({ "id": text(row, 0)?, "email": text(row, 1)?, "name": text(row, 2)?, "role": text(row, 3)? })),
    )?;
    let mut projects = tx.all(
        "SELECT id, name, archived_at FROM projects WHERE organization_id = $1 ORDER BY id",
        args![organization],
        |row| {
            let archived_at: Option<i64> = row.get(2)?;
            let status = if archived_at.is_some() { "archived" } else { "active" };
            Ok(json!({ "id": text(row, 0)?, "name": text(row, 1)?, "status": status }))
        },
    )?;
    for project in &mut projects {
        let id = project["id"].as_str().unwrap_or_default().to_owned();
        project["members"] = members(tx, organization, &id)?.into();
    }
    Ok(json!({ "organization": organization, "users": users, "projects": projects }))
}

fn members(tx: &mut Tx<'_>, organization: &str, project: &str) -> sql::Result<Vec<Value>> {
    tx.all(
        "SELECT m.user_id, u.email, m.role FROM project_members m
         JOIN users u ON u.organization_id = m.organization_id AND u.id = m.user_id
         WHERE m.organization_id = $1 AND m.project_id = $2 ORDER BY m.user_id",
        args![organization, project],
        |row| Ok(json!({ "id": text(row, 0)?, "email": text(row, 1)?, "role": text(row, 2)? })),
    )
}

fn text(row: &Row<'_>, column: usize) -> sql::Result<String> {
    row.get(column)
}
