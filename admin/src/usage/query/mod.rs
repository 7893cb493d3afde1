//! Answers to questions about usage, from one snapshot: the segments of the time that is asked for, and the batches that are in none yet.
//! So every event that was acknowledged before the question is in its answer, exactly once.

mod fold;
mod groups;
mod plan;

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use sql::Tx;

use super::event::Amount;
use super::kind::{Dimension, Kind};
use super::memory::{Memory, Place};
use super::rollup::width::Width;
use crate::error::Result;
use crate::piece::{LARGE, Piece};

/// An answer ends with the bucket that makes it weigh more than so many bytes: whoever asks for everything gets it in several pages.
pub const MOST: u64 = 64 << 20;

/// What is asked, whatever the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Of what.
    pub kind: Kind,
    /// By buckets of this width.
    pub width: Width,
    /// By which dimensions, in the order in which rows are sorted.
    pub groups: Vec<Dimension>,
    /// Only of series with one of these values in each of these dimensions.
    pub filters: Vec<(Dimension, BTreeSet<String>)>,
    /// Whether a bucket is drawn from its rows and nothing else, so that it may be kept.
    pub is_kept: bool,
}

/// Of what time it is asked. Both ends lie between buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The beginning of the first bucket.
    pub first: i64,
    /// The end of the last one.
    pub end: i64,
    /// Buckets that begin before this are empty: what was in them is not kept any more.
    pub kept_from: Option<i64>,
}

/// A bucket with its rows, in the order of their values.
#[derive(Debug)]
pub struct Bucket<'a> {
    /// Its beginning.
    pub start: i64,
    /// Its end.
    pub end: i64,
    /// Its rows.
    pub rows: Vec<Row<'a>>,
}

/// A row of a bucket.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The values of [`Question::groups`].
    pub values: &'a [Option<Arc<str>>],
    /// The sums of the kind's measures.
    pub sums: &'a [Amount],
}

/// Draws a bucket, and may look something up for that.
pub type Draw<'d> = &'d mut dyn FnMut(&mut Tx<'_>, &Bucket<'_>) -> Result<Bytes>;

impl Question {
    /// Whether the totals of segments answer it.
    fn is_total(&self) -> bool {
        self.groups.is_empty() && self.filters.is_empty()
    }

    /// What tells this question of an organization from every other one, whatever the time.
    #[must_use]
    pub fn digest(&self, organization: &str) -> Sha256 {
        // Before each list it is said how long it is: a value may be called like a dimension.
        let mut hash = Sha256::new();
        text(&mut hash, organization);
        text(&mut hash, self.kind.name());
        text(&mut hash, self.width.name());
        length(&mut hash, self.groups.len());
        for group in &self.groups {
            text(&mut hash, group.name());
        }
        length(&mut hash, self.filters.len());
        for (dimension, values) in &self.filters {
            text(&mut hash, dimension.name());
            length(&mut hash, values.len());
            for value in values {
                text(&mut hash, value);
            }
        }
        hash
    }
}

fn length(hash: &mut Sha256, length: usize) {
    hash.update((length as u64).to_le_bytes());
}

fn text(hash: &mut Sha256, text: &str) {
    length(hash, text.len());
    hash.update(text);
}

/// A bucket that was drawn, or was kept as it is to be sent.
#[derive(Debug)]
pub struct Drawn {
    piece: Piece,
    /// Where it is to be kept, if it is new and may be.
    place: Option<Place>,
}

/// Draws the buckets of a period one after another, each exactly once and empty ones too, until the answer is large enough. Those
/// that are kept are as `packs` says; what is new has to be [finished](finish).
pub fn ask(
    tx: &mut Tx<'_>,
    memory: &Memory,
    organization: &str,
    question: &Question,
    period: Period,
    packs: bool,
    draw: Draw<'_>,
) -> Result<Vec<Drawn>> {
    plan::Plan::of(tx, memory, organization, question, period, packs)?.run(tx, draw)
}

/// Whether there is something to compress, which takes a while.
#[must_use]
pub fn is_long_to_finish(drawn: &[Drawn], packs: bool) -> bool {
    let is_large = |one: &Drawn| one.piece.plain().is_some_and(|plain| plain.len() >= LARGE);
    packs && drawn.iter().any(is_large)
}

/// Compresses what is large, for a client that takes it so, and keeps what may be kept.
pub fn finish(memory: &Memory, drawn: Vec<Drawn>, packs: bool) -> Result<Vec<Piece>> {
    let mut pieces = Vec::with_capacity(drawn.len());
    for Drawn { piece, place } in drawn {
        let piece = if packs && piece.len() >= LARGE as u64 {
            Piece::Packed(piece.packed()?)
        } else {
            piece
        };
        if let Some(place) = place {
            memory.drawn.keep(place, piece.clone());
        }
        pieces.push(piece);
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_whose_words_are_the_same_are_told_apart() {
        let asking = |filters: &[(Dimension, &[&str])]| {
            let values = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
            let question = Question {
                kind: Kind::Completions,
                width: Width::Day,
                groups: Vec::new(),
                filters: filters.iter().map(|(name, of)| (*name, values(of))).collect(),
                is_kept: true,
            };
            question.digest("org-1").finalize()
        };
        let (project, model) = (Dimension::ProjectId, Dimension::Model);
        let two = asking(&[(project, &["1"]), (model, &["x"])]);
        for name in [model.name(), "models"] {
            assert_ne!(two, asking(&[(project, &["1", "=", name, "x"])]), "{name}");
            assert_ne!(two, asking(&[(project, &["1", name, "x"])]), "{name}");
        }
        assert_eq!(two, asking(&[(project, &["1"]), (model, &["x"])]));
    }
}
