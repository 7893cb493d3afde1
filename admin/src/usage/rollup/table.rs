//! Sums by bucket and series on their way into a segment.

use super::width::Width;
use crate::usage::event::Amount;

/// The beginning of a bucket, and the number of a series.
pub type Key = (i64, u32);

/// Rows of sums, flat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    measures: usize,
    keys: Vec<Key>,
    sums: Vec<Amount>,
}

impl Table {
    /// A table of so many measures without rows.
    #[must_use]
    pub fn new(measures: usize) -> Self {
        Self { measures, keys: Vec::new(), sums: Vec::new() }
    }

    /// Adds a row. Whoever reads the table makes it [`summed`](Self::summed) first.
    pub fn push(&mut self, key: Key, sums: impl IntoIterator<Item = Amount>) {
        self.keys.push(key);
        self.sums.extend(sums);
        debug_assert_eq!(
            self.sums.len(),
            self.keys.len() * self.measures,
            "each row has all measures"
        );
    }

    /// Adds a row of zeros to be filled in, and says where its numbers begin.
    pub fn push_zeros(&mut self, key: Key) -> usize {
        self.push(key, std::iter::repeat_n(0, self.measures));
        self.sums.len() - self.measures
    }

    /// The numbers of all rows, to be filled in.
    pub fn sums_mut(&mut self) -> &mut [Amount] {
        &mut self.sums
    }

    /// How many measures a row has.
    #[must_use]
    pub fn measures(&self) -> usize {
        self.measures
    }

    /// The rows' keys.
    #[must_use]
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (Key, &[Amount])> {
        self.keys.iter().copied().zip(self.sums.chunks_exact(self.measures))
    }

    /// The number in a row and a column.
    #[must_use]
    pub fn sum(&self, row: usize, measure: usize) -> Amount {
        self.sums[row * self.measures + measure]
    }

    /// The same with one row for each key, in the order of the keys.
    #[must_use]
    pub fn summed(self) -> Self {
        if self.keys.is_sorted_by(|one, next| one < next) {
            return self;
        }
        let mut order: Vec<_> = (0..self.keys.len()).collect();
        order.sort_unstable_by_key(|row| self.keys[*row]);
        let mut summed = Self::new(self.measures);
        for row in order {
            let sums = &self.sums[row * self.measures..][..self.measures];
            if summed.keys.last() == Some(&self.keys[row]) {
                let start = summed.sums.len() - self.measures;
                summed.sums[start..].iter_mut().zip(sums).for_each(|(sum, more)| *sum += more);
            } else {
                summed.push(self.keys[row], sums.iter().copied());
            }
        }
        summed
    }

    /// The same by wider buckets.
    #[must_use]
    pub fn by(&self, width: Width) -> Self {
        let keys = self.keys.iter().map(|(time, series)| (width.floor(*time), *series)).collect();
        Self { keys, ..self.clone() }.summed()
    }

    /// The same with all series as one, whose number is 0.
    #[must_use]
    pub fn totals(&self) -> Self {
        let keys = self.keys.iter().map(|(time, _)| (*time, 0)).collect();
        Self { keys, ..self.clone() }.summed()
    }

    /// The rows from one to before another.
    #[must_use]
    pub fn part(&self, from: usize, to: usize) -> Self {
        let sums = self.sums[from * self.measures..to * self.measures].to_vec();
        Self { measures: self.measures, keys: self.keys[from..to].to_vec(), sums }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_key_become_one() {
        let mut table = Table::new(2);
        for (key, sums) in
            [((120, 2), [1, 2]), ((60, 9), [3, 4]), ((120, 2), [5, 6]), ((120, 1), [7, 8])]
        {
            table.push(key, sums);
        }
        let summed = table.summed();
        let rows: Vec<_> = summed.rows().map(|(key, sums)| (key, sums.to_vec())).collect();
        assert_eq!(rows, [((60, 9), vec![3, 4]), ((120, 1), vec![7, 8]), ((120, 2), vec![6, 8])]);
        let hours: Vec<_> =
            summed.by(Width::Hour).rows().map(|(key, sums)| (key, sums.to_vec())).collect();
        assert_eq!(hours, [((0, 1), vec![7, 8]), ((0, 2), vec![6, 8]), ((0, 9), vec![3, 4])]);
        assert_eq!(summed.totals().keys(), [(60, 0), (120, 0)]);
    }
}
