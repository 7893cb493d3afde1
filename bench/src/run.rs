//! One run: group after group, and within a group all subjects take turns.

use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Parser;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::audit::{self, AUDIT};
use crate::document;
use crate::fill::Shape;
use crate::groups::{Group, Sizes, groups};
use crate::plot;
use crate::processes;
use crate::progress::Progress;
use crate::report::Section;
use crate::startup;
use crate::stores::Stores;
use crate::subjects::Running;
use crate::tally::{Measure, Tally, spread};
use crate::usage::{self, USAGE};

/// Before the first round everybody is asked for so long, which does not count.
const WARM_UP: Duration = Duration::from_millis(500);
/// The group that is not made of rounds.
pub const START: &str = "start";

/// Measures the program beside a bare server that sends the same bytes.
#[derive(Debug, Clone, Parser)]
pub struct Plan {
    /// How many rounds are measured; each gives one value, and the median of them counts
    #[arg(long, default_value = "5", value_parser = clap::value_parser!(u64).range(1..=100))]
    pub rounds: u64,
    /// How long each subject is measured in a round
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    pub length: Duration,
    /// How many members the project of each store has, from few to many
    #[arg(long, value_name = "COUNT", value_delimiter = ',', default_value = "1000,10000,100000,1000000",
        value_parser = clap::value_parser!(u64).range(1000..=100_000_000))]
    pub members: Vec<u64>,
    /// Only try it out: one short round, at most 10⁴ members
    #[arg(long)]
    pub quick: bool,
    /// Only these groups: hot, cold, half, connections, limits, sizes, member, projects, refresh, check, check-half, nginx, sealing, writes, start; audit and usage only if they are named
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub only: Vec<String>,
    /// How many events the groups `audit` and `usage` are about; a tenth at most when it is only tried out
    #[arg(long, value_name = "COUNT", default_value = "10000000", value_parser = clap::value_parser!(u64).range(1000..=100_000_000))]
    pub events: u64,
    /// Where that record is, or is put and left
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Put the tables into this file too, each in place of the last one between its two marks, and the plot beside it
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let error = || "between 0.1 and 60 seconds".to_owned();
    let seconds: f64 = text.parse().map_err(|_| error())?;
    if (0.1..=60.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(error())
    }
}

impl Plan {
    /// What remains of it for trying out.
    fn shortened(self) -> Self {
        if !self.quick {
            return self;
        }
        let members = self.members.into_iter().filter(|size| *size <= 10_000).collect();
        let events = self.events.min(1_000_000);
        Self { rounds: 1, length: Duration::from_millis(500), members, events, ..self }
    }

    fn sizes(&self, postgres: bool) -> Result<Sizes> {
        let mut members: Vec<_> =
            self.members.iter().copied().map(usize::try_from).collect::<Result<_, _>>()?;
        members.sort_unstable();
        let largest = members.last().copied().unwrap_or(10_000);
        let (projects, refreshed, written, imported) = if self.quick {
            (1000, 50, 300_000, 10_000)
        } else {
            (100_000, 500, largest, 1_000_000)
        };
        let refreshed = Shape { projects: refreshed, members: 20 };
        Ok(Sizes { members, largest, projects, refreshed, written, imported, postgres })
    }

    fn wants(&self, key: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == key)
    }
}

/// What all groups have in common.
pub(crate) struct Bench {
    pub plan: Plan,
    pub sizes: Sizes,
    pub runtime: Runtime,
    pub progress: Progress,
    pub stores: Stores,
    /// For logs, answers and whatever else is gone afterwards.
    pub folder: TempDir,
}

/// Measures, and prints what was found, group by group.
pub fn run(plan: Plan) -> Result<()> {
    let (plan, stores) = (plan.shortened(), Stores::new());
    let sizes = plan.sizes(stores.has_postgres())?;
    let groups = groups(&sizes);
    let is_known = |only: &String| {
        [START, AUDIT, USAGE].contains(&only.as_str())
            || groups.iter().any(|group| group.key == only)
    };
    ensure!(plan.only.iter().all(is_known), "--help names the groups there are");
    // Not after a quarter of an hour.
    if groups.iter().any(|group| plan.wants(group.key) && group.has_nginx()) {
        processes::look_for_nginx()?;
    }
    let runtime = Runtime::new()?;
    let progress = Progress::new(&runtime)?;
    let mut bench = Bench { plan, sizes, runtime, progress, stores, folder: tempfile::tempdir()? };
    for group in groups {
        if bench.plan.wants(group.key) {
            bench.measure(&group)?;
        }
    }
    if bench.plan.wants(START) {
        let section = startup::measure(&mut bench)?;
        bench.tell(&section)?;
    }
    // Large, so it has to be asked for.
    if bench.plan.only.iter().any(|only| only == AUDIT) {
        audit::measure(&bench)?;
    }
    if bench.plan.only.iter().any(|only| only == USAGE) {
        usage::measure(&bench)?;
    }
    bench.progress.end();
    Ok(())
}

impl Bench {
    fn measure(&mut self, group: &Group) -> Result<()> {
        let mut running = Running::all(group, self)?;
        let found = self.rounds(group, &mut running)?;
        let mut section = Section::of(group, &found, &self.conditions()?);
        if let Some(file) = &self.plan.write
            && group.subjects.iter().any(|subject| subject.point.is_some())
        {
            let picture = file.with_extension("svg");
            plot::draw(&picture, &group.subjects, &found)?;
            section.show(&picture);
        }
        self.tell(&section)
    }

    /// After a warm-up the subjects alternate, so that whatever else the machine does meets all of them.
    fn rounds(&self, group: &Group, running: &mut [Running]) -> Result<Vec<Vec<Tally>>> {
        let mut found: Vec<Vec<_>> = running.iter().map(|_| Vec::new()).collect();
        let mut rate = None;
        for round in 0..=self.plan.rounds {
            for ((subject, running), found) in
                group.subjects.iter().zip(&mut *running).zip(&mut found)
            {
                let (of, key) = (self.plan.rounds, group.key);
                self.progress.say(&format!("{key}, round {round} of {of}: {}", subject.name))?;
                let length = if round == 0 { WARM_UP } else { self.plan.length };
                let tally = self.runtime.block_on(running.round(length, rate))?;
                if round > 0 {
                    found.push(tally);
                }
            }
            if round == 0 {
                rate = self.half_of_saturation(running)?;
            }
        }
        Ok(found)
    }

    /// Half of what the program answers in a second, if anybody is to be asked so often.
    fn half_of_saturation(&self, running: &mut [Running]) -> Result<Option<f64>> {
        let Some(reference) = running.iter_mut().find(|running| running.is_reference()) else {
            return Ok(None);
        };
        self.progress.say("looking for the saturation")?;
        let rates = (0..3).map(|_| {
            let tally = self.runtime.block_on(reference.round(self.plan.length, None))?;
            Ok(tally.get(Measure::Rate).unwrap_or_default())
        });
        let rates: Vec<_> = rates.collect::<Result<_>>()?;
        Ok(spread(rates).map(|[median, ..]| median / 2.0))
    }

    /// What else has to be known of what was found.
    pub fn conditions(&self) -> Result<String> {
        let Plan { rounds, length, .. } = self.plan;
        Ok(format!(
            "{} of {} s, {}",
            if rounds == 1 { "1 round".to_owned() } else { format!("{rounds} rounds") },
            length.as_secs_f64(),
            machine()?
        ))
    }

    /// Prints a section and puts it into the document.
    pub fn tell(&self, section: &Section) -> Result<()> {
        self.progress.aside(|| Ok(writeln!(stdout(), "{section}")?))?;
        let write = |file: &PathBuf| document::replace(file, section.key, &section.markdown());
        self.plan.write.as_ref().map_or(Ok(()), write)
    }

    /// The name of a new file.
    pub fn file(&self, name: &str) -> PathBuf {
        Path::new(self.folder.path()).join(name)
    }
}

/// On what it was measured, and what else ran there.
pub fn machine() -> Result<String> {
    let (cores, load) = (std::thread::available_parallelism()?, load_average()?);
    Ok(format!("{cores} cores, load average {load} at the end, the run's own included"))
}

/// How many tasks wanted a core in the last minute. Says whether the machine was busy with something else.
fn load_average() -> Result<String> {
    let text = std::fs::read_to_string("/proc/loadavg")?;
    Ok(text.split(' ').next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trying_out_takes_less_of_everything() {
        let plan = Plan::parse_from(["rollbook-bench", "--quick"]).shortened();
        assert_eq!((plan.rounds, plan.members.as_slice()), (1, &[1000, 10_000][..]));
        let full = Plan::parse_from(["rollbook-bench"]).shortened();
        assert_eq!(full.sizes(false).unwrap().largest, 1_000_000);
    }

    #[test]
    fn one_group_can_be_chosen() {
        let plan = Plan::parse_from(["rollbook-bench", "--only", "hot,writes"]);
        assert!(plan.wants("hot") && plan.wants("writes") && !plan.wants("cold"));
    }
}
