//! How an organization comes into being: with its default project, its first owner and the owner's key.

use sql::{Tx, args};

use crate::audit::{self, Actor, Author, Origin};
use crate::domain::id::{IdBlock, Ids};
use crate::domain::role::{OrganizationRole, ProjectRole};
use crate::domain::scope::Scopes;
use crate::domain::secret::PlainKey;
use crate::error::{Error, Result};
use crate::organization::Organization;
use crate::resources::{admin_api_keys, project_users, projects, users};

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
    founder: Actor,
    now: i64,
    event_ids: IdBlock,
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
            founder: Actor::System,
            now,
            event_ids: ids.block(audit::EVENTS_PER_CHANGE),
        }
    }

    /// The same founding, on record as the act of somebody else than the system.
    #[must_use]
    pub fn by(mut self, founder: Actor) -> Self {
        self.founder = founder;
        self
    }

    /// The author of this founding's events.
    #[must_use]
    pub fn author(&self) -> Author {
        Author::new(
            self.organization.clone(),
            self.founder.clone(),
            Origin::default(),
            self.now,
            self.event_ids.clone(),
        )
    }

    /// Creates the organization, its default project, its owner and the owner's key, with their events.
    pub fn execute(&self, tx: &mut Tx<'_>) -> Result<()> {
        let by = self.author();
        let organization = &self.organization;
        let inserted = tx.execute(
            "INSERT INTO organizations (id, slug, name, default_project_id, created_at)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            args![
                &organization.id,
                &organization.slug,
                &organization.slug,
                &organization.default_project_id,
                self.now
            ],
        )?;
        if inserted == 0 {
            let message = format!("An organization '{}' already exists.", organization.slug);
            return Err(Error::invalid("already_exists", message).param("slug"));
        }
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
