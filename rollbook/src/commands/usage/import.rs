//! `rollbook usage import`: the events of a file, sent in portions.

use std::fs::File;
use std::io::{IsTerminal, Read, Write, stderr, stdin, stdout};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use admin::usage::keep::Keep;
use anyhow::{Context, Result, ensure};
use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::events::Events;
use crate::commands::client::Client;
use crate::commands::failure::Failure;
use crate::commands::output::{Output, write_json};
use crate::commands::place::Place;
use crate::commands::text::harmless;
use crate::config::Usage;

const PATH: &str = "/rollbook/v1/usage_events";
/// So many events go into one request, which is the most that are taken.
const PORTION: usize = 1000;
/// A request is not made longer than this, because servers take no longer ones.
const LONGEST: usize = 4 << 20;
/// So many refusals are shown to a person; `--json` tells all.
const SHOWN: usize = 50;

/// The flags of `usage import`.
#[derive(Debug, Args)]
pub struct Import {
    /// The file: CSV with a header, or JSON lines; - is standard input
    file: PathBuf,
    /// On a store: how old an event may be, in days; 0 takes all. It should be what the server is set to
    #[arg(long, env = "ROLLBOOK_USAGE_KEEP_EVENTS", value_name = "DAYS", default_value_t = Keep::default().events)]
    usage_keep_events: u32,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// What became of the events so far.
#[derive(Default)]
struct Tally {
    accepted: u64,
    duplicates: u64,
    refused: u64,
    /// The first refusals.
    shown: Vec<Refusal>,
}

/// An event that was not taken.
struct Refusal {
    line: u64,
    id: String,
    param: String,
    message: String,
}

impl Refusal {
    /// Of a line that is no event.
    fn of_line(line: u64, message: String) -> Self {
        Self { line, id: String::new(), param: String::new(), message }
    }

    /// As an answer tells it.
    fn of_result(line: u64, result: &Value) -> Self {
        let text = |member: &str| result[member].as_str().unwrap_or_default().to_owned();
        Self { line, id: text("id"), param: text("param"), message: text("message") }
    }

    fn json(&self) -> Value {
        let Self { line, id, param, message } = self;
        json!({ "status": "refused", "line": line, "id": id, "param": param, "message": message })
    }
}

/// Events that wait to be sent, with their lines.
#[derive(Default)]
struct Portion {
    lines: Vec<u64>,
    events: Vec<Value>,
    length: usize,
}

impl Import {
    /// Sends everything, tells what became of it, and fails if something was refused.
    pub fn run(&self) -> Result<()> {
        let began = Instant::now();
        let bar = Bar::new(self)?;
        let events =
            Events::of(bar.wrap(self.open()?)).with_context(|| self.file.display().to_string())?;
        let usage_keep = Keep { events: self.usage_keep_events, ..Keep::default() };
        let settings = admin::Settings { usage_keep, ..admin::Settings::default() };
        let client = self.place.client_with(settings)?;
        let mut tally = Tally::default();
        let sent = self.send(&client, events, &mut tally, &bar);
        bar.0.finish_and_clear();
        sent.context("the import stopped on its way; run the same command again, what was counted is not counted twice")?;
        self.report(&tally, began)?;
        if tally.refused == 0 {
            return Ok(());
        }
        let (file, refused) = (self.file.display(), HumanCount(tally.refused));
        let (events, were) = if tally.refused == 1 { ("event", "was") } else { ("events", "were") };
        let message =
            format!("{refused} {events} of {file} {were} refused, and the others are counted");
        let hint = "mend these lines and run the same command again";
        Err(Failure::faulty_file(&message).note("hint", hint).into())
    }

    fn open(&self) -> Result<Box<dyn Read>> {
        if self.file.as_os_str() == "-" {
            return Ok(Box::new(stdin().lock()));
        }
        let name = self.file.display();
        let file = File::open(&self.file).with_context(|| Usage(format!("cannot read {name}")))?;
        Ok(Box::new(file))
    }

    fn send<R: Read>(
        &self,
        client: &Client,
        events: Events<R>,
        tally: &mut Tally,
        bar: &Bar,
    ) -> Result<()> {
        let mut portion = Portion::default();
        for (line, event) in events {
            match event {
                Ok(event) => {
                    let length = event.to_string().len();
                    if portion.length + length > LONGEST && !portion.events.is_empty() {
                        self.send_portion(client, std::mem::take(&mut portion), tally, bar)?;
                    }
                    portion.length += length;
                    portion.lines.push(line);
                    portion.events.push(event);
                    if portion.events.len() == PORTION {
                        self.send_portion(client, std::mem::take(&mut portion), tally, bar)?;
                    }
                }
                Err(message) => self.refused(tally, bar, Refusal::of_line(line, message))?,
            }
        }
        if portion.events.is_empty() {
            Ok(())
        } else {
            self.send_portion(client, portion, tally, bar)
        }
    }

    fn send_portion(
        &self,
        client: &Client,
        portion: Portion,
        tally: &mut Tally,
        bar: &Bar,
    ) -> Result<()> {
        let (first, last) = (portion.lines.first().copied(), portion.lines.last().copied());
        let answer = client.post(PATH, &Value::Array(portion.events));
        let answer = answer.with_context(|| {
            format!("lines {} to {}", first.unwrap_or_default(), last.unwrap_or_default())
        })?;
        let results = answer["results"].as_array().map(Vec::as_slice).unwrap_or_default();
        let odd = || Failure::refused("the server did not say of each event what became of it");
        ensure!(results.len() == portion.lines.len(), odd());
        for (line, result) in portion.lines.iter().zip(results) {
            match result["status"].as_str() {
                Some("accepted") => tally.accepted += 1,
                Some("duplicate") => tally.duplicates += 1,
                _ => self.refused(tally, bar, Refusal::of_result(*line, result))?,
            }
        }
        bar.tell(tally);
        Ok(())
    }

    /// Notes a refusal. As JSON it is printed at once, because there may be many.
    fn refused(&self, tally: &mut Tally, bar: &Bar, refusal: Refusal) -> Result<()> {
        tally.refused += 1;
        if self.output.json {
            bar.0.suspend(|| write_json(&mut stdout().lock(), &refusal.json()))?;
        } else if tally.shown.len() < SHOWN {
            tally.shown.push(refusal);
        }
        Ok(())
    }

    fn report(&self, tally: &Tally, began: Instant) -> Result<()> {
        let Tally { accepted, duplicates, refused, shown } = tally;
        let seconds = began.elapsed().as_secs_f64();
        if self.output.json {
            let counts = json!({ "accepted": accepted, "duplicates": duplicates, "refused": refused, "seconds": seconds });
            return self.output.done(&counts, "");
        }
        let mut out = stdout().lock();
        if !shown.is_empty() {
            writeln!(out, "{}", table(shown))?;
            let more = refused.saturating_sub(shown.len() as u64);
            if more > 0 {
                writeln!(out, "and {} more; --json tells all of them", HumanCount(more))?;
            }
            writeln!(out)?;
        }
        writeln!(
            out,
            "{} counted, {} there already, {} refused, in {seconds:.1} s",
            HumanCount(*accepted),
            HumanCount(*duplicates),
            HumanCount(*refused),
        )?;
        Ok(out.flush()?)
    }
}

fn table(refusals: &[Refusal]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["line", "id", "member", "what is wrong"]);
    for Refusal { line, id, param, message } in refusals {
        table.add_row([
            line.to_string(),
            harmless(id).into_owned(),
            param.clone(),
            harmless(message).into_owned(),
        ]);
    }
    table
}

/// How far it is, on a terminal only.
struct Bar(ProgressBar);

impl Bar {
    fn new(import: &Import) -> Result<Self> {
        if !stderr().is_terminal() {
            return Ok(Self(ProgressBar::hidden()));
        }
        // A pipe has no length, and is read as far as it goes.
        let length = std::fs::metadata(&import.file).ok().filter(std::fs::Metadata::is_file);
        let (bar, style) = match length {
            Some(file) => (
                ProgressBar::new(file.len()),
                "{bar:40} {percent:>3} %  {msg}  {elapsed} of about {duration}",
            ),
            None => (ProgressBar::new_spinner(), "{spinner} {msg}  {elapsed}"),
        };
        bar.set_style(ProgressStyle::with_template(style)?);
        bar.enable_steady_tick(Duration::from_millis(100));
        Ok(Self(bar))
    }

    fn wrap<R: Read>(&self, source: R) -> impl Read + use<R> {
        self.0.wrap_read(source)
    }

    fn tell(&self, tally: &Tally) {
        let taken = HumanCount(tally.accepted + tally.duplicates);
        self.0.set_message(format!("{taken} events, {} refused", HumanCount(tally.refused)));
    }
}

pub const EXAMPLES: &str = "\
Examples:
  rollbook usage import events.csv
  rollbook usage import events.jsonl --server https://rollbook.example.com
  my-gateway-log | rollbook usage import - --json > report.jsonl

The exit code is 0 if every event is counted, and 3 if some were refused; the others are counted then.";

pub const HELP: &str = "\
The file:
  id,time,kind,project_id,api_key_id,model,input_tokens,output_tokens
  req_1,1795910400,completions,proj_abc,key_abc,gpt-4o,1200,310
  req_2,2026-11-29T08:00:03Z,embeddings,proj_abc,key_abc,text-embedding-3-small,800,

  An event a row, under a header that names members of events in any order; an empty value is not said. Or JSON lines, an
  event a line as POST /rollbook/v1/usage_events takes it. Which of the two it is can be seen from its first character.

  An event is counted once, however often its id comes in. So an import that was interrupted is run again, and a second
  run of a file counts nothing. Lines that are refused are listed, and the others are counted.

Examples:
  rollbook usage import events.csv
  rollbook usage import events.jsonl --server https://rollbook.example.com
  my-gateway-log | rollbook usage import - --json > report.jsonl

The exit code is 0 if every event is counted, and 3 if some were refused; the others are counted then.";
