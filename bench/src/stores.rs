//! The stores of a run, each made when the first group asks for it.

use std::sync::Arc;

use anyhow::{Context, Result};
use indicatif::HumanCount;

use crate::databases::{Database, POSTGRES};
use crate::fill::{Filled, fill};
use crate::groups::{Engine, StoreId};
use crate::progress::Progress;

/// A store that waits for its server.
pub struct Place {
    id: StoreId,
    database: Database,
    pub filled: Arc<Filled>,
}

impl Place {
    pub fn url(&self) -> Result<String> {
        self.database.url()
    }
}

/// All that are there.
pub struct Stores {
    postgres: Option<String>,
    places: Vec<Place>,
}

impl Stores {
    pub fn new() -> Self {
        Self { postgres: std::env::var(POSTGRES).ok(), places: Vec::new() }
    }

    /// Whether there is a server for it.
    pub fn has_postgres(&self) -> bool {
        self.postgres.is_some()
    }

    pub fn get(&mut self, id: StoreId, progress: &Progress) -> Result<&Place> {
        let known = self.places.iter().position(|place| place.id == id);
        let number = match known {
            Some(number) => number,
            None => self.make(id, progress)?,
        };
        Ok(&self.places[number])
    }

    fn make(&mut self, id: StoreId, progress: &Progress) -> Result<usize> {
        let number = self.places.len();
        let database = match id.engine {
            Engine::Sqlite => Database::sqlite()?,
            Engine::Postgres => {
                let server = self.postgres.as_ref().context("there is no PostgreSQL")?;
                Database::postgres(server, number)?
            }
        };
        let rows = id.shape.projects + 1 + 2 * id.shape.memberships();
        let name = format!("{}, {} rows", id.engine.name(), HumanCount(rows as u64));
        progress.say(&format!("filling {name}"))?;
        let filled = fill(&database.url()?, id.shape, |_| progress.go_on())
            .with_context(|| format!("cannot fill {name}"))?;
        self.places.push(Place { id, database, filled: Arc::new(filled) });
        Ok(number)
    }
}
