//! `rollbook completions` and `rollbook man`: what a shell and `man` want to know, made from the commands themselves.

use std::io::{Write, stdout};
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Command};
use clap_complete::{Shell, generate};
use clap_mangen::{Man, generate_to};

/// The flags of `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Prints the script. Made in memory first: the generator does not survive a closed pipe.
    pub fn run(&self, mut command: Command) -> Result<()> {
        let mut script = Vec::new();
        generate(self.shell, &mut command, "rollbook", &mut script);
        print(&script)
    }
}

/// The flags of `man`.
#[derive(Debug, Args)]
pub struct Manual {
    /// Write the pages of all commands into this folder, instead of printing the first
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Manual {
    /// Prints or writes the pages.
    pub fn run(&self, command: Command) -> Result<()> {
        let Some(folder) = &self.out else {
            let mut page = Vec::new();
            Man::new(command).render(&mut page)?;
            return print(&page);
        };
        let explanation =
            || format!("cannot write into {}; --out names a folder", folder.display());
        std::fs::create_dir_all(folder).with_context(explanation)?;
        generate_to(command, folder).with_context(explanation)
    }
}

fn print(text: &[u8]) -> Result<()> {
    let mut out = stdout().lock();
    out.write_all(text)?;
    Ok(out.flush()?)
}
