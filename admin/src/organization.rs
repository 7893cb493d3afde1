//! The tenant: its identity, and how one comes into being.

use sql::{Row, Tx, args};

use crate::audit::{self, Actor, Author, Origin};
use crate::domain::id::Ids;
use crate::domain::role::{OrganizationRole, ProjectRole};
use crate::domain::scope::Scopes;
use crate::domain::secret::PlainKey;
use crate::error::Result;
use crate::resources::{admin_api_keys, project_users, projects, users};

/// What every request knows of its organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// The id that leads every key in the store.
    pub id: String,
    /// The short name, shown in a response header.
    pub slug: String,
    /// The project that every organization has and cannot archive.
    pub default_project_id: String,
}

impl Organization {
    /// Reads `id, slug, default_project_id`, starting at this column.
    pub fn from_row(row: &Row<'_>, first: usize) -> sql::Result<Self> {
        Ok(Self {
            id: row.get(first)?,
            slug: row.get(first + 1)?,
            default_project_id: row.get(first + 2)?,
        })
    }
}

/// An organization that is about to be founded: everything that is drawn before the transaction.
#[derive(Debug)]
pub struct Founding {
    /// The organization's id, slug and default project.
    pub organization: Organization,
    /// The first owner.
    pub owner: users::store::NewUser,
    /// The id of the owner's first admin key.
    pub key_id: String,
    /// That key.
    pub key: PlainKey,
    now: i64,
    event_ids: crate::domain::id::IdBlock,
}

impl Founding {
    /// Draws the ids for a new organization with this owner and key.
    #[must_use]
    pub fn draw(
        ids: &Ids,
        now: i64,
        slug: &str,
        email: &str,
        name: Option<&str>,
        key: PlainKey,
    ) -> Self {
        Self {
            organization: Organization {
                id: ids.make("org-"),
                slug: slug.to_owned(),
                default_project_id: ids.make("proj_"),
            },
            owner: users::store::NewUser {
                id: ids.make("user-"),
                email: email.to_owned(),
                name: name.map(str::to_owned),
                role: OrganizationRole::Owner,
            },
            key_id: ids.make("key_"),
            key,
            now,
            event_ids: ids.block(audit::EVENTS_PER_CHANGE),
        }
    }

    /// The system as author of this founding's events.
    #[must_use]
    pub fn author(&self) -> Author {
        Author::new(
            self.organization.clone(),
            Actor::System,
            Origin::default(),
            self.now,
            self.event_ids.clone(),
        )
    }

    /// Creates the organization, its default project, its owner and the owner's key, with their events.
    pub fn execute(&self, tx: &mut Tx<'_>) -> Result<()> {
        let by = self.author();
        let organization = &self.organization;
        tx.execute(
            "INSERT INTO organizations (id, slug, name, default_project_id, created_at) VALUES ($1, $2, $3, $4, $5)",
            args![&organization.id, &organization.slug, &organization.slug, &organization.default_project_id, self.now],
        )?;
        let project = projects::store::NewProject::named(
            organization.default_project_id.clone(),
            "Default project",
        );
        let project = projects::store::create(tx, &by, &project)?;
        let owner = users::store::add(tx, &by, &self.owner)?;
        project_users::store::add(tx, &by, &project, &owner, ProjectRole::Owner)?;
        let key = admin_api_keys::store::NewKey {
            id: self.key_id.clone(),
            name: Some("First key".to_owned()),
            hash: self.key.hash(),
            redacted_value: self.key.redacted(),
            scopes: Scopes::all(),
            expires_at: None,
        };
        admin_api_keys::store::create(tx, &by, &owner, &key)?;
        Ok(())
    }
}

/// The organization of this slug, if there is one.
pub fn find(tx: &mut Tx<'_>, slug: &str) -> Result<Option<Organization>> {
    let sql = "SELECT id, slug, default_project_id FROM organizations WHERE slug = $1";
    Ok(tx.one(sql, args![slug], |row| Organization::from_row(row, 0))?)
}

/// Whether the store has no organization yet.
pub fn is_empty(tx: &mut Tx<'_>) -> Result<bool> {
    let first: Option<String> =
        tx.one("SELECT id FROM organizations LIMIT 1", args![], |row| row.get(0))?;
    Ok(first.is_none())
}
