//! What only the whole file can tell: whether it says one thing of each person and of each membership.
//!
//! A file that contradicts itself has no result that a second run would leave alone. Of two statements that contradict each
//! other the one further up holds, and the line of the other is at fault. The memory is 16 bytes for each row and for each
//! membership, which is the one thing in the first pass that grows with the file.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::fault::Fault;
use super::row::Row;
use crate::domain::role::{OrganizationRole, ProjectRole};
use crate::resources::users::store::fold;

/// What one row says, packed: of whom, where, and what. Two keys collide in one of 10^7 files of 10^6 rows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Statement {
    key: u64,
    /// From the top: the line, 31 bits of a name or the number of a project, and whether the role is owner.
    packed: u64,
}

impl Statement {
    fn new(key: u64, line: u64, detail: u32, is_owner: bool) -> Self {
        Self { key, packed: (line << 32) | (u64::from(detail) << 1) | u64::from(is_owner) }
    }

    fn line(self) -> u64 {
        self.packed >> 32
    }

    fn detail(self) -> u64 {
        (self.packed >> 1) & 0x7FFF_FFFF
    }

    fn is_owner(self) -> bool {
        self.packed & 1 == 1
    }
}

/// Collects what the rows say, and finds the contradictions at the end.
#[derive(Default)]
pub struct Consistency {
    people: Vec<Statement>,
    memberships: Vec<Statement>,
    /// A number for each name of a project.
    projects: HashMap<u64, u32>,
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

impl Consistency {
    /// Takes a row into account.
    pub fn add(&mut self, row: &Row) {
        let email = fold(&row.email);
        // Zero is for no name at all, which says nothing.
        let name = row.name.as_ref().map_or(0, |name| short_hash(name).max(1));
        let is_owner = row.role == OrganizationRole::Owner;
        self.people.push(Statement::new(hash(&email), row.line, name, is_owner));
        if let Some((project, role)) = &row.membership {
            let next = u32::try_from(self.projects.len()).unwrap_or(u32::MAX);
            let number = *self.projects.entry(hash(project)).or_insert(next);
            let (key, is_owner) = (hash(&(&email, project)), *role == ProjectRole::Owner);
            self.memberships.push(Statement::new(key, row.line, number, is_owner));
        }
    }

    /// Finds the contradictions, by line, and forgets the lines that they put at fault.
    pub fn finish(&mut self) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.people.sort_unstable();
        for person in self.people.chunk_by(|a, b| a.key == b.key) {
            judge_person(person, &mut faults);
        }
        let bad: BTreeSet<u64> = faults.iter().map(|fault| fault.line).collect();
        self.memberships.retain(|said| !bad.contains(&said.line()));
        self.memberships.sort_unstable();
        for membership in self.memberships.chunk_by(|a, b| a.key == b.key) {
            judge_membership(membership, &mut faults);
        }
        faults.sort_by_key(|fault| fault.line);
        let bad: BTreeSet<u64> = faults.iter().map(|fault| fault.line).collect();
        self.people.retain(|said| !bad.contains(&said.line()));
        self.memberships.retain(|said| !bad.contains(&said.line()));
        faults
    }

    /// What the lines without fault are about; to be asked after [`finish`](Self::finish).
    pub fn count(&self) -> Count {
        let projects: HashSet<_> = self.memberships.iter().map(|said| said.detail()).collect();
        Count {
            people: groups(&self.people),
            projects: projects.len() as u64,
            memberships: groups(&self.memberships),
        }
    }

    /// The first line that makes this person a reader; to be asked after [`finish`](Self::finish).
    pub fn makes_reader(&self, email: &str) -> Option<u64> {
        let key = hash(&fold(email));
        let start = self.people.partition_point(|said| said.key < key);
        let first = self.people.get(start).filter(|said| said.key == key && !said.is_owner())?;
        Some(first.line())
    }

    /// Whether anybody is to be an owner.
    pub fn has_owner(&self) -> bool {
        self.people.iter().any(|said| said.is_owner())
    }
}

/// Goes through what is said of one person, in the order of the file.
fn judge_person(person: &[Statement], faults: &mut Vec<Fault>) {
    let first = person[0];
    let mut naming: Option<Statement> = None;
    for said in person {
        if said.is_owner() != first.is_owner() {
            let role =
                if said.is_owner() { OrganizationRole::Owner } else { OrganizationRole::Reader };
            let reason = format!("another role for this person than on line {}", first.line());
            faults.push(Fault::of(said.line(), "role", role.name(), reason));
        } else if said.detail() != 0 {
            let other = naming.get_or_insert(*said);
            if other.detail() != said.detail() {
                let reason = format!("another name for this person than on line {}", other.line());
                faults.push(Fault::of(said.line(), "name", "", reason));
            }
        }
    }
}

fn judge_membership(membership: &[Statement], faults: &mut Vec<Fault>) {
    let first = membership[0];
    for said in membership.iter().filter(|said| said.is_owner() != first.is_owner()) {
        let role = if said.is_owner() { ProjectRole::Owner } else { ProjectRole::Member };
        let reason = format!("another role in this project than on line {}", first.line());
        faults.push(Fault::of(said.line(), "project_role", role.name(), reason));
    }
}

fn groups(sorted: &[Statement]) -> u64 {
    sorted.chunk_by(|a, b| a.key == b.key).count() as u64
}

/// A value's place in the sets that outlive its row.
pub fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn short_hash(value: &str) -> u32 {
    u32::try_from(hash(value) >> 33).unwrap_or_default()
}
