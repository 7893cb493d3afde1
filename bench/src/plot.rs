//! Latency against size, as a picture.

use std::path::Path;

use anyhow::Result;

use crate::groups::Subject;
use crate::tally::Tally;

pub fn draw(_file: &Path, _subjects: &[Subject], _found: &[Vec<Tally>]) -> Result<()> {
    Ok(())
}
