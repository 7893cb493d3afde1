//! The file of events: CSV or JSON lines, one event after another with the line on which it begins. Memory does not grow with it.
//!
//! Only what keeps a line from being an event is told here. What an event may say is for whoever takes it to judge, so that there is
//! one place that knows.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read};

use admin::import::{Record, Records};
use admin::usage::kind::{Dimension, Kind};
use anyhow::{Result, ensure};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::commands::failure::Failure;

/// No event can be near this long.
const LONGEST_LINE: u64 = 1 << 20;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// What every event must say.
const NEEDED: [&str; 3] = ["id", "time", "kind"];

/// The line on which something begins, and the event there, or why there is none.
pub type Found = (u64, Result<Value, String>);

/// The events of a file, in their order.
pub enum Events<R> {
    /// Rows below a header that names members of events.
    Table(Box<Table<R>>),
    /// An object a line.
    Lines(Lines<R>),
}

impl<R: Read> Events<R> {
    /// Looks at the beginning of the file to find out how it is written.
    pub fn of(source: R) -> Result<Self> {
        let mut source = BufReader::with_capacity(1 << 16, source);
        let beginning = source.fill_buf()?;
        let beginning = beginning.strip_prefix(BYTE_ORDER_MARK).unwrap_or(beginning);
        match beginning.trim_ascii_start().first() {
            Some(b'{') => Ok(Self::Lines(Lines { source, line: 0 })),
            Some(b'[') => {
                let hint =
                    "write each event on a line of its own, without brackets and commas around it";
                let failure = Failure::faulty_file("the file is a JSON array");
                Err(failure.note("hint", hint).into())
            }
            _ => Ok(Self::Table(Box::new(Table::of(source)?))),
        }
    }
}

impl<R: Read> Iterator for Events<R> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        match self {
            Self::Table(table) => table.next(),
            Self::Lines(lines) => lines.next(),
        }
    }
}

/// Events in CSV.
pub struct Table<R> {
    records: Records<BufReader<R>>,
    columns: Vec<Column>,
}

/// A column: the member of events that it holds.
struct Column {
    name: String,
    kind: Reading,
}

/// How a value is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Text,
    Number,
    Flag,
    Time,
}

impl<R: Read> Table<R> {
    fn of(source: BufReader<R>) -> Result<Self> {
        let mut records = Records::new(source);
        let columns = match records.next() {
            Some(Ok(header)) => columns(header)?,
            Some(Err(fault)) => return Err(Failure::faulty_file(&fault.to_string()).into()),
            None => return Err(Failure::faulty_file("the file is empty").into()),
        };
        Ok(Self { records, columns })
    }

    fn next(&mut self) -> Option<Found> {
        Some(match self.records.next()? {
            Ok(record) => (record.line, event(record, &self.columns)),
            Err(fault) => (fault.line, Err(fault.reason)),
        })
    }
}

/// What the header names. A member that no event has is a mistake of the whole file.
fn columns(header: &Record) -> Result<Vec<Column>> {
    let mut seen = HashSet::new();
    let mut columns = Vec::new();
    for place in 0..header.len() {
        let name = String::from_utf8_lossy(header.get(place)).trim().to_owned();
        let Some(kind) = reading(&name) else {
            let failure = Failure::faulty_file(&format!(
                "no event has a member '{name}', which the header names"
            ));
            let hint = format!("there are {}", members().join(", "));
            return Err(failure.note("hint", &hint).into());
        };
        let twice = || Failure::faulty_file(&format!("the header names '{name}' twice"));
        ensure!(seen.insert(name.clone()), twice());
        columns.push(Column { name, kind });
    }
    for name in NEEDED {
        let missing = || {
            Failure::faulty_file(&format!(
                "the header does not name '{name}', which every event has"
            ))
        };
        ensure!(seen.contains(name), missing());
    }
    Ok(columns)
}

fn event(record: &Record, columns: &[Column]) -> Result<Value, String> {
    if record.len() != columns.len() {
        return Err(format!("has {} values, and the header has {}", record.len(), columns.len()));
    }
    let mut event = Map::new();
    for (place, column) in columns.iter().enumerate() {
        let text = std::str::from_utf8(record.get(place));
        let text = text.map_err(|_| format!("{} is not UTF-8", column.name))?;
        if !text.is_empty() {
            event.insert(column.name.clone(), column.kind.value(text));
        }
    }
    Ok(event.into())
}

impl Reading {
    /// The value that a text means. One that means none stays a text, and is refused by name where it is sent.
    fn value(self, text: &str) -> Value {
        let read = match self {
            Self::Text => None,
            Self::Number => text.parse::<u64>().ok().map(Value::from),
            Self::Flag => text.parse::<bool>().ok().map(Value::from),
            Self::Time => time(text).map(Value::from),
        };
        read.unwrap_or_else(|| text.into())
    }
}

/// A time in Unix seconds, or as people write it.
fn time(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| Some(text.parse::<Timestamp>().ok()?.as_second()))
}

fn reading(name: &str) -> Option<Reading> {
    match name {
        "time" => Some(Reading::Time),
        "batch" => Some(Reading::Flag),
        name if is_measure(name) => Some(Reading::Number),
        name => members().contains(&name).then_some(Reading::Text),
    }
}

fn is_measure(name: &str) -> bool {
    Kind::OF_EVENTS.iter().any(|kind| kind.measures().contains(&name))
}

/// All members that events of any kind have.
fn members() -> Vec<&'static str> {
    let dimensions = Kind::OF_EVENTS.iter().flat_map(|kind| kind.dimensions());
    let measures = Kind::OF_EVENTS.iter().flat_map(|kind| kind.measures());
    let mut members = NEEDED.to_vec();
    for name in dimensions.copied().map(Dimension::name).chain(measures.copied()) {
        if !members.contains(&name) {
            members.push(name);
        }
    }
    members
}

/// Events as JSON, one a line.
pub struct Lines<R> {
    source: BufReader<R>,
    line: u64,
}

impl<R: Read> Lines<R> {
    fn next(&mut self) -> Option<Found> {
        loop {
            let mut raw = Vec::new();
            let mut bounded = self.source.by_ref().take(LONGEST_LINE + 1);
            self.line += 1;
            match bounded.read_until(b'\n', &mut raw) {
                Ok(0) => return None,
                Ok(length) if length as u64 > LONGEST_LINE && !raw.ends_with(b"\n") => {
                    return Some((self.line, self.rest_of_line()));
                }
                Ok(_) => {}
                Err(error) => return Some((self.line, Err(format!("cannot be read: {error}")))),
            }
            let text = if self.line == 1 { raw.strip_prefix(BYTE_ORDER_MARK) } else { None };
            let text = text.unwrap_or(&raw).trim_ascii();
            if !text.is_empty() {
                return Some((self.line, object(text)));
            }
        }
    }

    /// Passes over the rest of a line that is too long.
    fn rest_of_line(&mut self) -> Result<Value, String> {
        self.source.skip_until(b'\n').map_err(|error| format!("cannot be read: {error}"))?;
        Err("is longer than 1 MiB".to_owned())
    }
}

fn object(text: &[u8]) -> Result<Value, String> {
    match serde_json::from_slice(text) {
        Ok(event @ Value::Object(_)) => Ok(event),
        Ok(_) => Err("is not a JSON object".to_owned()),
        Err(error) => Err(format!("is not JSON: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Vec<Found> {
        Events::of(text.as_bytes()).unwrap().collect()
    }

    fn refusal(text: &str) -> String {
        Events::of(text.as_bytes()).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn both_ways_of_writing_mean_the_same() {
        let table = "\u{feff}id,time,kind,model,batch,input_tokens,service_tier\r\n\
                     a,1764374400,completions,\"gpt-4o\",true,12,\r\n\
                     \r\n\
                     b,2025-11-29T00:00:00Z,completions,gpt-4o,false,,flex\r\n";
        let lines = "\u{feff}{\"id\":\"a\",\"time\":1764374400,\"kind\":\"completions\",\"model\":\"gpt-4o\",\"batch\":true,\
                     \"input_tokens\":12}\n\n\n\
                     {\"id\":\"b\",\"time\":1764374400,\"kind\":\"completions\",\"model\":\"gpt-4o\",\"batch\":false,\
                     \"service_tier\":\"flex\"}";
        let (table, lines) = (read(table), read(lines));
        let events = |found: &[Found]| {
            found.iter().map(|(_, event)| event.clone().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(events(&table), events(&lines));
        let places = |found: &[Found]| found.iter().map(|(line, _)| *line).collect::<Vec<_>>();
        assert_eq!((places(&table), places(&lines)), (vec![2, 4], vec![1, 4]));
    }

    #[test]
    fn what_means_nothing_is_sent_as_it_is() {
        let found = read("id,time,kind,batch,images\na,noon,images,yes,1.5\n");
        let expected =
            json!({ "id": "a", "time": "noon", "kind": "images", "batch": "yes", "images": "1.5" });
        assert_eq!(found, [(2, Ok(expected))]);
    }

    #[test]
    fn a_line_that_is_no_event_is_told_and_the_next_one_is_read() {
        let found = read("id,time,kind\na,1\nb,1,images,2\n\"c\"x,1,images\nd,1,images\n");
        let told: Vec<_> = found.iter().map(|(line, event)| (*line, event.is_ok())).collect();
        assert_eq!(told, [(2, false), (3, false), (4, false), (5, true)]);
        assert_eq!(found[0].1, Err("has 2 values, and the header has 3".to_owned()));
        let long = format!("{{\"id\":\"{}\"}}\n{{}}\n[]\n{{\n", "x".repeat(1 << 20));
        let found = read(&long);
        let told: Vec<_> = found.iter().map(|(line, event)| (*line, event.is_ok())).collect();
        assert_eq!(told, [(1, false), (2, true), (3, false), (4, false)]);
    }

    #[test]
    fn a_header_that_cannot_be_is_refused_by_name() {
        assert!(refusal("id,time,kind,tokens\n").contains("no event has a member 'tokens'"));
        assert!(refusal("id,time,kind,quantity\n").contains("'quantity'"), "of costs only");
        assert!(refusal("id,time,kind,id\n").contains("names 'id' twice"));
        assert!(refusal("id,kind\n").contains("does not name 'time'"));
        assert!(refusal("").contains("empty"));
        assert!(refusal("\n [{}]").contains("JSON array"));
    }
}
