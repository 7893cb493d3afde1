//! Time and randomness are handed in, so that tests are exact and an emulated server is repeatable.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the program may know of time. Injected, because a test must be able to stop it.
pub trait Clock: Send + Sync {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> u64;

    /// Seconds since the Unix epoch, as every timestamp on the wire and in the store.
    fn now(&self) -> i64 {
        i64::try_from(self.now_ms() / 1000).unwrap_or(i64::MAX)
    }
}

/// The machine's clock, for a serving process.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the machine's clock"
    )]
    fn now_ms(&self) -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |past| u64::try_from(past.as_millis()).unwrap_or(u64::MAX))
    }
}

/// Where random bits come from. Injected for the same reason as [`Clock`].
pub trait Random: Send + Sync {
    /// Fills the buffer with unpredictable bytes.
    fn fill(&self, buffer: &mut [u8]);
}

/// So many bytes are asked of the system at once where few are needed.
const DRAWN: usize = 1024;
/// What is longer is asked for by itself, so no secret is ever among the bytes that wait to be used.
const FEW: usize = 16;

thread_local! {
    /// Bytes of the system that nobody used yet, the next one last.
    static UNUSED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The operating system's generator, for a serving process. What ids need is asked for many at once: a call of the system costs as
/// much as a tenth of a kept page.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        if buffer.len() > FEW {
            return draw(buffer);
        }
        UNUSED.with_borrow_mut(|unused| {
            if unused.len() < buffer.len() {
                unused.resize(DRAWN, 0);
                draw(unused);
            }
            let rest = unused.len() - buffer.len();
            buffer.copy_from_slice(&unused[rest..]);
            unused.truncate(rest);
        });
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that asks the system for randomness"
)]
fn draw(buffer: &mut [u8]) {
    getrandom::fill(buffer).expect("the operating system gives random bytes");
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_bytes_of_the_system_are_used_twice() {
        let mut drawn = HashSet::new();
        // 7 divides no power of two: what is left of a draw is too little now and then.
        for _ in 0..10 * DRAWN / 7 {
            let mut bytes = [0; 7];
            SystemRandom.fill(&mut bytes);
            drawn.extend(bytes.windows(7).map(<[u8]>::to_vec));
        }
        assert_eq!(drawn.len(), 10 * DRAWN / 7);
    }

    #[test]
    fn few_and_many_bytes_are_all_filled() {
        for length in [0, 1, 7, FEW, FEW + 1, 64, 3 * DRAWN] {
            let mut seen = vec![0_u8; length];
            // A byte that stays zero ten times over is not filled.
            for _ in 0..10 {
                let mut bytes = vec![0; length];
                SystemRandom.fill(&mut bytes);
                seen.iter_mut().zip(bytes).for_each(|(seen, byte)| *seen |= byte);
            }
            assert!(seen.iter().all(|byte| *byte != 0), "{length}");
        }
    }
}
