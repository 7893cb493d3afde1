//! A store and the model of it, side by side: each step is sent over the wire and taken by the model.

use serde_json::{Value, json};

use super::state::{Key, Model};
use super::steps::{KEYS, Level, Principal, Role, Step};
use crate::testing::{Api, Reply};

/// The store and the model, side by side.
pub struct Life<'a> {
    pub api: &'a Api,
    pub model: Model,
    pub made: usize,
}

/// What a request must be answered with.
fn expect(reply: &Reply, refusal: Option<u16>, step: &Step) -> bool {
    let status = refusal.unwrap_or(200);
    assert_eq!(reply.status.as_u16(), status, "{step:?}: {}", reply.body);
    refusal.is_none()
}

impl Life<'_> {
    pub fn project(&self, project: usize) -> String {
        self.model.projects.get(&project).map_or("none".to_owned(), |(id, _)| id.clone())
    }

    pub fn id(&self, principal: Principal) -> String {
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

    pub async fn take(&mut self, step: Step) {
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

    pub fn is_anything(&self, place: (Level, Principal)) -> bool {
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

    pub fn assigned(&self, level: Level, principal: Principal) -> String {
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
}
