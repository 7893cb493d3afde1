//! An organization in which anything is asked for, and what is on record is held against what happened after each request.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Value, json};

use super::bodies::{Bodies, Dice, Known};
use super::state::{Holding, State, difference};
use super::told::{self, Told};
use crate::contract::audit::assert_published;
use crate::testing::document::{OURS, Operation, OperationName};
use crate::testing::seed::{self, ALL};
use crate::testing::world::{World, parameters};
use crate::testing::{Api, Reply};

/// How a body is made.
#[derive(Debug, Clone, Copy)]
pub enum Way {
    /// Whatever its schema allows.
    Right,
    /// Something is wrong with it.
    Wrong,
    /// It says what is there already.
    Same,
    /// The request before, once more.
    Again,
}

/// A request that was sent.
#[derive(Clone)]
struct Sent {
    name: &'static OperationName,
    path: String,
    body: Option<Value>,
}

/// The organization, and everything that was ever in it.
pub struct Life<'a> {
    api: &'a Api,
    world: World,
    known: Known,
    state: State,
    last: Option<Sent>,
    /// How often each operation changed something.
    pub changes: BTreeMap<&'static OperationName, usize>,
}

impl<'a> Life<'a> {
    /// A world with two of everything, one certificate of which is active.
    pub async fn of(api: &'a Api) -> Self {
        let mut world = World::of_first(api).await;
        world.grow(api, 2).await;
        for template in ["/organization", "/organization/projects/{project_id}"] {
            let body = json!({ "certificate_ids": [world.row("certificates", 1)] });
            world.post(api, &format!("{template}/certificates/activate"), body).await.ok();
        }
        let rows = |resource| (0..2).map(|number| world.row(resource, number).to_owned()).collect();
        let mut known: Known =
            ALL.iter().map(|seed| (seed.resource, rows(seed.resource))).collect();
        for account in known["service_accounts"].clone() {
            remember(&mut known, "users", &account);
        }
        remember(&mut known, "projects", &api.first.organization.default_project_id);
        let state = State::of(api).await;
        Self { api, world, known, state, last: None, changes: BTreeMap::new() }
    }

    /// Somebody comes from elsewhere, so that it does not get lonely.
    pub async fn admit(&mut self, number: usize) {
        let user = self.api.add_user(&format!("comer{number}@example.com")).await;
        remember(&mut self.known, "users", &user);
        self.state = State::of(self.api).await;
    }

    /// Sends a request and looks at what it left.
    pub async fn ask(
        &mut self,
        (name, operation): (&'static OperationName, &'static Operation),
        way: Way,
        dice: &mut Dice<'_>,
    ) -> Reply {
        let sent = match (way, self.last.take()) {
            (Way::Again, Some(last)) => last,
            _ => self.make((name, operation), way, dice).await,
        };
        let request = self.api.request(&sent.name.0, &sent.path);
        let request = if let Some(body) = &sent.body { request.json(body) } else { request };
        let reply = request.send().await;
        self.look(&sent, &reply).await;
        self.last = Some(sent);
        reply
    }

    async fn make(
        &self,
        (name, operation): (&'static OperationName, &'static Operation),
        way: Way,
        dice: &mut Dice<'_>,
    ) -> Sent {
        let mut path = name.1.clone();
        for parameter in parameters(&name.1) {
            path = path.replace(&format!("{{{parameter}}}"), &self.place(&name.1, parameter, dice));
        }
        let now = self.api.app.clock.now();
        let bodies = Bodies { world: &self.world, known: &self.known, now };
        let body = match (operation.body.is_some(), way) {
            (false, _) => None,
            (true, Way::Wrong) => Some(bodies.wrong(&name.1, operation, dice)),
            (true, Way::Same) => Some(self.same(&name.1, &path, operation).await),
            (true, _) => Some(bodies.right(&name.1, operation, dice)),
        };
        Sent { name, path, body: body.map(|body| operation.whole_body(body)) }
    }

    /// An id for a path: mostly of something that is there, or was.
    fn place(&self, template: &str, parameter: &str, dice: &mut Dice<'_>) -> String {
        let seed = seed::filling(template, parameter).expect("every id has a seed");
        let aliases = ["role-api-organization-owner", "role-api-project-member"];
        match dice.of(16) {
            15 => "none".to_owned(),
            13 | 14 if parameter == "role_id" => (*dice.one(&aliases)).to_owned(),
            _ => dice.one(&self.known[seed.resource]).clone(),
        }
    }

    /// What is shown at the same path, as far as it can be sent back.
    async fn same(&self, template: &str, path: &str, operation: &Operation) -> Value {
        let shown = ("GET".to_owned(), template.to_owned());
        if OURS.operations.get(&shown).is_none_or(Operation::is_list) {
            return json!({});
        }
        let shown = self.api.get(path).await.body;
        let called = |name: &str| match name {
            "role_name" => "name".to_owned(),
            "retention_type" => "type".to_owned(),
            name => name.to_owned(),
        };
        let names = operation.body_members().0.into_iter().map(|(name, _)| name);
        let members =
            names.filter_map(|name| Some((name.clone(), shown.get(called(&name))?.clone())));
        Value::Object(members.collect())
    }

    /// Holds what is new on record against what changed.
    async fn look(&mut self, sent: &Sent, reply: &Reply) {
        let call = format!("{} {} {:?}: {}", sent.name.0, sent.path, sent.body, reply.body);
        let after = State::of(self.api).await;
        let before = std::mem::replace(&mut self.state, after);
        let after = &self.state;
        let (old, new) = after.events.split_at(before.events.len());
        assert_eq!(old, before.events, "{call}: what is on record stays as it is");
        let told = told::of(&sent.name.0, &sent.name.1);
        let is_changed = before.rows != after.rows;
        let is_success = reply.status == StatusCode::OK;
        assert!(is_success || !is_changed, "{call}: a refusal changed something");
        let is_told = is_success && (is_changed || matches!(told, Some(Told::Always(_))));
        assert!(told.is_some() || !is_changed, "{call}: nobody knows what it tells");
        let mut expected = told
            .filter(|_| is_told)
            .map_or_else(Vec::new, |told| kinds(told, &before, after, reply));
        let mut kinds: Vec<_> = new.iter().map(|(kind, _, _)| kind.as_str()).collect();
        expected.sort_unstable();
        kinds.sort_unstable();
        assert_eq!(kinds, expected, "{call}");
        for event in new {
            self.look_at(sent, reply, event, &call);
        }
        let of_roles = matches!(told, Some(Told::Roles | Told::AndRoles(_)));
        if is_told && of_roles {
            look_at_roles(&before, after, new, &call);
        }
        if is_told && matches!(told, Some(Told::Certificates(_))) {
            look_at_certificates(&before, after, new, &call);
        }
        if is_told {
            *self.changes.entry(sent.name).or_default() += 1;
        }
        self.learn(sent, reply);
    }

    /// Whether an event says where it happened and to what, as it was published.
    fn look_at(
        &self,
        sent: &Sent,
        reply: &Reply,
        (kind, project, payload): &(String, Option<String>, Value),
        call: &str,
    ) {
        assert_published(kind, payload);
        let here = ["/organization/projects/", "/projects/", "/rollbook/v1/projects/"];
        let in_path = here.iter().find_map(|place| sent.path.strip_prefix(place));
        let in_path = in_path.map(|rest| rest.split('/').next().unwrap_or_default());
        let made = (kind == "project.created").then(|| reply.body["id"].as_str()).flatten();
        assert_eq!(project.as_deref(), in_path.or(made), "{call}: where {kind} happened");
        let organization = json!(self.api.first.organization.id);
        let expected = match kind.split_once('.').expect("kinds have two parts") {
            ("organization", _) => &organization,
            ("project", "updated") => &json!(in_path),
            ("role", "assignment.created" | "assignment.deleted") | ("certificates", _) => return,
            ("api_key", "created") if reply.body["api_key"].is_object() => {
                &reply.body["api_key"]["id"]
            }
            ("invite", _) if reply.body["id"].is_null() => {
                &json!(sent.path.split('/').nth(4).expect("the path names an invite"))
            }
            _ => &reply.body["id"],
        };
        assert_eq!(&payload["id"], expected, "{call}: what {kind} is about");
    }

    /// Remembers what was made, so that the next ones may ask for it.
    fn learn(&mut self, sent: &Sent, reply: &Reply) {
        let template = sent.name.1.as_str();
        let resource = match template.rsplit('/').next() {
            Some("api_keys") => Some("project_api_keys"),
            _ => seed::list(template).map(|(seed, _)| seed.resource),
        };
        let id = reply.body["id"].as_str().filter(|_| sent.name.0 == "POST");
        let Some((resource, id)) = resource.zip(id) else { return };
        remember(&mut self.known, resource, id);
        if resource == "service_accounts" {
            remember(&mut self.known, "users", id);
        }
        if let Some(key) = reply.body["api_key"]["id"].as_str() {
            remember(&mut self.known, "project_api_keys", key);
        }
    }

    /// Everything that is on record is in the list of it.
    pub async fn assert_listed(&self) {
        let (mut listed, mut after) = (0, String::new());
        loop {
            let page = self.api.get(&format!("/organization/audit_logs?limit=100{after}")).await;
            listed += page.ids().len();
            if page.body["has_more"] == false {
                break;
            }
            after = format!("&after={}", page.ids()[99]);
        }
        assert_eq!(listed, self.state.events.len());
    }
}

fn remember(known: &mut Known, resource: &'static str, id: &str) {
    let ids = known.entry(resource).or_default();
    if !ids.iter().any(|one| one == id) {
        ids.push(id.to_owned());
    }
}

/// The types of the events that a change must have written.
fn kinds(told: Told, before: &State, after: &State, reply: &Reply) -> Vec<&'static str> {
    let roles = |went: usize, came: usize| {
        let went = std::iter::repeat_n("role.assignment.deleted", went);
        went.chain(std::iter::repeat_n("role.assignment.created", came))
    };
    let (went, came) = difference(&before.roles, &after.roles);
    match told {
        Told::Nothing => Vec::new(),
        Told::AndKey(kind) if reply.body["api_key"].is_object() => vec![kind, "api_key.created"],
        Told::One(kind) | Told::AndKey(kind) | Told::Always(kind) | Told::Certificates(kind) => {
            vec![kind]
        }
        Told::AndRoles(kind) => roles(went.len(), came.len()).chain([kind]).collect(),
        Told::AndOtherRoles(kind) => {
            let (went, came) = difference(&before.other_roles, &after.other_roles);
            roles(went.len(), came.len()).chain([kind]).collect()
        }
        Told::Roles => roles(went.len(), came.len()).collect(),
    }
}

/// Each role that came or went is told with whoever has or had it.
fn look_at_roles(
    before: &State,
    after: &State,
    new: &[(String, Option<String>, Value)],
    call: &str,
) {
    let (went, came) = difference(&before.roles, &after.roles);
    for (kind, roles) in [("role.assignment.deleted", went), ("role.assignment.created", came)] {
        let mut told: Vec<Holding> = new
            .iter()
            .filter(|event| event.0 == kind)
            .map(|(_, project, payload)| {
                let id = payload["id"].as_str().expect("an assignment has an id");
                let id = id.strip_prefix("role_assignment_").expect("its id begins like that");
                let role = id.rsplit_once("__api-").expect("its id names the role").0;
                let who = payload["principal_id"].as_str().expect("it names somebody");
                (project.clone().unwrap_or_default(), who.to_owned(), role.to_owned())
            })
            .collect();
        told.sort_unstable();
        assert_eq!(told, roles, "{call}: {kind}");
    }
}

/// Each certificate whose state changed is told, and no other.
fn look_at_certificates(
    before: &State,
    after: &State,
    new: &[(String, Option<String>, Value)],
    call: &str,
) {
    let (went, came) = difference(&before.active, &after.active);
    let mut changed: Vec<_> = went.into_iter().chain(came).map(|(_, id)| json!(id)).collect();
    let told = new[0].2["certificates"].as_array().expect("it names certificates");
    let mut told: Vec<_> = told.iter().map(|certificate| certificate["id"].clone()).collect();
    changed.sort_by_key(Value::to_string);
    told.sort_by_key(Value::to_string);
    assert_eq!(told, changed, "{call}");
}
