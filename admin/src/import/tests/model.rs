//! Random files, one after another into one organization, against a model that knows no store and no portions.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{HEADER, run_into, view};
use crate::import::Tally;
use crate::testing::Api;

/// Stands for the owner whom the organization has from the beginning.
const FOUNDER: &str = "founder";

/// A line of a file, as indices into small sets: so that lines meet each other.
#[derive(Debug, Clone)]
struct Line {
    email: String,
    name: &'static str,
    role: &'static str,
    project: &'static str,
    project_role: &'static str,
}

impl Line {
    fn person(&self) -> String {
        self.email.to_lowercase()
    }
}

fn line() -> impl Strategy<Value = Line> {
    let emails = vec!["ada@x", "Ada@X", "bob@x", "cyd@x", FOUNDER, "broken"];
    (
        proptest::sample::select(emails),
        proptest::sample::select(["", "", "Ann", "Bo"].as_slice()),
        proptest::sample::select(["reader", "reader", "owner"].as_slice()),
        proptest::sample::select(["", "P", "Q", "Default project"].as_slice()),
        proptest::sample::select(["member", "member", "owner"].as_slice()),
    )
        .prop_map(|(email, name, role, project, project_role)| Line {
            email: email.to_owned(),
            name,
            role,
            project,
            project_role: if project.is_empty() { "" } else { project_role },
        })
}

fn text(lines: &[Line]) -> String {
    let row = |line: &Line| {
        let Line { email, name, role, project, project_role } = line;
        format!("{email},{name},{role},{project},{project_role}\n")
    };
    HEADER.to_owned() + &lines.iter().map(row).collect::<String>()
}

/// What the organization looks like.
#[derive(Debug, Clone)]
struct Model {
    /// By folded address: the address as first written, the name, the role.
    people: BTreeMap<String, (String, String, String)>,
    projects: BTreeSet<String>,
    /// By project and folded address: the role.
    memberships: BTreeMap<(String, String), String>,
}

impl Model {
    fn founded(email: &str) -> Self {
        let owner = (email.to_owned(), "Olga Owner".to_owned(), "owner".to_owned());
        let membership = (("Default project".to_owned(), email.to_owned()), "owner".to_owned());
        Self {
            people: BTreeMap::from([(email.to_owned(), owner)]),
            projects: BTreeSet::from(["Default project".to_owned()]),
            memberships: BTreeMap::from([membership]),
        }
    }

    /// The lines of which none contradicts one further up.
    fn good(lines: &[Line]) -> Vec<&Line> {
        let (mut roles, mut names) = (BTreeMap::new(), BTreeMap::new());
        let agreeing = lines.iter().filter(|line| line.email != "broken").filter(|line| {
            *roles.entry(line.person()).or_insert(line.role) == line.role
                && (line.name.is_empty()
                    || *names.entry(line.person()).or_insert(line.name) == line.name)
        });
        let agreeing: Vec<_> = agreeing.collect();
        let mut memberships = BTreeMap::new();
        agreeing
            .into_iter()
            .filter(|line| {
                let key = (line.project, line.person());
                line.project.is_empty()
                    || *memberships.entry(key).or_insert(line.project_role) == line.project_role
            })
            .collect()
    }

    /// Whether somebody is an owner after these lines.
    fn keeps_an_owner(&self, good: &[&Line]) -> bool {
        let mut after = self.clone();
        after.apply(good);
        after.people.values().any(|(_, _, role)| role == "owner")
    }

    fn apply(&mut self, good: &[&Line]) -> Tally {
        let before = self.clone();
        for line in good {
            let new = (line.email.clone(), String::new(), String::new());
            let person = self.people.entry(line.person()).or_insert(new);
            line.role.clone_into(&mut person.2);
            if !line.name.is_empty() {
                line.name.clone_into(&mut person.1);
            }
            if !line.project.is_empty() {
                self.projects.insert(line.project.to_owned());
                let key = (line.project.to_owned(), line.person());
                self.memberships.insert(key, line.project_role.to_owned());
            }
        }
        let added = |before: usize, after: usize| (after - before) as u64;
        Tally {
            people_added: added(before.people.len(), self.people.len()),
            people_updated: updated(&before.people, &self.people),
            projects_created: added(before.projects.len(), self.projects.len()),
            memberships_added: added(before.memberships.len(), self.memberships.len()),
            memberships_updated: updated(&before.memberships, &self.memberships),
        }
    }

    fn view(&self) -> Vec<String> {
        let people = self.people.values().map(|(email, name, role)| {
            let name = if name.is_empty() { "-" } else { name };
            format!("{email} {name} {role}")
        });
        let memberships = self
            .memberships
            .iter()
            .map(|((project, person), role)| format!("{project} {} {role}", self.people[person].0));
        let mut lines: Vec<_> = people.chain(memberships).collect();
        lines.sort_unstable();
        lines
    }
}

fn updated<K: Ord, V: PartialEq>(before: &BTreeMap<K, V>, after: &BTreeMap<K, V>) -> u64 {
    before.iter().filter(|(key, value)| after[*key] != **value).count() as u64
}

#[test]
fn imports_do_what_the_model_says() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let api = runtime.block_on(Api::new());
    let cases = std::cell::Cell::new(0);
    let files = proptest::collection::vec(proptest::collection::vec(line(), 0..12), 1..4);
    let config = Config { failure_persistence: None, ..Config::with_cases(64) };
    let outcome = TestRunner::new(config).run(&files, |files| {
        cases.set(cases.get() + 1);
        let tenant = runtime.block_on(api.found(&format!("case{}", cases.get())));
        let founder = format!("owner@case{}.example", cases.get());
        let mut model = Model::founded(&founder);
        for mut lines in files {
            for line in lines.iter_mut().filter(|line| line.email == FOUNDER) {
                line.email.clone_from(&founder);
            }
            let good = Model::good(&lines);
            if !model.keeps_an_owner(&good) {
                continue;
            }
            // In portions and in one transaction: the same comes of it.
            let is_new = cases.get() % 2 == 0;
            let (check, tally) =
                run_into(&api, &tenant.organization, is_new, &text(&lines)).unwrap();
            prop_assert_eq!(check.bad_lines.len(), lines.len() - good.len());
            prop_assert_eq!(tally, model.apply(&good));
            prop_assert_eq!(view(&api, &tenant.organization), model.view());
        }
        Ok(())
    });
    outcome.unwrap();
    runtime.block_on(async { drop(api) });
}
