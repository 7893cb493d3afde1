//! An answer of the program, on its way to the server that repeats it.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use hyper::body::Bytes;
use hyper::header::{CONTENT_LENGTH, DATE, HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

/// A status of 200, these headers and this body.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    /// What was received. Two headers are left out because hyper writes them by itself into every answer.
    pub fn of(headers: &HeaderMap, body: &[u8]) -> Result<Self> {
        let ours = headers.iter().filter(|(name, _)| **name != DATE && **name != CONTENT_LENGTH);
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            Ok((name.as_str().to_owned(), value.to_str()?.to_owned()))
        };
        let headers = ours.map(text).collect::<Result<_>>()?;
        Ok(Self { headers, body: String::from_utf8(body.to_vec())? })
    }

    /// Reads what [`write`](Self::write) wrote.
    pub fn read(file: &Path) -> Result<Self> {
        let reader = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(serde_json::from_reader(BufReader::new(reader))?)
    }

    /// Writes it into a file.
    pub fn write(&self, file: &Path) -> Result<()> {
        let mut writer = BufWriter::new(File::create(file)?);
        serde_json::to_writer(&mut writer, self)?;
        Ok(writer.flush()?)
    }

    /// The headers to send.
    pub fn headers(&self) -> Result<HeaderMap> {
        let pair = |(name, value): &(String, String)| {
            Ok((HeaderName::try_from(name)?, HeaderValue::try_from(value)?))
        };
        self.headers.iter().map(pair).collect()
    }

    /// The body to send.
    #[must_use]
    pub fn body(&self) -> Bytes {
        Bytes::copy_from_slice(self.body.as_bytes())
    }
}
