//! The disk by itself: what a durable write costs at least, one after another.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::tally::{Tally, histogram};

/// What is written each time: as many bytes as [`FRAMES`] pages and their headers take in SQLite's log.
const BYTES: usize = FRAMES * (4096 + 24);
/// How many pages one added member changes in a large store.
const FRAMES: usize = 5;
/// How many writes fill a file that is overwritten: SQLite begins its log anew after 1000 pages.
const WRITES: usize = 1000 / FRAMES;

/// Where the bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// To the end of a file that grows, so that the file system has to note its size each time.
    End,
    /// Over those that are there, as in SQLite's log once that has its full length.
    Over,
}

/// Writes to a new file in this folder and syncs its data, again and again.
pub fn round(folder: &Path, place: Place, length: Duration) -> Result<Tally> {
    let path = folder.join("written");
    let (mut file, mut times) = (File::create(&path)?, histogram()?);
    if place == Place::Over {
        file.write_all(&vec![0; BYTES * WRITES])?;
        file.sync_all()?;
    }
    let bytes = vec![1; BYTES];
    let (begun, mut writes) = (Instant::now(), 0);
    while begun.elapsed() < length {
        let asked = Instant::now();
        if place == Place::Over && writes % WRITES == 0 {
            file.rewind()?;
        }
        file.write_all(&bytes)?;
        file.sync_data()?;
        times.saturating_record(u64::try_from(asked.elapsed().as_nanos())?);
        writes += 1;
    }
    let seconds = begun.elapsed().as_secs_f64();
    std::fs::remove_file(path)?;
    Ok(Tally::timed(times, seconds, None))
}
