//! Events as they are sent.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::store::Entry;
use crate::http::page::Identified;
use crate::http::reply::literal;

literal!(
    /// Names an event.
    AuditLogObject = "organization.audit_log"
);

/// A change that was made in the organization. A member that is called like its type holds what the change was.
#[derive(Debug, Serialize)]
pub struct AuditLog {
    id: String,
    object: AuditLogObject,
    r#type: String,
    effective_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<AuditLogProject>,
    actor: Option<AuditLogActor>,
    #[serde(flatten)]
    details: BTreeMap<String, Value>,
}

/// The project that an event happened in.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditLogProject {
    /// The project's id.
    #[schema(required = false)]
    id: String,
    /// What the project is called now.
    #[schema(required = false)]
    name: String,
}

/// Who acted.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditLogActor {
    /// `api_key`, or `session` for a person in a browser or at the command line.
    #[schema(required = false, schema_with = actor_types)]
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    session: Option<AuditLogActorSession>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    api_key: Option<AuditLogActorApiKey>,
}

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditLogActorSession {
    #[schema(required = false)]
    user: AuditLogActorUser,
    /// The address from which it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ip_address: Option<String>,
    /// What the client calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_agent: Option<String>,
}

/// A key.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditLogActorApiKey {
    /// The id of the key.
    #[schema(required = false)]
    id: String,
    /// Whose key it is.
    #[schema(required = false, schema_with = owner_types)]
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user: Option<AuditLogActorUser>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    service_account: Option<AuditLogActorServiceAccount>,
    /// The address from which it was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ip_address: Option<String>,
    /// What the client calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_agent: Option<String>,
}

/// A person as an actor.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditLogActorUser {
    /// The person's id; of somebody at the command line, their name there behind `command_line:`.
    #[schema(required = false)]
    id: String,
    /// The person's address at that time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    email: Option<String>,
}

/// A service account as an actor.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditLogActorServiceAccount {
    /// The account's id.
    #[schema(required = false)]
    id: String,
}

fn actor_types() -> utoipa::openapi::Object {
    super::schema::word(&["session", "api_key"])
}

fn owner_types() -> utoipa::openapi::Object {
    super::schema::word(&["user", "service_account"])
}

impl From<Entry> for AuditLog {
    fn from(entry: Entry) -> Self {
        // What was written is JSON; if somebody changed it, the event is still shown.
        let payload = serde_json::from_str(&entry.payload).unwrap_or_default();
        let project = entry
            .project
            .clone()
            .map(|(id, name)| AuditLogProject { name: name.unwrap_or_else(|| id.clone()), id });
        Self {
            object: AuditLogObject,
            effective_at: entry.effective_at,
            project,
            actor: AuditLogActor::of(&entry),
            details: BTreeMap::from([(entry.kind.clone(), payload)]),
            r#type: entry.kind,
            id: entry.id,
        }
    }
}

impl AuditLogActor {
    /// The actor; none where the program itself acted.
    fn of(entry: &Entry) -> Option<Self> {
        let (ip_address, user_agent) = (entry.ip_address.clone(), entry.user_agent.clone());
        let user = |id: &str| AuditLogActorUser { id: id.to_owned(), email: entry.email.clone() };
        match entry.actor_kind.as_str() {
            "api_key" => Some(Self {
                r#type: "api_key",
                session: None,
                api_key: Some(AuditLogActorApiKey {
                    id: entry.actor_id.clone(),
                    r#type: "user",
                    user: entry.user_id.as_deref().map(user),
                    service_account: None,
                    ip_address,
                    user_agent,
                }),
            }),
            "session" | "command_line" => Some(Self {
                r#type: "session",
                session: Some(AuditLogActorSession {
                    user: user(&entry.actor_id),
                    ip_address,
                    user_agent,
                }),
                api_key: None,
            }),
            _ => None,
        }
    }
}

impl Identified for AuditLog {
    fn id(&self) -> &str {
        &self.id
    }
}
