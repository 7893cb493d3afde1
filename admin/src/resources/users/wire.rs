//! People as they are sent and received.

use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::store;
use crate::domain::patch::Patch;
use crate::error::Result;
use crate::http::body::{Fields, FromFields};
use crate::http::page::Identified;
use crate::http::reply::literal;

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
    /// The e-mail address.
    email: Option<String>,
    /// `owner` or `reader`.
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
    /// Always false: service accounts are listed with their projects.
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

impl From<store::User> for User {
    fn from(user: store::User) -> Self {
        let name = Some(user.display_name().to_owned());
        let email = Some(user.email);
        Self {
            object: UserObject,
            id: user.id.clone(),
            name: name.clone(),
            email: email.clone(),
            role: Some(user.role.name().to_owned()),
            added_at: user.added_at,
            is_default: false,
            created: user.added_at,
            user: Account {
                object: AccountObject,
                id: user.id,
                email,
                name,
                picture: None,
                enabled: Some(true),
                banned: Some(false),
                banned_at: None,
            },
            is_service_account: false,
            is_scale_tier_authorized_purchaser: None,
            is_scim_managed: false,
            api_key_last_used_at: None,
            technical_level: user.technical_level,
            developer_persona: user.developer_persona,
            projects: None,
        }
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
    /// The same as an id; wins over `role`.
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
