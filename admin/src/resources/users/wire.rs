//! People as they are sent and received.

use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::store;
use crate::domain::patch::Patch;
use crate::error::Result;
use crate::http::fields::{Fields, FromFields};
use crate::http::page::Identified;
use crate::http::reply::literal;
use crate::resources::service_accounts::store::ServiceAccount;

literal!(
    /// Names a person of an organization.
    UserObject = "organization.user"
);
literal!(
    /// Names the person behind it.
    AccountObject = "user"
);
literal!(
    /// Names the removal of a person.
    UserDeletedObject = "organization.user.deleted"
);

/// A person of the organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct User {
    object: UserObject,
    /// The person's id.
    id: String,
    /// What the person is called; the e-mail address where no name is known.
    name: Option<String>,
    /// The e-mail address; null for a service account.
    email: Option<String>,
    /// `owner` or `reader`; null for a service account.
    role: Option<String>,
    /// When the person joined, in Unix seconds.
    #[schema(format = "unixtime")]
    added_at: i64,
    /// Whether this is the organization's default user; none is here.
    is_default: bool,
    /// When the account came into being, in Unix seconds.
    #[schema(format = "unixtime")]
    created: i64,
    user: Account,
    /// Whether it is a service account. Those are listed with their projects, and have roles like people.
    is_service_account: bool,
    /// Not known here.
    is_scale_tier_authorized_purchaser: Option<bool>,
    /// Whether a directory manages this person.
    is_scim_managed: bool,
    /// Not known here.
    #[schema(format = "unixtime")]
    api_key_last_used_at: Option<i64>,
    /// What the person said of their experience.
    technical_level: Option<String>,
    /// What the person said of their work.
    developer_persona: Option<String>,
    /// Not included: ask the projects.
    projects: Option<UserProjects>,
}

/// The account behind a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct Account {
    object: AccountObject,
    /// The person's id.
    id: String,
    /// The e-mail address.
    email: Option<String>,
    /// What the person is called.
    name: Option<String>,
    /// No pictures are kept.
    picture: Option<String>,
    /// Whether the person can act.
    enabled: Option<bool>,
    /// Nobody is banned here; people are removed.
    banned: Option<bool>,
    /// See `banned`.
    #[schema(format = "unixtime")]
    banned_at: Option<i64>,
}

/// The projects of a person, where they are included.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserProjects {
    object: crate::http::page::ListObject,
    data: Vec<UserProject>,
}

/// A project of a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserProject {
    /// The project's id.
    id: Option<String>,
    /// The project's name.
    name: Option<String>,
    /// The person's role in it.
    role: Option<String>,
}

/// What people and service accounts have in common.
struct Somebody {
    id: String,
    name: String,
    email: Option<String>,
    role: Option<String>,
    added_at: i64,
}

impl From<Somebody> for User {
    fn from(who: Somebody) -> Self {
        Self {
            object: UserObject,
            id: who.id.clone(),
            name: Some(who.name.clone()),
            email: who.email.clone(),
            role: who.role,
            added_at: who.added_at,
            is_default: false,
            created: who.added_at,
            user: Account {
                object: AccountObject,
                id: who.id,
                email: who.email,
                name: Some(who.name),
                picture: None,
                enabled: Some(true),
                banned: Some(false),
                banned_at: None,
            },
            is_service_account: false,
            is_scale_tier_authorized_purchaser: None,
            is_scim_managed: false,
            api_key_last_used_at: None,
            technical_level: None,
            developer_persona: None,
            projects: None,
        }
    }
}

impl From<store::User> for User {
    fn from(user: store::User) -> Self {
        let somebody = Somebody {
            name: user.display_name().to_owned(),
            id: user.id,
            email: Some(user.email),
            role: Some(user.role.name().to_owned()),
            added_at: user.added_at,
        };
        Self {
            technical_level: user.technical_level,
            developer_persona: user.developer_persona,
            ..somebody.into()
        }
    }
}

impl From<ServiceAccount> for User {
    fn from(account: ServiceAccount) -> Self {
        let somebody = Somebody {
            id: account.id,
            name: account.name,
            email: None,
            role: None,
            added_at: account.created_at,
        };
        Self { is_service_account: true, ..somebody.into() }
    }
}

impl Identified for User {
    fn id(&self) -> &str {
        &self.id
    }
}

/// A change of a person. A null role leaves the role; the other members are cleared by null.
#[derive(Debug, ToSchema)]
pub struct UserRoleUpdateRequest {
    /// `owner` or `reader`.
    pub role: Option<String>,
    /// A role of the organization by its id; wins over `role`. A custom one is added and leaves `role` as it is.
    pub role_id: Option<String>,
    /// What the person says of their experience.
    #[schema(value_type = Option<String>)]
    pub technical_level: Patch<String>,
    /// What the person says of their work.
    #[schema(value_type = Option<String>)]
    pub developer_persona: Patch<String>,
}

impl FromFields for UserRoleUpdateRequest {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        Ok(Self {
            role: fields.optional_text("role", 0..=255)?,
            role_id: fields.optional_text("role_id", 0..=255)?,
            technical_level: fields.patch_text("technical_level", 0..=255)?,
            developer_persona: fields.patch_text("developer_persona", 0..=255)?,
        })
    }
}

/// What the document says of the list's filter.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
pub struct UsersParams {
    /// Return only people with one of these addresses, in any case.
    #[param(nullable = false)]
    emails: Option<Vec<String>>,
}
