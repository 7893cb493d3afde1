//! What is in a project.

use super::words::{
    HostedToolPermissions, MemberRole, ModelPermissions, Plain, ProjectDataRetention, SpendLimit,
};
use super::{Alert, Assigned, Owner, Role, shape};

shape! {
    /// A project.
    Project {
        required {
            /// The id.
            id: String,
            /// What people call it.
            name: String,
        }
        optional {
            /// When it was created, in Unix seconds.
            created_at: i64,
            /// When it was archived, in Unix seconds, if it was.
            archived_at: i64,
            /// A key of a key management service elsewhere.
            external_key_id: String,
            /// Where its data is to live.
            residency: String,
            /// The older spelling of residency.
            geography: String,
            /// How data is kept.
            data_retention: ProjectDataRetention,
            /// How much may be spent.
            spend_limit: SpendLimit,
            /// Which models it may use.
            model_permissions: ModelPermissions,
            /// Which hosted tools it uses.
            hosted_tool_permissions: HostedToolPermissions,
        }
        nested {
            /// The members.
            users: Vec<Member>,
            /// The groups that are in it.
            groups: Vec<GroupInProject>,
            /// The custom roles of the project.
            roles: Vec<Role>,
            /// The service accounts.
            service_accounts: Vec<Account>,
            /// The keys.
            api_keys: Vec<ProjectKey>,
            /// How much of each model it may use, where that is less than the model has.
            rate_limits: Vec<RateLimit>,
            /// The alerts of what it spends.
            spend_alerts: Vec<Alert>,
            /// The organization's certificates that are active here.
            certificates: Vec<Activation>,
        }
    }
}

shape! {
    /// A member of a project.
    Member {
        required {
            /// The id of the person.
            id: String,
        }
        optional {
            /// The mightiest built-in role in the project; `member` for somebody new.
            role: MemberRole,
            /// When they came, in Unix seconds.
            added_at: i64,
        }
        nested {
            /// Further roles in the project.
            roles: Vec<Assigned>,
        }
    }
}

shape! {
    /// A group in a project. It is there as long as it has a role there.
    GroupInProject {
        required {
            /// The id of the group.
            group_id: String,
        }
        optional {
            /// When it came, in Unix seconds.
            created_at: i64,
        }
        nested {
            /// Its roles in the project, at least one.
            roles: Vec<Assigned>,
        }
    }
}

shape! {
    /// A service account.
    Account {
        required {
            /// The id, unique in the organization.
            id: String,
            /// The name.
            name: String,
        }
        optional {
            /// The mightiest built-in role in the project; `member` for a new one.
            role: MemberRole,
            /// When it was made, in Unix seconds.
            created_at: i64,
        }
        nested {
            /// Further roles in the project.
            roles: Vec<Assigned>,
            /// Roles in the organization.
            organization_roles: Vec<Assigned>,
        }
    }
}

shape! {
    /// A key of a project. With neither `value` nor `secret_sha256` it opens nothing, and is not restored.
    ProjectKey {
        required {
            /// The id.
            id: String,
            /// Whose key it is.
            owner: Owner,
        }
        optional {
            /// What it is for.
            name: String,
            /// What may be shown of the key.
            redacted_value: String,
            /// What it is limited to; whatever its owner may if nothing is said.
            scopes: Vec<String>,
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
    /// How much of a model a project may use.
    RateLimit {
        required {
            /// The id: `rl-` and the model.
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
        }
        nested {}
    }
}

shape! {
    /// A certificate of the organization in a project.
    Activation {
        required {
            /// The id of the certificate.
            id: String,
        }
        optional {
            /// Whether it is active; true if nothing is said.
            active: bool,
        }
        nested {}
    }
}
