//! `rollbook pull`: copies what a server shows of an organization, ours or any other that speaks this API, into a document or a store.

mod journal;
mod organization;
mod project;
mod reader;
mod target;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use admin::domain::secret::PlainKey;
use anyhow::{Context, Result};
use clap::Args;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use self::journal::Journal;
use self::reader::Reader;
use self::target::Target;
use super::remote::Remote;
use super::text::harmless;
use crate::config::Usage;

/// The flags of `pull`.
#[derive(Debug, Args)]
pub struct Pull {
    /// The server, by its base URL
    #[arg(long, value_name = "URL")]
    from: String,
    /// The file for the document; without it and without --database, it goes to standard output
    #[arg(long, short, value_name = "FILE", conflicts_with = "database")]
    output: Option<PathBuf>,
    /// A store to bring it into instead.
    #[arg(long, value_name = "URL")]
    #[arg(
        help = "A store to bring it into instead: sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME"
    )]
    database: Option<String>,
    /// The file with the admin key.
    #[arg(long, value_name = "FILE")]
    #[arg(
        help = "The file with the admin key; without it, the key is read from ROLLBOOK_ADMIN_KEY or OPENAI_ADMIN_KEY"
    )]
    key_file: Option<PathBuf>,
    /// The file that remembers how far a pull came; beside the output by default
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
}

impl Pull {
    /// Does it.
    pub fn run(&self) -> Result<()> {
        let target = Target::of(self.output.as_deref(), self.database.as_deref());
        let remote = self.remote()?;
        let state = self.state.clone().or_else(|| target.state());
        let journal = Journal::open(state.as_deref(), remote.base())?;
        let bar = ProgressBar::new_spinner();
        if let Ok(style) =
            ProgressStyle::with_template("{spinner} {prefix} answers ({elapsed})  {wide_msg}")
        {
            bar.set_style(style);
        }
        let mut reader = Reader::new(remote, journal, bar);
        let document =
            organization::read(&mut reader).with_context(|| resumption(state.as_deref()))?;
        let (journal, asked, left_out) = reader.finish();
        let done = target.write(&document)?;
        journal.forget()?;
        for (path, reason) in left_out {
            note(&format!("left out: {path}: {reason}"));
        }
        note(&format!("{done}; {} answers were read", HumanCount(asked)));
        Ok(())
    }

    fn remote(&self) -> Result<Remote> {
        let read = |file: &PathBuf| {
            let name = file.display();
            let key = fs::read_to_string(file).with_context(|| {
                Usage(format!("cannot read the key in {name}; --key-file names another file"))
            })?;
            anyhow::Ok(PlainKey::given(key.trim().to_owned()))
        };
        Remote::to_read("--from", &self.from, self.key_file.as_ref().map(read).transpose()?)
    }
}

fn resumption(state: Option<&Path>) -> String {
    match state {
        Some(state) => format!(
            "the pull stopped on its way; run the same command again, and it goes on from what {} remembers",
            state.display()
        ),
        None => {
            "the pull stopped on its way; with --output or --state it could be resumed".to_owned()
        }
    }
}

fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "{}", harmless(text));
}

/// What the help says after the flags.
pub const HELP: &str = "\
What no server shows cannot be copied: secrets and the hashes of keys and invitations, what keys are limited to and when keys of \
projects end, members and service accounts of archived projects, when somebody came into a group or was given a role, who made a role \
and when, when an alert was made, what the organization is called, and the record. So keys are told of and open nothing; make new ones. Models and what they have are told from the limits of \
projects.

A pull that was interrupted goes on where it was when it is run again: it keeps the answers in a file beside the output until it is \
done. Delete that file to begin anew.

Examples:
  rollbook pull --from https://api.openai.com --output organization.json
  rollbook pull --from https://rollbook.example.com --key-file key > organization.json
  rollbook pull --from https://rollbook.example.com --database sqlite:copy.db";

/// The same, shorter.
pub const EXAMPLES: &str = "\
Examples:
  rollbook pull --from https://api.openai.com --output organization.json
  rollbook pull --from https://rollbook.example.com --key-file key > organization.json
  rollbook pull --from https://rollbook.example.com --database sqlite:copy.db";
