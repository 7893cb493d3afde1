//! What belongs to the organization as a whole.

use super::hcl::{Attributes, Value};
use super::labels::{ACCOUNT, GROUP, Labels, PROJECT, PROJECT_ROLE, ROLE, USER};
use super::resource;
use crate::document::format::words::UserRole;
use crate::document::format::{Alert, Assigned, Document};

/// Writes it, and names everything that anything may refer to.
pub fn write(document: &Document, labels: &mut Labels) -> String {
    name(document, labels);
    let mut out = String::new();
    policies(&mut out, document);
    people(&mut out, document, labels);
    roles(&mut out, document, labels);
    groups(&mut out, document, labels);
    invites(&mut out, document, labels);
    for certificate in &document.certificates {
        let label = labels
            .fresh("openai_certificate", certificate.name.as_ref().unwrap_or(&certificate.id));
        let attributes: Attributes = vec![
            ("name", certificate.name.as_ref().map(Value::from)),
            ("certificate", Some((&certificate.content).into())),
        ];
        resource(&mut out, "openai_certificate", &label, &certificate.id, &attributes);
    }
    for alert in &document.spend_alerts {
        let kind = "openai_organization_spend_alert";
        let label = labels.fresh(kind, &alert.id);
        resource(&mut out, kind, &label, &alert.id, &alert_attributes(alert));
    }
    out
}

fn name(document: &Document, labels: &mut Labels) {
    for user in &document.users {
        labels.name(USER, ("", &user.id), &user.email);
    }
    for group in &document.groups {
        labels.name(GROUP, ("", &group.id), &group.name);
    }
    for role in &document.roles {
        labels.name(ROLE, ("", &role.id), &role.name);
    }
    for project in document.projects.iter().filter(|project| project.archived_at.is_none()) {
        let name = labels.name(PROJECT, ("", &project.id), &project.name);
        for role in &project.roles {
            labels.name(PROJECT_ROLE, (&project.id, &role.id), &format!("{name} {}", role.name));
        }
        for account in &project.service_accounts {
            labels.name(ACCOUNT, ("", &account.id), &format!("{name} {}", account.name));
        }
    }
}

fn policies(out: &mut String, document: &Document) {
    if let Some(retention) = &document.data_retention {
        let attributes: Attributes = vec![("type", Some(retention.kind.name().into()))];
        resource(out, "openai_organization_data_retention", "this", "organization", &attributes);
    }
    if let Some(limit) = &document.spend_limit {
        let attributes = amount(limit.threshold_amount);
        resource(out, "openai_organization_spend_limit", "this", "organization", &attributes);
    }
}

/// An amount in cents, as limits and alerts have it.
pub fn amount(cents: i64) -> Attributes {
    vec![
        ("threshold_amount", Some(Value::Number(cents))),
        ("currency", Some("USD".into())),
        ("interval", Some("month".into())),
    ]
}

/// What an alert says.
pub fn alert_attributes(alert: &Alert) -> Attributes {
    let channel = &alert.notification_channel;
    let mut attributes = amount(alert.threshold_amount);
    let recipients = channel.recipients.iter().map(Value::from).collect();
    attributes.extend([
        ("notification_channel_type", Some("email".into())),
        ("notification_channel_recipients", Some(Value::List(recipients))),
        ("notification_channel_subject_prefix", channel.subject_prefix.as_ref().map(Value::from)),
    ]);
    attributes
}

/// Texts as a list.
pub fn list(texts: &[String]) -> Value {
    Value::List(texts.iter().map(Value::from).collect())
}

fn people(out: &mut String, document: &Document, labels: &mut Labels) {
    for user in &document.users {
        let label = labels.label(USER, ("", &user.id)).unwrap_or_default().to_owned();
        // Whoever has no built-in role is shown as a reader, and would be made one.
        let role = user.role.filter(|role| *role != UserRole::None);
        let attributes: Attributes = vec![
            ("role", role.map(|role| role.name().into())),
            ("technical_level", user.technical_level.as_ref().map(Value::from)),
            ("developer_persona", user.developer_persona.as_ref().map(Value::from)),
        ];
        resource(out, USER, &label, &user.id, &attributes);
        user_roles(out, (&user.id, &label), &user.roles, labels);
    }
}

/// The roles that somebody has in the organization beside the one that is shown.
pub fn user_roles(
    out: &mut String,
    (id, name): (&str, &str),
    roles: &[Assigned],
    labels: &mut Labels,
) {
    for role in roles {
        let kind = "openai_user_role";
        let label = labels.fresh(kind, &format!("{name} {}", role.id));
        let attributes: Attributes =
            vec![("user_id", Some(labels.user(id))), ("role_id", Some(labels.role("", &role.id)))];
        resource(out, kind, &label, &format!("{id}/{}", role.id), &attributes);
    }
}

fn roles(out: &mut String, document: &Document, labels: &Labels) {
    for role in &document.roles {
        let label = labels.label(ROLE, ("", &role.id)).unwrap_or_default();
        let attributes: Attributes = vec![
            ("role_name", Some((&role.name).into())),
            ("description", role.description.as_ref().map(Value::from)),
            ("permissions", Some(list(&role.permissions))),
        ];
        resource(out, ROLE, label, &role.id, &attributes);
    }
}

fn groups(out: &mut String, document: &Document, labels: &mut Labels) {
    for group in &document.groups {
        let label = labels.label(GROUP, ("", &group.id)).unwrap_or_default().to_owned();
        resource(out, GROUP, &label, &group.id, &vec![("name", Some((&group.name).into()))]);
        let this = labels.reference(GROUP, ("", &group.id));
        for member in &group.users {
            let kind = "openai_group_user";
            let who = labels.who(&member.id);
            let label = labels.fresh(kind, &format!("{label} {who}"));
            let attributes: Attributes =
                vec![("group_id", Some(this.clone())), ("user_id", Some(labels.user(&member.id)))];
            resource(out, kind, &label, &format!("{}/{}", group.id, member.id), &attributes);
        }
        for role in &group.roles {
            let kind = "openai_group_role";
            let label = labels.fresh(kind, &format!("{label} {}", role.id));
            let attributes: Attributes = vec![
                ("group_id", Some(this.clone())),
                ("role_id", Some(labels.role("", &role.id))),
            ];
            resource(out, kind, &label, &format!("{}/{}", group.id, role.id), &attributes);
        }
    }
}

fn invites(out: &mut String, document: &Document, labels: &mut Labels) {
    for invite in document.invites.iter().filter(|invite| invite.accepted_at.is_none()) {
        let label = labels.fresh("openai_invite", &invite.email);
        let to = invite.projects.iter().flatten().map(|to| {
            let project = labels.reference(PROJECT, ("", &to.id));
            Value::Object(vec![("id", project), ("role", to.role.name().into())])
        });
        let to: Vec<_> = to.collect();
        let attributes: Attributes = vec![
            ("email", Some((&invite.email).into())),
            ("role", Some(invite.role.name().into())),
            (
                "projects",
                Some(Value::List(to)).filter(|_| invite.projects.iter().flatten().next().is_some()),
            ),
        ];
        resource(out, "openai_invite", &label, &invite.id, &attributes);
    }
}
