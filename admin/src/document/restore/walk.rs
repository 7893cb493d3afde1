//! The walk over both documents at once, and what every stop on it shares.

use sql::{Arg, Tx};

use super::pen::Pen;
use crate::audit::{self, Author, Event};
use crate::document::change::{Action, Change};
use crate::document::fault::{Fault, Refusal};
use crate::document::format::{Difference, Document, Keyed, Project};
use crate::organization::Organization;
use crate::resources::level::Level;
use crate::resources::projects::store as projects;

/// A restoration under way.
pub struct Walk<'w, 'c> {
    pub(super) tx: &'w mut Tx<'c>,
    pub(super) organization: Organization,
    pub(super) now: i64,
    pub(super) changes: Vec<Change>,
    /// Without one, nothing is written.
    pen: Option<Pen<'w>>,
}

/// Siblings of both documents: the place in the new one, what was there before, and what is wanted.
pub fn pairs<'a, T: Keyed>(
    before: &'a [T],
    wanted: &'a [T],
) -> impl Iterator<Item = (usize, Option<&'a T>, &'a T)> {
    wanted.iter().enumerate().map(move |(place, wanted)| {
        let found = before.binary_search_by(|one| one.key().cmp(wanted.key())).ok();
        (place, found.and_then(|found| before.get(found)), wanted)
    })
}

impl<'w, 'c> Walk<'w, 'c> {
    /// Begins one.
    pub fn new(
        tx: &'w mut Tx<'c>,
        organization: Organization,
        pen: Option<Pen<'w>>,
        now: i64,
    ) -> Self {
        Self { tx, organization, now, changes: Vec::new(), pen }
    }

    /// The whole way: whatever is referred to comes before what refers to it, and owners who cease to be some come last.
    pub fn everything(&mut self, before: &Document, wanted: &Document) -> Result<(), Refusal> {
        self.itself(before, wanted)?;
        self.models(before, wanted)?;
        self.people(before, wanted, false)?;
        self.groups(before, wanted)?;
        self.roles(None, &before.roles, &wanted.roles)?;
        for (_, old, new) in pairs(&before.projects, &wanted.projects) {
            self.project(old, new)?;
        }
        self.policies_of_organization(before, wanted)?;
        self.group_members(before, wanted)?;
        self.rights(before, wanted)?;
        self.certificates(before, wanted)?;
        self.alerts(None, &before.spend_alerts, &wanted.spend_alerts)?;
        for (place, old, new) in pairs(&before.projects, &wanted.projects) {
            self.content_of_project(place, old, new)?;
        }
        self.invites(before, wanted)?;
        self.admin_keys(before, wanted)?;
        self.people(before, wanted, true)
    }

    /// The organization's id.
    pub(super) fn id(&self) -> String {
        self.organization.id.clone()
    }

    /// Whether this is no rehearsal.
    pub(super) fn is_writing(&self) -> bool {
        self.pen.is_some()
    }

    /// Notes a change, if it is one.
    pub(super) fn note(
        &mut self,
        (kind, project): (&'static str, Option<&str>),
        id: impl Into<String>,
        was_there: bool,
        differences: Vec<Difference>,
    ) -> bool {
        if was_there && differences.is_empty() {
            return false;
        }
        let (action, differences) =
            if was_there { (Action::Updated, differences) } else { (Action::Added, Vec::new()) };
        self.tell(action, (kind, project), id, differences);
        true
    }

    /// Notes that something becomes of something.
    pub(super) fn tell(
        &mut self,
        action: Action,
        (kind, project): (&'static str, Option<&str>),
        id: impl Into<String>,
        differences: Vec<Difference>,
    ) {
        let (project, id) = (project.map(str::to_owned), id.into());
        self.changes.push(Change { action, kind, project, id, differences });
    }

    /// Runs a statement, unless this is a rehearsal, which takes it to have changed a row.
    pub(super) fn write(&mut self, sql: &str, args: &[Arg<'_>]) -> Result<u64, Refusal> {
        if self.pen.is_none() { Ok(1) } else { Ok(self.tx.execute(sql, args)?) }
    }

    /// The same for a secret, which may be somebody else's already.
    pub(super) fn write_secret(
        &mut self,
        sql: &str,
        args: &[Arg<'_>],
        path: impl Fn() -> String,
    ) -> Result<(), Refusal> {
        if self.pen.is_none() {
            return Ok(());
        }
        match self.tx.execute(sql, args) {
            Ok(0) | Err(sql::Error::Duplicate) => Err(taken(path())),
            other => Ok(other.map(drop)?),
        }
    }

    /// Puts an event on record, unless this is a rehearsal.
    pub(super) fn record(&mut self, event: &Event) -> Result<(), Refusal> {
        match &mut self.pen {
            Some(pen) => Ok(audit::append(self.tx, pen.author(), event)?),
            None => Ok(()),
        }
    }

    /// Leaves a change to a function of a resource, unless this is a rehearsal.
    pub(super) fn leave_to(
        &mut self,
        change: impl FnOnce(&mut Tx<'_>, &Author) -> crate::error::Result<()>,
    ) -> Result<(), Refusal> {
        match &mut self.pen {
            Some(pen) => Ok(change(self.tx, pen.author())?),
            None => Ok(()),
        }
    }

    /// The level of a project, or of the organization.
    pub(super) fn level(&self, project: Option<&Project>) -> Level {
        let project = project.map(|project| projects::Project {
            id: project.id.clone(),
            name: project.name.clone(),
            created_at: project.created_at.unwrap_or(self.now),
            archived_at: project.archived_at,
            external_key_id: project.external_key_id.clone(),
            residency: project.residency.clone(),
            geography: project.geography.clone(),
        });
        Level { organization: self.id(), project }
    }
}

/// A secret that opens something else already.
pub fn taken(path: String) -> Refusal {
    let reason = "is the secret of something else in this store; a key can open one thing only";
    Refusal::Faulty(vec![Fault::at(path, reason)])
}
