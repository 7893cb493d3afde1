//! Cuts a file into records, and knows the line on which each begins.
//!
//! The values are taken apart by `csv-core`. It is fed line by line, because a report is of no use without exact line
//! numbers, and because one missing quote must not swallow the file. Lines end with LF or CRLF.

use std::io::{BufRead, BufReader, Read};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};

use super::fault::Fault;

/// No value can be near this long, so a longer record is a mistake in the quoting.
const LONGEST_RECORD: usize = 1 << 20;
const BUFFER: usize = 1 << 16;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The records of a file, one after another; memory does not grow with the file.
pub struct Records<R> {
    source: BufReader<R>,
    parser: Reader,
    record: Record,
    /// How many lines were read.
    lines: u64,
    is_unreadable: bool,
}

/// One record: its text, and its values.
#[derive(Default)]
pub struct Record {
    /// The line on which it begins, from 1.
    pub line: u64,
    raw: Vec<u8>,
    values: Vec<u8>,
    ends: Vec<usize>,
    length: usize,
    count: usize,
}

impl<R: Read> Records<R> {
    /// Begins at the first line.
    pub fn new(source: R) -> Self {
        Self {
            source: BufReader::with_capacity(BUFFER, source),
            parser: ReaderBuilder::new().terminator(Terminator::Any(b'\n')).build(),
            record: Record::default(),
            lines: 0,
            is_unreadable: false,
        }
    }

    /// Whether reading stopped before the end of the file.
    pub fn is_unreadable(&self) -> bool {
        self.is_unreadable
    }

    /// The next record that is not an empty line; `None` at the end, or where nothing can be told apart any more.
    #[expect(clippy::should_implement_trait, reason = "an iterator could not lend its record")]
    pub fn next(&mut self) -> Option<Result<&Record, Fault>> {
        if self.is_unreadable {
            return None;
        }
        match self.read() {
            Ok(false) => None,
            Ok(true) => Some(self.record.check().map(|()| &self.record)),
            Err(reason) => {
                self.is_unreadable = true;
                let line = self.record.line;
                Some(Err(Fault::of_line(line, format!("the file cannot be read on: {reason}"))))
            }
        }
    }

    fn read(&mut self) -> Result<bool, String> {
        loop {
            self.record.begin(self.lines + 1);
            if !self.line()? {
                return Ok(false);
            }
            if self.record.raw != b"\n" {
                break;
            }
        }
        self.parser.reset();
        let mut fed = 0;
        while !self.record.feed(&mut self.parser, fed) {
            fed = self.record.raw.len();
            if !self.line()? {
                return Err("the quote that opens in this row is never closed".to_owned());
            }
        }
        Ok(true)
    }

    /// Appends one line to the record's text, ended by LF; `false` at the end of the file.
    fn line(&mut self) -> Result<bool, String> {
        let raw = &mut self.record.raw;
        let room = LONGEST_RECORD - raw.len();
        let mut source = self.source.by_ref().take(room as u64 + 1);
        let count = source.read_until(b'\n', raw).map_err(|error| error.to_string())?;
        if count > room {
            return Err("a row is longer than 1 MiB; a closing quote may be missing".to_owned());
        }
        self.lines += u64::from(count > 0);
        if raw.last() == Some(&b'\n') {
            raw.pop();
        }
        if raw.last() == Some(&b'\r') {
            raw.pop();
        }
        if self.lines == 1 && raw.starts_with(BYTE_ORDER_MARK) {
            raw.drain(..BYTE_ORDER_MARK.len());
        }
        raw.push(b'\n');
        Ok(count > 0)
    }
}

impl Record {
    /// How many values it has.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a record has at least one value")]
    pub fn len(&self) -> usize {
        self.count
    }

    /// A value, as bytes.
    #[must_use]
    pub fn get(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.values[start..self.ends[index]]
    }

    /// Its text, with what separates and quotes the values.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.raw
    }

    fn begin(&mut self, line: u64) {
        self.line = line;
        self.count = 0;
        self.length = 0;
        self.raw.clear();
    }

    /// Takes the text from here on apart; `false` if a quote is still open at its end.
    fn feed(&mut self, parser: &mut Reader, fed: usize) -> bool {
        if self.is_marked() {
            return true;
        }
        // Values are never longer than their text, nor more than its bytes.
        self.values.resize(self.raw.len(), 0);
        self.ends.resize(self.raw.len() + 1, 0);
        let (values, ends) = (&mut self.values[self.length..], &mut self.ends[self.count..]);
        let (result, _, length, count) = parser.read_record(&self.raw[fed..], values, ends);
        self.length += length;
        self.count += count;
        matches!(result, ReadRecordResult::Record)
    }

    /// Whether it begins with a byte order mark, which the library would pass over.
    fn is_marked(&self) -> bool {
        self.raw.starts_with(BYTE_ORDER_MARK)
    }

    /// Refuses what the library reads in one way and people may read in another.
    fn check(&self) -> Result<(), Fault> {
        if self.is_marked() {
            let reason =
                "a byte order mark in the middle of the file; two files may have been joined";
            return Err(Fault::of_line(self.line, reason));
        }
        if !self.raw.contains(&b'"') {
            return Ok(());
        }
        let mut rest = self.raw.as_slice();
        for index in 0..self.count {
            rest = behind(rest, self.get(index)).ok_or_else(|| {
                let reason = format!(
                    "value {} has a quote where none may be; quote all of the value and double the quotes in it",
                    index + 1
                );
                Fault::of_line(self.line, reason)
            })?;
        }
        Ok(())
    }
}

/// The text behind this value and its comma, if the text begins with it: without any quote, or quoted as a whole.
fn behind<'a>(text: &'a [u8], value: &[u8]) -> Option<&'a [u8]> {
    let rest = match text.strip_prefix(b"\"") {
        Some(quoted) => behind_quoted(quoted, value)?,
        None if value.contains(&b'"') => return None,
        None => text.strip_prefix(value)?,
    };
    rest.strip_prefix(b",").or_else(|| rest.strip_prefix(b"\n"))
}

fn behind_quoted<'a>(mut text: &'a [u8], value: &[u8]) -> Option<&'a [u8]> {
    for byte in value {
        let written: &[u8] = if *byte == b'"' { b"\"\"" } else { std::slice::from_ref(byte) };
        text = text.strip_prefix(written)?;
    }
    text.strip_prefix(b"\"")
}
