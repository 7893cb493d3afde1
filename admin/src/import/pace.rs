//! How much at once, so that others get their turn.

use std::time::{Duration, Instant};

use sql::{Engine, Store};

/// A portion that takes longer is too large. A change of a server beside waits for one portion, sometimes two.
const LONG: Duration = Duration::from_millis(250);
/// A portion that takes less may be twice as large.
const SHORT: Duration = Duration::from_millis(100);
/// How many rows the first portion has: what they cost is not known yet.
const FIRST: usize = 1000;
/// How long the lock stays free between two portions.
const GAP: Duration = Duration::from_millis(4);

/// The number of rows for the next portion.
#[derive(Debug)]
pub struct Pace {
    rows: usize,
    most: usize,
}

impl Pace {
    /// For portions of at most so many rows.
    pub fn new(most: usize) -> Self {
        Self { rows: most.min(FIRST), most }
    }

    /// How many rows to take next.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Learns how long a portion held the lock.
    pub fn note(&mut self, took: Duration) {
        if took > LONG {
            self.rows = (self.rows / 2).max(1);
        } else if took < SHORT {
            self.rows = (self.rows * 2).min(self.most);
        }
    }
}

/// Notes since when a portion holds the lock, and lets others have it afterwards.
pub fn yield_lock(store: &Store, pace: &mut Pace, began: Instant) {
    pace.note(began.elapsed());
    if store.engine() == Engine::Sqlite {
        rest();
    }
}

/// `SQLite` hands its lock to whoever asks first: another process, which looks every millisecond, would never meet it free.
#[expect(clippy::disallowed_methods, reason = "SQLite does not tell whether somebody waits")]
fn rest() {
    std::thread::sleep(GAP);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_portions_shrink_and_quick_ones_grow_again_up_to_the_limit() {
        let mut pace = Pace::new(1000);
        let mut next = |milliseconds| {
            pace.note(Duration::from_millis(milliseconds));
            pace.rows()
        };
        assert_eq!(
            [next(251), next(500), next(150), next(10), next(10), next(10)],
            [500, 250, 250, 500, 1000, 1000]
        );
        assert_eq!((0..20).map(|_| next(300)).last(), Some(1));
    }
}
