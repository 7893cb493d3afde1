//! Walking the members of a project while they come and go.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::testing::Api;

const PEOPLE: usize = 24;

/// What happens between two pages, and at them.
#[derive(Debug, Clone)]
enum Step {
    Add(usize),
    Remove(usize),
    RemoveCursor,
    ChangeRole(usize, bool),
    Page(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let person = 0..PEOPLE;
    let step = prop_oneof![
        4 => person.clone().prop_map(Step::Add),
        2 => person.clone().prop_map(Step::Remove),
        1 => Just(Step::RemoveCursor),
        1 => (person, any::<bool>()).prop_map(|(person, is_owner)| Step::ChangeRole(person, is_owner)),
        4 => (1_usize..8).prop_map(Step::Page),
    ];
    prop::collection::vec(step, 1..60)
}

fn role_name(is_owner: bool) -> &'static str {
    if is_owner { "owner" } else { "member" }
}

/// A project and what it must hold.
struct Walk<'a> {
    api: &'a Api,
    path: String,
    people: &'a [String],
    members: BTreeMap<String, bool>,
    cursor: String,
}

impl Walk<'_> {
    async fn take(&mut self, step: Step) {
        match step {
            Step::Add(person) => self.add(self.people[person].clone()).await,
            Step::Remove(person) => self.remove(self.people[person].clone()).await,
            Step::RemoveCursor => self.remove(self.cursor.clone()).await,
            Step::ChangeRole(person, is_owner) => {
                self.change(self.people[person].clone(), is_owner).await
            }
            Step::Page(limit) => self.page(limit).await,
        }
    }

    async fn add(&mut self, id: String) {
        let reply = self.api.post(&self.path, json!({ "user_id": id, "role": "member" })).await;
        match self.members.entry(id) {
            Entry::Occupied(_) => {
                _ = reply.refused(400, "already_exists", (), "already exists in project")
            }
            Entry::Vacant(place) => {
                reply.ok();
                place.insert(false);
            }
        }
    }

    async fn remove(&mut self, id: String) {
        if id.is_empty() {
            return;
        }
        let reply = self.api.delete(&format!("{}/{id}", self.path)).await;
        if self.members.remove(&id).is_some() {
            reply.ok();
        } else {
            reply.refused(404, "not_found", (), "not found");
        }
    }

    async fn change(&mut self, id: String, is_owner: bool) {
        let reply = self
            .api
            .post(&format!("{}/{id}", self.path), json!({ "role": role_name(is_owner) }))
            .await;
        match self.members.get_mut(&id) {
            Some(role) => {
                *role = is_owner;
                assert_eq!(reply.ok()["role"], role_name(is_owner));
            }
            None => _ = reply.refused(404, "not_found", (), "not found"),
        }
    }

    async fn page(&mut self, limit: usize) {
        let reply =
            self.api.get(&format!("{}?limit={limit}&after={}", self.path, self.cursor)).await;
        let rest =
            self.members.range::<String, _>((Bound::Excluded(&self.cursor), Bound::Unbounded));
        let rest: Vec<_> =
            rest.map(|(id, is_owner)| (id.clone(), role_name(*is_owner).to_owned())).collect();
        let rows = reply.ok()["data"].as_array().expect("a page has rows").iter();
        let text = |value: &serde_json::Value| value.as_str().expect("it is text").to_owned();
        let rows: Vec<_> = rows.map(|row| (text(&row["id"]), text(&row["role"]))).collect();
        assert_eq!(
            rows,
            rest[..limit.min(rest.len())],
            "exactly the rows behind the cursor, in order"
        );
        assert_eq!(reply.body["has_more"], rest.len() > limit);
        match rows.last() {
            Some((id, _)) => self.cursor.clone_from(id),
            // The end: a cursor may stay for ever, or the walk begins again.
            None => self.cursor.clear(),
        }
    }
}

#[test]
fn a_walk_shows_exactly_what_is_behind_its_cursor_whatever_happens_between_pages() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    let (api, people) = runtime.block_on(async {
        let api = Api::new().await.unwatched();
        let mut people = Vec::new();
        for place in 0..PEOPLE {
            people.push(api.add_user(&format!("person{place}@example.com")).await);
        }
        (api, people)
    });
    let config = Config { cases: 48, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&steps(), |steps| {
        runtime.block_on(async {
            let project = api.create_project("Walk").await;
            let path = format!("/organization/projects/{project}/users");
            let mut walk = Walk {
                api: &api,
                path,
                people: &people,
                members: BTreeMap::new(),
                cursor: String::new(),
            };
            for step in steps {
                walk.take(step).await;
            }
            walk.page(100).await;
        });
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_walks_return_everybody_who_stays_exactly_once() {
    let api = Arc::new(Api::new().await.unwatched());
    let project = api.create_project("Busy").await;
    let path = format!("/organization/projects/{project}/users");
    let (mut stable, mut passing) = (BTreeSet::new(), Vec::new());
    for place in 0..90 {
        let user = api.add_user(&format!("person{place}@example.com")).await;
        if place % 3 == 0 {
            passing.push(user);
        } else {
            api.add_member(&project, &user).await;
            stable.insert(user);
        }
    }
    let is_over = Arc::new(AtomicBool::new(false));
    let changers =
        passing.chunks(10).map(|mine| come_and_go(Arc::clone(&api), path.clone(), mine.to_vec()));
    let changers: Vec<_> = changers.map(tokio::spawn).collect();
    let walkers: Vec<_> = [1, 7, 20, 100]
        .map(|limit| {
            tokio::spawn(walk(
                Arc::clone(&api),
                path.clone(),
                limit,
                stable.clone(),
                Arc::clone(&is_over),
            ))
        })
        .into_iter()
        .collect();
    for changer in changers {
        changer.await.expect("changes succeed");
    }
    is_over.store(true, Ordering::SeqCst);
    for walker in walkers {
        walker.await.expect("walks hold");
    }
}

async fn come_and_go(api: Arc<Api>, path: String, people: Vec<String>) {
    for round in 0..6 {
        for person in &people {
            let role = role_name(round % 2 == 0);
            api.post(&path, json!({ "user_id": person, "role": role })).await.ok();
            api.post(&format!("{path}/{person}"), json!({ "role": "owner" })).await.ok();
            api.delete(&format!("{path}/{person}")).await.ok();
        }
    }
}

/// Walks until the changes are over, and once more.
async fn walk(
    api: Arc<Api>,
    path: String,
    limit: usize,
    stable: BTreeSet<String>,
    is_over: Arc<AtomicBool>,
) {
    loop {
        let is_last = is_over.load(Ordering::SeqCst);
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let reply = api.get(&format!("{path}?limit={limit}&after={cursor}")).await;
            seen.extend(reply.ids());
            let Some(last) = seen.last().cloned().filter(|_| reply.body["has_more"] == true) else {
                break;
            };
            cursor = last;
        }
        assert!(seen.is_sorted_by(|a, b| a < b), "in order, and nobody twice");
        let seen: BTreeSet<_> = seen.into_iter().collect();
        assert!(stable.is_subset(&seen), "nobody who stays is missed");
        if is_last {
            return;
        }
    }
}
