//! Asking before something is gone for good.

use std::io::{IsTerminal, Write, stderr, stdin};

use anyhow::Result;
use clap::Args;

use super::failure::Failure;
use super::text::harmless;
use crate::config::Usage;

/// The flag of commands that cannot be undone.
#[derive(Debug, Args)]
pub struct Confirmation {
    /// Do it without asking; needed where there is no terminal to ask on
    #[arg(long, short)]
    yes: bool,
}

impl Confirmation {
    /// Refuses early what could not be asked later.
    pub fn ensure_possible(&self) -> Result<(), Usage> {
        if self.yes || (stdin().is_terminal() && stderr().is_terminal()) {
            return Ok(());
        }
        Err(Usage("this cannot be undone, and there is no terminal to ask on; --yes does it without asking".to_owned()))
    }

    /// Goes on only if the answer is yes.
    pub fn ask(&self, question: &str) -> Result<()> {
        if self.yes {
            return Ok(());
        }
        write!(stderr(), "{} [y/N] ", harmless(question))?;
        stderr().flush()?;
        let mut answer = String::new();
        stdin().read_line(&mut answer)?;
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::refused("nothing was changed").into()),
        }
    }
}
