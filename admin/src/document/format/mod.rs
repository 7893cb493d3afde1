//! The format: every part of a document, in the names that the API has for it.

mod project;
pub(crate) mod shape;
pub mod words;

pub use project::{Account, Activation, GroupInProject, Member, Project, ProjectKey, RateLimit};
pub use shape::{Difference, Keyed};
pub(crate) use shape::{object, shape};

use self::words::{
    HostedTool, KeyScope, MemberRole, NotificationChannel, OrganizationDataRetention, Origin,
    OwnerType, Plain, SpendLimit, UserRole,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The version of the format that is written, and the only one that is read.
pub const VERSION: u32 = 1;

/// An organization, with everything that is in it but its record and what it used.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Document {
    /// Where the schema is; nobody reads it.
    #[serde(rename = "$schema", default, skip_serializing)]
    pub schema: Option<String>,
    /// The version of the format: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The organization's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its short name, which stands in a header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was founded, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<i64>,
    /// Which of the projects is the default one. Without it, a new organization gets one that is called 'Default project'.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_project_id: Option<String>,
    /// How data is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_retention: Option<OrganizationDataRetention>,
    /// How much may be spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spend_limit: Option<SpendLimit>,
    /// The hosted tools that no project can do without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_hosted_tools: Option<Vec<HostedTool>>,
    /// The operator's models.
    #[serde(default)]
    pub models: Vec<Model>,
    /// The people.
    #[serde(default)]
    pub users: Vec<User>,
    /// The groups.
    #[serde(default)]
    pub groups: Vec<Group>,
    /// The custom roles of the organization.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// The invitations.
    #[serde(default)]
    pub invites: Vec<Invite>,
    /// The admin keys.
    #[serde(default)]
    pub admin_api_keys: Vec<AdminKey>,
    /// The certificates.
    #[serde(default)]
    pub certificates: Vec<Certificate>,
    /// The alerts of what the organization spends.
    #[serde(default)]
    pub spend_alerts: Vec<Alert>,
    /// The projects, archived ones too.
    #[serde(default)]
    pub projects: Vec<Project>,
}

shape! {
    /// A person.
    User {
        required {
            /// The id.
            id: String,
            /// The e-mail address; no two people have the same, whatever its capitals.
            email: String,
        }
        optional {
            /// What the person is called.
            name: String,
            /// The mightiest built-in role; `reader` for somebody new.
            role: UserRole,
            /// When the person joined, in Unix seconds.
            added_at: i64,
            /// What the person said of their experience.
            technical_level: String,
            /// What the person said of their work.
            developer_persona: String,
        }
        nested {
            /// Further roles of the organization.
            roles: Vec<Assigned>,
        }
    }
}

shape! {
    /// A role that somebody has.
    Assigned {
        required {
            /// The id of a custom role, or of a built-in one, for example `role-api-project-viewer`.
            id: String,
        }
        optional {
            /// When it was given, in Unix seconds.
            created_at: i64,
        }
        nested {}
    }
}

shape! {
    /// A group of people and service accounts.
    Group {
        required {
            /// The id.
            id: String,
            /// What people call it.
            name: String,
        }
        optional {
            /// When it was made, in Unix seconds.
            created_at: i64,
        }
        nested {
            /// Who is in it: people and service accounts.
            users: Vec<GroupMember>,
            /// Its roles in the organization.
            roles: Vec<Assigned>,
        }
    }
}

shape! {
    /// Somebody in a group.
    GroupMember {
        required {
            /// The id of the person or service account.
            id: String,
        }
        optional {
            /// When they came, in Unix seconds.
            added_at: i64,
        }
        nested {}
    }
}

shape! {
    /// A custom role of the organization or of a project.
    Role {
        required {
            /// The id, unique at its level.
            id: String,
            /// The name, unique at its level.
            name: String,
            /// What it permits.
            permissions: Vec<String>,
        }
        optional {
            /// What it is for.
            description: String,
            /// When it was made, in Unix seconds.
            created_at: i64,
            /// When it was changed last, in Unix seconds.
            updated_at: i64,
            /// The id of whoever made it.
            created_by: String,
        }
        nested {}
    }
}

shape! {
    /// An invitation.
    Invite {
        required {
            /// The id.
            id: String,
            /// The address of whoever is invited.
            email: String,
            /// What they will be in the organization.
            role: UserRole,
        }
        optional {
            /// The projects that they will be in.
            projects: Vec<InvitedTo>,
            /// When it was made, in Unix seconds.
            created_at: i64,
            /// From when on it cannot be accepted any more, in Unix seconds; a week from now if nothing is said.
            expires_at: i64,
            /// When it was accepted, in Unix seconds.
            accepted_at: i64,
            /// The SHA-256 of its link's token in hexadecimal digits. Without it, the invitation needs another link.
            token_sha256: String,
        }
        nested {}
    }
}

/// A project of an invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct InvitedTo {
    /// The project's id.
    pub id: String,
    /// What they will be in it.
    pub role: MemberRole,
}

/// Whose key it is. What stands beside `id` is of a person who has left, and makes the key one that opens nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Owner {
    /// Which kind of owner.
    #[serde(rename = "type")]
    pub kind: OwnerType,
    /// The owner's id.
    pub id: String,
    /// When the person left, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<i64>,
    /// The address of a person who left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The name of a person who left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When a person who left had joined, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_at: Option<i64>,
}

impl Default for Owner {
    fn default() -> Self {
        let (id, kind) = (String::new(), OwnerType::User);
        Self { kind, id, left_at: None, email: None, name: None, added_at: None }
    }
}

shape! {
    /// An admin key. With neither `value` nor `secret_sha256` it opens nothing, and is not restored.
    AdminKey {
        required {
            /// The id.
            id: String,
            /// Whose key it is: an owner's.
            owner: Owner,
        }
        optional {
            /// What it is for.
            name: String,
            /// What may be shown of the key.
            redacted_value: String,
            /// What it may do; everything if nothing is said.
            scopes: Vec<KeyScope>,
            /// When it was made, in Unix seconds.
            created_at: i64,
            /// When it stops, in Unix seconds.
            expires_at: i64,
            /// The SHA-256 of the key in hexadecimal digits.
            secret_sha256: String,
            /// The key itself, for seeds. It is hashed on the way in and never written.
            #[schema(value_type = Option<String>)]
            #[serde(skip_serializing)]
            value: Plain,
        }
        nested {}
    }
}

shape! {
    /// A certificate.
    Certificate {
        required {
            /// The id.
            id: String,
            /// The certificate as a block of PEM.
            content: String,
        }
        optional {
            /// What people call it.
            name: String,
            /// When it was uploaded, in Unix seconds.
            created_at: i64,
            /// Whether it is active in the organization.
            active: bool,
        }
        nested {}
    }
}

shape! {
    /// An alert of what was spent.
    Alert {
        required {
            /// The id, unique at its level.
            id: String,
            /// Of how many cents it tells.
            threshold_amount: i64,
            /// Who is told, and how.
            notification_channel: NotificationChannel,
        }
        optional {
            /// The currency.
            currency: words::Currency,
            /// In which time.
            interval: words::Interval,
            /// When it was made, in Unix seconds.
            created_at: i64,
        }
        nested {}
    }
}

shape! {
    /// A model of the operator, with what it has.
    Model {
        required {
            /// What requests call it.
            id: String,
        }
        optional {
            /// Requests in a minute.
            max_requests_per_1_minute: i64,
            /// Tokens in a minute.
            max_tokens_per_1_minute: i64,
            /// Images in a minute.
            max_images_per_1_minute: i64,
            /// Megabytes of audio in a minute.
            max_audio_megabytes_per_1_minute: i64,
            /// Requests in a day.
            max_requests_per_1_day: i64,
            /// Tokens of batches in a day.
            batch_1_day_max_input_tokens: i64,
            /// Where it comes from.
            origin: Origin,
            /// Since when it is there, in Unix seconds.
            created_at: i64,
        }
        nested {}
    }
}

object!(Document, InvitedTo, Owner);
