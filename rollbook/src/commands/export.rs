//! `rollbook export`: an organization as a document, or as configuration of Terraform.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{IsTerminal, Write, stdout};
use std::path::{Path, PathBuf};

use admin::document::{Hashes, export, render, terraform};
use anyhow::{Context, Result};
use clap::Args;

use super::failure::Failure;
use super::place::OrganizationPlace;
use super::text::is_harmful;

/// The flags of `export`.
#[derive(Debug, Args)]
pub struct Export {
    /// Write the hashes of keys and of the links of invitations too, so that they work where the document is restored
    #[arg(long, conflicts_with = "terraform")]
    with_key_hashes: bool,
    /// Write configuration for the provider openai/openai into this folder instead, with blocks that import everything
    #[arg(long, value_name = "DIR")]
    terraform: Option<PathBuf>,
    /// Write over files of an earlier export
    #[arg(long, requires = "terraform")]
    overwrite: bool,
    #[command(flatten)]
    place: OrganizationPlace,
}

impl Export {
    /// Does it.
    pub fn run(&self) -> Result<()> {
        let hashes = if self.with_key_hashes { Hashes::Included } else { Hashes::LeftOut };
        let document =
            self.place.read_whole(move |tx, organization| export(tx, organization, hashes))?;
        let Some(folder) = &self.terraform else {
            let text = render(&document);
            let mut out = stdout().lock();
            let text = if out.is_terminal() { visible(&text) } else { text };
            out.write_all(text.as_bytes())?;
            return Ok(out.flush()?);
        };
        let files = terraform::files(&document);
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        if !self.overwrite {
            ensure_new(folder, &files)?;
        }
        for (name, text) in &files {
            let path = folder.join(name);
            let write = || {
                let mut options = OpenOptions::new();
                options.write(true).create(true).truncate(true);
                options.open(&path)?.write_all(text.as_bytes())
            };
            write().with_context(|| format!("cannot write {}", path.display()))?;
        }
        let names: Vec<_> = files.iter().map(|(name, _)| *name).collect();
        writeln!(stdout(), "Wrote {} into {}.", names.join(", "), folder.display())?;
        Ok(())
    }
}

/// Refuses to write over what somebody may have changed, before anything is written.
fn ensure_new(folder: &Path, files: &[terraform::File]) -> Result<()> {
    match files.iter().map(|(name, _)| folder.join(name)).find(|path| path.exists()) {
        None => Ok(()),
        Some(path) => {
            let message = format!("there is a file {} already", path.display());
            let hint = "--overwrite writes over the files of an earlier export";
            Err(Failure::refused(&message).note("hint", hint).into())
        }
    }
}

/// The same document with everything escaped that a terminal would obey. Such characters stand in texts only, where JSON lets
/// each be escaped.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character != '\n' && is_harmful(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(character);
        }
    }
    shown
}
