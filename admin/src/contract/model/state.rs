//! What must be true of an organization: sets of who is where and who has which role, and nothing of tables.

use std::collections::{BTreeMap, BTreeSet};

use super::steps::{Level, Principal, Role};

/// A key, and whose it is.
#[derive(Debug, Clone)]
pub struct Key {
    pub id: String,
    pub secret: String,
    pub project: usize,
    pub owner: Principal,
    /// Which of several people or accounts of that place in turn: whoever comes back is somebody else.
    pub owner_id: String,
    pub limit: Option<&'static str>,
    pub end: Option<i64>,
    /// Whether it is still listed anywhere.
    pub is_there: bool,
}

/// What must be true.
#[derive(Default)]
pub struct Model {
    pub ids: BTreeMap<Principal, String>,
    pub projects: BTreeMap<usize, (String, bool)>,
    pub roles: BTreeMap<Level, (String, BTreeSet<&'static str>)>,
    pub members: BTreeSet<(usize, usize)>,
    pub in_groups: BTreeSet<(usize, Principal)>,
    pub held: BTreeSet<(Level, Principal, Role)>,
    pub keys: Vec<Key>,
    pub now: i64,
}

impl Model {
    /// Whether it is a project that takes nothing in any more.
    pub fn is_archived(&self, level: Level) -> bool {
        matches!(level, Level::Project(project) if self.projects.get(&project).is_some_and(|(_, archived)| *archived))
    }

    /// Whether there is such a level.
    pub fn exists(&self, level: Level) -> bool {
        match level {
            Level::Organization => true,
            Level::Project(project) => self.projects.contains_key(&project),
        }
    }

    /// Whether a principal can be named at a level.
    pub fn is_at(&self, level: Level, principal: Principal) -> bool {
        self.ids.contains_key(&principal)
            && match (level, principal) {
                (Level::Organization, _) | (_, Principal::Group(_)) => true,
                (Level::Project(project), Principal::Person(person)) => {
                    self.members.contains(&(project, person))
                }
                (Level::Project(project), Principal::Account(home, _)) => project == home,
            }
    }

    /// Whether there is such a role.
    pub fn knows(&self, level: Level, role: Role) -> bool {
        role != Role::Custom || self.roles.contains_key(&level)
    }

    /// Gives a principal this built-in role instead of all others of the level.
    pub fn swap(&mut self, level: Level, principal: Principal, role: Role) {
        let of_them = |(at, who, held): &(Level, Principal, Role)| {
            (*at, *who) == (level, principal) && *held != Role::Custom
        };
        self.held.retain(|row| !of_them(row));
        self.held.insert((level, principal, role));
    }

    /// Takes a principal away, with all it has and all who are in it.
    pub fn forget(&mut self, principal: Principal) {
        self.ids.remove(&principal);
        self.held.retain(|(_, who, _)| *who != principal);
        self.in_groups.retain(|(_, who)| *who != principal);
        if let Principal::Group(group) = principal {
            self.in_groups.retain(|(of, _)| *of != group);
        }
    }

    /// Every role that counts for somebody in a project: their own and those of their groups, of the organization and of the
    /// project (section 3.12).
    pub fn counting(&self, project: usize, principal: Principal) -> Vec<(Level, Role)> {
        let mut bearers = vec![principal];
        let groups = self.in_groups.iter().filter(|(_, who)| *who == principal);
        bearers.extend(groups.map(|(group, _)| Principal::Group(*group)));
        let counts = |level: Level| [Level::Organization, Level::Project(project)].contains(&level);
        self.held
            .iter()
            .filter(|(level, who, _)| counts(*level) && bearers.contains(who))
            .map(|(level, _, role)| (*level, *role))
            .collect()
    }

    /// What a role permits.
    pub fn permits(&self, (level, role): (Level, Role), token: &str) -> bool {
        match (level, role) {
            (_, Role::Custom) => self.roles[&level].1.contains(token),
            (Level::Organization, Role::Owner) => true,
            (_, Role::Owner | Role::Member) => token != "api.groups.read",
            (_, Role::Reader) => token == "api.groups.read",
            (_, Role::Viewer) => token == "api.model.read",
        }
    }

    /// Whether somebody may use a project at all.
    pub fn reaches(&self, project: usize, principal: Principal) -> bool {
        let is_home = match principal {
            Principal::Person(person) => self.members.contains(&(project, person)),
            Principal::Account(home, _) => home == project,
            Principal::Group(_) => false,
        };
        let opens = |role: &(Level, Role)| {
            role.0 != Level::Organization
                || ["api.model.request", "api.model.read", "api.ours.act"]
                    .iter()
                    .any(|token| self.permits(*role, token))
        };
        is_home || self.counting(project, principal).iter().any(opens)
    }

    /// What a check must answer.
    pub fn expected(&self, key: &Key, wish: Option<&str>) -> &'static str {
        let is_gone = self.ids.get(&key.owner) != Some(&key.owner_id);
        if !key.is_there || (is_gone && matches!(key.owner, Principal::Account(..))) {
            return "unknown_key";
        }
        if key.end.is_some_and(|end| self.now >= end) {
            return "expired_key";
        }
        if self.projects[&key.project].1 {
            return "project_archived";
        }
        if is_gone {
            return "owner_left";
        }
        if !self.reaches(key.project, key.owner) {
            return "owner_without_access";
        }
        let Some(token) = wish else { return "allowed" };
        let roles = self.counting(key.project, key.owner);
        if !roles.iter().any(|role| self.permits(*role, token)) {
            return "missing_permission";
        }
        if key.limit.is_some_and(|limit| limit != token) { "key_scope" } else { "allowed" }
    }
}
