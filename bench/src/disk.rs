//! The disk by itself: what a durable write costs at least, one after another.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::tally::{Tally, histogram};

/// What is written each time: as many bytes as [`FRAMES`] pages and their headers take in SQLite's log.
pub const BYTES: usize = FRAMES * (4096 + 24);
/// How many pages one added member changes in a large store.
pub const FRAMES: usize = 5;

/// Appends to a new file in this folder and syncs its data, again and again.
pub fn round(folder: &Path, length: Duration) -> Result<Tally> {
    let path = folder.join("appended");
    let (mut file, mut times) = (File::create(&path)?, histogram()?);
    let begun = Instant::now();
    while begun.elapsed() < length {
        let asked = Instant::now();
        file.write_all(&[1; BYTES])?;
        file.sync_data()?;
        times.saturating_record(u64::try_from(asked.elapsed().as_nanos())?);
    }
    let seconds = begun.elapsed().as_secs_f64();
    std::fs::remove_file(path)?;
    Ok(Tally::timed(times, seconds, None))
}
