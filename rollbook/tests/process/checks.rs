//! Who lost a right has lost it at the next check, whichever server is asked and over whichever connection.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::scope;

use admin::domain::secret::PlainKey;
use rollbook::population::Population;
use serde_json::json;
use sql::{Options, Store};

use crate::database::Database;
use crate::server::{KEY, Server, Start};
use crate::wire::Client;

/// One right is lost in each.
const ROUNDS: usize = 100;
const CHECK: &str = "/rollbook/v1/check";
const FORWARD: &str = "/rollbook/v1/check/forward";
/// What the owner of a project may do and a member may not.
const OWNERS: &str = "api.roles.write";

/// How somebody loses what they had.
#[derive(Debug, Clone, Copy)]
enum Loss {
    Leaves,
    LeavesProject,
    ProjectIsArchived,
    KeyIsDeleted,
    RoleChanges,
}

const LOSSES: [Loss; 5] = [
    Loss::Leaves,
    Loss::LeavesProject,
    Loss::ProjectIsArchived,
    Loss::KeyIsDeleted,
    Loss::RoleChanges,
];

/// Somebody who owns a project, with a key for it.
struct Holder {
    user: String,
    project: String,
    key: String,
}

impl Holder {
    /// Takes something from the holder, as the owner of the organization, and answers the reason that a check then has.
    fn lose(&self, loss: Loss, owner: &Client) -> &'static str {
        let projects = "/v1/organization/projects";
        let member = format!("{projects}/{}/users/{}", self.project, self.user);
        let (status, reason) = match loss {
            Loss::Leaves => {
                (owner.delete(&format!("/v1/organization/users/{}", self.user)).0, "owner_left")
            }
            Loss::LeavesProject => (owner.delete(&member).0, "owner_without_access"),
            Loss::ProjectIsArchived => {
                let path = format!("{projects}/{}/archive", self.project);
                (owner.post(&path, &json!({})).0, "project_archived")
            }
            Loss::RoleChanges => {
                (owner.post(&member, &json!({ "role": "member" })).0, "missing_permission")
            }
            Loss::KeyIsDeleted => {
                let keys = format!("{projects}/{}/api_keys", self.project);
                let (_, page) = owner.get(&keys);
                let id = page["data"][0]["id"].as_str().expect("the only key");
                (owner.delete(&format!("{keys}/{id}")).0, "unknown_key")
            }
        };
        assert_eq!(status, 200, "{loss:?}");
        reason
    }
}

/// The reason that this server has, over a connection that is new if the client is.
fn reason(client: &Client) -> String {
    let (status, body) = client.post(CHECK, &json!({ "permission": OWNERS }));
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["allowed"], body["reason"] == "allowed", "{body}");
    body["reason"].as_str().unwrap().to_owned()
}

fn populated(store: &Store) -> Vec<Holder> {
    store.migrate(&admin::migrations()).unwrap();
    let key = PlainKey::given(KEY.to_owned());
    let population = Population::found(store, key, "owner@example.com", "Owner").unwrap();
    // Every fiftieth is an owner of the organization, who loses nothing by leaving a project.
    let people = population.add_people(0..ROUNDS + 1 + ROUNDS / 49).unwrap();
    let readers = people.into_iter().enumerate().filter(|(place, _)| place % 50 != 49);
    let holders = readers.take(ROUNDS + 1).map(|(place, user)| {
        let project =
            population.add_project(&format!("Project {place}"), std::slice::from_ref(&user));
        let project = project.unwrap();
        let key = population.add_key(&project, &user, None).unwrap();
        Holder { user: user.id, project: project.id, key }
    });
    holders.collect()
}

#[test]
fn what_was_lost_is_lost_at_the_next_check_of_any_server() {
    let database = Database::fresh();
    let store = Store::open(Options::new(&database.url)).unwrap();
    let mut holders = populated(&store);
    let steady = holders.pop().unwrap();
    assert_eq!(holders.len(), ROUNDS);
    let servers = [Start::serve(&database).start(), Start::serve(&database).start()];
    let is_over = AtomicBool::new(false);
    scope(|scope| {
        for server in servers.iter().chain(&servers) {
            let (steady, is_over) = (&steady, &is_over);
            scope.spawn(move || keep_asking(server, &steady.key, is_over));
        }
        scope.spawn(|| {
            let _over = Over(&is_over);
            for (round, holder) in holders.iter().enumerate() {
                let (loss, owner) =
                    (LOSSES[round % LOSSES.len()], Client::of(&servers[round / 5 % 2]));
                lose_everywhere(round, holder, loss, &owner, &servers);
            }
        });
    });
    store.close();
    for server in servers {
        server.stop();
    }
}

/// Ends the load, also if the rounds fail.
struct Over<'o>(&'o AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The load: somebody who keeps what they have is never refused.
fn keep_asking(server: &Server, key: &str, is_over: &AtomicBool) {
    let client = Client::with_key(server, key);
    while !is_over.load(Ordering::SeqCst) {
        assert_eq!(reason(&client), "allowed");
        assert_eq!(client.get(FORWARD).0, 200);
    }
}

fn lose_everywhere(
    round: usize,
    holder: &Holder,
    loss: Loss,
    owner: &Client,
    servers: &[Server; 2],
) {
    let before = servers.each_ref().map(|server| Client::with_key(server, &holder.key));
    // Twice, so that what is kept is asked for.
    for client in before.iter().cycle().take(4) {
        assert_eq!(reason(client), "allowed", "round {round}, {loss:?}");
        assert_eq!(client.get(&format!("{FORWARD}?permission={OWNERS}")).0, 200);
    }
    let expected = holder.lose(loss, owner);
    let after = servers.each_ref().map(|server| Client::with_key(server, &holder.key));
    let status = if expected == "missing_permission" { 403 } else { 401 };
    for client in after.iter().rev().chain(&before) {
        assert_eq!(reason(client), expected, "round {round}, {loss:?}");
        assert_eq!(
            client.get(&format!("{FORWARD}?permission={OWNERS}")).0,
            status,
            "round {round}"
        );
    }
}
