//! Random lives of an organization, beside a model of it that knows nothing of tables: sets of who is where and who has which
//! role. After each step every key is checked, and the model says what the answer must be.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::testing::{Api, Reply, snapshot};

const PEOPLE: usize = 3;
const GROUPS: usize = 2;
const PROJECTS: usize = 2;
const ACCOUNTS: usize = 2;
/// More of them, and the time goes into asking.
const KEYS: usize = 6;

/// The tokens of which custom roles are made: two of the catalogue that are about projects, one that is not, and one that the
/// catalogue does not have.
const TOKENS: [&str; 4] =
    ["api.model.request", "api.model.read", "api.groups.read", "api.ours.act"];

/// The organization, or one of the projects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Organization,
    Project(usize),
}

/// Somebody who can have roles. A service account is the first or the second of its project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Principal {
    Person(usize),
    Account(usize, usize),
    Group(usize),
}

/// A role of a level: a built-in one by name, or the custom one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
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
    fn is_of(self, level: Level) -> bool {
        match self {
            Self::Owner | Self::Custom => true,
            Self::Reader => level == Level::Organization,
            Self::Member | Self::Viewer => level != Level::Organization,
        }
    }

    fn name(self) -> &'static str {
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
enum Step {
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

fn levels() -> impl Strategy<Value = Level> {
    prop_oneof![Just(Level::Organization), (0..PROJECTS).prop_map(Level::Project)]
}

fn users() -> impl Strategy<Value = Principal> {
    prop_oneof![
        2 => (0..PEOPLE).prop_map(Principal::Person),
        1 => (0..PROJECTS, 0..ACCOUNTS).prop_map(|(project, one)| Principal::Account(project, one)),
    ]
}

fn principals() -> impl Strategy<Value = Principal> {
    prop_oneof![2 => users(), 1 => (0..GROUPS).prop_map(Principal::Group)]
}

fn roles_of(level: Level) -> impl Strategy<Value = Role> {
    let all = [Role::Owner, Role::Reader, Role::Member, Role::Viewer, Role::Custom];
    select(all.into_iter().filter(|role| role.is_of(level)).collect::<Vec<_>>())
}

fn assignments() -> impl Strategy<Value = (Level, Principal, Role)> {
    (levels(), principals())
        .prop_flat_map(|(level, principal)| (Just(level), Just(principal), roles_of(level)))
}

fn tokens() -> impl Strategy<Value = BTreeSet<&'static str>> {
    prop::collection::btree_set(select(TOKENS.to_vec()), 0..3)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
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

/// A key, and whose it is.
#[derive(Debug, Clone)]
struct Key {
    id: String,
    secret: String,
    project: usize,
    owner: Principal,
    /// Which of several people or accounts of that place in turn: whoever comes back is somebody else.
    owner_id: String,
    limit: Option<&'static str>,
    end: Option<i64>,
    /// Whether it is still listed anywhere.
    is_there: bool,
}

/// What must be true.
#[derive(Default)]
struct Model {
    ids: BTreeMap<Principal, String>,
    projects: BTreeMap<usize, (String, bool)>,
    roles: BTreeMap<Level, (String, BTreeSet<&'static str>)>,
    members: BTreeSet<(usize, usize)>,
    in_groups: BTreeSet<(usize, Principal)>,
    held: BTreeSet<(Level, Principal, Role)>,
    keys: Vec<Key>,
    now: i64,
}

impl Model {
    fn is_archived(&self, level: Level) -> bool {
        matches!(level, Level::Project(project) if self.projects.get(&project).is_some_and(|(_, archived)| *archived))
    }

    fn exists(&self, level: Level) -> bool {
        match level {
            Level::Organization => true,
            Level::Project(project) => self.projects.contains_key(&project),
        }
    }

    /// Whether a principal can be named at a level.
    fn is_at(&self, level: Level, principal: Principal) -> bool {
        self.ids.contains_key(&principal)
            && match (level, principal) {
                (Level::Organization, _) | (_, Principal::Group(_)) => true,
                (Level::Project(project), Principal::Person(person)) => {
                    self.members.contains(&(project, person))
                }
                (Level::Project(project), Principal::Account(home, _)) => project == home,
            }
    }

    fn knows(&self, level: Level, role: Role) -> bool {
        role != Role::Custom || self.roles.contains_key(&level)
    }

    /// Gives a principal this built-in role instead of all others of the level.
    fn swap(&mut self, level: Level, principal: Principal, role: Role) {
        let of_them = |(at, who, held): &(Level, Principal, Role)| {
            (*at, *who) == (level, principal) && *held != Role::Custom
        };
        self.held.retain(|row| !of_them(row));
        self.held.insert((level, principal, role));
    }

    fn forget(&mut self, principal: Principal) {
        self.ids.remove(&principal);
        self.held.retain(|(_, who, _)| *who != principal);
        self.in_groups.retain(|(_, who)| *who != principal);
        if let Principal::Group(group) = principal {
            self.in_groups.retain(|(of, _)| *of != group);
        }
    }

    /// Every role that counts for somebody in a project: their own and those of their groups, of the organization and of the
    /// project (section 3.12).
    fn counting(&self, project: usize, principal: Principal) -> Vec<(Level, Role)> {
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

    fn permits(&self, (level, role): (Level, Role), token: &str) -> bool {
        match (level, role) {
            (_, Role::Custom) => self.roles[&level].1.contains(token),
            (Level::Organization, Role::Owner) => true,
            (_, Role::Owner | Role::Member) => token != "api.groups.read",
            (_, Role::Reader) => token == "api.groups.read",
            (_, Role::Viewer) => token == "api.model.read",
        }
    }

    /// Whether somebody may use a project at all.
    fn reaches(&self, project: usize, principal: Principal) -> bool {
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
    fn expected(&self, key: &Key, wish: Option<&str>) -> &'static str {
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

/// What is there when a life begins, so that what happens finds something to happen to.
fn beginning() -> Vec<Step> {
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

/// The store and the model, side by side.
struct Life<'a> {
    api: &'a Api,
    model: Model,
    made: usize,
}

/// What a request must be answered with.
fn expect(reply: &Reply, refusal: Option<u16>, step: &Step) -> bool {
    let status = refusal.unwrap_or(200);
    assert_eq!(reply.status.as_u16(), status, "{step:?}: {}", reply.body);
    refusal.is_none()
}

impl Life<'_> {
    fn project(&self, project: usize) -> String {
        self.model.projects.get(&project).map_or("none".to_owned(), |(id, _)| id.clone())
    }

    fn id(&self, principal: Principal) -> String {
        self.model.ids.get(&principal).map_or("none".to_owned(), Clone::clone)
    }

    fn base(&self, level: Level) -> String {
        match level {
            Level::Organization => "/organization".to_owned(),
            Level::Project(project) => format!("/projects/{}", self.project(project)),
        }
    }

    fn role(&self, level: Level, role: Role) -> String {
        let place = if level == Level::Organization { "organization" } else { "project" };
        match role {
            Role::Custom => {
                let role = self.model.roles.get(&level);
                role.map_or("role_none".to_owned(), |(id, _)| id.clone())
            }
            role => format!("role-api-{place}-{}", role.name()),
        }
    }

    /// 404 for a project that is not there, 400 for one that is archived.
    fn closed(&self, project: usize) -> Option<u16> {
        let level = Level::Project(project);
        let is_archived = self.model.is_archived(level).then_some(400);
        if self.model.exists(level) { is_archived } else { Some(404) }
    }

    fn missing(&self, principal: Principal) -> Option<u16> {
        (!self.model.ids.contains_key(&principal)).then_some(404)
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::AddPerson(_)
            | Step::RemovePerson(_)
            | Step::SetRole(..)
            | Step::CreateGroup(_)
            | Step::DeleteGroup(_)
            | Step::Join(..)
            | Step::Leave(..) => self.take_of_people(step).await,
            Step::CreateProject(_)
            | Step::Archive(_)
            | Step::AddMember(..)
            | Step::SetMember(..)
            | Step::RemoveMember(..)
            | Step::GrantGroup(..)
            | Step::RevokeGroup(..) => self.take_of_projects(step).await,
            Step::CreateRole(..)
            | Step::ChangeRole(..)
            | Step::DeleteRole(_)
            | Step::Assign(..)
            | Step::Unassign(..) => self.take_of_roles(step).await,
            _ => self.take_of_keys(step).await,
        }
    }

    async fn take_of_people(&mut self, step: Step) {
        match step {
            Step::AddPerson(person) => {
                let place = Principal::Person(person);
                if !self.model.ids.contains_key(&place) {
                    self.made += 1;
                    let email = format!("person{}@example.com", self.made);
                    let id = self.api.add_user(&email).await;
                    self.model.ids.insert(place, id);
                    self.model.held.insert((Level::Organization, place, Role::Reader));
                }
            }
            Step::RemovePerson(person) => {
                let place = Principal::Person(person);
                let path = format!("/organization/users/{}", self.id(place));
                if expect(&self.api.delete(&path).await, self.missing(place), &step) {
                    self.model.forget(place);
                    self.model.members.retain(|(_, who)| *who != person);
                }
            }
            Step::SetRole(person, role) => {
                let place = Principal::Person(person);
                let path = format!("/organization/users/{}", self.id(place));
                let reply = self.api.post(&path, json!({ "role": role.name() })).await;
                if expect(&reply, self.missing(place), &step) {
                    self.model.swap(Level::Organization, place, role);
                }
            }
            Step::CreateGroup(group) => {
                let place = Principal::Group(group);
                if !self.model.ids.contains_key(&place) {
                    let made = self.api.post("/organization/groups", json!({ "name": "g" })).await;
                    self.model.ids.insert(place, made.id());
                }
            }
            Step::DeleteGroup(group) => {
                let place = Principal::Group(group);
                let path = format!("/organization/groups/{}", self.id(place));
                if expect(&self.api.delete(&path).await, self.missing(place), &step) {
                    self.model.forget(place);
                }
            }
            Step::Join(group, user) => {
                let missing = self.missing(Principal::Group(group)).or(self.missing(user));
                let path =
                    format!("/organization/groups/{}/users", self.id(Principal::Group(group)));
                let reply = self.api.post(&path, json!({ "user_id": self.id(user) })).await;
                if expect(&reply, missing, &step) {
                    self.model.in_groups.insert((group, user));
                }
            }
            Step::Leave(group, user) => {
                let is_in = self.model.in_groups.contains(&(group, user));
                let place = self.id(Principal::Group(group));
                let path = format!("/organization/groups/{place}/users/{}", self.id(user));
                if expect(&self.api.delete(&path).await, (!is_in).then_some(404), &step) {
                    self.model.in_groups.remove(&(group, user));
                }
            }
            _ => unreachable!("{step:?} is about something else"),
        }
    }

    async fn take_of_projects(&mut self, step: Step) {
        match step {
            Step::CreateProject(project) => {
                if !self.model.projects.contains_key(&project) {
                    let id = self.api.create_project("p").await;
                    self.model.projects.insert(project, (id, false));
                }
            }
            Step::Archive(project) => {
                let missing = (!self.model.projects.contains_key(&project)).then_some(404);
                let path = format!("/organization/projects/{}/archive", self.project(project));
                if expect(&self.api.post(&path, Value::Null).await, missing, &step) {
                    let known = self.model.projects.get_mut(&project);
                    known.expect("it was archived").1 = true;
                }
            }
            Step::AddMember(project, person, role) => {
                let is_in = self.model.members.contains(&(project, person));
                let refusal = self.closed(project).or(self.missing(Principal::Person(person)));
                let refusal = refusal.or(is_in.then_some(400));
                let body =
                    json!({ "user_id": self.id(Principal::Person(person)), "role": role.name() });
                if expect(&self.api.post(&self.members(project), body).await, refusal, &step) {
                    self.model.members.insert((project, person));
                    self.model.held.insert((
                        Level::Project(project),
                        Principal::Person(person),
                        role,
                    ));
                }
            }
            Step::SetMember(project, person, role) => {
                let is_in = self.model.members.contains(&(project, person));
                let refusal = self.closed(project).or((!is_in).then_some(404));
                let path =
                    format!("{}/{}", self.members(project), self.id(Principal::Person(person)));
                let reply = self.api.post(&path, json!({ "role": role.name() })).await;
                if expect(&reply, refusal, &step) {
                    self.model.swap(Level::Project(project), Principal::Person(person), role);
                }
            }
            Step::RemoveMember(project, person) => {
                let is_in = self.model.members.contains(&(project, person));
                // Nobody is in an archived project, as ruling 5.14 has it.
                let is_gone = !is_in || self.closed(project).is_some();
                let path =
                    format!("{}/{}", self.members(project), self.id(Principal::Person(person)));
                if expect(&self.api.delete(&path).await, is_gone.then_some(404), &step) {
                    self.model.members.remove(&(project, person));
                    let place = (Level::Project(project), Principal::Person(person));
                    self.model.held.retain(|(level, who, _)| (*level, *who) != place);
                }
            }
            Step::GrantGroup(project, group, role) => self.grant(project, group, role, &step).await,
            Step::RevokeGroup(project, group) => {
                let place = (Level::Project(project), Principal::Group(group));
                let is_in = self.is_anything(place);
                let id = self.id(Principal::Group(group));
                let path = format!("/organization/projects/{}/groups/{id}", self.project(project));
                if expect(&self.api.delete(&path).await, (!is_in).then_some(404), &step) {
                    self.model.held.retain(|(level, who, _)| (*level, *who) != place);
                }
            }
            _ => unreachable!("{step:?} is about something else"),
        }
    }

    /// Lets a group into a project with a role. One that is there already stays as it is.
    async fn grant(&mut self, project: usize, group: usize, role: Role, step: &Step) {
        let (level, place) = (Level::Project(project), Principal::Group(group));
        let is_in = self.is_anything((level, place));
        let has = self.model.held.contains(&(level, place, role));
        let refusal = self.closed(project).or(self.missing(place));
        let refusal = refusal.or((!self.model.knows(level, role)).then_some(404));
        let refusal = refusal.or((is_in && !has).then_some(400));
        let body = json!({ "group_id": self.id(place), "role": self.role(level, role) });
        let path = format!("/organization/projects/{}/groups", self.project(project));
        if expect(&self.api.post(&path, body).await, refusal, step) {
            self.model.held.insert((level, place, role));
        }
    }

    fn is_anything(&self, place: (Level, Principal)) -> bool {
        self.model.held.iter().any(|(level, who, _)| (*level, *who) == place)
    }

    fn members(&self, project: usize) -> String {
        format!("/organization/projects/{}/users", self.project(project))
    }

    async fn take_of_roles(&mut self, step: Step) {
        match step.clone() {
            Step::CreateRole(level, tokens) => {
                let refusal =
                    self.shut(level).or(self.model.roles.contains_key(&level).then_some(400));
                let path = format!("{}/roles", self.base(level));
                let body = json!({ "role_name": "custom", "permissions": tokens });
                let reply = self.api.post(&path, body).await;
                if expect(&reply, refusal, &step) {
                    self.model.roles.insert(level, (reply.id(), tokens));
                }
            }
            Step::ChangeRole(level, tokens) => {
                let missing = (!self.model.roles.contains_key(&level)).then_some(404);
                let path = format!("{}/roles/{}", self.base(level), self.role(level, Role::Custom));
                let reply = self.api.post(&path, json!({ "permissions": tokens })).await;
                if expect(&reply, self.shut(level).or(missing), &step) {
                    self.model.roles.get_mut(&level).expect("it was changed").1 = tokens;
                }
            }
            Step::DeleteRole(level) => {
                let missing = (!self.model.roles.contains_key(&level)).then_some(404);
                let path = format!("{}/roles/{}", self.base(level), self.role(level, Role::Custom));
                if expect(&self.api.delete(&path).await, missing, &step) {
                    self.model.roles.remove(&level);
                    let is_it = |(at, _, role): &(Level, Principal, Role)| {
                        *at == level && *role == Role::Custom
                    };
                    self.model.held.retain(|row| !is_it(row));
                }
            }
            Step::Assign(level, principal, role) => {
                // No program owns an organization.
                let is_machine = matches!(principal, Principal::Account(..));
                let is_forbidden =
                    is_machine && (level, role) == (Level::Organization, Role::Owner);
                let refusal = self.shut(level).or(self.absent(level, principal));
                let refusal = refusal.or((!self.model.knows(level, role)).then_some(404));
                let refusal = refusal.or(is_forbidden.then_some(400));
                let body = json!({ "role_id": self.role(level, role) });
                let reply = self.api.post(&self.assigned(level, principal), body).await;
                if expect(&reply, refusal, &step) {
                    self.model.held.insert((level, principal, role));
                }
            }
            Step::Unassign(level, principal, role) => {
                let has = self.model.held.contains(&(level, principal, role));
                let path =
                    format!("{}/{}", self.assigned(level, principal), self.role(level, role));
                if expect(&self.api.delete(&path).await, (!has).then_some(404), &step) {
                    self.model.held.remove(&(level, principal, role));
                }
            }
            _ => unreachable!("{step:?} is about something else"),
        }
    }

    fn shut(&self, level: Level) -> Option<u16> {
        match level {
            Level::Organization => None,
            Level::Project(project) => self.closed(project),
        }
    }

    fn absent(&self, level: Level, principal: Principal) -> Option<u16> {
        (!self.model.is_at(level, principal)).then_some(404)
    }

    fn assigned(&self, level: Level, principal: Principal) -> String {
        let kind = if matches!(principal, Principal::Group(_)) { "groups" } else { "users" };
        format!("{}/{kind}/{}/roles", self.base(level), self.id(principal))
    }

    async fn take_of_keys(&mut self, step: Step) {
        match step {
            Step::CreateAccount(project, one, is_bare) => {
                let place = Principal::Account(project, one);
                if self.model.ids.contains_key(&place) {
                    return;
                }
                let body = json!({ "name": "a", "create_service_account_only": is_bare });
                let reply = self.api.post(&self.accounts(project), body).await;
                if expect(&reply, self.closed(project), &step) {
                    self.model.ids.insert(place, reply.id());
                    if !is_bare {
                        self.model.held.insert((Level::Project(project), place, Role::Member));
                        self.keep(&reply.body["api_key"], project, place, None, None);
                    }
                }
            }
            Step::SetAccount(project, one, role) => {
                let place = Principal::Account(project, one);
                let path = format!("{}/{}", self.accounts(project), self.id(place));
                let reply = self.api.post(&path, json!({ "role": role.name() })).await;
                if expect(&reply, self.closed(project).or(self.missing(place)), &step) {
                    self.model.swap(Level::Project(project), place, role);
                }
            }
            Step::DeleteAccount(project, one) => {
                let place = Principal::Account(project, one);
                let is_gone = self.closed(project).is_some() || self.missing(place).is_some();
                let path = format!("{}/{}", self.accounts(project), self.id(place));
                if expect(&self.api.delete(&path).await, is_gone.then_some(404), &step) {
                    self.model.forget(place);
                }
            }
            Step::CreateKey(project, owner, limit, life) => {
                self.create_key(project, owner, limit, life, &step).await;
            }
            Step::DeleteKey(number) => self.delete_key(number, &step).await,
            Step::Wait(seconds) => {
                self.api.clock.advance(u64::try_from(seconds).expect("time goes on"));
                self.model.now += seconds;
            }
            _ => unreachable!("{step:?} is about something else"),
        }
    }

    fn accounts(&self, project: usize) -> String {
        format!("/organization/projects/{}/service_accounts", self.project(project))
    }

    async fn create_key(
        &mut self,
        project: usize,
        owner: Principal,
        limit: Option<&'static str>,
        life: Option<i64>,
        step: &Step,
    ) {
        let mut body = json!({ "name": "k" });
        if let Some(token) = limit {
            body["scopes"] = json!([token]);
        }
        if let Some(seconds) = life {
            body["expires_in_seconds"] = json!(seconds);
        }
        let (path, absent) = match owner {
            Principal::Account(home, _) => {
                let path = format!("{}/{}/api_keys", self.accounts(home), self.id(owner));
                (path, self.missing(owner))
            }
            person => {
                body["user_id"] = json!(self.id(person));
                let has_access =
                    self.model.ids.contains_key(&person) && self.model.reaches(project, person);
                let path = format!("/rollbook/v1/projects/{}/api_keys", self.project(project));
                (path, (!has_access).then_some(404))
            }
        };
        let project = if let Principal::Account(home, _) = owner { home } else { project };
        let reply = self.api.post(&path, body).await;
        if expect(&reply, self.closed(project).or(absent), step) {
            let end = life.map(|seconds| self.model.now + seconds);
            self.keep(&reply.body, project, owner, limit, end);
        }
    }

    fn keep(
        &mut self,
        shown: &Value,
        project: usize,
        owner: Principal,
        limit: Option<&'static str>,
        end: Option<i64>,
    ) {
        if self.model.keys.len() == KEYS {
            self.model.keys.remove(0);
        }
        let text = |member: &str| shown[member].as_str().expect("a new key is shown").to_owned();
        self.model.keys.push(Key {
            id: text("id"),
            secret: text("value"),
            project,
            owner,
            owner_id: self.id(owner),
            limit,
            end,
            is_there: true,
        });
    }

    async fn delete_key(&mut self, number: usize, step: &Step) {
        let Some(key) = self.model.keys.get(number).cloned() else { return };
        let is_machine = matches!(key.owner, Principal::Account(..));
        let is_gone = !key.is_there
            || self.closed(key.project).is_some()
            || (is_machine && self.model.ids.get(&key.owner) != Some(&key.owner_id));
        let refusal = if is_gone { Some(404) } else { is_machine.then_some(400) };
        let project = self.project(key.project);
        let path = format!("/organization/projects/{project}/api_keys/{}", key.id);
        if expect(&self.api.delete(&path).await, refusal, step) {
            self.model.keys[number].is_there = false;
        }
    }

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
