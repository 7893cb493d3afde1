//! Randomness that falls alike each time, so that ids and keys are known beforehand. It protects nothing.

use std::sync::atomic::{AtomicU64, Ordering};

use admin::domain::clock::Random;
use sha2::{Digest, Sha256};

/// A sequence of bytes that follows from its name.
pub struct Dice {
    name: &'static str,
    next: AtomicU64,
}

impl Dice {
    /// The sequence of this name, from its beginning.
    pub fn new(name: &'static str) -> Self {
        Self { name, next: AtomicU64::new(0) }
    }
}

impl Random for Dice {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(32) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let digest =
                Sha256::new().chain_update(self.name).chain_update(number.to_be_bytes()).finalize();
            chunk.copy_from_slice(&digest[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(dice: &Dice) -> [u8; 80] {
        let mut bytes = [0; 80];
        dice.fill(&mut bytes);
        bytes
    }

    #[test]
    fn a_sequence_follows_from_its_name() {
        let (dice, again) = (Dice::new("a"), Dice::new("a"));
        let drawn = [draw(&dice), draw(&dice)];
        assert_eq!(drawn, [draw(&again), draw(&again)]);
        assert_ne!(drawn[0], drawn[1]);
        assert_ne!(drawn[0], draw(&Dice::new("b")));
    }
}
