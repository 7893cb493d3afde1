//! Columns of numbers, each number in as few bytes as the largest one needs.

use std::ops::Range;

use crate::usage::event::Amount;

/// Appends a column. One of zeros takes a byte, whatever its length.
pub fn write(out: &mut Vec<u8>, numbers: impl Iterator<Item = Amount> + Clone) {
    let all = numbers.clone().fold(0, |all, number| all | number.cast_unsigned());
    let width = (u128::BITS - all.leading_zeros()).div_ceil(8);
    out.push(width.to_le_bytes()[0]);
    let width = width as usize;
    for number in numbers.filter(|_| width > 0) {
        out.extend_from_slice(&number.to_le_bytes()[..width]);
    }
}

/// A column as it lies in a segment.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    width: usize,
    bytes: &'a [u8],
}

impl<'a> Column<'a> {
    /// The column of so many numbers with which these bytes begin, and the bytes behind it.
    #[must_use]
    pub fn split(bytes: &'a [u8], rows: usize) -> Option<(Self, &'a [u8])> {
        let (width, bytes) = bytes.split_first()?;
        let width = usize::from(*width);
        if width > size_of::<Amount>() {
            return None;
        }
        let (bytes, rest) = bytes.split_at_checked(rows.checked_mul(width)?)?;
        Some((Self { width, bytes }, rest))
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.width == 0
    }

    /// Hands the numbers of some rows over, counted from the first of these rows.
    pub fn each(&self, rows: Range<usize>, mut take: impl FnMut(usize, Amount)) {
        let bytes = &self.bytes[rows.start * self.width..rows.end * self.width];
        match self.width {
            0 => (0..rows.len()).for_each(|place| take(place, 0)),
            1 => numbers::<1>(bytes, take),
            2 => numbers::<2>(bytes, take),
            3 => numbers::<3>(bytes, take),
            4 => numbers::<4>(bytes, take),
            5 => numbers::<5>(bytes, take),
            6 => numbers::<6>(bytes, take),
            7 => numbers::<7>(bytes, take),
            8 => numbers::<8>(bytes, take),
            wide => {
                for (place, number) in bytes.chunks_exact(wide).enumerate() {
                    let mut whole = [0; size_of::<Amount>()];
                    whole[..wide].copy_from_slice(number);
                    take(place, Amount::from_le_bytes(whole));
                }
            }
        }
    }
}

/// The same for a width that the compiler knows.
fn numbers<const W: usize>(bytes: &[u8], mut take: impl FnMut(usize, Amount)) {
    for (place, number) in bytes.as_chunks::<W>().0.iter().enumerate() {
        let mut whole = [0; 8];
        whole[..W].copy_from_slice(number);
        take(place, u64::from_le_bytes(whole).into());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(column: &Column<'_>, rows: Range<usize>) -> Vec<Amount> {
        let mut found = Vec::new();
        column.each(rows, |place, number| {
            assert_eq!(place, found.len());
            found.push(number);
        });
        found
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            bits in 0_u32..127, numbers in prop::collection::vec(any::<i128>(), 0..40), from in 0_usize..40,
        ) {
            let numbers: Vec<_> =
                numbers.iter().map(|number| number.unsigned_abs().cast_signed() >> (127 - bits)).collect();
            let mut bytes = Vec::new();
            write(&mut bytes, numbers.iter().copied());
            bytes.push(7);
            let (column, rest) = Column::split(&bytes, numbers.len()).expect("it is whole");
            prop_assert_eq!(rest, &[7]);
            let from = from.min(numbers.len());
            prop_assert_eq!(read(&column, from..numbers.len()), &numbers[from..]);
        }
    }

    #[test]
    fn extremes_survive_and_what_is_cut_off_is_seen() {
        let extremes = [0, -1, Amount::MAX, Amount::MIN, 255, 256];
        let mut bytes = Vec::new();
        write(&mut bytes, extremes.into_iter());
        let (column, _) = Column::split(&bytes, extremes.len()).expect("it is whole");
        assert_eq!(read(&column, 0..extremes.len()), extremes);
        assert!(Column::split(&bytes[..bytes.len() - 1], extremes.len()).is_none());
        assert!(Column::split(&[17; 40], 1).is_none() && Column::split(&[], 0).is_none());
        let mut zeros = Vec::new();
        write(&mut zeros, [0; 1000].into_iter());
        assert_eq!(zeros, [0]);
    }
}
