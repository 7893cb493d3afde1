//! Puts a document into a store, in one transaction: all of it or nothing.
//!
//! What is there is read as a document too. What the two differ in is what is written, so a second run writes nothing, and a rehearsal
//! is the same walk without a pen. Rows are written here under the ids and times that the document names, each with the event that the
//! API writes for it; roles that somebody loses, and what goes with them, are left to the resources' own functions.

mod complete;
mod keys;

mod pen;
mod people;
mod projects;
mod rights;
mod walk;
mod whole;

use std::sync::Arc;

use sql::Tx;

use self::pen::Pen;
use self::walk::Walk;
use super::change::Change;
use super::check::check;
use super::export::{Hashes, export};
use super::fault::{Fault, Refusal};
use super::format::Document;
use super::read::seal;
use crate::audit::{Actor, EVENTS_PER_CHANGE, Origin};
use crate::domain::id::{IdBlock, Ids};
use crate::organization::{Organization, find_named_or_only, list};

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The organization, as it is now or would be.
    pub organization: Organization,
    /// Everything that was changed, in the order in which it was.
    pub changes: Vec<Change>,
}

/// A document that is about to be put into a store, with everything that is drawn before the transaction.
#[derive(Debug, Clone)]
pub struct Restoration {
    document: Arc<Document>,
    into: Option<String>,
    actor: Actor,
    origin: Origin,
    now: i64,
    event_ids: Arc<[IdBlock]>,
    organization_id: String,
    project_id: String,
}

impl Restoration {
    /// Draws the ids for it. It goes into the organization that the document names, which is founded if it is not there.
    pub fn draw(mut document: Document, actor: Actor, now: i64, ids: &Ids) -> Result<Self, Fault> {
        seal(&mut document)?;
        let event_ids = blocks(events(&document), ids);
        Ok(Self {
            document: Arc::new(document),
            into: None,
            actor,
            origin: Origin::default(),
            now,
            event_ids,
            organization_id: ids.make("org-"),
            project_id: ids.make("proj_"),
        })
    }

    /// The same into this organization, by slug or id, whatever the document calls its own.
    #[must_use]
    pub fn into_organization(mut self, named: &str) -> Self {
        self.into = Some(named.to_owned());
        self
    }

    /// The same, on record as coming from there.
    #[must_use]
    pub fn from_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// Adds what is missing and updates what differs. Whatever it answers, nothing of it is kept unless it is `Ok`: that is the matter
    /// of the transaction, which has to end with this answer.
    pub fn execute(&self, tx: &mut Tx<'_>) -> Result<Outcome, Refusal> {
        self.walk(tx, true)
    }

    /// What [`execute`](Self::execute) would change, from reads only.
    pub fn rehearse(&self, tx: &mut Tx<'_>) -> Result<Outcome, Refusal> {
        self.walk(tx, false)
    }

    fn walk(&self, tx: &mut Tx<'_>, is_writing: bool) -> Result<Outcome, Refusal> {
        let there = self.target(tx)?;
        let before = match &there {
            Some(organization) => export(tx, &organization.id, Hashes::Included)?,
            None => Document::default(),
        };
        let (organization, wanted) = self.wanted(there);
        let faults = check(&before, &wanted, &organization);
        if !faults.is_empty() {
            return Err(Refusal::Faulty(faults));
        }
        let pen = Pen::new(&organization, &self.actor, &self.origin, self.now, &self.event_ids);
        let pen = pen.filter(|_| is_writing);
        let mut walk = Walk::new(tx, organization, pen, self.now);
        walk.everything(&before, &wanted)?;
        Ok(Outcome { changes: walk.changes, organization: walk.organization })
    }

    /// The organization that is meant, if it is there.
    fn target(&self, tx: &mut Tx<'_>) -> Result<Option<Organization>, Refusal> {
        if let Some(named) = &self.into {
            return Ok(Some(find_named_or_only(tx, Some(named))?));
        }
        let (id, slug) = (self.document.id.as_ref(), self.document.slug.as_ref());
        let mut all = list(tx)?;
        if let Some(id) = id {
            let found = all.iter().position(|one| one.id == *id);
            let slug = slug.map(String::as_str).or(found.is_none().then_some(DEFAULT_SLUG));
            let other = all.iter().find(|one| one.id != *id && Some(one.slug.as_str()) == slug);
            if let Some(other) = other {
                let reason =
                    format!("'{}' is what the organization {} is called", other.slug, other.id);
                return Err(Refusal::Faulty(vec![Fault::at("$.slug", reason)]));
            }
            return Ok(found.map(|place| all.swap_remove(place)));
        }
        if let Some(slug) = slug {
            return Ok(all.into_iter().find(|one| one.slug == *slug));
        }
        if all.is_empty() {
            return Ok(None);
        }
        Ok(Some(find_named_or_only(tx, None)?))
    }

    /// The organization as it is to be called, and the document as it is to be read for it.
    fn wanted(&self, there: Option<Organization>) -> (Organization, Document) {
        let mut wanted = (*self.document).clone();
        if let Some(there) = there {
            let is_own = wanted.id.as_ref().is_none_or(|id| *id == there.id)
                && wanted
                    .slug
                    .as_ref()
                    .is_none_or(|slug| self.into.is_none() || *slug == there.slug);
            if !is_own {
                (wanted.id, wanted.slug, wanted.name) = (None, None, None);
                (wanted.created_at, wanted.default_project_id) = (None, None);
            }
            return (there, wanted);
        }
        let default_project_id =
            wanted.default_project_id.clone().unwrap_or_else(|| self.project_id.clone());
        let organization = Organization {
            id: wanted.id.clone().unwrap_or_else(|| self.organization_id.clone()),
            slug: wanted.slug.clone().unwrap_or_else(|| DEFAULT_SLUG.to_owned()),
            default_project_id: default_project_id.clone(),
        };
        if wanted.default_project_id.is_none() {
            wanted.projects.push(super::format::Project {
                id: default_project_id.clone(),
                name: "Default project".to_owned(),
                ..super::format::Project::default()
            });
        }
        wanted.id = Some(organization.id.clone());
        wanted.slug = Some(organization.slug.clone());
        wanted.name = wanted.name.or_else(|| wanted.slug.clone());
        wanted.created_at = wanted.created_at.or(Some(self.now));
        wanted.default_project_id = Some(default_project_id);
        (organization, wanted)
    }
}

/// What an organization is called when nobody says.
const DEFAULT_SLUG: &str = "default";

/// How many events a document can cause at most: a person's new role has up to five, everything else has two.
fn events(document: &Document) -> usize {
    let within = |project: &super::format::Project| {
        let nested: usize = project.users.iter().map(|member| 5 + member.roles.len()).sum();
        let groups: usize = project.groups.iter().map(|group| 2 + group.roles.len()).sum();
        let accounts = project.service_accounts.iter();
        let accounts: usize =
            accounts.map(|one| 5 + one.roles.len() + one.organization_roles.len()).sum();
        let others = project.roles.len() + project.api_keys.len() + project.rate_limits.len();
        let placed = project.spend_alerts.len() + project.certificates.len();
        4 + nested + groups + accounts + 2 * (others + placed)
    };
    let users: usize = document.users.iter().map(|user| 5 + user.roles.len()).sum();
    let groups: usize =
        document.groups.iter().map(|group| 2 + group.users.len() + group.roles.len()).sum();
    let keys = document.admin_api_keys.len() + document.invites.len();
    let others = document.models.len() + document.roles.len() + document.spend_alerts.len();
    let projects: usize = document.projects.iter().map(within).sum();
    16 + users + groups + 2 * (keys + others) + 4 * document.certificates.len() + projects
}

/// Blocks of ids for so many events. The last change of a block may leave some of it unused.
fn blocks(events: usize, ids: &Ids) -> Arc<[IdBlock]> {
    let spare = usize::from(EVENTS_PER_CHANGE);
    let each = usize::from(u16::MAX) - spare;
    let mut left = events;
    let mut all = Vec::new();
    while left > 0 {
        let now = left.min(each);
        all.push(ids.block(u16::try_from(now + spare).unwrap_or(u16::MAX)));
        left -= now;
    }
    all.into()
}
