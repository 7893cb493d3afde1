//! What may happen to an organization, and how it begins.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;

/// How many people can be there at once.
pub const PEOPLE: usize = 3;
/// How many groups.
pub const GROUPS: usize = 2;
/// How many projects.
pub const PROJECTS: usize = 2;
/// How many service accounts in each.
pub const ACCOUNTS: usize = 2;
/// How many keys. More of them, and the time goes into asking.
pub const KEYS: usize = 6;

/// The tokens of which custom roles are made: two of the catalogue that are about projects, one that is not, and one that the
/// catalogue does not have.
pub const TOKENS: [&str; 4] =
    ["api.model.request", "api.model.read", "api.groups.read", "api.ours.act"];

/// The organization, or one of the projects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Organization,
    Project(usize),
}

/// Somebody who can have roles. A service account is the first or the second of its project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Principal {
    Person(usize),
    Account(usize, usize),
    Group(usize),
}

/// A role of a level: a built-in one by name, or the custom one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Owner,
    /// Of the organization.
    Reader,
    /// Of a project.
    Member,
    /// Of a project.
    Viewer,
    Custom,
}

impl Role {
    /// Whether a level has it.
    pub fn is_of(self, level: Level) -> bool {
        match self {
            Self::Owner | Self::Custom => true,
            Self::Reader => level == Level::Organization,
            Self::Member | Self::Viewer => level != Level::Organization,
        }
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Reader => "reader",
            Self::Member => "member",
            Self::Viewer => "viewer",
            Self::Custom => "custom",
        }
    }
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Step {
    AddPerson(usize),
    RemovePerson(usize),
    SetRole(usize, Role),
    CreateGroup(usize),
    DeleteGroup(usize),
    Join(usize, Principal),
    Leave(usize, Principal),
    CreateProject(usize),
    Archive(usize),
    AddMember(usize, usize, Role),
    SetMember(usize, usize, Role),
    RemoveMember(usize, usize),
    GrantGroup(usize, usize, Role),
    RevokeGroup(usize, usize),
    CreateRole(Level, BTreeSet<&'static str>),
    ChangeRole(Level, BTreeSet<&'static str>),
    DeleteRole(Level),
    Assign(Level, Principal, Role),
    Unassign(Level, Principal, Role),
    CreateAccount(usize, usize, bool),
    SetAccount(usize, usize, Role),
    DeleteAccount(usize, usize),
    CreateKey(usize, Principal, Option<&'static str>, Option<i64>),
    DeleteKey(usize),
    Wait(i64),
}

/// Any level.
fn levels() -> impl Strategy<Value = Level> {
    prop_oneof![Just(Level::Organization), (0..PROJECTS).prop_map(Level::Project)]
}

/// Whoever can be in a group.
fn users() -> impl Strategy<Value = Principal> {
    prop_oneof![
        2 => (0..PEOPLE).prop_map(Principal::Person),
        1 => (0..PROJECTS, 0..ACCOUNTS).prop_map(|(project, one)| Principal::Account(project, one)),
    ]
}

/// Whoever can have a role.
fn principals() -> impl Strategy<Value = Principal> {
    prop_oneof![2 => users(), 1 => (0..GROUPS).prop_map(Principal::Group)]
}

/// The roles of a level.
fn roles_of(level: Level) -> impl Strategy<Value = Role> {
    let all = [Role::Owner, Role::Reader, Role::Member, Role::Viewer, Role::Custom];
    select(all.into_iter().filter(|role| role.is_of(level)).collect::<Vec<_>>())
}

/// A role that somebody may get or lose.
fn assignments() -> impl Strategy<Value = (Level, Principal, Role)> {
    (levels(), principals())
        .prop_flat_map(|(level, principal)| (Just(level), Just(principal), roles_of(level)))
}

/// What a custom role permits.
fn tokens() -> impl Strategy<Value = BTreeSet<&'static str>> {
    prop::collection::btree_set(select(TOKENS.to_vec()), 0..3)
}

/// Some steps in a row.
pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (person, group, project, account) = (0..PEOPLE, 0..GROUPS, 0..PROJECTS, 0..ACCOUNTS);
    let of_project = || select(vec![Role::Owner, Role::Member]);
    let in_project = || roles_of(Level::Project(0));
    let people = prop_oneof![
        3 => person.clone().prop_map(Step::AddPerson),
        1 => person.clone().prop_map(Step::RemovePerson),
        1 => (person.clone(), roles_of(Level::Organization))
            .prop_map(|(person, role)| Step::SetRole(person, if role == Role::Custom { Role::Owner } else { role })),
        3 => group.clone().prop_map(Step::CreateGroup),
        1 => group.clone().prop_map(Step::DeleteGroup),
        3 => (group.clone(), users()).prop_map(|(group, user)| Step::Join(group, user)),
        1 => (group.clone(), users()).prop_map(|(group, user)| Step::Leave(group, user)),
    ];
    let projects = prop_oneof![
        1 => project.clone().prop_map(Step::Archive),
        8 => (project.clone(), person.clone(), of_project())
            .prop_map(|(project, person, role)| Step::AddMember(project, person, role)),
        2 => (project.clone(), person.clone(), of_project())
            .prop_map(|(project, person, role)| Step::SetMember(project, person, role)),
        6 => (project.clone(), person).prop_map(|(project, person)| Step::RemoveMember(project, person)),
        6 => (project.clone(), group.clone(), in_project())
            .prop_map(|(project, group, role)| Step::GrantGroup(project, group, role)),
        4 => (project.clone(), group).prop_map(|(project, group)| Step::RevokeGroup(project, group)),
    ];
    let roles = prop_oneof![
        3 => (levels(), tokens()).prop_map(|(level, tokens)| Step::CreateRole(level, tokens)),
        2 => (levels(), tokens()).prop_map(|(level, tokens)| Step::ChangeRole(level, tokens)),
        1 => levels().prop_map(Step::DeleteRole),
        6 => assignments().prop_map(|(level, principal, role)| Step::Assign(level, principal, role)),
        3 => assignments().prop_map(|(level, principal, role)| Step::Unassign(level, principal, role)),
    ];
    let limit = prop::option::weighted(0.3, select(TOKENS.to_vec()));
    let life = prop::option::weighted(0.2, 1_i64..200);
    let keys = prop_oneof![
        3 => (project.clone(), account.clone(), any::<bool>())
            .prop_map(|(project, one, is_bare)| Step::CreateAccount(project, one, is_bare)),
        1 => (project.clone(), account.clone(), of_project())
            .prop_map(|(project, one, role)| Step::SetAccount(project, one, role)),
        1 => (project.clone(), account).prop_map(|(project, one)| Step::DeleteAccount(project, one)),
        6 => (project, users(), limit, life)
            .prop_map(|(project, owner, limit, life)| Step::CreateKey(project, owner, limit, life)),
        1 => (0..KEYS).prop_map(Step::DeleteKey),
        2 => (20_i64..200).prop_map(Step::Wait),
    ];
    let step = prop_oneof![people, projects, roles, keys];
    prop::collection::vec(step, 1..60)
}

/// What is there when a life begins, so that what happens finds something to happen to.
pub fn beginning() -> Vec<Step> {
    let asking = BTreeSet::from(["api.model.request"]);
    let acting = BTreeSet::from(["api.ours.act", "api.groups.read"]);
    let person = |number| Principal::Person(number);
    let mut steps: Vec<_> = (0..PEOPLE).map(Step::AddPerson).collect();
    steps.extend((0..PROJECTS).map(Step::CreateProject));
    steps.extend((0..GROUPS).map(Step::CreateGroup));
    steps.extend([
        Step::CreateRole(Level::Organization, asking),
        Step::CreateRole(Level::Project(0), acting),
        Step::AddMember(0, 0, Role::Member),
        Step::AddMember(1, 1, Role::Owner),
        Step::Join(0, person(0)),
        Step::GrantGroup(0, 0, Role::Custom),
        Step::CreateKey(0, person(0), None, None),
        Step::CreateKey(1, person(1), Some("api.model.read"), Some(120)),
        Step::CreateAccount(0, 0, false),
    ]);
    steps
}
