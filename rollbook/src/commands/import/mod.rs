//! `rollbook import`: brings an organization in, from a document or from a CSV file.

mod document;
mod document_report;
mod report;
mod source;
mod target;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use admin::domain::clock::{SystemClock, SystemRandom};
use admin::domain::id::Ids;
use admin::import::{BATCH, Check, Tally};
use anyhow::{Context, Result};
use clap::Args;

use self::report::{Outcome, Report};
use self::source::Source;
use self::target::Target;
use crate::commands::failure::Failure;
use crate::commands::local::user;
use crate::config::Settings;

/// The flags of `import`.
#[derive(Debug, Args)]
#[command(after_long_help = HELP, after_help = EXAMPLES)]
pub struct Import {
    /// The organization, or the people and their memberships.
    #[arg(
        help = "The file: a document in JSON, or CSV in UTF-8 with the header email,name,role,project,project_role"
    )]
    pub file: PathBuf,
    /// The store, which may carry a password.
    #[arg(
        help = "The store: sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME; made if it is not there yet",
        long,
        env = "ROLLBOOK_DATABASE",
        value_name = "URL",
        default_value = "sqlite:rollbook.db",
        hide_env_values = true
    )]
    pub database: String,
    /// The organization, by slug or id, where the store has several
    #[arg(long, value_name = "NAME")]
    pub organization: Option<String>,
    /// Say what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// CSV: leave out the lines that are at fault and import the others
    #[arg(long)]
    pub skip_invalid: bool,
    /// Print one JSON document instead of tables
    #[arg(long)]
    pub json: bool,
    /// CSV: how many people or memberships one transaction applies at most; fewer let a server beside write sooner
    #[arg(long, value_name = "ROWS", default_value_t = most(), value_parser = clap::value_parser!(u16).range(1..=i64::from(most())))]
    pub batch_size: u16,
    /// CSV and a new store: the e-mail address of the owner
    #[arg(
        long,
        env = "ROLLBOOK_OWNER_EMAIL",
        value_name = "ADDRESS",
        default_value = "owner@localhost"
    )]
    pub owner_email: String,
    /// CSV and a new store: the name of the owner
    #[arg(long, env = "ROLLBOOK_OWNER_NAME", value_name = "NAME")]
    pub owner_name: Option<String>,
    /// CSV and a new store, without a terminal: the file for the owner's admin key
    ///
    /// By default rollbook-admin-key beside the database file, or in the working directory if the database is not a file.
    #[arg(long, env = "ROLLBOOK_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

fn most() -> u16 {
    u16::try_from(BATCH).unwrap_or(u16::MAX)
}

impl Import {
    fn settings(&self) -> Settings {
        Settings {
            database: self.database.clone(),
            database_connections: std::num::NonZeroUsize::MIN,
            owner_email: self.owner_email.clone(),
            owner_name: self.owner_name.clone(),
            key_file: self.key_file.clone(),
            ..Settings::default()
        }
    }
}

/// Imports the file.
pub fn run(flags: &Import) -> Result<()> {
    let began = Instant::now();
    if document::is_one(&flags.file)? {
        return document::run(flags, began);
    }
    let mut source = Source::open(&flags.file)?;
    let target = Target::find(flags)?;
    let ids = Ids::new(Arc::new(SystemClock), Arc::new(SystemRandom));
    let user = user();
    let check =
        source.pass("checking", |source| target.import(flags, &ids, &user).check(source))?;
    let demotions = target.import(flags, &ids, &user).demotions(&check)?;
    let mut report = Report { flags, check: &check, demotions, outcome: Outcome::Refused, began };
    if check.is_hopeless || (check.fault_count > 0 && !flags.skip_invalid) {
        report.print()?;
        return Err(Failure::faulty_file(&refusal(&check, flags)).into());
    }
    let tally = if flags.dry_run {
        let import = target.import(flags, &ids, &user);
        source.pass("rehearsing", |source| import.rehearse(source, &check))?
    } else {
        apply(flags, target, &ids, &user, &mut source, &check)?
    };
    report.outcome = Outcome::Done(tally);
    report.print()
}

fn apply(
    flags: &Import,
    target: Target,
    ids: &Ids,
    user: &str,
    source: &mut Source,
    check: &Check,
) -> Result<Tally> {
    let target = target.into_lasting(flags)?;
    let import = target.import(flags, ids, user);
    let tally = source.pass("importing", |source| import.run(source, check)).context(
        "the import stopped on its way; run the same command again, what is there already is left alone",
    )?;
    if tally.changes() > 0 {
        // The rows are in, whatever comes of this.
        if let Err(error) = import.analyze() {
            report::note(&format!("note: the store's statistics are not up to date: {error}"));
        }
    }
    Ok(tally)
}

fn refusal(check: &Check, flags: &Import) -> String {
    let remedy = if check.is_hopeless {
        "mend the file"
    } else {
        "mend them, or leave these lines out with --skip-invalid"
    };
    let (count, file) = (check.fault_count, flags.file.display());
    let faults = if count == 1 { "fault" } else { "faults" };
    format!("{file} has {count} {faults} and nothing was written; {remedy}")
}

const EXAMPLES: &str = "\
Examples:
  rollbook import organization.json --dry-run                      what would change
  rollbook import organization.json                                into ./rollbook.db, new or not
  rollbook import people.csv --dry-run                             what would change
  rollbook import people.csv                                       into ./rollbook.db, new or not
  rollbook import people.csv --database postgres://USER@HOST/NAME  into PostgreSQL, beside a server that runs
  rollbook import people.csv --skip-invalid --json > report.json   what can be imported, and a report for scripts

Exit codes: 0 done, 1 the store failed, 2 wrong usage, 3 the file has faults and nothing was written.";

const HELP: &str = "\
A document:
  What 'rollbook export' writes, or a part of it; docs/document.md describes it, docs/organization.schema.json checks it.
  The organization is founded if it is not there. Everything in the document is restored under its id: what is missing is
  added, what differs is updated, and nothing is ever removed. All of it is one transaction: a fault anywhere leaves
  everything as it was. A key without its secret or the hash of that is left out, because it would open nothing.

A file of people:
  email,name,role,project,project_role
  ada@example.com,Ada,owner,Engines,owner
  ada@example.com,Ada,owner,Notes,member
  bob@example.com,,reader,,

  A row for each membership; a person in no project has one row without a project. role is owner or reader, project_role
  is owner or member. People are told apart by their address, whatever its capitals; projects by their name, among the
  active ones. Both are made where they are missing. An empty name leaves the name that is known. Nobody is put into the
  default project unless the file says so, and nothing is ever removed. The columns may stand in any order. A byte order
  mark at the beginning and line ends of Windows are fine: spreadsheets write both.

  Every line is checked before anything is written. Of two lines that contradict each other, the first holds. A person
  who was an owner and whom the file makes a reader loses their admin keys; --dry-run names them.

  An import can be interrupted at any time and run again: it goes on where it was. Into a store that it makes itself, it is
  one transaction that nobody can look into before its end, and begins again. The second run of a file changes nothing. A
  server on the same store shows the result at its next request.

Examples:
  rollbook import organization.json --dry-run                      what would change
  rollbook import organization.json                                into ./rollbook.db, new or not
  rollbook import people.csv --dry-run                             what would change
  rollbook import people.csv                                       into ./rollbook.db, new or not
  rollbook import people.csv --database postgres://USER@HOST/NAME  into PostgreSQL, beside a server that runs
  rollbook import people.csv --skip-invalid --json > report.json   what can be imported, and a report for scripts

Exit codes: 0 done, 1 the store failed, 2 wrong usage, 3 the file has faults and nothing was written.";
