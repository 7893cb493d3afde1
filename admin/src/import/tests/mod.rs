//! Imports into a store, as the command line drives them.

mod files;
mod load;
mod model;
mod plans;
mod rules;

use std::io::Cursor;

use sql::args;

use super::{Check, Import, Tally};
use crate::error::Result;
use crate::organization::Organization;
use crate::testing::{Api, snapshot};

const HEADER: &str = "email,name,role,project,project_role\n";

/// Does something with an import into this organization, on a thread where blocking is allowed.
fn with_import<T: Send>(
    api: &Api,
    organization: &Organization,
    work: impl FnOnce(&Import<'_>) -> T + Send,
) -> T {
    with_import_into(api, organization, false, work)
}

fn with_import_into<T: Send>(
    api: &Api,
    organization: &Organization,
    is_new: bool,
    work: impl FnOnce(&Import<'_>) -> T + Send,
) -> T {
    let app = &api.app;
    let run = || {
        work(&Import {
            store: &app.store,
            organization: organization.clone(),
            ids: &app.ids,
            clock: &*app.clock,
            user: "olga",
            // So that the smallest files take several portions.
            rows_at_once: 2,
            is_new,
        })
    };
    let outcome = std::thread::scope(|scope| scope.spawn(run).join());
    outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The first pass alone.
fn check(api: &Api, file: &[u8]) -> Check {
    with_import(api, &api.first.organization, |import| {
        import.check(&mut Cursor::new(file)).expect("the store can be read")
    })
}

/// Imports what is not at fault. Whatever the file: a rehearsal counts the same, and a second run changes nothing.
fn run(api: &Api, organization: &Organization, file: &str) -> Result<(Check, Tally)> {
    run_into(api, organization, false, file)
}

fn run_into(
    api: &Api,
    organization: &Organization,
    is_new: bool,
    file: &str,
) -> Result<(Check, Tally)> {
    with_import_into(api, organization, is_new, |import| {
        let file = &mut Cursor::new(file);
        let check = import.check(file)?;
        let rehearsed = import.rehearse(file, &check)?;
        let tally = import.run(file, &check)?;
        assert_eq!(rehearsed, tally, "a rehearsal counts what a run does");
        let again = import.check(file)?;
        assert_eq!((again.count, &again.bad_lines), (check.count, &check.bad_lines));
        assert_eq!(import.rehearse(file, &again)?, Tally::default());
        assert_eq!(import.run(file, &again)?, Tally::default(), "a second run changes nothing");
        Ok((check, tally))
    })
}

/// Imports a file without faults, given without its header.
fn import(api: &Api, rows: &str) -> Tally {
    let (check, tally) = run(api, &api.first.organization, &format!("{HEADER}{rows}"))
        .expect("the file can be imported");
    assert_eq!(check.faults, []);
    tally
}

/// Everybody, as `email name role`, and every membership in an active project, as `project email role`.
fn view(api: &Api, organization: &Organization) -> Vec<String> {
    let people = "SELECT email, COALESCE(name, '-'), role FROM users WHERE organization_id = $1";
    let memberships = "SELECT p.name, u.email, m.role FROM project_members m
        JOIN users u ON u.organization_id = m.organization_id AND u.id = m.user_id
        JOIN projects p ON p.organization_id = m.organization_id AND p.id = m.project_id
        WHERE m.organization_id = $1 AND p.archived_at IS NULL";
    let id = organization.id.clone();
    with_import(api, organization, move |import| {
        let read = move |tx: &mut sql::Tx<'_>| {
            let mut lines = Vec::new();
            for sql in [people, memberships] {
                lines.extend(tx.all(sql, args![&id], |row| {
                    let (a, b, c): (String, String, String) =
                        (row.get(0)?, row.get(1)?, row.get(2)?);
                    Ok(format!("{a} {b} {c}"))
                })?);
            }
            lines.sort_unstable();
            assert_eq!(snapshot::divergent_copies(tx)?, Vec::<String>::new());
            Ok::<_, sql::Error>(lines)
        };
        import.store.read_blocking(read).expect("the store can be read")
    })
}
