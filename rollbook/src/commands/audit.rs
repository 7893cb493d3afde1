//! `rollbook audit`: whether the record is what was written, what is sealed of it, and sealing by hand. The API has no operation for
//! these, so they work on a store alone, also while a server uses it.

mod export;

use std::io::IsTerminal;
use std::time::Duration;

use admin::domain::clock::{Clock, SystemClock};
use admin::organization;
use admin::sealing::Sealer;
use admin::sealing::export::{hex, unhex};
use admin::sealing::verify::{Expected, Report, organizations, verify};
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use sql::Store;
use tokio::runtime::{Builder, Runtime};

use super::failure::Failure;
use super::local::open_current;
use super::output::Output;
use super::place::StorePlace;
use crate::config::Usage;
use crate::log;

/// What can be done with the record.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check that no event was changed, removed or slipped in
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(Verify),
    /// Write what is sealed as JSON, one event a line
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(export::Export),
    /// Seal what waits, as a server does by itself
    #[command(after_help = "Example:\n  rollbook audit seal --database sqlite:rollbook.db")]
    Seal(Seal),
}

/// The flags of `audit verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// What an earlier check printed: the chain must still have it
    #[arg(long, value_name = "SEQUENCE:HASH", value_parser = expected)]
    expect: Option<Expected>,
    #[command(flatten)]
    place: RecordPlace,
    #[command(flatten)]
    output: Output,
}

/// The flags of `audit seal`.
#[derive(Debug, Args)]
pub struct Seal {
    #[command(flatten)]
    place: StorePlace,
    #[command(flatten)]
    output: Output,
}

/// Where the record is.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where")]
pub struct RecordPlace {
    #[command(flatten)]
    store: StorePlace,
    /// Only this organization, by slug or id
    #[arg(long, value_name = "ORGANIZATION")]
    organization: Option<String>,
}

impl RecordPlace {
    fn open(&self) -> Result<Records> {
        Records::open(&self.store.database)
    }

    /// The ids of the organizations that are meant.
    fn organizations(&self, records: &Records) -> Result<Vec<String>> {
        let Some(named) = self.organization.clone() else {
            return Ok(records.runtime.block_on(organizations(&records.store))?);
        };
        let find = move |tx: &mut sql::Tx<'_>| organization::find_named_or_only(tx, Some(&named));
        Ok(vec![records.store.read_blocking(find)?.id])
    }
}

/// An open store, and what waits for its answers.
struct Records {
    runtime: Runtime,
    store: Store,
}

impl Records {
    fn open(database: &str) -> Result<Self> {
        let store = open_current(database)?;
        log::start_for_command();
        let runtime = Builder::new_current_thread().enable_time().build();
        let runtime = runtime.context("cannot start what reads the store")?;
        Ok(Self { runtime, store })
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        self.store.close();
    }
}

impl Command {
    /// Does it.
    pub fn run(&self) -> Result<()> {
        match self {
            Self::Verify(verify) => verify.run(),
            Self::Export(export) => export.run(),
            Self::Seal(seal) => seal.run(),
        }
    }
}

impl Verify {
    fn run(&self) -> Result<()> {
        let records = self.place.open()?;
        let organizations = self.place.organizations(&records)?;
        if self.expect.is_some() && organizations.len() > 1 {
            let message = "--expect is about one chain; --organization says whose";
            return Err(Usage(message.to_owned()).into());
        }
        let bar = spinner("checked")?;
        let mut found = 0;
        for organization in &organizations {
            let mut progress = |count| bar.set_position(count);
            let checked = verify(&records.store, organization, self.expect.as_ref(), &mut progress);
            let report = records.runtime.block_on(checked)?;
            bar.suspend(|| self.output.done(&shown(&report), &told(&report)))?;
            found += report.found;
        }
        bar.finish_and_clear();
        if organizations.is_empty() {
            self.output.done(&json!({}), "Nothing is recorded yet.")?;
        }
        if found == 0 {
            return Ok(());
        }
        let findings = if found == 1 { "finding" } else { "findings" };
        Err(Failure::refused(&format!("the record is not intact: {found} {findings}")).into())
    }
}

impl Seal {
    fn run(&self) -> Result<()> {
        let records = Records::open(&self.place.database)?;
        let (mut sealer, mut sum) = (Sealer::default(), 0);
        loop {
            let pass = sealer.pass(&records.store, SystemClock.now_ms(), true);
            let passed = records.runtime.block_on(pass)?;
            sum += passed.sealed;
            if !passed.is_behind {
                break;
            }
        }
        let sentence = match sum {
            0 => "Nothing waits to be sealed.".to_owned(),
            1 => "Sealed 1 event.".to_owned(),
            many => format!("Sealed {} events.", HumanCount(many as u64)),
        };
        self.output.done(&json!({ "sealed": sum }), &sentence)
    }
}

/// How far it is, on a terminal only.
fn spinner(done: &str) -> Result<ProgressBar> {
    if !std::io::stderr().is_terminal() {
        return Ok(ProgressBar::hidden());
    }
    let style = format!("{{spinner}} {{human_pos}} events {done} ({{per_sec}}, {{elapsed}})");
    let bar = ProgressBar::new_spinner().with_style(ProgressStyle::with_template(&style)?);
    bar.enable_steady_tick(Duration::from_millis(100));
    Ok(bar)
}

fn expected(text: &str) -> Result<Expected, String> {
    let parsed = text.split_once(':').and_then(|(sequence, hash)| {
        let hash = unhex(hash).filter(|hash| hash.len() == 32)?;
        Some(Expected { sequence: sequence.parse().ok()?, hash })
    });
    parsed.ok_or_else(|| "write SEQUENCE:HASH as 'rollbook audit verify' prints it".to_owned())
}

fn shown(report: &Report) -> Value {
    let findings = report.findings.iter().map(|finding| {
        json!({ "what": finding.what, "id": finding.id, "sequence": finding.sequence, "fault": finding.fault })
    });
    json!({
        "organization_id": report.organization_id,
        "intact": report.is_intact(),
        "records": report.records,
        "seals": report.seals,
        "sequence": report.sequence,
        "hash": hex(&report.hash),
        "waiting": report.waiting,
        "found": report.found,
        "findings": findings.collect::<Vec<_>>(),
    })
}

fn told(report: &Report) -> String {
    let organization = &report.organization_id;
    if !report.is_intact() {
        let mut text = format!("{organization}: not intact");
        for finding in &report.findings {
            text = format!("{text}; {finding}");
        }
        let more = report.found - report.findings.len() as u64;
        return if more > 0 { format!("{text}; and {more} more") } else { text };
    }
    let (records, seals) = (count(report.records, "record"), count(report.seals, "seal"));
    let head = match report.sequence {
        0 => "Nothing is sealed yet.".to_owned(),
        sequence => format!("Sealed up to {sequence}:{}.", hex(&report.hash)),
    };
    let waits = match (report.waiting, report.oldest) {
        (0, _) => String::new(),
        (waiting, oldest) => {
            let now = SystemClock.now_ms();
            let waited = now.saturating_sub(oldest.unwrap_or(now));
            let (seconds, tenths) = (waited / 1000, waited % 1000 / 100);
            let wait = if waiting == 1 { "waits" } else { "wait" };
            format!(" {} {wait}, the oldest for {seconds}.{tenths} s.", count(waiting, "record"))
        }
    };
    format!("{organization}: {records} in {seals}: intact. {head}{waits}")
}

fn count(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", HumanCount(number))
}

const VERIFY_EXAMPLES: &str = "\
Examples:
  rollbook audit verify
  rollbook audit verify --expect 1234:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08

Every event has a hash, and seals chain the hashes, so whatever is changed afterwards is found and named. Whoever can write to the \
store could also make a whole new chain: keep the line that this prints somewhere else, and hand it back with --expect.

The exit code is 0 if everything is as it was written, and 1 if not.";

const EXPORT_EXAMPLES: &str = "\
Examples:
  rollbook audit export --out audit.jsonl       the next time, it goes on where this ended
  rollbook audit export --after 1234 | my-archive

Each event is checked against its seal on the way. The export ends with exit code 1 before one that is not what was sealed.";
