//! The file that is imported: read twice, and the same both times.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};

use crate::config::Usage;

/// An open file with a bar that shows how far it was read, if somebody sits at the terminal.
pub struct Source {
    file: File,
    version: Version,
    bar: ProgressBar,
}

/// What changes when somebody writes to a file.
#[derive(PartialEq, Eq)]
struct Version {
    length: u64,
    modified: Option<SystemTime>,
}

impl Version {
    fn of(metadata: &Metadata) -> Self {
        Self { length: metadata.len(), modified: metadata.modified().ok() }
    }
}

impl Source {
    /// Opens the file. A pipe is refused: it can be read only once.
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.display();
        let file = File::open(path).with_context(|| Usage(format!("cannot read {name}")))?;
        let metadata = file.metadata().with_context(|| format!("cannot read {name}"))?;
        if !metadata.is_file() {
            let text =
                format!("{name} is not a regular file; it is read twice, so save it to one first");
            return Err(Usage(text).into());
        }
        Ok(Self { file, version: Version::of(&metadata), bar: ProgressBar::hidden() })
    }

    /// Reads the file from its beginning, with a bar of this name.
    pub fn pass<T, E>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let style = ProgressStyle::with_template(
            "{msg:10} {bar:40} {percent:>3} %  {elapsed} of about {duration}",
        );
        self.bar = ProgressBar::new(self.version.length).with_message(name);
        if let Ok(style) = style {
            self.bar.set_style(style);
        }
        let result = read(self);
        self.bar.finish_and_clear();
        result
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        if Version::of(&self.file.metadata()?) != self.version {
            return Err(io::Error::other("somebody writes to it meanwhile"));
        }
        self.bar.inc(count as u64);
        Ok(count)
    }
}

impl Seek for Source {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        let place = self.file.seek(position)?;
        self.bar.set_position(place);
        Ok(place)
    }
}
