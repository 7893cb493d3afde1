//! Pieces of long answers. A piece is compressed by itself, so that one that is kept is compressed once, whatever stands beside
//! it in the answers that it is sent in.

use std::io::Write as _;

use bytes::Bytes;
use crc32fast::Hasher;
use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::error::{Error, Result};

/// Pieces of at least so many bytes stay what they are; smaller ones are put together. Answers that are shorter are not compressed.
pub const LARGE: usize = 16 << 10;

/// A piece of an answer.
#[derive(Debug, Clone)]
pub enum Piece {
    /// As it reads.
    Plain(Bytes),
    /// Compressed.
    Packed(Packed),
}

impl Piece {
    /// Its bytes, if it is not compressed.
    #[must_use]
    pub fn plain(&self) -> Option<&Bytes> {
        match self {
            Self::Plain(bytes) => Some(bytes),
            Self::Packed(_) => None,
        }
    }

    /// How many bytes it has for whoever reads it.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Plain(bytes) => bytes.len() as u64,
            Self::Packed(packed) => packed.length,
        }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes it has for whoever keeps or sends it.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::Plain(bytes) => bytes.len() as u64,
            Self::Packed(packed) => packed.blocks.len() as u64,
        }
    }

    /// The same piece compressed.
    pub fn packed(self) -> Result<Packed> {
        match self {
            Self::Plain(bytes) => Packed::of(&bytes),
            Self::Packed(packed) => Ok(packed),
        }
    }
}

/// Whole blocks of a DEFLATE stream, none of them its last and none with a reference to what stands before: they may follow each
/// other in any order.
#[derive(Debug, Clone)]
pub struct Packed {
    blocks: Bytes,
    sum: Hasher,
    length: u64,
}

impl Packed {
    /// Compresses these bytes.
    pub fn of(bytes: &[u8]) -> Result<Self> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        let done = encoder.write_all(bytes).and_then(|()| encoder.flush());
        done.map_err(|error| Error::internal(format!("an answer was not compressed: {error}")))?;
        let mut blocks = std::mem::take(encoder.get_mut());
        blocks.shrink_to_fit();
        let mut sum = Hasher::new();
        sum.update(bytes);
        Ok(Self { blocks: blocks.into(), sum, length: bytes.len() as u64 })
    }
}

/// What stands before the blocks of a gzip file without a name and a time (RFC 1952, section 2.3): the two bytes by which it is
/// known, the method, no flags, no time, nothing special, an unknown system.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
/// An empty block that is the last one.
const LAST: [u8; 2] = [3, 0];

/// These pieces one after another as a gzip file, in pieces too.
pub fn gzip(pieces: impl IntoIterator<Item = Packed>) -> Vec<Bytes> {
    let (mut sum, mut length) = (Hasher::new(), 0_u64);
    let mut file = vec![Bytes::from_static(&HEAD)];
    for piece in pieces {
        sum.combine(&piece.sum);
        length += piece.length;
        file.push(piece.blocks);
    }
    // The length is told modulo 2³².
    let [a, b, c, d, ..] = length.to_le_bytes();
    file.push([&LAST[..], &sum.finalize().to_le_bytes(), &[a, b, c, d]].concat().into());
    file
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use sha2::{Digest, Sha256};

    use super::*;

    /// Text that cannot be compressed, so that what comes of it fills every buffer on its way.
    fn noise(length: usize) -> Vec<u8> {
        let blocks = (0..=length / 32).flat_map(|number| Sha256::digest(number.to_le_bytes()));
        blocks.take(length).collect()
    }

    #[test]
    fn nothing_is_lost_of_a_piece_of_any_length() {
        let around = |middle: usize| (middle - 40..middle + 40).step_by(5);
        let lengths = around(1 << 15).chain(around(1 << 16)).chain([1, 1 << 20]);
        for length in lengths {
            let noise = noise(length);
            let piece = Packed::of(&noise).unwrap();
            let mut read = Vec::new();
            let file = gzip([piece.clone(), Packed::of(b",").unwrap(), piece]).concat();
            GzDecoder::new(&*file).read_to_end(&mut read).unwrap();
            assert!(read == [&*noise, b",", &*noise].concat(), "{length} bytes");
        }
    }

    #[test]
    fn pieces_follow_each_other_in_any_order_and_any_number() {
        let long = vec![b'x'; 100_000];
        let texts: [&[u8]; 4] = [b"", b"abcabcabcabc", b"[1,2,3]", &long];
        let packed: Vec<_> = texts.iter().map(|text| Packed::of(text).unwrap()).collect();
        for order in [&[0_usize, 1, 2, 3][..], &[3, 2, 1, 0], &[1, 1, 3, 1], &[0], &[]] {
            let expected = order.iter().map(|place| texts[*place]).collect::<Vec<_>>().concat();
            let file = gzip(order.iter().map(|place| packed[*place].clone())).concat();
            let mut read = Vec::new();
            // A decoder for one member only: it fails at what follows that.
            let mut decoder = GzDecoder::new(&*file);
            decoder.read_to_end(&mut read).unwrap();
            assert_eq!(read, expected, "{order:?}");
            assert!(decoder.into_inner().is_empty(), "nothing follows: {order:?}");
        }
        let large = Piece::Packed(packed[3].clone());
        assert_eq!(large.len(), 100_000);
        assert!(large.size() < 1000 && !large.is_empty(), "{} bytes", large.size());
    }
}
