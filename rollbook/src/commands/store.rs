//! `rollbook migrate`: the tables of a store.

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;

use super::failure::Failure;
use super::local::{names, open, open_existing, pending};
use super::output::Output;
use super::place::StorePlace;
use crate::config::Usage;
use crate::key_file::MEMORY;

/// The flags of `migrate`.
#[derive(Debug, Args)]
pub struct Migrate {
    /// Change nothing; exit with 1 if something is pending
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    place: StorePlace,
    #[command(flatten)]
    output: Output,
}

impl Migrate {
    /// Does it.
    pub fn run(&self) -> Result<()> {
        if self.check { self.check() } else { self.apply() }
    }

    fn check(&self) -> Result<()> {
        let store = open_existing(&self.place.database)?;
        let pending = pending(&store)?;
        store.close();
        let sentence = match pending.as_slice() {
            [] => "The store is current.".to_owned(),
            names => format!("Pending: {}.", names.join(", ")),
        };
        self.output.done(&json!({ "pending": pending }), &sentence)?;
        if pending.is_empty() {
            return Ok(());
        }
        let failure = Failure::refused("the store's tables are not current");
        Err(failure.note("hint", "'rollbook migrate' brings them up to date").into())
    }

    fn apply(&self) -> Result<()> {
        if self.place.database == MEMORY {
            let message =
                "a store in memory ends with its process; --database names one that stays";
            return Err(Usage(message.to_owned()).into());
        }
        let store = open(&self.place.database)?;
        let applied = store.migrate(&admin::migrations());
        let applied = names(&applied.context("cannot bring the store's tables up to date")?);
        store.close();
        let sentence = match applied.as_slice() {
            [] => "The store is current; nothing to do.".to_owned(),
            names => format!("Applied {}. The store is current.", names.join(", ")),
        };
        self.output.done(&json!({ "applied": applied }), &sentence)
    }
}
