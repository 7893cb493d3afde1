//! What is measured: groups of subjects that take turns, and what is compared among them.

use indicatif::HumanCount;

use crate::disk::Place;
use crate::fill::Shape;
use crate::processes::Log;
use crate::tally::Measure;
use crate::traffic::{Asks, From};

/// As most clients ask: a page of so many rows.
const ROWS: usize = 20;
/// On so many connections, if nothing else is said.
const CONNECTIONS: u64 = 32;
/// As many as Terraform opens by default.
const TERRAFORM: u64 = 10;
const BARE: &str = "bare hyper, the same bytes";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A store, by what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreId {
    pub engine: Engine,
    pub shape: Shape,
}

/// What takes a turn.
#[derive(Debug, Clone, Copy)]
pub enum What {
    /// The bare server, with an answer of the first subject that is compared with it.
    Limit,
    Rollbook {
        store: StoreId,
        log: Log,
        asks: Asks,
    },
    /// A loop that writes and syncs.
    Disk(Place),
    /// The statements of a page, without the program.
    Pgbench {
        store: StoreId,
    },
    /// A bare server behind nginx, which asks the program about each request or not.
    Nginx {
        store: StoreId,
        asks: bool,
    },
}

/// When requests are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As soon as the last one is answered.
    Closed,
    /// When they are due, half as many a second as the program can answer.
    Half,
}

pub struct Subject {
    pub name: String,
    pub what: What,
    pub connections: u64,
    pub pace: Pace,
    /// The place of its limit in the group.
    pub beside: Option<usize>,
    /// Its line in the plot, and where on it.
    pub point: Option<(&'static str, usize)>,
}

/// What is said below the table of a group, of subjects by their places.
pub enum Figure {
    Ratio { top: usize, bottom: usize, measure: Measure },
    Seconds(usize),
}

pub struct Group {
    /// Its name for `--only` and in the document.
    pub key: &'static str,
    pub subjects: Vec<Subject>,
    pub figures: Vec<(String, Figure)>,
}

/// How large everything is.
pub struct Sizes {
    /// Members of the one project of a store, from few to many.
    pub members: Vec<usize>,
    pub largest: usize,
    /// Projects of the list of projects.
    pub projects: usize,
    /// What is refreshed.
    pub refreshed: Shape,
    /// Members of the store that is written to.
    pub written: usize,
    /// People who are imported.
    pub imported: usize,
    /// Whether there is a server for it.
    pub postgres: bool,
}

/// All groups in their order. Writing comes last because it changes a store that the others read.
pub fn groups(sizes: &Sizes) -> Vec<Group> {
    vec![
        hot(sizes),
        cold(sizes),
        half(sizes),
        connections(sizes),
        limits(sizes),
        by_size(sizes),
        member(sizes),
        projects(sizes),
        refresh(sizes),
        check(sizes),
        check_half(sizes),
        nginx(sizes),
        sealing(sizes),
        writes(sizes),
    ]
}

fn hot(sizes: &Sizes) -> Group {
    let mut group = Group::new("hot");
    let limit = group.limit(BARE, CONNECTIONS, Pace::Closed);
    for store in sizes.largest_stores() {
        let name = format!("{}, everything on", store.engine.name());
        group.pages(name, store, From::First, limit);
        let name = format!("{}, requests not logged", store.engine.name());
        let quiet = group.pages(name, store, From::First, limit);
        let asks = members(ROWS, From::First);
        group.subjects[quiet].what = What::Rollbook { store, log: Log::Warnings, asks };
    }
    group
}

fn cold(sizes: &Sizes) -> Group {
    let mut group = Group::new("cold");
    let limit = group.limit(BARE, CONNECTIONS, Pace::Closed);
    for store in sizes.largest_stores() {
        let page = group.pages(store.engine.name().to_owned(), store, From::Anywhere, limit);
        if store.engine == Engine::Postgres {
            let name = "pgbench, the same statements".to_owned();
            let pgbench = group.add(name, What::Pgbench { store }, PGBENCH_CLIENTS);
            group.ratio("PostgreSQL : pgbench", Measure::Rate, page, pgbench);
        }
    }
    group
}

fn half(sizes: &Sizes) -> Group {
    let mut group = Group::new("half");
    let limit = group.limit(BARE, CONNECTIONS, Pace::Half);
    let store = sqlite(sizes.largest);
    let page = group.pages("SQLite, page 1".to_owned(), store, From::First, limit);
    group.subjects[page].pace = Pace::Half;
    group.ratio("SQLite : bare hyper", Measure::P50, page, limit);
    group.ratio("SQLite : bare hyper", Measure::P99, page, limit);
    group
}

fn connections(sizes: &Sizes) -> Group {
    let mut group = Group::new("connections");
    let store = sqlite(sizes.largest);
    for connections in [1, 32, 256] {
        let limit = group.limit(&format!("bare hyper, {connections}"), connections, Pace::Closed);
        let page = group.pages(format!("SQLite, {connections}"), store, From::First, limit);
        group.subjects[page].connections = connections;
    }
    group
}

fn limits(sizes: &Sizes) -> Group {
    let mut group = Group::new("limits");
    let store = sqlite(sizes.largest);
    for rows in [1, 20, 100] {
        let limit = group.limit(&format!("bare hyper, limit={rows}"), CONNECTIONS, Pace::Closed);
        for (from, which) in [(From::First, "page 1"), (From::Anywhere, "anywhere")] {
            let name = format!("SQLite, limit={rows}, {which}");
            group.rollbook(name, store, members(rows, from), Some(limit));
        }
    }
    group
}

/// Where pages lie, from the first one to the last one.
const PLACES: [(From, &str); 5] = [
    (From::First, "page 1"),
    (From::Shallow, "in the first tenth"),
    (From::Anywhere, "anywhere"),
    (From::Deep, "in the last tenth"),
    (From::Last, "last page"),
];

fn by_size(sizes: &Sizes) -> Group {
    let mut group = Group::new("sizes");
    let limit = group.limit(BARE, CONNECTIONS, Pace::Closed);
    let mut rows = Vec::new();
    for &size in &sizes.members {
        let store = sqlite(size);
        rows.push(PLACES.map(|(from, place)| {
            let name = format!("{}: {place}", HumanCount(size as u64));
            let subject = group.pages(name, store, from, limit);
            group.subjects[subject].point = Some((place, size));
            subject
        }));
    }
    let (Some(few), Some(many)) = (rows.first(), rows.last()) else { return group };
    let (smallest, largest) = (count(sizes.members.first()), count(sizes.members.last()));
    for measure in [Measure::Rate, Measure::P99] {
        let [first, shallow, _, deep, last] = *many;
        group.ratio(&format!("{largest}, page 1 : last page"), measure, first, last);
        group.ratio(&format!("{largest}, first : last tenth"), measure, shallow, deep);
        for (place, (few, many)) in few.iter().zip(many).enumerate() {
            let (_, place) = PLACES[place];
            group.ratio(&format!("{smallest} : {largest}, {place}"), measure, *few, *many);
        }
    }
    group
}

fn count(number: Option<&usize>) -> String {
    HumanCount(number.copied().unwrap_or_default() as u64).to_string()
}

fn member(sizes: &Sizes) -> Group {
    let mut group = Group::new("member");
    let limit = group.limit(BARE, CONNECTIONS, Pace::Closed);
    let store = sqlite(sizes.largest);
    group.rollbook("SQLite, one member".to_owned(), store, Asks::Member, Some(limit));
    group
}

fn projects(sizes: &Sizes) -> Group {
    let mut group = Group::new("projects");
    let limit = group.limit(BARE, CONNECTIONS, Pace::Closed);
    let shape = Shape { projects: sizes.projects, members: 0 };
    let store = StoreId { engine: Engine::Sqlite, shape };
    let name = format!("SQLite, {} projects", HumanCount(sizes.projects as u64));
    group.rollbook(name, store, Asks::Projects { limit: ROWS }, Some(limit));
    group
}

fn refresh(sizes: &Sizes) -> Group {
    let mut group = Group::new("refresh");
    let store = StoreId { engine: Engine::Sqlite, shape: sizes.refreshed };
    let Shape { projects, members } = sizes.refreshed;
    let name = format!("SQLite, {projects} projects of {members}");
    let subject = group.rollbook(name, store, Asks::Refresh, None);
    group.subjects[subject].connections = TERRAFORM;
    group.figures.push(("whole refresh, s".to_owned(), Figure::Seconds(subject)));
    group
}

/// The two ways to ask about a key.
const QUESTIONS: [(&str, Asks); 2] = [("program's", Asks::Check), ("proxy's", Asks::Forward)];

fn check(sizes: &Sizes) -> Group {
    let mut group = Group::new("check");
    for (whose, asks) in QUESTIONS {
        let limit = group.limit(&format!("{BARE}, {whose}"), CONNECTIONS, Pace::Closed);
        for store in sizes.largest_stores() {
            let name = format!("{}, a {whose} question", store.engine.name());
            group.rollbook(name, store, asks, Some(limit));
        }
    }
    group
}

fn check_half(sizes: &Sizes) -> Group {
    let mut group = Group::new("check-half");
    let limit = group.limit(BARE, CONNECTIONS, Pace::Half);
    let name = "SQLite, a program's question".to_owned();
    let question = group.rollbook(name, sizes.large(), Asks::Check, Some(limit));
    group.subjects[question].pace = Pace::Half;
    group.ratio("SQLite : bare hyper", Measure::P99, question, limit);
    group
}

fn nginx(sizes: &Sizes) -> Group {
    let mut group = Group::new("nginx");
    let store = sqlite(sizes.largest);
    let [with, without] =
        [("asks about each key", true), ("asks nobody", false)].map(|(name, asks)| {
            group.add(format!("nginx, {name}"), What::Nginx { store, asks }, CONNECTIONS)
        });
    group.ratio("asks about each key : asks nobody", Measure::Rate, with, without);
    group
}

fn writes(sizes: &Sizes) -> Group {
    let mut group = Group::new("writes");
    let store = sqlite(sizes.written);
    let [end, over] =
        [("append and fdatasync", Place::End), ("overwrite and fdatasync", Place::Over)]
            .map(|(name, place)| group.add(name.to_owned(), What::Disk(place), 1));
    let [one, ..] = [
        ("SQLite, adds, 1 writer", Asks::Adds, 1),
        ("SQLite, adds, 64 writers", Asks::Adds, 64),
        ("SQLite, removes, 64 writers", Asks::Removes, 64),
    ]
    .map(|(name, asks, writers)| {
        let subject = group.rollbook(name.to_owned(), store, asks, None);
        group.subjects[subject].connections = writers;
        subject
    });
    group.ratio("one writer : append and fdatasync", Measure::P50, one, end);
    group.ratio("one writer : overwrite and fdatasync", Measure::P50, one, over);
    group
}

/// What sealing costs those who write. Each has a store of its own, because a server seals what any other one wrote.
fn sealing(sizes: &Sizes) -> Group {
    let mut group = Group::new("sealing");
    let subjects = [("sealed", Log::Requests, 1), ("never sealed", Log::Unsealed, 2)];
    let [sealed, unsealed] = subjects.map(|(name, log, more)| {
        let store = sqlite(sizes.written + more);
        let what = What::Rollbook { store, log, asks: Asks::Adds };
        group.add(format!("SQLite, adds, 64 writers, {name}"), what, 64)
    });
    group.ratio("sealed : never sealed", Measure::Rate, sealed, unsealed);
    group
}

/// Fewer than the connections, because each is a transaction that runs, not a request that may wait.
pub const PGBENCH_CLIENTS: u64 = 16;

fn members(limit: usize, from: From) -> Asks {
    Asks::Members { limit, from }
}

/// A store whose one project has so many members.
fn sqlite(members: usize) -> StoreId {
    StoreId { engine: Engine::Sqlite, shape: Shape { projects: 1, members } }
}

impl Sizes {
    /// The largest store on SQLite, which the start of the program is measured with too.
    pub fn large(&self) -> StoreId {
        sqlite(self.largest)
    }

    fn largest_stores(&self) -> impl Iterator<Item = StoreId> {
        let large = self.large();
        let postgres = self.postgres.then_some(StoreId { engine: Engine::Postgres, ..large });
        std::iter::once(large).chain(postgres)
    }
}

impl Group {
    /// Whether one of them is behind nginx, which is not everywhere.
    pub fn has_nginx(&self) -> bool {
        self.subjects.iter().any(|subject| matches!(subject.what, What::Nginx { .. }))
    }

    fn new(key: &'static str) -> Self {
        Self { key, subjects: Vec::new(), figures: Vec::new() }
    }

    fn add(&mut self, name: String, what: What, connections: u64) -> usize {
        let pace = Pace::Closed;
        self.subjects.push(Subject { name, what, connections, pace, beside: None, point: None });
        self.subjects.len() - 1
    }

    fn limit(&mut self, name: &str, connections: u64, pace: Pace) -> usize {
        let limit = self.add(name.to_owned(), What::Limit, connections);
        self.subjects[limit].pace = pace;
        limit
    }

    fn rollbook(
        &mut self,
        name: String,
        store: StoreId,
        asks: Asks,
        beside: Option<usize>,
    ) -> usize {
        let what = What::Rollbook { store, log: Log::Requests, asks };
        let place = self.add(name, what, CONNECTIONS);
        self.subjects[place].beside = beside;
        place
    }

    fn pages(&mut self, name: String, store: StoreId, from: From, limit: usize) -> usize {
        self.rollbook(name, store, members(ROWS, from), Some(limit))
    }

    fn ratio(&mut self, name: &str, measure: Measure, top: usize, bottom: usize) {
        let name = format!("{name}, {}", measure.name());
        self.figures.push((name, Figure::Ratio { top, bottom, measure }));
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn sizes() -> Sizes {
        Sizes {
            members: vec![1000, 10_000],
            largest: 10_000,
            projects: 1000,
            refreshed: Shape { projects: 5, members: 20 },
            written: 10_000,
            imported: 1000,
            postgres: true,
        }
    }

    #[test]
    fn subjects_stand_beside_a_limit_with_as_many_connections() {
        for group in groups(&sizes()) {
            for subject in &group.subjects {
                let Some(limit) = subject.beside.map(|place| &group.subjects[place]) else {
                    continue;
                };
                assert!(matches!(limit.what, What::Limit), "{}: {}", group.key, subject.name);
                assert_eq!(limit.connections, subject.connections, "{}", subject.name);
                assert_eq!(limit.pace, subject.pace, "{}", subject.name);
            }
        }
    }

    #[test]
    fn figures_are_about_what_they_name() {
        let groups = groups(&sizes());
        let group = groups.iter().find(|group| group.key == "sizes").unwrap();
        let named = |name: &str| {
            let (_, figure) = group.figures.iter().find(|(figure, _)| figure == name).unwrap();
            let Figure::Ratio { top, bottom, .. } = figure else { panic!("{name} is no ratio") };
            [&*group.subjects[*top].name, &*group.subjects[*bottom].name]
        };
        assert_eq!(
            named("10,000, page 1 : last page, p99"),
            ["10,000: page 1", "10,000: last page"]
        );
        assert_eq!(
            named("1,000 : 10,000, in the last tenth, requests/s"),
            ["1,000: in the last tenth", "10,000: in the last tenth"]
        );
    }
}
