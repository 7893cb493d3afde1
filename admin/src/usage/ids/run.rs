//! A run: sorted hashes with a filter.

use sha2::{Digest, Sha256};
use xorf::{BinaryFuse16, Filter};

use crate::error::{Error, Result};

/// What is kept of an id: the beginning of its SHA-256. Nobody can find two ids of one hash.
pub type Hash = [u8; 16];

/// The hash of an id.
#[must_use]
pub fn hash(id: &str) -> Hash {
    let mut hash = Hash::default();
    hash.copy_from_slice(&Sha256::digest(id)[..16]);
    hash
}

/// How many bytes of a filter say how its fingerprints are read.
const HEAD: usize = 20;

/// Sorted hashes with the filter that tells what is not among them. Making one computes, so nobody makes one in a transaction.
#[derive(Debug, Clone)]
pub struct Run {
    hashes: Vec<Hash>,
    filter: RunFilter,
    last_time: i64,
}

impl Run {
    /// A run of these hashes, of events of which none is later than this.
    pub fn of(mut hashes: Vec<Hash>, last_time: i64) -> Result<Self> {
        hashes.sort_unstable();
        hashes.dedup();
        let filter = RunFilter::of(&hashes)?;
        Ok(Self { hashes, filter, last_time })
    }

    /// The hashes, sorted.
    #[must_use]
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The time of the latest of its events.
    #[must_use]
    pub fn last_time(&self) -> i64 {
        self.last_time
    }

    /// Its filter.
    #[must_use]
    pub fn filter(&self) -> &RunFilter {
        &self.filter
    }

    /// Whether a hash is in it.
    #[must_use]
    pub fn contains(&self, hash: &Hash) -> bool {
        self.filter.may_contain(hash) && self.hashes.binary_search(hash).is_ok()
    }
}

/// Tells of nearly every hash that is not in a run that it is not.
#[derive(Debug, Clone)]
pub struct RunFilter(BinaryFuse16);

/// What a filter looks at.
fn word(hash: &Hash) -> u64 {
    let (halves, _) = hash.as_chunks::<8>();
    halves.first().map_or(0, |first| u64::from_be_bytes(*first))
}

impl RunFilter {
    /// The filter of sorted hashes.
    fn of(hashes: &[Hash]) -> Result<Self> {
        let mut words: Vec<u64> = hashes.iter().map(word).collect();
        // Two hashes that begin alike can be made, and no filter can be made of equal words.
        words.dedup();
        let failed = |why| Error::internal(format!("a filter of ids cannot be made: {why}"));
        BinaryFuse16::try_from(&words).map(Self).map_err(failed)
    }

    /// Whether the hash may be in the run; that it is not is certain.
    #[must_use]
    pub fn may_contain(&self, hash: &Hash) -> bool {
        self.0.contains(&word(hash))
    }

    /// The filter as it is stored.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let head = &self.0.descriptor;
        let mut bytes = Vec::with_capacity(HEAD + 2 * self.0.fingerprints.len());
        bytes.extend_from_slice(&head.seed.to_le_bytes());
        for number in [head.segment_length, head.segment_length_mask, head.segment_count_length] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend(self.0.fingerprints.iter().flat_map(|print| print.to_le_bytes()));
        bytes
    }

    /// The filter that is stored as these bytes.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        Self::parse(bytes).ok_or_else(|| Error::internal("a filter of ids cannot be read"))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (head, prints) = bytes.split_at_checked(HEAD)?;
        let (seed, numbers) = head.split_first_chunk::<8>()?;
        let (numbers, rest) = numbers.as_chunks::<4>();
        let [segment_length, segment_length_mask, segment_count_length] =
            <[[u8; 4]; 3]>::try_from(numbers).ok()?.map(u32::from_le_bytes);
        let (prints, odd) = prints.as_chunks::<2>();
        let needed = u64::from(segment_count_length) + 2 * u64::from(segment_length);
        let is_whole = rest.is_empty()
            && odd.is_empty()
            && segment_length.is_power_of_two()
            && segment_length_mask == segment_length - 1
            && prints.len() as u64 == needed;
        if !is_whole {
            return None;
        }
        // The library has no name for the head of a filter, so the one of an empty filter is filled in.
        let mut filter = BinaryFuse16::try_from(&[][..]).ok()?;
        filter.descriptor.seed = u64::from_le_bytes(*seed);
        filter.descriptor.segment_length = segment_length;
        filter.descriptor.segment_length_mask = segment_length_mask;
        filter.descriptor.segment_count_length = segment_count_length;
        filter.fingerprints = prints.iter().map(|print| u16::from_le_bytes(*print)).collect();
        Some(Self(filter))
    }
}

/// A portion of hashes as it is stored.
#[must_use]
pub fn pack(hashes: &[Hash]) -> Vec<u8> {
    hashes.as_flattened().to_vec()
}

/// The hashes of a stored portion.
pub fn unpack(bytes: &[u8]) -> Result<&[Hash]> {
    match bytes.as_chunks() {
        (hashes, []) => Ok(hashes),
        _ => Err(Error::internal("a portion of ids cannot be read")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_survives_its_bytes_and_knows_what_is_in() {
        for count in [0, 1, 2, 3, 10, 1000, 5000] {
            let hashes: Vec<_> =
                (0..count).map(|number| hash(&format!("event {number}"))).collect();
            let run = Run::of(hashes.clone(), 7).expect("it is made");
            let read = RunFilter::read(&run.filter().bytes()).expect("it is read");
            assert!(hashes.iter().all(|hash| run.contains(hash) && read.may_contain(hash)));
            let strangers = (0..10_000).map(|number| hash(&format!("stranger {number}")));
            let mistaken = strangers.filter(|hash| read.may_contain(hash)).count();
            assert!(mistaken < 10, "{count}: {mistaken}");
        }
    }

    #[test]
    fn hashes_that_begin_alike_have_a_filter() {
        let (one, mut other) = (hash("one"), hash("one"));
        other[15] ^= 1;
        let run = Run::of(vec![one, other, one], 0).expect("it is made");
        assert!(run.contains(&one) && run.contains(&other) && run.hashes().len() == 2);
    }

    #[test]
    fn a_broken_filter_is_refused() {
        let bytes = Run::of(vec![hash("a")], 0).expect("it is made").filter().bytes();
        assert!(RunFilter::read(&bytes[..bytes.len() - 1]).is_err());
        assert!(RunFilter::read(&bytes[..bytes.len() - 2]).is_err());
        assert!(RunFilter::read(&[]).is_err());
        let mut wrong = bytes.clone();
        wrong[8] ^= 0xFF;
        assert!(RunFilter::read(&wrong).is_err());
    }
}
