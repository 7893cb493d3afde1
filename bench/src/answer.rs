//! An answer of the program, on its way to the server that repeats it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use anyhow::{Context, Result};
use hyper::body::Bytes;
use hyper::header::{CONTENT_LENGTH, DATE, HeaderMap, HeaderName, HeaderValue};

/// A status of 200, these headers and this body.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Answer {
    /// What was received. Two headers are left out because hyper writes them by itself into every answer.
    pub fn of(headers: &HeaderMap, body: Bytes) -> Result<Self> {
        let ours = headers.iter().filter(|(name, _)| **name != DATE && **name != CONTENT_LENGTH);
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            Ok((name.as_str().to_owned(), value.to_str()?.to_owned()))
        };
        let headers = ours.map(text).collect::<Result<_>>()?;
        Ok(Self { headers, body })
    }

    /// Reads what [`write`](Self::write) wrote.
    pub fn read(file: &Path) -> Result<Self> {
        let file = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
        let (mut reader, mut headers, mut body) = (BufReader::new(file), String::new(), Vec::new());
        reader.read_line(&mut headers)?;
        reader.read_to_end(&mut body)?;
        Ok(Self { headers: serde_json::from_str(&headers)?, body: body.into() })
    }

    /// Writes it into a file: the headers in the first line, and then the body as it is.
    pub fn write(&self, file: &Path) -> Result<()> {
        let mut written = serde_json::to_vec(&self.headers)?;
        written.push(b'\n');
        let mut file = File::create(file)?;
        file.write_all(&written)?;
        Ok(file.write_all(&self.body)?)
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
        self.body.clone()
    }
}
