//! PostgreSQL by itself: the statements of a page as `pgbench` runs them, without the program.

use std::fs::write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::fill::{Filled, hash, project};
use crate::groups::PGBENCH_CLIENTS;
use crate::tally::Tally;

/// What the program sends for a page of members, whose cursor is drawn at random.
const SCRIPT: &str = include_str!("pgbench.sql");
/// Threads of pgbench.
const JOBS: u64 = 2;

/// What the program sets on its connections for reads, so that both run the same plans.
const PLANNER: &str = "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off \
                       -c plan_cache_mode=force_generic_plan";

/// Runs the transaction for so long, in whole seconds, because pgbench counts in these.
pub fn round(url: &str, filled: &Filled, folder: &Path, length: Duration) -> Result<Tally> {
    let script = folder.join("page.sql");
    write(&script, SCRIPT)?;
    let mut command = Command::new("pgbench");
    command.env("PGOPTIONS", PLANNER);
    command.args(["--no-vacuum", "--protocol=prepared"]);
    command.arg(format!("--client={PGBENCH_CLIENTS}")).arg(format!("--jobs={JOBS}"));
    command.arg(format!("--time={}", length.as_secs_f64().ceil()));
    for (name, value) in variables(filled) {
        command.arg("--define").arg(format!("{name}={value}"));
    }
    command.arg("--file").arg(script).arg(url);
    let output = command.stdin(Stdio::null()).output().context("cannot start pgbench")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr));
    tally(&text).with_context(|| format!("pgbench says something else: {text}"))
}

/// What stands with a colon in the script.
fn variables(filled: &Filled) -> [(&'static str, String); 4] {
    let hash = hash(&filled.keys[0]).into_iter().fold(String::new(), |hex, byte| {
        let byte = format!("{byte:02x}");
        hex + &byte
    });
    [
        ("organization", filled.organization.clone()),
        ("hash", hash),
        ("project", project(0)),
        // There is a full page and one row more behind every cursor.
        ("last", (filled.shape.members - 22).to_string()),
    ]
}

fn tally(output: &str) -> Option<Tally> {
    let value = |name: &str| output.lines().find_map(|line| line.strip_prefix(name));
    let answers = value("number of transactions actually processed: ")?;
    let rate: f64 = value("tps = ")?.split(' ').next()?.parse().ok()?;
    let answers: u32 = answers.split('/').next()?.parse().ok()?;
    let seconds = f64::from(answers) / rate;
    Some(Tally { answers: answers.into(), seconds, times: None, usage: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pgbench_says_is_understood() {
        let output = "transaction type: page.sql\nnumber of transactions actually processed: 300\n\
                      number of failed transactions: 0 (0.000%)\nlatency average = 1.9 ms\n\
                      tps = 150.0 (without initial connection time)\n";
        let tally = tally(output).unwrap();
        assert_eq!((tally.answers, tally.seconds), (300, 2.0));
        assert!(super::tally("nothing").is_none());
    }
}
