//! The level at which a request asks about roles or sets a policy, found in its transaction. The twins of the API, one for the organization and one
//! for projects, share their code through it.

use serde_json::json;
use sql::Tx;

use super::projects::store::{self as projects, Project};
use crate::audit::Event;
use crate::domain::level::LevelKind;
use crate::error::Result;
use crate::holdings::Kind;

/// What a path says of the level.
#[derive(Debug, Clone)]
pub enum At {
    /// The organization of whoever asks.
    Organization,
    /// The project of this id.
    Project(String),
}

impl At {
    /// The level in whatever state, or 404. For reads, and for what lets leftovers go.
    pub fn find(&self, tx: &mut Tx<'_>, organization: &str) -> Result<Level> {
        let project = match self {
            Self::Organization => None,
            Self::Project(id) => Some(projects::find(tx, organization, id)?),
        };
        Ok(Level { organization: organization.to_owned(), project })
    }

    /// The level if something may be added to it or changed: 404, or 400 for an archived project.
    pub fn find_active(&self, tx: &mut Tx<'_>, organization: &str) -> Result<Level> {
        let project = match self {
            Self::Organization => None,
            Self::Project(id) => Some(projects::find_active(tx, organization, id)?),
        };
        Ok(Level { organization: organization.to_owned(), project })
    }
}

/// A level that is there.
#[derive(Debug)]
pub struct Level {
    /// The organization.
    pub organization: String,
    /// The project, unless the level is the organization.
    pub project: Option<Project>,
}

impl Level {
    /// Which of the two it is.
    #[must_use]
    pub fn kind(&self) -> LevelKind {
        if self.project.is_some() { LevelKind::Project } else { LevelKind::Organization }
    }

    /// The project's id as tables of both levels have it: empty for the organization.
    #[must_use]
    pub fn project_key(&self) -> &str {
        self.project.as_ref().map_or("", |project| &project.id)
    }

    /// The id of the place where roles of this level hold.
    #[must_use]
    pub fn resource_id(&self) -> &str {
        self.project.as_ref().map_or(&self.organization, |project| &project.id)
    }

    /// Places an event in the project, if the level is one.
    #[must_use]
    pub fn place(&self, event: Event) -> Event {
        match &self.project {
            Some(project) => event.in_project(&project.id),
            None => event,
        }
    }

    /// The event of a change of the organization or project itself.
    #[must_use]
    pub fn changed(&self) -> Event {
        let (id, kind) = (self.resource_id(), self.kind());
        let kind = match kind {
            LevelKind::Organization => "organization.updated",
            LevelKind::Project => "project.updated",
        };
        self.place(Event::new(kind, id, json!({ "id": id })))
    }

    /// The event of a role that was given or taken: `kind` is its type, `role` the id as it is stored.
    #[must_use]
    pub fn assignment(&self, kind: &'static str, role: &str, principal: &str, of: Kind) -> Event {
        let (level, place) = (self.kind(), self.resource_id());
        let id = format!("role_assignment_{role}{}{place}_{principal}", level.separator());
        let payload = json!({
            "id": id, "principal_id": principal, "principal_type": of.name(),
            "resource_id": place, "resource_type": level.resource_type(),
        });
        self.place(Event::new(kind, &id, payload))
    }
}
