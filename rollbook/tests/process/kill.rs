//! kill -9 under concurrent writes: what was acknowledged is there, and nothing is there in half.

use std::sync::mpsc::{Sender, channel};
use std::thread::{JoinHandle, spawn};

use admin::domain::secret::PlainKey;
use rollbook::population::Population;
use serde_json::json;
use sql::{Options, Store, args};

use crate::database::Database;
use crate::server::{KEY, Start};
use crate::wire::Client;

const ROUNDS: usize = 50;
const WRITERS: usize = 8;
const PEOPLE: usize = 64;
/// How many members a writer adds to a project before it makes the next.
const MEMBERS: usize = 7;

/// A change that the server acknowledged.
#[derive(Debug, Clone)]
enum Acknowledged {
    Project(String),
    Member(String, String),
}

impl Acknowledged {
    fn path(&self) -> String {
        match self {
            Self::Project(project) => format!("/v1/organization/projects/{project}"),
            Self::Member(project, user) => {
                format!("/v1/organization/projects/{project}/users/{user}")
            }
        }
    }
}

/// Makes projects and members until the server is gone.
fn writer(
    client: Client,
    users: Vec<String>,
    name: String,
    done: Sender<Acknowledged>,
) -> JoinHandle<()> {
    spawn(move || {
        for number in 0.. {
            let body = json!({ "name": format!("{name} {number}") });
            let Ok((status, project)) = client.try_post("/v1/organization/projects", &body) else {
                return;
            };
            assert_eq!(status, 200, "{project}");
            let id = project["id"].as_str().unwrap().to_owned();
            if done.send(Acknowledged::Project(id.clone())).is_err() {
                return;
            }
            for user in users.iter().cycle().skip(number).take(MEMBERS) {
                let path = format!("/v1/organization/projects/{id}/users");
                let body = json!({ "user_id": user, "role": "member" });
                let Ok((status, member)) = client.try_post(&path, &body) else { return };
                assert_eq!(status, 200, "{member}");
                if done.send(Acknowledged::Member(id.clone(), user.clone())).is_err() {
                    return;
                }
            }
        }
    })
}

fn populated(database: &Database) -> Vec<String> {
    let store = Store::open(Options::new(&database.url)).unwrap();
    store.migrate(&admin::migrations()).unwrap();
    let key = PlainKey::given(KEY.to_owned());
    let population = Population::found(&store, key, "owner@example.com", "Owner").unwrap();
    let users = population.add_people(0..PEOPLE).unwrap().into_iter().map(|user| user.id).collect();
    store.close();
    users
}

#[test]
fn acknowledged_changes_survive_kill_9_and_none_is_there_in_half() {
    let database = Database::in_file();
    let users = populated(&database);
    let (mut all, mut latest): (Vec<Acknowledged>, Vec<Acknowledged>) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let mut server = Start::serve(&database).start();
        verify_over_http(&Client::of(&server), &latest);
        let (done, acknowledged) = channel();
        let writers: Vec<_> = (0..WRITERS)
            .map(|number| {
                writer(
                    Client::of(&server),
                    users.clone(),
                    format!("Round {round}, writer {number},"),
                    done.clone(),
                )
            })
            .collect();
        drop(done);
        // A different number each time, so that the kill meets the server in different moments.
        latest = acknowledged.iter().take(10 + round * 37 % 199).collect();
        server.kill();
        latest.extend(acknowledged.iter());
        for writer in writers {
            writer.join().unwrap();
        }
        all.append(&mut latest.clone());
    }
    let server = Start::serve(&database).start();
    verify_over_http(&Client::of(&server), &latest);
    server.stop();
    assert!(all.len() > ROUNDS * 50, "{}", all.len());
    verify_in_store(&database, &all);
}

fn verify_over_http(client: &Client, acknowledged: &[Acknowledged]) {
    for change in acknowledged {
        assert_eq!(client.get(&change.path()).0, 200, "{change:?} is lost");
    }
}

/// How many rows and how many events there are of a change.
const PROJECT: &str = "SELECT (SELECT COUNT(*) FROM projects WHERE id = $1),
    (SELECT COUNT(*) FROM audit_events WHERE kind = 'project.created' AND resource_id = $1)";
const MEMBER: &str = "SELECT (SELECT COUNT(*) FROM project_members WHERE project_id = $1 AND user_id = $2),
    (SELECT COUNT(*) FROM audit_events WHERE kind = 'user.added' AND project_id = $1 AND resource_id = $2)";
/// Rows without their event and events without their row, whoever heard of them.
const HALVES: &str = "SELECT
    (SELECT COUNT(*) FROM projects p WHERE NOT EXISTS
        (SELECT 1 FROM audit_events e WHERE e.kind = 'project.created' AND e.resource_id = p.id)),
    (SELECT COUNT(*) FROM audit_events e WHERE e.kind = 'project.created' AND NOT EXISTS
        (SELECT 1 FROM projects p WHERE p.id = e.resource_id)),
    (SELECT COUNT(*) FROM project_members m WHERE NOT EXISTS
        (SELECT 1 FROM audit_events e WHERE e.kind = 'user.added' AND e.project_id = m.project_id AND e.resource_id = m.user_id)),
    (SELECT COUNT(*) FROM audit_events e WHERE e.kind = 'user.added' AND e.project_id IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM project_members m WHERE m.project_id = e.project_id AND m.user_id = e.resource_id))";

fn verify_in_store(database: &Database, acknowledged: &[Acknowledged]) {
    let store = Store::open(Options::new(&database.url)).unwrap();
    // The events have no index by resource alone; with one, looking thousands of them up is quick.
    let index = "CREATE INDEX by_resource ON audit_events (resource_id, project_id)";
    store.write_blocking(move |tx| tx.execute(index, args![])).unwrap();
    for change in acknowledged {
        let change = change.clone();
        let counts = store.read_blocking(move |tx| {
            let pair = |row: &sql::Row<'_>| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?));
            match &change {
                Acknowledged::Project(project) => tx.one(PROJECT, args![project], pair),
                Acknowledged::Member(project, user) => tx.one(MEMBER, args![project, user], pair),
            }
        });
        assert_eq!(counts, Ok(Some((1, 1))));
    }
    let halves = store.read_blocking(|tx| {
        tx.one(HALVES, args![], |row| {
            (0..4).map(|column| row.get::<i64>(column)).collect::<Result<Vec<_>, _>>()
        })
    });
    assert_eq!(halves, Ok(Some(vec![0; 4])));
    let integrity = store
        .read_blocking(|tx| tx.all("PRAGMA integrity_check", args![], |row| row.get::<String>(0)));
    assert_eq!(integrity, Ok(vec!["ok".to_owned()]));
}
