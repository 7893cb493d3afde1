//! What is sent: bodies that are right, bodies that are wrong, and bodies that say what is there already.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::testing::document::Operation;
use crate::testing::seed::{self, ALL};
use crate::testing::world::World;

/// Dice that were cast before: the same step does the same again.
pub struct Dice<'a>(pub std::slice::Iter<'a, u8>);

impl Dice<'_> {
    /// One of so many; the first when the dice have run out.
    pub fn of(&mut self, many: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or(0)) % many.max(1)
    }

    /// One of these, the first of them as often as all together.
    pub fn one<'b, T>(&mut self, these: &'b [T]) -> &'b T {
        let place = self.of(2 * these.len());
        &these[if place < these.len() { place } else { 0 }]
    }
}

/// Ids that were there at some time, by the resource that they are of.
pub type Known = BTreeMap<&'static str, Vec<String>>;

/// What bodies are made of.
pub struct Bodies<'a> {
    pub world: &'a World,
    pub known: &'a Known,
    pub now: i64,
}

impl Bodies<'_> {
    /// A body with every required member and some of the others.
    pub fn right(&self, template: &str, operation: &Operation, dice: &mut Dice<'_>) -> Value {
        let (members, required) = operation.body_members();
        let mut body = Map::new();
        // What is sent with others has members for every kind of it, and may not have those of two.
        let is_told =
            |name: &str| ALL.iter().any(|seed| (seed.body)(self.world, template, name).is_some());
        for (name, schema) in &members {
            let may_be = !operation.takes_many() || is_told(name);
            if required.contains(name) || may_be && dice.of(2) == 0 {
                body.insert(name.clone(), self.member(template, name, schema, dice));
            }
        }
        Value::Object(body)
    }

    /// The same with something wrong in it.
    pub fn wrong(&self, template: &str, operation: &Operation, dice: &mut Dice<'_>) -> Value {
        let mut body = self.right(template, operation, dice);
        let names: Vec<_> = operation.body_members().0.keys().cloned().collect();
        if names.is_empty() || dice.of(4) == 0 {
            body["surprise"] = json!(1);
            return body;
        }
        let name = &names[dice.of(names.len())];
        let wrong = [json!({ "a": 1 }), json!(-1), json!(""), json!([7]), json!("a\0b")];
        body[name] = wrong[dice.of(wrong.len())].clone();
        body
    }

    /// What a member may be, or nearly.
    fn member(&self, template: &str, name: &str, schema: &Value, dice: &mut Dice<'_>) -> Value {
        let is_nullable = schema["type"].to_string().contains("null");
        if is_nullable && dice.of(6) == 5 {
            return Value::Null;
        }
        self.named(template, name, dice).unwrap_or_else(|| Self::typed(schema, dice))
    }

    /// A member that its name explains.
    fn named(&self, template: &str, name: &str, dice: &mut Dice<'_>) -> Option<Value> {
        Some(match name {
            "role_id" => json!(self.role(template, dice)),
            "role" if template.ends_with("/groups") => json!(self.role("/projects/", dice)),
            "role" => json!(dice.one(&["member", "owner", "reader", "viewer"])),
            "email" => json!(format!("{}@example.com", dice.one(&["someone0", "new", "newer"]))),
            "projects" if dice.of(2) == 0 => json!([]),
            "projects" => json!([{ "id": dice.one(&self.known["projects"]), "role": "member" }]),
            "permissions" => {
                json!(some(&["api.model.read", "api.groups.read", "api.model.request"], dice))
            }
            "model_ids" => {
                let limits = self.known["rate_limits"].iter();
                let models: Vec<_> = limits.map(|id| id.trim_start_matches("rl-")).collect();
                json!(some(&models, dice))
            }
            "certificate_ids" => json!(some(&self.known["certificates"], dice)),
            "scopes" => json!(some(&["api.management.read"], dice)),
            "expires_at" => json!(self.now + 1000),
            "notification_channel" => json!({
                "type": "email", "recipients": [dice.one(&["a@x.org", "b@x.org"])], "subject_prefix": null,
            }),
            name => {
                let told = ALL.iter().find_map(|seed| (seed.body)(self.world, template, name));
                let known = || seed::filling(template, name).map(|seed| &self.known[seed.resource]);
                // What a seed tells of a text is one of several things that may be said.
                let is_only_told = name == "certificate";
                let told = told.filter(|told| is_only_told || !told.is_object() && dice.of(2) == 0);
                told.or_else(|| known().map(|ids| json!(dice.one(ids))))?
            }
        })
    }

    /// A role that can be named in this path.
    fn role(&self, template: &str, dice: &mut Dice<'_>) -> String {
        let aliases: &[&str] = if template.starts_with("/projects/") {
            &["role-api-project-member", "role-api-project-owner", "role-api-project-viewer"]
        } else {
            &["role-api-organization-reader", "role-api-organization-owner"]
        };
        let place = if template.starts_with("/projects/") { "project_roles" } else { "roles" };
        if dice.of(2) == 0 {
            dice.one(&self.known[place]).clone()
        } else {
            (*dice.one(aliases)).to_owned()
        }
    }

    /// A member of which only the type is known.
    fn typed(schema: &Value, dice: &mut Dice<'_>) -> Value {
        let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
        let words = schema["enum"].as_array().filter(|words| !words.is_empty());
        match (kind.unwrap_or("string"), words) {
            (_, Some(words)) => words[dice.of(words.len())].clone(),
            ("integer", _) => {
                let least = schema["minimum"].as_i64().unwrap_or(0);
                json!(least + i64::try_from(dice.of(3)).expect("few"))
            }
            ("boolean", _) => json!(dice.of(2) == 0),
            ("array", _) => json!([]),
            ("object", _) => json!({ "enabled": dice.of(2) == 0 }),
            _ => json!(format!("word {}", dice.of(3))),
        }
    }
}

/// Some of these, in any order.
fn some<T: Clone>(these: &[T], dice: &mut Dice<'_>) -> Vec<T> {
    let (start, many) = (dice.of(these.len()), dice.of(3));
    (0..many.min(these.len())).map(|place| these[(start + place) % these.len()].clone()).collect()
}
