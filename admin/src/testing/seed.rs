//! How the tests that walk all operations learn of a resource: each folder says in its `seed.rs` how one of its rows is
//! made and what its lists and paths are called. An operation that no seed knows fails by name.

use std::pin::Pin;

use serde_json::Value;
use sql::Engine;

use super::Api;
use super::world::World;
use crate::resources::{
    admin_api_keys, audit_logs, certificates, data_retention, group_users, groups,
    hosted_tool_permissions, invites, model_permissions, project_api_keys, project_groups,
    project_users, projects, rate_limits, role_assignments, roles, service_accounts, spend_alerts,
    spend_limits, usage_events, users,
};

/// Every seed, in the order in which a world is built: what a row needs stands before it.
pub const ALL: &[Seed] = &[
    users::seed::SEED,
    projects::seed::SEED,
    project_users::seed::SEED,
    admin_api_keys::seed::SEED,
    groups::seed::SEED,
    group_users::seed::SEED,
    project_groups::seed::SEED,
    roles::seed::ORGANIZATION,
    roles::seed::PROJECT,
    role_assignments::seed::OF_USER,
    role_assignments::seed::OF_PROJECT_USER,
    role_assignments::seed::OF_GROUP,
    role_assignments::seed::OF_PROJECT_GROUP,
    service_accounts::seed::SEED,
    project_api_keys::seed::SEED,
    invites::seed::SEED,
    data_retention::seed::SEED,
    spend_alerts::seed::ORGANIZATION,
    spend_alerts::seed::PROJECT,
    spend_limits::seed::SEED,
    usage_events::seed::SEED,
    rate_limits::seed::SEED,
    model_permissions::seed::SEED,
    hosted_tool_permissions::seed::SEED,
    certificates::seed::SEED,
    audit_logs::seed::SEED,
];

/// A row in the making; answers its id.
pub type Making<'a> = Pin<Box<dyn Future<Output = String> + Send + 'a>>;

/// What the contract tests know of a resource.
pub struct Seed {
    /// Its name: [`World::row`] finds its rows by it.
    pub resource: &'static str,
    /// The ids in paths that its first row fills, each with the beginning of the paths in which it does. The longest
    /// beginning wins, so that one name may mean different things at different levels.
    pub parameters: &'static [(&'static str, &'static str)],
    /// The lists in which its rows appear.
    pub lists: &'static [List],
    /// Makes row number n with the world's key. Row n of every seed before this one is there already.
    pub make: for<'a> fn(&'a Api, &'a World, usize) -> Making<'a>,
    /// What a member of a body must be in this path, where neither its schema nor its name tells: what is named like an id in
    /// paths is that id.
    pub body: fn(&World, template: &str, member: &str) -> Option<Value>,
    /// The statements that fill the lists with a great many rows, with $1 for the organization and $2 for the project.
    pub fill: fn(&Filling<'_>) -> Vec<String>,
}

/// A list as the tests of its pages and plans know it.
pub struct List {
    /// Its path.
    pub template: &'static str,
    /// What the ids of the rows that [`Seed::fill`] makes begin with, before [`Filling::ID`]; none for a list that is read
    /// whole and cut in memory.
    pub prefix: Option<&'static str>,
    /// Indexes that are in no list's order and still serve this one, because it asks for the things of one person.
    pub strays: &'static [&'static str],
    /// Whether its statements may read rows that no page shows, because an argument asks for what stands in other tables.
    pub may_filter: bool,
    /// Whether it runs downwards though it has no argument that says so.
    pub runs_down: bool,
    /// Whether it is the record, which has rows of everything that is made. Its plans are its own matter.
    pub is_record: bool,
}

impl List {
    /// A list of which each page is one range of an index.
    pub const fn cut(template: &'static str, prefix: &'static str) -> Self {
        Self {
            template,
            prefix: Some(prefix),
            strays: &[],
            may_filter: false,
            runs_down: false,
            is_record: false,
        }
    }

    /// A list that is read whole and cut in memory.
    pub const fn whole(template: &'static str) -> Self {
        Self { prefix: None, ..Self::cut(template, "") }
    }

    /// The record: newest first, a row of everything.
    pub const fn record(template: &'static str) -> Self {
        Self { runs_down: true, is_record: true, ..Self::whole(template) }
    }

    /// The same with indexes that it may use though they are in no list's order.
    pub const fn with_strays(self, strays: &'static [&'static str]) -> Self {
        Self { strays, ..self }
    }

    /// The same with arguments that pass over rows.
    pub const fn filtering(self) -> Self {
        Self { may_filter: true, ..self }
    }

    /// The same running downwards, where no argument says which way.
    pub const fn downwards(self) -> Self {
        Self { runs_down: true, ..self }
    }
}

/// For [`Seed::body`] of a resource whose bodies explain themselves.
pub fn no_body(_: &World, _: &str, _: &str) -> Option<Value> {
    None
}

/// How many rows, and of whom.
pub struct Filling<'a> {
    /// In which they are.
    pub world: &'a World,
    /// How many.
    pub rows: usize,
    /// Of the store.
    pub engine: Engine,
}

impl Filling<'_> {
    /// Row i's number in SQL: as many digits for each, so that ids sort like numbers.
    pub const ID: &'static str = "CAST(1000000 + i AS TEXT)";

    /// Inserts what is selected for each row; i is its number.
    pub fn insert(&self, into: &str, select: &str) -> String {
        self.insert_some(self.rows, into, select)
    }

    /// The same for the first few rows.
    pub fn insert_some(&self, rows: usize, into: &str, select: &str) -> String {
        let rows = rows.min(self.rows);
        format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) INSERT INTO {into} SELECT {select} FROM n"
        )
    }

    /// Bytes that differ from row to row, in SQL.
    pub fn bytes(&self) -> &'static str {
        match self.engine {
            Engine::Sqlite => "CAST(CAST(i AS TEXT) AS BLOB)",
            Engine::Postgres => "CAST(CAST(i AS TEXT) AS BYTEA)",
        }
    }
}

/// The seed in whose list the rows of this path are, with that list.
pub fn list(template: &str) -> Option<(&'static Seed, &'static List)> {
    let lists = |seed: &'static Seed| seed.lists.iter().map(move |list| (seed, list));
    ALL.iter().flat_map(lists).find(|(_, list)| list.template == template)
}

/// The seed whose first row fills this id of a path.
pub fn filling(template: &str, parameter: &str) -> Option<&'static Seed> {
    let length = |seed: &&Seed| {
        let fits = |(beginning, name): &&(&str, &str)| {
            *name == parameter && template.starts_with(beginning)
        };
        seed.parameters.iter().filter(fits).map(|(beginning, _)| beginning.len()).max()
    };
    let candidates = ALL.iter().filter(|seed| length(seed).is_some());
    candidates.max_by_key(length)
}
