//! A store with as many memberships as wanted.
//!
//! People and memberships go in through statements of many rows, because a million of them one by one, each with its audit event, takes
//! longer than everything that is measured. So there are no events of theirs; the lists that are measured do not read any. All values
//! are of equal width, so that every full page has the same number of bytes.

use std::fmt::Write;

use admin::domain::secret::PlainKey;
use anyhow::{Result, ensure};
use rollbook::population::Population;
use sql::{Arg, Engine, Options, Store, Tx, args};

/// Admin keys that take turns.
const KEYS: usize = 8;
/// Of ten memberships so many are in each project: one large, three small.
const SHARES: [usize; 4] = [7, 1, 1, 1];
/// Rows per statement.
const ROWS: usize = 500;
/// Rows per transaction.
const CHUNK: usize = 10_000;

/// What somebody who makes requests has to know of a store.
pub struct Filled {
    /// The admin keys.
    pub keys: Vec<String>,
    /// The projects and how many members they have.
    pub projects: Vec<(String, usize)>,
}

/// The project, by place, of the person with this number.
fn project_of(number: usize) -> usize {
    let digit = number % 10;
    let mut end = 0;
    let is_in = |share: &usize| {
        end += share;
        digit < end
    };
    SHARES.iter().position(is_in).unwrap_or_default()
}

/// The id of the member at this place of the project at that place.
pub fn member(project: usize, place: usize) -> String {
    let share = SHARES[project];
    let before: usize = SHARES[..project].iter().sum();
    id(place / share * 10 + before + place % share)
}

fn id(number: usize) -> String {
    format!("user-{number:024}")
}

/// Fills an empty store with people who have one membership each; their number must be a multiple of [`ROWS`].
pub fn fill(url: &str, memberships: usize, report: impl Fn(usize) -> Result<()>) -> Result<Filled> {
    ensure!(memberships.is_multiple_of(ROWS), "memberships come in multiples of {ROWS}");
    let store = Store::open(Options::new(url))?;
    store.migrate(&admin::migrations())?;
    let keys: Vec<_> = (0..KEYS).map(|number| format!("sk-admin-{number:055}")).collect();
    let first = PlainKey::given(keys[0].clone());
    let population = Population::found(&store, first, "owner@example.com", "Owner")?;
    let organization = population.organization_id().to_owned();
    let mut projects = Vec::new();
    for (number, share) in SHARES.iter().enumerate() {
        let project = population.add_project(&format!("Project {number}"), &[])?;
        projects.push((project.id, memberships * share / 10));
    }
    for (number, key) in keys.iter().enumerate().skip(1) {
        let (id, hash) = (format!("key_{number:024}"), PlainKey::given(key.clone()).hash());
        store.write_blocking(move |tx| another_key(tx, &id, hash.bytes()))?;
    }
    for start in (0..memberships).step_by(CHUNK) {
        let end = memberships.min(start + CHUNK);
        let (organization, projects) = (organization.clone(), projects.clone());
        store.write_blocking(move |tx| {
            (start..end).step_by(ROWS).try_for_each(|first| {
                people(tx, &organization, first)?;
                members(tx, &organization, &projects, first)
            })
        })?;
        report(end)?;
    }
    if store.engine() == Engine::Postgres {
        // What autovacuum does on a server that has been running for a while.
        store.write_blocking(|tx| tx.execute("ANALYZE", args![]))?;
    }
    store.close();
    Ok(Filled { keys, projects })
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

/// Inserts the [`ROWS`] people from this number on.
fn people(tx: &mut Tx<'_>, organization: &str, first: usize) -> sql::Result<()> {
    let person = |number| {
        (id(number), format!("person{number:07}@example.com"), format!("Person {number:07}"))
    };
    let people: Vec<_> = (first..first + ROWS).map(person).collect();
    let mut args = args![organization].to_vec();
    let mut text = "INSERT INTO users (organization_id, id, email, email_folded, name, role, added_at) VALUES ".to_owned();
    for (id, email, name) in &people {
        let at = args.len();
        let (id_at, email_at, name_at) = (at + 1, at + 2, at + 3);
        row(
            &mut text,
            at == 1,
            format_args!(
                "($1, ${id_at}, ${email_at}, ${email_at}, ${name_at}, 'reader', 1700000000)"
            ),
        );
        args.extend([Arg::from(id), Arg::from(email), Arg::from(name)]);
    }
    tx.execute(&text, &args).map(drop)
}

/// Puts them into their projects.
fn members(
    tx: &mut Tx<'_>,
    organization: &str,
    projects: &[(String, usize)],
    first: usize,
) -> sql::Result<()> {
    let ids: Vec<_> = (first..first + ROWS).map(id).collect();
    let mut args = args![organization].to_vec();
    args.extend(projects.iter().map(|(project, _)| Arg::from(project)));
    let fixed = args.len();
    let mut text = "INSERT INTO project_members (organization_id, project_id, user_id, role, added_at) VALUES ".to_owned();
    for (number, id) in (first..).zip(&ids) {
        let (project_at, id_at) = (2 + project_of(number), args.len() + 1);
        row(
            &mut text,
            id_at == fixed + 1,
            format_args!("($1, ${project_at}, ${id_at}, 'member', 1700000000)"),
        );
        args.push(Arg::from(id));
    }
    tx.execute(&text, &args).map(drop)
}

fn row(text: &mut String, is_first: bool, values: std::fmt::Arguments<'_>) {
    let comma = if is_first { "" } else { ", " };
    // Writing into a text cannot fail.
    let _ = write!(text, "{comma}{values}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_people_agree() {
        for (project, share) in SHARES.iter().enumerate() {
            let in_project = (0..100).filter(|number| project_of(*number) == project).map(id);
            let by_place = (0..share * 10).map(|place| member(project, place));
            assert!(by_place.eq(in_project), "project {project}");
        }
    }

    #[test]
    fn a_filled_store_holds_what_is_asked_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("store.db").display());
        let filled = fill(&url, 1000, |_| Ok(())).unwrap();
        assert_eq!(filled.keys.len(), KEYS);
        let store = Store::open(Options::new(url)).unwrap();
        for (project, (project_id, size)) in filled.projects.into_iter().enumerate() {
            let found = store.read_blocking(move |tx| {
                let text =
                    "SELECT user_id FROM project_members WHERE project_id = $1 ORDER BY user_id";
                tx.all(text, args![&project_id], |row| row.get::<String>(0))
            });
            let expected: Vec<_> = (0..size).map(|place| member(project, place)).collect();
            assert_eq!(found, Ok(expected));
        }
        store.close();
    }
}
