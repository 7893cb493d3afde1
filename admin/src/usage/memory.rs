//! What a process keeps of usage between requests. Nothing in it can become wrong, because nothing of which it is made ever changes:
//! what a request may use of it is asked in its own snapshot.

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::rollup::dictionary::Dictionaries;
use super::rollup::tail::Tails;
use crate::piece::Piece;

/// How many bytes of drawn buckets are kept, and how many buckets that is about.
const BYTES: u64 = 64 << 20;
const BUCKETS: usize = 16_384;
/// What a bucket takes beside its bytes.
const OVERHEAD: u64 = 128;

/// Everything that is kept.
#[derive(Default)]
pub struct Memory {
    /// The numbers of series.
    pub dictionaries: Dictionaries,
    /// Batches that are not rolled up yet.
    pub tails: Tails,
    /// Buckets as they are sent.
    pub drawn: Drawn,
}

/// Buckets as they are sent, by the hash of the question, of how they are sent and of the segments they were made of, and by
/// their beginning.
pub struct Drawn(Cache<Place, Piece, Weight>);

/// What a drawn bucket answers.
pub type Place = ([u8; 32], i64);

#[derive(Clone)]
struct Weight;

impl Weighter<Place, Piece> for Weight {
    fn weight(&self, _: &Place, bucket: &Piece) -> u64 {
        bucket.size() + OVERHEAD
    }
}

impl Default for Drawn {
    fn default() -> Self {
        Self(Cache::with_weighter(BUCKETS, BYTES, Weight))
    }
}

impl Drawn {
    /// A bucket that was drawn before.
    #[must_use]
    pub fn get(&self, place: &Place) -> Option<Piece> {
        self.0.get(place)
    }

    /// Keeps a bucket.
    pub fn keep(&self, place: Place, bucket: Piece) {
        self.0.insert(place, bucket);
    }
}
