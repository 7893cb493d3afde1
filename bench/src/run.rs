//! One run: everything is set up first, then all subjects take turns.

use std::io::{Write, stdout};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use indicatif::HumanCount;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::databases::{Database, POSTGRES};
use crate::fill::{Filled, fill};
use crate::load::{self, Tally};
use crate::processes::Server;
use crate::progress::Progress;
use crate::report::{Conditions, Report, load_average};
use crate::traffic::Traffic;

/// Measures the list of a project's members beside a bare server that sends the same bytes.
#[derive(Debug, Clone, Parser)]
pub struct Plan {
    /// How many rounds are measured; each gives one value, and the median of them counts
    #[arg(long, default_value = "5", value_parser = clap::value_parser!(u64).range(1..=100))]
    pub rounds: u64,
    /// How long each subject is measured in a round
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = clap::value_parser!(u64).range(1..=60))]
    pub length: u64,
    /// How many connections ask at the same time
    #[arg(long, default_value = "32", value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub connections: u64,
    /// How many memberships the stores hold, in multiples of 500
    #[arg(long, value_name = "COUNT", value_delimiter = ',', default_value = "1000,1000000")]
    pub memberships: Vec<usize>,
    /// Put the table into this file too, in place of the last one between its two marks
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,
}

/// What takes part in the rounds.
struct Subject {
    name: String,
    server: Server,
    traffic: Arc<Traffic>,
    tallies: Vec<Tally>,
}

/// A store that waits for its server.
struct Place {
    name: String,
    database: Database,
    filled: Filled,
}

/// Measures and prints what was found.
pub fn run(plan: &Plan) -> Result<()> {
    let load_before = load_average()?;
    let runtime = Runtime::new()?;
    let progress = Progress::new(&runtime)?;
    let folder = tempfile::tempdir()?;
    let places = places(plan, &progress)?;
    let (mut subjects, bytes) = subjects(&places, &folder, &runtime)?;
    runtime.block_on(rounds(plan, &mut subjects, bytes, &progress))?;
    let conditions = Conditions {
        rounds: plan.rounds,
        seconds: plan.length,
        connections: plan.connections,
        bytes,
        load: [load_before, load_average()?],
    };
    let found: Vec<_> =
        subjects.into_iter().map(|subject| (subject.name, subject.tallies)).collect();
    let report = Report::new(&found, conditions)?;
    progress.end();
    writeln!(stdout(), "{report}")?;
    plan.write.as_ref().map_or(Ok(()), |file| report.write_into(file))
}

/// Makes and fills the stores. PostgreSQL takes part if there is one.
fn places(plan: &Plan, progress: &Progress) -> Result<Vec<Place>> {
    let server = std::env::var(POSTGRES).ok();
    let mut places = Vec::new();
    for engine in ["SQLite", "PostgreSQL"] {
        for memberships in &plan.memberships {
            let database = match (engine, &server) {
                ("SQLite", _) => Database::sqlite()?,
                (_, Some(server)) => Database::postgres(server, places.len())?,
                _ => continue,
            };
            let name = format!("{engine}, {} memberships", HumanCount(*memberships as u64));
            progress.say(&format!("filling {name}"))?;
            let filled =
                fill(&database.url()?, *memberships, |done| progress.show(done, *memberships))
                    .with_context(|| format!("cannot fill {name}"))?;
            places.push(Place { name, database, filled });
        }
    }
    Ok(places)
}

/// Starts a server for each store and the bare one, with an answer of the first, whose size is the second result.
fn subjects(
    places: &[Place],
    folder: &TempDir,
    runtime: &Runtime,
) -> Result<(Vec<Subject>, usize)> {
    let mut subjects = Vec::new();
    for (number, place) in places.iter().enumerate() {
        let log = folder.path().join(format!("{number}.log"));
        let server = Server::rollbook(&place.database.url()?, &log)?;
        let traffic = Arc::new(Traffic::new(server.address, &place.filled)?);
        subjects.push(Subject { name: place.name.clone(), server, traffic, tallies: Vec::new() });
    }
    let first = subjects.first().context("there is no store to measure")?;
    let answer = runtime.block_on(load::capture(&first.traffic))?;
    let file = folder.path().join("answer.json");
    answer.write(&file)?;
    let server = Server::limit(&file, &folder.path().join("limit.log"))?;
    let traffic = Arc::new(Traffic::new(server.address, &places[0].filled)?);
    let name = "bare hyper, the same bytes".to_owned();
    subjects.insert(0, Subject { name, server, traffic, tallies: Vec::new() });
    Ok((subjects, answer.body().len()))
}

/// The first round warms up and is thrown away. In the others the subjects alternate, so that whatever else the machine does meets
/// all of them.
async fn rounds(
    plan: &Plan,
    subjects: &mut [Subject],
    bytes: usize,
    progress: &Progress,
) -> Result<()> {
    let length = Duration::from_secs(plan.length);
    for round in 0..=plan.rounds {
        for subject in &mut *subjects {
            progress.say(&format!("round {round} of {}: {}", plan.rounds, subject.name))?;
            let cpu = || subject.server.cpu_micros();
            let tally = load::round(&subject.traffic, plan.connections, length, bytes, cpu)
                .await
                .with_context(|| format!("measuring {}", subject.name))?;
            if round > 0 {
                subject.tallies.push(tally);
            }
        }
    }
    Ok(())
}
