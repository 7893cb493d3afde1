//! What only the whole file can tell: whether it says one thing of each person and of each membership.
//!
//! A file that contradicts itself has no result that a second run would leave alone. The memory is 16 bytes for each
//! row and for each membership, which is the one thing here that grows with the file.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::row::{Fault, Row};
use crate::domain::role::{OrganizationRole, ProjectRole};
use crate::resources::users::store::fold;

/// What one row says, packed: of whom, where, and what. Two keys collide once in 10^7 files of 10^6 rows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Statement {
    key: u64,
    /// The line in the upper half, what is said in the lower.
    line_and_words: u64,
}

impl Statement {
    fn new(key: u64, line: u64, words: u32) -> Self {
        Self { key, line_and_words: (line << 32) | u64::from(words) }
    }

    fn line(self) -> u64 {
        self.line_and_words >> 32
    }

    fn words(self) -> u32 {
        u32::try_from(self.line_and_words & u64::from(u32::MAX)).unwrap_or_default()
    }
}

/// Collects what the rows say, and finds the contradictions at the end.
#[derive(Default)]
pub struct Consistency {
    people: Vec<Statement>,
    memberships: Vec<Statement>,
    projects: std::collections::HashSet<u64>,
}

/// What the file is about.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Different people.
    pub people: u64,
    /// Different projects.
    pub projects: u64,
    /// Different memberships.
    pub memberships: u64,
}

const IS_OWNER: u32 = 1;

impl Consistency {
    /// Takes a row into account.
    pub fn add(&mut self, row: &Row) {
        let email = fold(&row.email);
        let role = if row.role == OrganizationRole::Owner { IS_OWNER } else { 0 };
        // A name's 31 bits; none at all says nothing.
        let name =
            row.name.as_ref().map_or(0, |name| u32::try_from(hash(name) >> 33).unwrap_or(1).max(1));
        self.people.push(Statement::new(hash(&email), row.line, (name << 1) | role));
        if let Some((project, role)) = &row.membership {
            let role = if *role == ProjectRole::Owner { IS_OWNER } else { 0 };
            self.memberships.push(Statement::new(hash(&(&email, project)), row.line, role));
            self.projects.insert(hash(project));
        }
    }

    /// Whether the file says that this person is to have this role.
    pub fn says(&self, email: &str, role: OrganizationRole) -> bool {
        let key = hash(&fold(email));
        let start = self.people.partition_point(|said| said.key < key);
        let of_them = self.people[start..].iter().take_while(|said| said.key == key);
        of_them
            .into_iter()
            .any(|said| (said.words() & IS_OWNER == IS_OWNER) == (role == OrganizationRole::Owner))
    }

    /// Whether anybody is to be an owner.
    pub fn has_owner(&self) -> bool {
        self.people.iter().any(|said| said.words() & IS_OWNER == IS_OWNER)
    }

    /// Sorts what was said, so that it can be asked; answers the count and the contradictions, by line.
    pub fn finish(&mut self) -> (Count, Vec<Fault>) {
        self.people.sort_unstable();
        self.memberships.sort_unstable();
        let mut faults = Vec::new();
        let people = groups(&self.people, |first, other| {
            if first.words() & IS_OWNER != other.words() & IS_OWNER {
                faults.push(contradiction(
                    first,
                    other,
                    "role",
                    "another role for the same person",
                ));
            }
            let (name, other_name) = (first.words() >> 1, other.words() >> 1);
            if name != other_name && name != 0 && other_name != 0 {
                faults.push(contradiction(
                    first,
                    other,
                    "name",
                    "another name for the same person",
                ));
            }
        });
        let memberships = groups(&self.memberships, |first, other| {
            if first.words() != other.words() {
                faults.push(contradiction(
                    first,
                    other,
                    "project_role",
                    "another role in the same project",
                ));
            }
        });
        faults.sort_by_key(|fault| fault.line);
        (Count { people, projects: self.projects.len() as u64, memberships }, faults)
    }
}

fn contradiction(first: Statement, other: Statement, column: &'static str, what: &str) -> Fault {
    let reason = format!("says {what} than line {}", first.line());
    Fault { line: other.line(), column: Some(column), value: String::new(), reason }
}

/// Compares each statement with the first one about the same thing; answers how many things there are.
fn groups(sorted: &[Statement], mut compare: impl FnMut(Statement, Statement)) -> u64 {
    let mut count = 0;
    for group in sorted.chunk_by(|a, b| a.key == b.key) {
        count += 1;
        // The first with a name speaks for the person, so that a row without one does not hide a contradiction.
        let first = group.iter().copied().find(|said| said.words() >> 1 != 0).unwrap_or(group[0]);
        for other in group.iter().copied().filter(|other| *other != first) {
            compare(first, other);
        }
    }
    count
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
