//! Time that moves when told, and dice that always fall alike.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

use crate::domain::clock::{Clock, Random};

/// A clock that stands still until it is moved.
pub struct TestClock(AtomicU64);

impl TestClock {
    /// A clock at this second.
    pub fn at(seconds: u64) -> Self {
        Self(AtomicU64::new(seconds * 1000))
    }

    /// Moves it to this second.
    pub fn set(&self, seconds: u64) {
        self.0.store(seconds * 1000, Ordering::SeqCst);
    }

    /// Moves it on by this many seconds.
    pub fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A generator that gives the same bytes for the same seed.
pub struct SeededRandom(Mutex<TestRng>);

impl SeededRandom {
    /// The generator of this seed.
    pub fn new(seed: u8) -> Self {
        Self(Mutex::new(TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32])))
    }
}

impl Random for SeededRandom {
    fn fill(&self, buffer: &mut [u8]) {
        self.0.lock().expect("no test panics while drawing").fill_bytes(buffer);
    }
}
