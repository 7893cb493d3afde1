//! What a process remembers that cannot become wrong, and its gate to the store.

use quick_cache::sync::Cache;
use sql::{Engine, Tx, args};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::domain::id::is_possible_id;
use crate::error::{Error, Result};

/// So many keys are remembered.
const KEYS: usize = 65_536;
/// So many projects are remembered.
const PROJECTS: usize = 16_384;

/// Projects that exist, and whose keys are whose. A project never goes and a key never changes hands, so nothing here has to be
/// asked twice. That there is no such key is remembered too: ids of keys are drawn at random, so nobody names one before it exists.
pub struct Facts {
    projects: Cache<(String, String), ()>,
    owners: Cache<(String, String, String), Option<String>>,
    gate: Semaphore,
}

impl Facts {
    /// Nothing is known yet, on a store of this kind.
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        // Two batches share a commit on SQLite, and others who write wait for no more. On PostgreSQL two would only collide.
        let at_once = if engine == Engine::Sqlite { 2 } else { 1 };
        Self {
            projects: Cache::new(PROJECTS),
            owners: Cache::new(KEYS),
            gate: Semaphore::new(at_once),
        }
    }

    /// Waits until a batch may be written.
    pub async fn enter(&self) -> Result<SemaphorePermit<'_>> {
        self.gate.acquire().await.map_err(|error| Error::internal(error.to_string()))
    }

    /// Whether a project exists, archived or not.
    pub(super) fn has_project(
        &self,
        tx: &mut Tx<'_>,
        organization: &str,
        project: &str,
    ) -> Result<bool> {
        let place = (organization.to_owned(), project.to_owned());
        if self.projects.get(&place).is_some() {
            return Ok(true);
        }
        if !is_possible_id(project) {
            return Ok(false);
        }
        let sql = "SELECT id FROM projects WHERE organization_id = $1 AND id = $2";
        let found: Option<String> = tx.one(sql, args![organization, project], |row| row.get(0))?;
        if found.is_some() {
            self.projects.insert(place, ());
        }
        Ok(found.is_some())
    }

    /// Whose a key is, if it exists.
    pub(super) fn owner(
        &self,
        tx: &mut Tx<'_>,
        organization: &str,
        project: &str,
        key: &str,
    ) -> Result<Option<String>> {
        let place = (organization.to_owned(), project.to_owned(), key.to_owned());
        if let Some(owner) = self.owners.get(&place) {
            return Ok(owner);
        }
        if !is_possible_id(key) {
            return Ok(None);
        }
        let sql = "SELECT owner_id FROM project_api_keys
            WHERE organization_id = $1 AND project_id = $2 AND id = $3";
        let this = args![organization, project, key];
        let found: Option<String> = tx.one(sql, this, |row| row.get(0))?;
        self.owners.insert(place, found.clone());
        Ok(found)
    }
}
