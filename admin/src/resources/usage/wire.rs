//! Buckets and rows as they are sent. They are written straight into bytes, because an answer can have tens of thousands of them.

use crate::error::{Error, Result};
use crate::usage::event::Amount;
use crate::usage::kind::{Dimension, Kind};
use crate::usage::query::{Bucket, Row};

/// Draws rows of a kind, each with every member that the kind has.
#[derive(Debug)]
pub struct Drawer {
    /// Up to the first measure.
    head: String,
    /// What stands before each measure.
    measures: Vec<String>,
    /// Each dimension with what stands before it, and with its place among the groups.
    dimensions: Vec<(Dimension, String, Option<usize>)>,
}

impl Drawer {
    /// For rows that are grouped by these.
    #[must_use]
    pub fn new(kind: Kind, groups: &[Dimension]) -> Self {
        let dimensions = super::kinds::groups(kind).map(|dimension| {
            let place = groups.iter().position(|group| *group == dimension);
            (dimension, format!(",\"{}\":", dimension.name()), place)
        });
        Self {
            head: format!("{{\"object\":\"{}\"", kind.object()),
            measures: kind.measures().iter().map(|name| format!(",\"{name}\":")).collect(),
            dimensions: dimensions.collect(),
        }
    }

    /// Draws a row.
    pub fn row(&self, out: &mut Vec<u8>, row: &Row<'_>) -> Result<()> {
        text(out, &self.head);
        for (before, sum) in self.measures.iter().zip(row.sums) {
            text(out, before);
            number(out, *sum)?;
        }
        for (dimension, before, place) in &self.dimensions {
            text(out, before);
            let value = place.and_then(|place| row.values[place].as_deref());
            match (dimension, value) {
                // It is a word in the store and a truth value on the wire.
                (Dimension::Batch, Some(value)) => text(out, value),
                _ => string(out, value)?,
            }
        }
        out.push(b'}');
        Ok(())
    }
}

/// Draws a bucket.
pub fn bucket<'a>(
    bucket: &Bucket<'a>,
    mut row: impl FnMut(&mut Vec<u8>, &Row<'a>) -> Result<()>,
) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(96 + bucket.rows.len() * 640);
    let (start, end) = (bucket.start, bucket.end);
    text(
        &mut out,
        &format!("{{\"object\":\"bucket\",\"start_time\":{start},\"end_time\":{end},\"results\":["),
    );
    for (place, one) in bucket.rows.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        row(&mut out, one)?;
    }
    text(&mut out, "]}");
    out.shrink_to_fit();
    Ok(out)
}

/// Appends what needs no quotes.
pub fn text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// Appends a whole number.
pub fn number(out: &mut Vec<u8>, number: Amount) -> Result<()> {
    match u64::try_from(number) {
        Ok(number) => json(out, &number),
        Err(_) => json(out, &number),
    }
}

/// Appends a string or null.
pub fn string(out: &mut Vec<u8>, value: Option<&str>) -> Result<()> {
    json(out, &value)
}

fn json(out: &mut Vec<u8>, value: &impl serde::Serialize) -> Result<()> {
    serde_json::to_writer(out, value).map_err(|error| Error::internal(error.to_string()))
}
