//! kill -9 while the record is sealed: every acknowledged change has its event once, in a seal or waiting for one.

use std::collections::BTreeMap;
use std::sync::mpsc::{Sender, channel};
use std::thread::{JoinHandle, spawn};

use serde_json::json;
use sql::{Options, Store, Tx, args};

use crate::database::Database;
use crate::server::{Server, Start};
use crate::wire::Client;

const ROUNDS: usize = 30;
const WRITERS: usize = 8;
/// The shortest there is, so that a seal is nearly always under way.
const INTERVAL: &str = "1";
/// What a seal keeps of an event: the end of its id and its hash.
const ENTRY: usize = 24 + 32;

/// Makes projects until the server is gone or nobody listens any more.
fn writer(client: Client, name: String, done: Sender<String>) -> JoinHandle<()> {
    spawn(move || {
        for number in 0.. {
            let body = json!({ "name": format!("{name} {number}") });
            let Ok((status, project)) = client.try_post("/v1/organization/projects", &body) else {
                return;
            };
            assert_eq!(status, 200, "{project}");
            if done.send(project["id"].as_str().unwrap().to_owned()).is_err() {
                return;
            }
        }
    })
}

fn sealing(database: &Database) -> Server {
    Start::with_key(database).flag("--audit-seal-interval", INTERVAL).start()
}

fn verify(database: &Database) {
    let (code, out, err) =
        Start::program(&["audit", "verify", "--json", "--database", &database.url]).run();
    assert_eq!(code, 0, "{out}{err}");
}

/// Ids of events with how often they are in a seal or in the tail, and how many are in seals.
fn counted(tx: &mut Tx<'_>) -> sql::Result<(BTreeMap<String, u32>, usize)> {
    let seals = tx.all("SELECT records FROM audit_seals", args![], |row| row.get::<Vec<u8>>(0))?;
    let entries = seals.iter().flat_map(|records| records.chunks(ENTRY));
    let mut ids: Vec<_> = entries
        .map(|entry| format!("audit_log-{}", String::from_utf8_lossy(&entry[..24])))
        .collect();
    let sealed = ids.len();
    ids.extend(tx.all("SELECT id FROM audit_tail", args![], |row| row.get::<String>(0))?);
    let mut counts = BTreeMap::new();
    for id in ids {
        *counts.entry(id).or_insert(0) += 1;
    }
    Ok((counts, sealed))
}

/// Ids of the events that say that a project was made, by the project.
fn events(tx: &mut Tx<'_>) -> sql::Result<BTreeMap<String, Vec<String>>> {
    let sql = "SELECT resource_id, id FROM audit_events WHERE kind = 'project.created'";
    let rows = tx.all(sql, args![], |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?)))?;
    let mut events: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (project, event) in rows {
        events.entry(project).or_default().push(event);
    }
    Ok(events)
}

/// Looks whether each of these projects has its event, once, and answers how many events are in seals.
fn assert_recorded(database: &Database, projects: &[String]) -> usize {
    let store = Store::open(Options::new(&database.url)).unwrap();
    let read = |tx: &mut Tx<'_>| Ok::<_, sql::Error>((counted(tx)?, events(tx)?));
    let ((counts, sealed), events) = store.read_blocking(read).unwrap();
    store.close();
    let twice: Vec<_> = counts.iter().filter(|(_, count)| **count != 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    for project in projects {
        let [event] = &events[project][..] else { panic!("{project}: {:?}", events[project]) };
        assert_eq!(counts.get(event), Some(&1), "{project}");
    }
    sealed
}

#[test]
fn whoever_is_killed_while_sealing_loses_no_event_and_seals_none_twice() {
    let database = Database::in_file();
    let (mut all, mut sealed) = (Vec::new(), 0);
    for round in 0..ROUNDS {
        let mut server = sealing(&database);
        let (done, acknowledged) = channel();
        let writers: Vec<_> = (0..WRITERS)
            .map(|number| {
                let name = format!("Round {round}, writer {number},");
                writer(Client::of(&server), name, done.clone())
            })
            .collect();
        drop(done);
        // A different number each time, so that the kill meets the sealer in different moments.
        all.extend(acknowledged.iter().take(10 + round * 37 % 199));
        server.kill();
        all.extend(acknowledged.iter());
        for writer in writers {
            writer.join().unwrap();
        }
        let now = assert_recorded(&database, &all);
        assert!(now > sealed, "round {round}: something was sealed before the kill");
        sealed = now;
        verify(&database);
    }
    assert!(all.len() > ROUNDS * 50, "{}", all.len());
    sealing(&database).stop();
    assert!(assert_recorded(&database, &all) >= all.len(), "the last pass leaves nothing");
    verify(&database);
}

#[test]
fn two_servers_on_one_store_seal_nothing_twice() {
    let database = Database::fresh();
    let servers = [sealing(&database), sealing(&database)];
    let (done, acknowledged) = channel();
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let client = Client::of(&servers[number % 2]);
            writer(client, format!("Writer {number},"), done.clone())
        })
        .collect();
    drop(done);
    let mut all: Vec<_> = acknowledged.iter().take(400).collect();
    for server in servers {
        server.stop();
    }
    all.extend(acknowledged.iter());
    for writer in writers {
        writer.join().unwrap();
    }
    verify(&database);
    let store = Store::open(Options::new(&database.url)).unwrap();
    let waiting = store.read_blocking::<_, sql::Error>(|tx| {
        tx.one("SELECT COUNT(*) FROM audit_tail", args![], |row| row.get::<i64>(0))
    });
    store.close();
    assert_eq!(waiting, Ok(Some(0)), "the last to stop leaves nothing");
    assert!(assert_recorded(&database, &all) > all.len());
}
