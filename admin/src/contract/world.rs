//! A small organization in which every path of the document leads somewhere.

use serde_json::{Map, Value, json};

use crate::testing::document::{OURS, Operation, OperationName};
use crate::testing::{Api, Sending, Tenant, fixture};

/// A tenant with one of everything, under ids that another tenant may have as well.
pub struct World {
    /// Whose it is.
    pub tenant: Tenant,
    project: String,
    user: String,
    key: String,
}

impl World {
    /// Fills the first organization.
    pub async fn of_first(api: &Api) -> Self {
        Self::of(api, api.first.clone()).await
    }

    /// Fills an organization.
    pub async fn of(api: &Api, tenant: Tenant) -> Self {
        let user = fixture::add_user(&api.app, &tenant.organization, "someone@example.com").await;
        let post = async |path: &str, body: Value| {
            api.request("POST", path).key(&tenant.key).json(&body).send().await
        };
        let project = post("/organization/projects", json!({ "name": "Somewhere" })).await.id();
        let member = json!({ "user_id": user, "role": "member" });
        post(&format!("/organization/projects/{project}/users"), member).await.ok();
        let key = post("/organization/admin_api_keys", json!({ "name": "Something" })).await.id();
        Self { tenant, project, user, key }
    }

    /// A template's path with ids that exist.
    pub fn path(&self, template: &str) -> String {
        template
            .replace("{project_id}", &self.project)
            .replace("{user_id}", &self.user)
            .replace("{key_id}", &self.key)
    }

    /// A request for an operation that would succeed with this world's own key, as far as its schema can tell.
    pub fn request<'a>(
        &self,
        api: &'a Api,
        (method, template): &OperationName,
        operation: &Operation,
    ) -> Sending<'a> {
        let request = api.request(method, &self.path(template));
        if operation.body.is_some() { request.json(&sample_body(operation)) } else { request }
    }
}

/// A body with every required member.
pub fn sample_body(operation: &Operation) -> Value {
    let (members, required) = operation.body_members();
    let members = members.iter().filter(|(name, _)| required.contains(*name));
    Value::Object(
        members.map(|(name, schema)| (name.clone(), sample(name, schema))).collect::<Map<_, _>>(),
    )
}

/// A value that a member accepts.
pub fn sample(name: &str, schema: &Value) -> Value {
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str()).unwrap_or("string");
    match (name, kind) {
        ("role", _) => json!("owner"),
        (_, "integer") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        (_, "boolean") => json!(true),
        (_, "array") => json!([]),
        (_, "object") => json!({}),
        _ => schema["enum"].get(0).cloned().unwrap_or(json!("word")),
    }
}

/// Every operation of our document.
pub fn operations() -> impl Iterator<Item = (&'static OperationName, &'static Operation)> {
    OURS.operations.iter()
}

/// The ids in a template's path.
pub fn parameters(template: &str) -> Vec<&str> {
    template.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}')).collect()
}
