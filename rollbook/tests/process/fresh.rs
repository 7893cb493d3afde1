//! Nothing that is answered is older than the last acknowledged write, whoever made it: this server, another one on the same
//! store, or the command line.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::scope;

use admin::domain::secret::PlainKey;
use rollbook::population::Population;
use serde_json::json;
use sql::{Options, Store};

use crate::commands::on;
use crate::database::Database;
use crate::server::{KEY, Start};
use crate::wire::Client;

/// Members that each writer over HTTP adds to each of its projects: they fit one page.
const MEMBERS: usize = 60;
/// Projects of each writer over HTTP.
const PROJECTS: usize = 4;
/// Members that the command line adds to its one project.
const BY_COMMAND: usize = 25;
const ROUNDS_OF_KEYS: usize = 40;

/// Somebody who still writes, also if they fail: readers must not wait for them for ever.
struct Writing<'w>(&'w AtomicUsize);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A project, whose members only become more, and how many of them were acknowledged.
struct Growing {
    project: String,
    acknowledged: AtomicUsize,
}

impl Growing {
    fn path(&self) -> String {
        format!("/v1/organization/projects/{}/users", self.project)
    }

    fn add(&self, client: &Client, user: &str) {
        let (status, body) =
            client.post(&self.path(), &json!({ "user_id": user, "role": "member" }));
        assert_eq!(status, 200, "{body}");
        self.acknowledged.fetch_add(1, Ordering::SeqCst);
    }

    /// Reads the page, of which at least so many must be there as were acknowledged before it was asked for.
    fn check(&self, client: &Client) {
        let least = self.acknowledged.load(Ordering::SeqCst);
        let (status, page) = client.get(&format!("{}?limit=100", self.path()));
        assert_eq!(status, 200, "{page}");
        let found = page["data"].as_array().unwrap().len();
        assert!(found >= least, "{} shows {found} of {least}", self.project);
    }
}

fn populated(database: &Database) -> (Vec<String>, Vec<Growing>) {
    let store = Store::open(Options::new(&database.url)).unwrap();
    store.migrate(&admin::migrations()).unwrap();
    let key = PlainKey::given(KEY.to_owned());
    let population = Population::found(&store, key, "owner@example.com", "Owner").unwrap();
    let users = population.add_people(0..MEMBERS).unwrap().into_iter().map(|user| user.id);
    let users = users.collect();
    let growing = (0..=2 * PROJECTS).map(|number| Growing {
        project: population.add_project(&format!("Project {number}"), &[]).unwrap().id,
        acknowledged: AtomicUsize::new(0),
    });
    let growing = growing.collect();
    store.close();
    (users, growing)
}

#[test]
fn no_answer_is_older_than_the_last_acknowledged_write_of_anybody() {
    let database = Database::fresh();
    let (users, growing) = populated(&database);
    let servers = [Start::serve(&database).start(), Start::serve(&database).start()];
    let writing = AtomicUsize::new(3);
    scope(|scope| {
        for (server, projects) in servers.iter().zip(growing[1..].chunks(PROJECTS)) {
            let (users, writing) = (&users, &writing);
            scope.spawn(move || {
                let _writing = Writing(writing);
                let client = Client::of(server);
                for project in projects {
                    for user in users {
                        project.add(&client, user);
                    }
                }
            });
        }
        scope.spawn(|| {
            let _writing = Writing(&writing);
            for user in &users[..BY_COMMAND] {
                on(&database, &["member", "add", &growing[0].project, user]).ok();
                growing[0].acknowledged.fetch_add(1, Ordering::SeqCst);
            }
        });
        for server in servers.iter().chain(&servers) {
            let client = Client::of(server);
            let (growing, writing) = (&growing, &writing);
            scope.spawn(move || {
                while writing.load(Ordering::SeqCst) > 0 {
                    for project in growing {
                        project.check(&client);
                    }
                }
            });
        }
    });
    for server in &servers {
        for project in &growing {
            project.check(&Client::of(server));
        }
    }
    for server in servers {
        server.stop();
    }
}

#[test]
fn a_key_that_was_deleted_opens_nothing_at_any_server() {
    let database = Database::fresh();
    populated(&database);
    let servers = [Start::serve(&database).start(), Start::serve(&database).start()];
    let [owner, _] = servers.each_ref().map(Client::of);
    for round in 0..ROUNDS_OF_KEYS {
        let body = json!({ "name": format!("Key {round}") });
        let (status, key) = owner.post("/v1/organization/admin_api_keys", &body);
        assert_eq!(status, 200, "{key}");
        let holders = servers
            .each_ref()
            .map(|server| Client::with_key(server, key["value"].as_str().unwrap()));
        // Thrice: the first use is recorded, which is a write.
        for holder in holders.iter().cycle().take(6) {
            assert_eq!(holder.get("/v1/organization/users").0, 200);
        }
        let path = format!("/v1/organization/admin_api_keys/{}", key["id"].as_str().unwrap());
        assert_eq!(owner.delete(&path).0, 200);
        for holder in &holders {
            assert_eq!(holder.get("/v1/organization/users").0, 401, "round {round}");
        }
    }
    for server in servers {
        server.stop();
    }
}
