//! Identifiers: a prefix and 24 characters that sort by creation.
//!
//! The 24 characters are base62 in ASCII order over 142 bits: 48 bits of milliseconds, 16 bits of a counter and 78 random
//! bits. Sorting ids as bytes therefore sorts by creation, which is what makes an id usable as a cursor.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::clock::{Clock, Random};

/// Digits in ASCII order, so that text order is number order.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const WIDTH: usize = 24;
/// 62 to the fifth: five digits come out of one division, and the remainder still fits 32 bits.
const FIVE_DIGITS: u64 = 62_u64.pow(5);

/// Writes a big-endian number in base62, left-padded to `width`.
///
/// The width must hold the number: 24 digits hold 142 bits, 43 digits hold 256 bits.
///
/// # Panics
/// Never: digits are ASCII and remainders are small.
#[must_use]
pub fn base62(number: &[u8], width: usize) -> String {
    let word = |bytes: &[u8]| bytes.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte));
    let mut words: Vec<u64> = number.rchunks(4).rev().map(word).collect();
    let mut digits = vec![DIGITS[0]; width];
    for five in digits.rchunks_mut(5) {
        let mut rest = 0;
        for word in &mut words {
            let value = (rest << 32) | *word;
            (*word, rest) = (value / FIVE_DIGITS, value % FIVE_DIGITS);
        }
        for digit in five.iter_mut().rev() {
            *digit = DIGITS[usize::try_from(rest % 62).expect("a remainder is small")];
            rest /= 62;
        }
    }
    String::from_utf8(digits).expect("base62 digits are ASCII")
}

/// The largest number of milliseconds that an id has room for.
const LAST_MS: u64 = (1 << 48) - 1;

/// A position among ids of this prefix: behind all that were made before this second, and before all that were made in it or later.
#[must_use]
pub fn position_at(prefix: &str, second: i64) -> String {
    let ms = u64::try_from(second.saturating_mul(1000)).unwrap_or(0).min(LAST_MS);
    // One less than the smallest id of the moment, and no id has all random bits set and the last counter of a millisecond.
    let Some(before) = (u128::from(ms) << 22).checked_sub(1) else { return prefix.to_owned() };
    let mut number = [0xFF; 18];
    number[..9].copy_from_slice(&before.to_be_bytes()[7..]);
    format!("{prefix}{}", base62(&number, WIDTH))
}

/// The moment at which an id says that it was made, in milliseconds, whatever stands before its 24 digits.
#[must_use]
pub fn moment_of(id: &str) -> Option<u64> {
    let bytes = id.as_bytes();
    let digits = bytes.get(bytes.len().checked_sub(WIDTH)?..)?;
    let number = digits.iter().try_fold([0_u128; 2], |[high, low], digit| {
        let digit = DIGITS.binary_search(digit).ok()? as u128;
        let low = low * 62 + digit;
        Some([high * 62 + (low >> 64), low & u128::from(u64::MAX)])
    })?;
    // 64 bits of time and counter stand before 78 random ones, 14 of which are in the upper half.
    u64::try_from(number[0] >> 30).ok()
}

/// Whether any row can have this id. What cannot be stored need not be looked up, and must not reach an engine that
/// chokes on it.
#[must_use]
pub fn is_possible_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 256 && !id.chars().any(char::is_control)
}

/// Makes ids. One per process: its counter keeps ids of one millisecond, or of a stopped clock, in creation order.
pub struct Ids {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// Milliseconds and counter in one word: the next id takes the later of "one more" and "now".
    last: AtomicU64,
}

impl Ids {
    /// Ids from this clock and this source of randomness.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { clock, random, last: AtomicU64::new(0) }
    }

    /// A new id, for example `make("proj_")`.
    #[must_use]
    pub fn make(&self, prefix: &str) -> String {
        self.block(1).id(prefix, 0)
    }

    /// A new id of 32 lower-case hexadecimal digits behind the prefix, which sorts by creation too.
    #[must_use]
    pub fn make_hex(&self, prefix: &str) -> String {
        self.block(1).hex(prefix, 0)
    }

    /// Reserves `count` consecutive ids at once, so that a transaction that may run twice names its events alike both times.
    #[must_use]
    pub fn block(&self, count: u16) -> IdBlock {
        let now = self.clock.now_ms() << 16;
        let next = |last: u64| (last + 1).max(now) + u64::from(count) - 1;
        let last = self
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)))
            .unwrap_or_else(|last| last);
        let mut random = [0; 10];
        self.random.fill(&mut random);
        random[0] &= 0x3F;
        IdBlock { first: (last + 1).max(now), count, random }
    }
}

/// Consecutive ids reserved by [`Ids::block`].
#[derive(Debug, Clone)]
pub struct IdBlock {
    first: u64,
    count: u16,
    random: [u8; 10],
}

impl IdBlock {
    /// How many ids there are in it.
    #[must_use]
    pub fn count(&self) -> u16 {
        self.count
    }

    /// The id at this place of the block.
    ///
    /// # Panics
    /// When the place lies behind the block's end, where ids may be somebody else's.
    #[must_use]
    pub fn id(&self, prefix: &str, index: u16) -> String {
        assert!(index < self.count, "an id is taken from within its block");
        // 64 bits of time and counter, then 78 random bits: the first random byte gives six of its bits.
        let place = u128::from(self.first + u64::from(index));
        let (head, tail) = (self.random[0], &self.random[1..]);
        let mut number = [0; 18];
        number[..9].copy_from_slice(&((place << 6) | u128::from(head)).to_be_bytes()[7..]);
        number[9..].copy_from_slice(tail);
        format!("{prefix}{}", base62(&number, WIDTH))
    }

    /// The second at which the id at this place says it was made.
    #[must_use]
    pub fn seconds(&self, index: u16) -> i64 {
        let ms = (self.first + u64::from(index)) >> 16;
        i64::try_from(ms / 1000).unwrap_or(i64::MAX)
    }

    /// The same in hexadecimal digits: 64 bits of time and counter, 64 random ones.
    ///
    /// # Panics
    /// When the place lies behind the block's end.
    #[must_use]
    pub fn hex(&self, prefix: &str, index: u16) -> String {
        assert!(index < self.count, "an id is taken from within its block");
        let random =
            self.random[2..].iter().fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
        format!("{prefix}{:016x}{random:016x}", self.first + u64::from(index))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{SeededRandom, TestClock};

    fn ids() -> (Arc<TestClock>, Ids) {
        let clock = Arc::new(TestClock::at(1_750_000_000));
        (Arc::clone(&clock), Ids::new(clock, Arc::new(SeededRandom::new(7))))
    }

    #[test]
    fn ids_have_the_documented_form() {
        let (_, ids) = ids();
        let id = ids.make("proj_");
        assert_eq!(id.len(), "proj_".len() + 24);
        assert!(id["proj_".len()..].bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }

    #[test]
    fn ids_sort_by_creation_even_when_the_clock_stands_still_or_goes_back() {
        let (clock, ids) = ids();
        let mut made: Vec<String> = (0..70_000).map(|_| ids.make("user-")).collect();
        clock.set(1_749_999_000);
        made.push(ids.make("user-"));
        clock.set(1_760_000_000);
        made.push(ids.make("user-"));
        assert!(made.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn an_id_tells_its_moment() {
        let clock = Arc::new(TestClock::at(0));
        for second in [0, 1, 1_750_000_000, 281_474_976_710] {
            clock.set(second);
            let fresh = Ids::new(Arc::clone(&clock) as _, Arc::new(SeededRandom::new(9)));
            assert_eq!(moment_of(&fresh.make("audit_log-")), Some(second * 1000));
        }
        for odd in ["", "audit_log-1", "audit_log-00000000000000000000000!"] {
            assert_eq!(moment_of(odd), None);
        }
    }

    #[test]
    fn hexadecimal_ids_sort_by_creation() {
        let (_, ids) = ids();
        let made: Vec<String> = (0..100).map(|_| ids.make_hex("role_")).collect();
        assert!(made.is_sorted_by(|a, b| a < b));
        assert!(
            made.iter().all(|id| id.len() == 37 && id[5..].bytes().all(|b| b.is_ascii_hexdigit()))
        );
    }

    #[test]
    fn a_position_parts_what_was_made_before_a_second_from_what_was_made_in_it() {
        let (clock, ids) = ids();
        let mut made: Vec<(i64, String)> = Vec::new();
        for second in [1_750_000_000, 1_750_000_001, 1_750_000_001, 1_750_000_007] {
            clock.set(u64::try_from(second).expect("after 1970"));
            let block = ids.block(1);
            assert_eq!(block.seconds(0), second);
            made.push((second, block.id("e-", 0)));
        }
        for at in [i64::MIN, -1, 0, 1_750_000_000, 1_750_000_001, 1_750_000_002, i64::MAX] {
            let position = position_at("e-", at);
            for (second, id) in &made {
                assert_eq!(
                    *id > position,
                    *second >= at,
                    "{id} made at {second}, {position} at {at}"
                );
            }
        }
    }

    #[test]
    fn a_block_is_consecutive_and_apart_from_its_neighbours() {
        let (_, ids) = ids();
        let before = ids.make("e");
        let block = ids.block(3);
        let after = ids.make("e");
        let all = [before, block.id("e", 0), block.id("e", 1), block.id("e", 2), after];
        assert!(all.is_sorted_by(|a, b| a < b), "{all:?}");
    }

    proptest! {
        #[test]
        fn base62_keeps_the_order_of_numbers(a: [u8; 17], b: [u8; 17]) {
            prop_assert_eq!(a.cmp(&b), base62(&a, 24).cmp(&base62(&b, 24)));
        }

        #[test]
        fn base62_of_256_bits_is_injective(a: [u8; 32], b: [u8; 32]) {
            prop_assert_eq!(a == b, base62(&a, 43) == base62(&b, 43));
        }
    }
}
