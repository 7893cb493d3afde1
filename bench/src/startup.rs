//! What happens once: a large import, the start of a server on the imported store, and the memory it takes.

use std::fs::{File, read_to_string};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use fastrand::Rng;
use indicatif::HumanCount;

use crate::load;
use crate::processes::{Log, Server, beside, memory};
use crate::report::{Rows, Section, cell, tenths, thousands};
use crate::run::{Bench, START};
use crate::traffic::{Asks, From, Traffic};

/// So many people share a project.
const PEOPLE_PER_PROJECT: usize = 500;
/// How often to look at the memory of the import.
const LOOK: Duration = Duration::from_millis(20);
const CONNECTIONS: u64 = 32;

type Found = Vec<(String, String)>;

/// Imports people and starts servers.
pub fn measure(bench: &mut Bench) -> Result<Section> {
    let url = format!("sqlite:{}", bench.file("imported.db").display());
    let mut found = import(bench, &url)?;
    found.extend(start(bench, &url)?);
    found.extend(under_load(bench)?);
    let conditions = format!("{}.", bench.conditions()?);
    Ok(Section::new(START, vec![Rows::pairs(found)], conditions))
}

fn import(bench: &Bench, url: &str) -> Result<Found> {
    let people = bench.sizes.imported;
    let count = HumanCount(people as u64);
    bench.progress.say(&format!("importing {count} people"))?;
    let file = bench.file("people.csv");
    write_people(&file, people)?;
    let begun = Instant::now();
    let mut command = Command::new(beside("rollbook")?);
    command.arg("import").arg(&file).args(["--database", url]);
    command.env("ROLLBOOK_KEY_FILE", bench.file("key"));
    let log = bench.file("import.log");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
    let mut child = command.spawn()?;
    let mut peak: f64 = 0.0;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        peak = memory(child.id(), "VmHWM")?.unwrap_or_default().max(peak);
        #[expect(clippy::disallowed_methods, reason = "memory does not tell when it grows")]
        sleep(LOOK);
    };
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(status.success(), "the import ended ({status}): {}", read_to_string(&log)?);
    Ok(vec![
        (format!("import of {count} people, s"), tenths(seconds)),
        ("the most memory it took, MiB".to_owned(), thousands(peak)),
    ])
}

/// One membership each, in no order.
fn write_people(file: &Path, people: usize) -> Result<()> {
    let mut random = Rng::with_seed(3);
    let mut numbers: Vec<_> = (0..people).collect();
    random.shuffle(&mut numbers);
    let mut out = BufWriter::new(File::create(file)?);
    writeln!(out, "email,name,role,project,project_role")?;
    for number in numbers {
        let project = random.usize(..people.div_ceil(PEOPLE_PER_PROJECT));
        let person = format!("person{number:07}@example.com,Person Number {number}");
        writeln!(out, "{person},reader,Project {project:05},member")?;
    }
    Ok(out.flush()?)
}

/// From before the process is started until it says that it is ready.
fn start(bench: &Bench, url: &str) -> Result<Found> {
    let (mut millis, mut resident) = (Vec::new(), Vec::new());
    for round in 1..=bench.plan.rounds {
        bench.progress.say(&format!("start {round} of {}", bench.plan.rounds))?;
        let server = Server::rollbook(url, Log::Requests, &bench.file("start.log"))?;
        millis.push(server.start.as_secs_f64() * 1e3);
        resident.push(server.memory("VmRSS")?);
    }
    Ok(vec![
        ("from start to ready on that store, ms".to_owned(), cell(millis, tenths)),
        ("resident when ready, MiB".to_owned(), cell(resident, tenths)),
    ])
}

/// Pages that are read from a large store, by many connections.
fn under_load(bench: &mut Bench) -> Result<Found> {
    let place = bench.stores.get(bench.sizes.large(), &bench.progress)?;
    let server =
        Server::rollbook(&place.url()?, Log::Requests, &bench.folder.path().join("load.log"))?;
    let asks = Asks::Members { limit: 20, from: From::Anywhere };
    let traffic = Arc::new(Traffic::new(server.address, asks, Arc::clone(&place.filled))?);
    let rest = server.memory("VmRSS")?;
    bench.progress.say("memory under load")?;
    let length = bench.plan.length * 3;
    bench.runtime.block_on(async {
        let bytes = load::capture(&traffic).await?.body().len();
        load::round(&server, &traffic, CONNECTIONS, length, bytes).await
    })?;
    let name = HumanCount(bench.sizes.largest as u64);
    Ok(vec![
        (format!("resident on a store of {name} members, at rest, MiB"), tenths(rest)),
        ("the same after pages at random, MiB".to_owned(), tenths(server.memory("VmRSS")?)),
        ("the most that ever was, MiB".to_owned(), tenths(server.memory("VmHWM")?)),
    ])
}
