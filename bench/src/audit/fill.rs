//! A store with a large record.
//!
//! The rows are those of `audit::append`, written by statements of many rows, 10,000 a transaction, in the order of their ids. The
//! tail stays empty, as if everything had been sealed, and there are no seals: the list reads neither, and a server would seal
//! while it is measured. The indexes of the events are made last, because one that is sorted at once takes a fraction of the time of
//! one that grows by ten million entries.

use admin::domain::secret::PlainKey;
use std::time::Duration;

use anyhow::Result;
use rollbook::population::Population;
use sql::{Arg, Options, Store, Tx, args};

use super::events::{ACTORS, Event, Events, PROJECTS, actor, project_id};
use crate::fill::project;

/// Events per statement.
const ROWS: usize = 500;
/// Events per transaction.
const CHUNK: usize = 10_000;
/// How long one statement may take: an index of everything is one.
const PATIENCE: Duration = Duration::from_hours(1);

/// The key of a store that is filled here.
pub fn key() -> String {
    format!("sk-admin-{:055}", 0)
}

/// Fills an empty store. `report` is told how many events are there.
pub fn fill(url: &str, count: usize, report: impl Fn(usize) -> Result<()>) -> Result<()> {
    let store = Store::open(Options { deadline: PATIENCE, ..Options::new(url) })?;
    store.migrate(&admin::migrations())?;
    let first = PlainKey::given(key());
    let population = Population::found(&store, first, "owner@example.com", "Owner")?;
    let organization = population.organization_id().to_owned();
    let actors: Vec<_> = (0..ACTORS).map(|number| actor(number).key()).collect();
    let of = organization.clone();
    store.write_blocking::<_, sql::Error>(move |tx| surroundings(tx, &of))?;
    for (name, _) in indexes() {
        let text = format!("DROP INDEX {name}");
        store.write_blocking::<_, sql::Error>(move |tx| tx.execute(&text, &[]).map(drop))?;
    }
    let events = Events::new(count);
    for start in (0..count).step_by(CHUNK) {
        report(start)?;
        let (organization, actors) = (organization.clone(), actors.clone());
        let chunk: Vec<_> =
            (start..count.min(start + CHUNK)).map(|number| events.event(number)).collect();
        store.write_blocking::<_, sql::Error>(move |tx| {
            chunk.chunks(ROWS).try_for_each(|rows| insert(tx, &organization, &actors, rows))
        })?;
    }
    for (_, text) in indexes() {
        report(count)?;
        store.write_blocking::<_, sql::Error>(move |tx| tx.execute(&text, &[]).map(drop))?;
    }
    store.close();
    Ok(())
}

/// The indexes of the events, by name, and how the schema makes each.
fn indexes() -> Vec<(String, String)> {
    let statements = |text: &str| -> Vec<_> {
        let code: Vec<_> = text.lines().filter(|line| !line.starts_with("--")).collect();
        code.join("\n").split(';').map(|one| one.trim().to_owned()).collect()
    };
    let index = |text: String| {
        let name =
            text.strip_prefix("CREATE INDEX IF NOT EXISTS ")?.split(char::is_whitespace).next()?;
        name.starts_with("audit_events_").then(|| (name.to_owned(), text.clone()))
    };
    admin::migrations().iter().flat_map(|file| statements(file.text)).filter_map(index).collect()
}

/// The projects and the actors.
fn surroundings(tx: &mut Tx<'_>, organization: &str) -> sql::Result<()> {
    for number in 0..PROJECTS {
        tx.execute(
            "INSERT INTO projects (organization_id, id, name, created_at) VALUES ($1, $2, $3, 1600000000)",
            args![organization, &project(number), &format!("Project {number:07}")],
        )?;
    }
    for number in 0..ACTORS {
        let row = actor(number);
        tx.execute(
            "INSERT INTO audit_actors (organization_id, actor, kind, actor_id, user_id, email, email_folded)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            args![
                organization,
                &row.key(),
                &row.kind,
                &row.actor_id,
                row.user_id.as_deref(),
                row.email.as_deref(),
                row.email_folded.as_deref()
            ],
        )?;
    }
    Ok(())
}

fn insert(
    tx: &mut Tx<'_>,
    organization: &str,
    actors: &[String],
    events: &[Event],
) -> sql::Result<()> {
    let columns: Vec<_> = events
        .iter()
        .map(|event| {
            let payload = format!(
                r#"{{"id":"{}","changes_requested":{{"name":"The name of something"}}}}"#,
                event.resource
            );
            (project_id(event), payload)
        })
        .collect();
    let mut arguments = args![organization].to_vec();
    for (event, (project, payload)) in events.iter().zip(&columns) {
        arguments.extend(args![
            &event.id,
            event.kind,
            i64::try_from(event.seconds).unwrap_or_default(),
            project.as_deref(),
            &actors[event.actor],
            &event.resource,
            payload
        ]);
    }
    let rows: Vec<_> = (0..events.len())
        .map(|row| {
            let place = |number: usize| 2 + row * 7 + number;
            let places: Vec<_> = (0..7).map(|number| format!("${}", place(number))).collect();
            format!("($1, {}, '203.0.113.9', 'terraform-provider-openai/1.2.0')", places.join(", "))
        })
        .collect();
    let text = format!(
        "INSERT INTO audit_events (organization_id, id, kind, effective_at, project_id, actor, resource_id, payload,
             ip_address, user_agent)
         VALUES {}",
        rows.join(", ")
    );
    tx.execute(&text, &arguments)?;
    for event in events {
        let Some(further) = &event.further else { continue };
        tx.execute(
            "INSERT INTO audit_resources (organization_id, resource_id, event_id) VALUES ($1, $2, $3)",
            &[Arg::from(organization), Arg::from(further), Arg::from(&event.id)],
        )?;
    }
    Ok(())
}
