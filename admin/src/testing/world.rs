//! A small organization in which every path of the document leads somewhere.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::document::{Operation, OperationName};
use super::seed::{self, ALL};
use super::{Api, Sending, Tenant};

/// A tenant with one of everything, under ids that another tenant may have as well.
pub struct World {
    /// Whose it is.
    pub tenant: Tenant,
    rows: BTreeMap<&'static str, Vec<String>>,
}

impl World {
    /// Fills the first organization.
    pub async fn of_first(api: &Api) -> Self {
        Self::of(api, api.first.clone()).await
    }

    /// Fills an organization.
    pub async fn of(api: &Api, tenant: Tenant) -> Self {
        let mut world = Self { tenant, rows: BTreeMap::new() };
        world.grow(api, 1).await;
        world
    }

    /// Makes rows of everything until there are that many of each.
    pub async fn grow(&mut self, api: &Api, rows: usize) {
        let first = self.rows.values().map(Vec::len).min().unwrap_or(0);
        for number in first..rows {
            for seed in ALL {
                let id = (seed.make)(api, self, number).await;
                self.rows.entry(seed.resource).or_default().push(id);
            }
        }
    }

    /// The id of row number n of a seed.
    pub fn row(&self, resource: &str, number: usize) -> &str {
        let rows = self.rows.get(resource).unwrap_or_else(|| panic!("{resource} has no rows yet"));
        &rows[number]
    }

    /// The id that exists for this name in this path.
    pub fn id(&self, template: &str, parameter: &str) -> &str {
        let seed = seed::filling(template, parameter)
            .unwrap_or_else(|| panic!("no seed fills {{{parameter}}} of {template}"));
        self.row(seed.resource, 0)
    }

    /// A template's path with ids that exist.
    pub fn path(&self, template: &str) -> String {
        let mut path = template.to_owned();
        for parameter in parameters(template) {
            path = path.replace(&format!("{{{parameter}}}"), self.id(template, parameter));
        }
        path
    }

    /// POST with this world's key what must succeed.
    pub async fn post(&self, api: &Api, template: &str, body: Value) -> super::Reply {
        let request = api.request("POST", &self.path(template)).key(&self.tenant.key);
        request.json(&body).send_surely().await
    }

    /// A request for an operation that would succeed with this world's own key, as far as its schema can tell.
    pub fn request<'a>(
        &self,
        api: &'a Api,
        (method, template): &OperationName,
        operation: &Operation,
    ) -> Sending<'a> {
        let query = operation.query();
        let path = format!("{}{}", self.path(template), query.trim_end_matches(['?', '&']));
        let request = api.request(method, &path);
        if operation.body.is_some() {
            request.json(&operation.whole_body(self.sample_body(template, operation)))
        } else {
            request
        }
    }

    /// A body, or an object for it, with every required member, and those that a seed tells.
    pub fn sample_body(&self, template: &str, operation: &Operation) -> Value {
        let (members, required) = operation.body_members();
        let is_told =
            |name: &String| ALL.iter().any(|seed| (seed.body)(self, template, name).is_some());
        let members = members.iter().filter(|(name, _)| required.contains(*name) || is_told(name));
        let sampled =
            members.map(|(name, schema)| (name.clone(), self.member(template, name, schema)));
        Value::Object(sampled.collect::<Map<_, _>>())
    }

    /// A value that a member of a body accepts in this path.
    fn member(&self, template: &str, name: &str, schema: &Value) -> Value {
        let told = ALL.iter().find_map(|seed| (seed.body)(self, template, name));
        let named = || seed::filling(template, name).map(|_| json!(self.id(template, name)));
        told.or_else(named).unwrap_or_else(|| sample(name, schema))
    }
}

/// A value that a member or an argument accepts.
pub fn sample(name: &str, schema: &Value) -> Value {
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str()).unwrap_or("string");
    let words = schema["enum"].as_array();
    match (name, kind) {
        // What the lowest of the roles is called depends on the level. Nobody needs to hold much to grant it.
        ("role", _) if words.is_some_and(|words| words.contains(&json!("reader"))) => {
            json!("reader")
        }
        ("role", _) => json!("member"),
        (_, "integer") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        (_, "boolean") => json!(true),
        (_, "array") => json!([]),
        (_, "object") => json!({}),
        _ => words.and_then(|words| words.first()).cloned().unwrap_or(json!("word")),
    }
}

/// The ids in a template's path.
pub fn parameters(template: &str) -> Vec<&str> {
    template.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}')).collect()
}
