//! `rollbook audit export`: lines into a file that can be continued, or into a pipe.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write, stderr, stdout};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use admin::sealing::export::Export as Sealed;
use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;

use super::{RecordPlace, Records, spinner};
use crate::commands::failure::Failure;
use crate::commands::output::write_json;
use crate::config::Usage;

/// The flags of `audit export`.
#[derive(Debug, Args)]
pub struct Export {
    /// The file to write, readable for its owner only; one that is there already is continued
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Begin behind this sequence
    #[arg(long, value_name = "SEQUENCE", conflicts_with = "out")]
    after: Option<i64>,
    #[command(flatten)]
    place: RecordPlace,
}

impl Export {
    /// Does it.
    pub fn run(&self) -> Result<()> {
        let records = self.place.open()?;
        let organization = self.organization(&records)?;
        let Some(path) = &self.out else {
            let mut out = BufWriter::new(stdout().lock());
            let done = copy(&records, &organization, self.after.unwrap_or(0), &mut out);
            out.flush()?;
            return done;
        };
        let (file, after) = continued(path, &organization)?;
        let mut out = BufWriter::new(file);
        let done = copy(&records, &organization, after, &mut out);
        out.flush()?;
        out.get_ref().sync_all().with_context(|| format!("cannot keep {}", path.display()))?;
        done
    }

    /// A chain is an organization's own, and its sequences are, so one is exported at a time.
    fn organization(&self, records: &Records) -> Result<String> {
        let mut organizations = self.place.organizations(records)?;
        if organizations.len() > 1 {
            let message = "there are several organizations; --organization says whose record";
            return Err(Usage(message.to_owned()).into());
        }
        organizations.pop().ok_or_else(|| Failure::not_found("nothing is recorded yet").into())
    }
}

fn copy(records: &Records, organization: &str, after: i64, out: &mut impl Write) -> Result<()> {
    let mut sealed = Sealed::new(&records.store, organization, after);
    let bar = spinner("exported")?;
    while let Some(lines) = records.runtime.block_on(sealed.next())? {
        for line in &lines.lines {
            write_json(out, line)?;
        }
        bar.inc(lines.lines.len() as u64);
        if let Some(fault) = lines.fault {
            let failure = Failure::refused(&fault);
            let hint = "'rollbook audit verify' checks the whole record";
            return Err(failure.note("hint", hint).into());
        }
    }
    bar.finish_and_clear();
    let waiting = records.runtime.block_on(sealed.waiting())?;
    if waiting > 0 {
        writeln!(stderr(), "{waiting} more wait to be sealed")?;
    }
    Ok(())
}

/// Opens the file at the end of its last whole line, and says which sequence that has.
fn continued(path: &Path, organization: &str) -> Result<(File, i64)> {
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let name = path.display();
    let mut file = options.open(path).with_context(|| format!("cannot write {name}"))?;
    let (mut length, mut sequence) = (0, 0);
    let (mut reader, mut line) = (BufReader::new(&file), Vec::new());
    while reader.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
        let read: Value = serde_json::from_slice(&line).unwrap_or_default();
        let is_ours = read["organization_id"] == organization;
        let Some(number) = read["sequence"].as_i64().filter(|_| is_ours) else {
            return Err(not_ours(path, organization));
        };
        (length, sequence) = (length + line.len() as u64, number);
        line.clear();
    }
    // A line that broke off is written anew; what never was a line of ours is not touched.
    if !line.is_empty() && !line.starts_with(b"{\"") {
        return Err(not_ours(path, organization));
    }
    file.set_len(length)?;
    file.seek(SeekFrom::Start(length))?;
    Ok((file, sequence))
}

fn not_ours(path: &Path, organization: &str) -> anyhow::Error {
    let message = format!("{} is no export of the record of {organization}", path.display());
    Failure::refused(&message).note("hint", "--out names another file").into()
}
