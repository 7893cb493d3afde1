//! The active projects, with what is in them.

use super::hcl::{Attributes, Value};
use super::labels::{ACCOUNT, GROUP, Labels, PROJECT, PROJECT_ROLE};
use super::organization::{alert_attributes, amount, list, user_roles};
use super::resource;
use crate::document::format::words::{HostedTool, MemberRole};
use crate::document::format::{Assigned, Document, Project, RateLimit};
use crate::domain::role::BuiltIn;

/// Writes them.
pub fn write(document: &Document, labels: &mut Labels) -> String {
    let mut out = String::new();
    for project in document.projects.iter().filter(|project| project.archived_at.is_none()) {
        let label = labels.label(PROJECT, ("", &project.id)).unwrap_or_default().to_owned();
        let attributes: Attributes = vec![
            ("name", Some((&project.name).into())),
            ("external_key_id", project.external_key_id.as_ref().map(Value::from)),
            ("geography", project.geography.as_ref().map(Value::from)),
        ];
        resource(&mut out, PROJECT, &label, &project.id, &attributes);
        let this = labels.reference(PROJECT, ("", &project.id));
        let mut writer = Writer { out: &mut out, labels: &mut *labels, project, label, this };
        writer.policies();
        writer.roles();
        writer.people();
        writer.groups();
        writer.rest();
    }
    out
}

struct Writer<'a> {
    out: &'a mut String,
    labels: &'a mut Labels,
    project: &'a Project,
    /// What the project's block is called.
    label: String,
    /// What refers to it.
    this: Value,
}

impl Writer<'_> {
    /// Writes a resource of the project. Its id for imports begins with that of the project.
    fn resource(&mut self, kind: &'static str, name: &str, id: &str, rest: Attributes) {
        let label = self.labels.fresh(kind, &format!("{} {name}", self.label));
        self.resource_called(kind, &label, id, rest);
    }

    fn resource_called(&mut self, kind: &'static str, label: &str, id: &str, rest: Attributes) {
        let separator = if id.is_empty() { "" } else { "/" };
        let id = format!("{}{separator}{id}", self.project.id);
        let mut attributes: Attributes = vec![("project_id", Some(self.this.clone()))];
        attributes.extend(rest);
        resource(self.out, kind, label, &id, &attributes);
    }

    fn policies(&mut self) {
        let project = self.project;
        if let Some(retention) = &project.data_retention {
            let attributes = vec![("type", Some(retention.kind.name().into()))];
            self.resource("openai_project_data_retention", "", "", attributes);
        }
        if let Some(limit) = &project.spend_limit {
            self.resource("openai_project_spend_limit", "", "", amount(limit.threshold_amount));
        }
        if let Some(models) = &project.model_permissions {
            let attributes = vec![
                ("mode", Some(models.mode.name().into())),
                ("model_ids", Some(list(&models.model_ids))),
            ];
            self.resource("openai_project_model_permissions", "", "", attributes);
        }
        if let Some(tools) = &project.hosted_tool_permissions {
            let said = |tool| Some(Value::Truth(tools.get(tool).unwrap_or(true)));
            let attributes = vec![
                ("file_search_enabled", said(HostedTool::FileSearch)),
                ("web_search_enabled", said(HostedTool::WebSearch)),
                ("image_generation_enabled", said(HostedTool::ImageGeneration)),
                ("mcp_enabled", said(HostedTool::Mcp)),
                ("code_interpreter_enabled", said(HostedTool::CodeInterpreter)),
            ];
            self.resource("openai_project_hosted_tool_permissions", "", "", attributes);
        }
    }

    fn roles(&mut self) {
        for role in &self.project.roles {
            let known = (self.project.id.as_str(), role.id.as_str());
            let label = self.labels.label(PROJECT_ROLE, known).unwrap_or_default().to_owned();
            let attributes = vec![
                ("role_name", Some((&role.name).into())),
                ("description", role.description.as_ref().map(Value::from)),
                ("permissions", Some(list(&role.permissions))),
            ];
            self.resource_called(PROJECT_ROLE, &label, &role.id, attributes);
        }
    }

    fn people(&mut self) {
        let project = self.project;
        for member in &project.users {
            // Whoever has no built-in role is shown as a member.
            let role = member.role.filter(|role| *role != MemberRole::None);
            let attributes = vec![
                ("user_id", Some(self.labels.user(&member.id))),
                ("role", Some(role.unwrap_or(MemberRole::Member).name().into())),
            ];
            let who = self.labels.who(&member.id);
            self.resource("openai_project_user", &who, &member.id, attributes);
            self.user_roles(&member.id, &member.roles);
        }
        for account in &project.service_accounts {
            let label =
                self.labels.label(ACCOUNT, ("", &account.id)).unwrap_or_default().to_owned();
            let attributes = vec![("name", Some((&account.name).into()))];
            self.resource_called(ACCOUNT, &label, &account.id, attributes);
            // The provider makes accounts without a role, so the built-in one is a resource like the others.
            let seat = match account.role {
                Some(MemberRole::Owner) => Some(BuiltIn::ProjectOwner),
                Some(MemberRole::Member) => Some(BuiltIn::ProjectMember),
                _ => None,
            };
            let seat = seat.map(|role| Assigned { id: role.alias().to_owned(), created_at: None });
            let roles: Vec<_> = seat.into_iter().chain(account.roles.iter().cloned()).collect();
            self.user_roles(&account.id, &roles);
            user_roles(self.out, (&account.id, &label), &account.organization_roles, self.labels);
        }
    }

    fn user_roles(&mut self, user: &str, roles: &[Assigned]) {
        for role in roles {
            let attributes = vec![
                ("user_id", Some(self.labels.user(user))),
                ("role_id", Some(self.labels.role(&self.project.id, &role.id))),
            ];
            let (name, id) =
                (format!("{} {}", self.labels.who(user), role.id), format!("{user}/{}", role.id));
            self.resource("openai_project_user_role", &name, &id, attributes);
        }
    }

    /// The first role of a group lets it into the project, the others are given to it there.
    fn groups(&mut self) {
        let project = self.project;
        for group in &project.groups {
            let this = self.labels.reference(GROUP, ("", &group.group_id));
            for (place, role) in group.roles.iter().enumerate() {
                let (kind, member) = match place {
                    0 => ("openai_project_group", "role"),
                    _ => ("openai_project_group_role", "role_id"),
                };
                let attributes = vec![
                    ("group_id", Some(this.clone())),
                    (member, Some(self.labels.role(&project.id, &role.id))),
                ];
                let name = format!("{} {}", group.group_id, role.id);
                self.resource(kind, &name, &format!("{}/{}", group.group_id, role.id), attributes);
            }
        }
    }

    fn rest(&mut self) {
        let project = self.project;
        for limit in &project.rate_limits {
            self.resource("openai_project_rate_limit", &limit.id, &limit.id, limits(limit));
        }
        for alert in &project.spend_alerts {
            let attributes = alert_attributes(alert);
            self.resource("openai_project_spend_alert", &alert.id, &alert.id, attributes);
        }
    }
}

fn limits(limit: &RateLimit) -> Attributes {
    let number = |number: Option<i64>| number.map(Value::Number);
    vec![
        ("rate_limit_id", Some((&limit.id).into())),
        ("max_requests_per_1_minute", number(limit.max_requests_per_1_minute)),
        ("max_tokens_per_1_minute", number(limit.max_tokens_per_1_minute)),
        ("max_images_per_1_minute", number(limit.max_images_per_1_minute)),
        ("max_audio_megabytes_per_1_minute", number(limit.max_audio_megabytes_per_1_minute)),
        ("max_requests_per_1_day", number(limit.max_requests_per_1_day)),
        ("batch_1_day_max_input_tokens", number(limit.batch_1_day_max_input_tokens)),
    ]
}
