//! Random lives of an organization, beside a model of it that knows nothing of tables: sets of who is where and who has which
//! role. After each step every key is checked, and the model says what the answer must be.

mod life;
mod state;
mod steps;

use std::collections::BTreeSet;

use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use self::life::Life;
use self::state::Model;
use self::steps::{GROUPS, Level, Principal, Step, TOKENS, beginning, steps};
use crate::testing::{Api, snapshot};

impl Life<'_> {
    /// Checks every key for everything that may be wished of it.
    async fn check(&self, step: &Step) {
        for key in &self.model.keys {
            for wish in TOKENS.iter().copied().map(Some).chain([None]) {
                let mut body = json!({ "permission": wish });
                if wish == Some("api.model.request") {
                    // To use a model is to need this.
                    body = json!({ "model": "gpt-4o" });
                }
                body["key"] = json!(key.secret);
                let reply = self.api.post("/rollbook/v1/check", body).await;
                let expected = self.model.expected(key, wish);
                let told = (&reply.ok()["reason"], &reply.body["allowed"]);
                let expected = (&json!(expected), &json!(expected == "allowed"));
                assert_eq!(told, expected, "after {step:?}, {wish:?} with {key:?}");
            }
        }
    }

    /// Compares who has which roles, and which groups are where, with what the lists show.
    async fn compare(&self) {
        for (place, level) in self.places() {
            let held = self.held(level, place);
            let reply = self.api.get(&self.assigned(level, place)).await;
            let rows = reply.ok()["data"].as_array().expect("a list has rows");
            let names: BTreeSet<_> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
            assert_eq!(names, held, "{place:?} at {level:?}");
            assert_eq!(names.len(), rows.len(), "each role once");
        }
        for project in self.model.projects.keys().copied() {
            let path = format!("/organization/projects/{}/groups", self.project(project));
            let mut listed = self.api.get(&path).await.ids();
            listed.sort_unstable();
            let groups = (0..GROUPS).map(Principal::Group);
            let groups = groups.filter(|group| self.is_anything((Level::Project(project), *group)));
            let mut expected: Vec<_> = groups.map(|group| self.id(group)).collect();
            expected.sort_unstable();
            assert_eq!(listed, expected, "groups of project {project}");
        }
    }

    /// Everybody at every level at which they can be named.
    fn places(&self) -> Vec<(Principal, Level)> {
        let levels = self.model.projects.keys().map(|project| Level::Project(*project));
        let levels: Vec<_> = levels.chain([Level::Organization]).collect();
        let all = self.model.ids.keys();
        all.flat_map(|who| levels.iter().map(|level| (*who, *level)))
            .filter(|(who, level)| self.model.is_at(*level, *who))
            .collect()
    }

    /// The names of all roles of a level that somebody has, of their own and through groups.
    fn held(&self, level: Level, place: Principal) -> BTreeSet<&'static str> {
        let through = |who: &Principal| {
            *who == place
                || matches!(who, Principal::Group(group) if self.model.in_groups.contains(&(*group, place)))
        };
        let rows = self.model.held.iter().filter(|(at, who, _)| *at == level && through(who));
        rows.map(|(_, _, role)| role.name()).collect()
    }
}

#[test]
fn whatever_happens_a_check_answers_what_the_roles_say() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&steps(), |steps| {
        runtime.block_on(async {
            let api = Api::new().await.unwatched();
            let mut life = Life { api: &api, model: Model::default(), made: 0 };
            for step in beginning().into_iter().chain(steps) {
                life.take(step.clone()).await;
                let orphans = api.app.store.read::<_, sql::Error>(snapshot::orphans).await;
                assert_eq!(
                    orphans.expect("the store can be read"),
                    Vec::<String>::new(),
                    "{step:?}"
                );
                life.check(&step).await;
            }
            life.compare().await;
        });
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
