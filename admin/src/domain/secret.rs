//! API keys: made from 256 random bits, kept as a SHA-256, shown once.
//!
//! A key is a prefix, 43 base62 characters of randomness and 6 of checksum. The checksum lets a scanner or the command line
//! recognise a mistyped key without asking; the server never relies on it and always looks the hash up.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::clock::Random;
use super::id::base62;

/// The prefix of an admin key. Some clients refuse any other before they send a request.
pub const ADMIN_PREFIX: &str = "sk-admin-";

/// The prefix of a person's key for a project.
pub const PROJECT_PREFIX: &str = "sk-proj-";
/// The prefix of a service account's key.
pub const ACCOUNT_PREFIX: &str = "sk-svcacct-";

const RANDOM_WIDTH: usize = 43;
const CHECKSUM_WIDTH: usize = 6;
/// How long an admin key made here is.
pub const KEY_LENGTH: usize = ADMIN_PREFIX.len() + RANDOM_WIDTH + CHECKSUM_WIDTH;

/// A key in plain text. It exists from its making until it was shown, and prints as dots everywhere else.
#[derive(Clone)]
pub struct PlainKey(SecretString);

impl PlainKey {
    /// A new key with this prefix.
    #[must_use]
    pub fn generate(prefix: &str, random: &dyn Random) -> Self {
        let mut bits = [0; 32];
        random.fill(&mut bits);
        let body = format!("{prefix}{}", base62(&bits, RANDOM_WIDTH));
        let checksum = checksum(&body);
        Self(SecretString::from(body + &checksum))
    }

    /// A key that somebody chose, for example an operator at the first start.
    #[must_use]
    pub fn given(key: String) -> Self {
        Self(SecretString::from(key))
    }

    /// The key itself. Every call of this is a place where a secret leaves.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// What is stored.
    #[must_use]
    pub fn hash(&self) -> KeyHash {
        KeyHash::of(self.expose())
    }

    /// What is shown ever after: the prefix and the last four characters.
    #[must_use]
    pub fn redacted(&self) -> String {
        mask(self.expose())
    }
}

impl fmt::Debug for PlainKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("PlainKey(…)")
    }
}

/// The SHA-256 of a whole key. One fast hash is right for 256 random bits: there is nothing to guess.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// The hash of this key.
    #[must_use]
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }

    /// The bytes to look up.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("KeyHash(…)")
    }
}

/// A key as it may be repeated to whoever sent it: of a short one nothing, else its prefix and last four characters.
#[must_use]
pub fn mask(key: &str) -> String {
    if key.chars().count() < 20 {
        return "***".to_owned();
    }
    let prefix = [ADMIN_PREFIX, ACCOUNT_PREFIX, PROJECT_PREFIX, "sk-"]
        .into_iter()
        .find(|prefix| key.starts_with(prefix));
    let tail = key.char_indices().rev().nth(3).map_or("", |(start, _)| &key[start..]);
    format!("{}***{tail}", prefix.unwrap_or(""))
}

/// Whether a key ends in the checksum of what stands before it, as every key made here does.
#[must_use]
pub fn has_valid_checksum(key: &str) -> bool {
    key.is_ascii()
        && key.len() > CHECKSUM_WIDTH
        && checksum(&key[..key.len() - CHECKSUM_WIDTH]) == key[key.len() - CHECKSUM_WIDTH..]
}

fn checksum(body: &str) -> String {
    base62(&crc32fast::hash(body.as_bytes()).to_be_bytes(), CHECKSUM_WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededRandom;

    fn key() -> PlainKey {
        PlainKey::generate(ADMIN_PREFIX, &SeededRandom::new(3))
    }

    #[test]
    fn a_key_has_its_prefix_at_least_48_characters_and_a_checksum() {
        let key = key();
        let body = key.expose().strip_prefix(ADMIN_PREFIX).expect("the prefix");
        assert_eq!((body.len(), key.expose().len()), (49, KEY_LENGTH));
        assert!(has_valid_checksum(key.expose()));
        let mistyped =
            key.expose().replacen(&body[10..11], if &body[10..11] == "a" { "b" } else { "a" }, 1);
        assert!(!has_valid_checksum(&mistyped));
    }

    #[test]
    fn a_key_prints_as_dots() {
        let key = key();
        assert_eq!(format!("{key:?} {:?}", key.hash()), "PlainKey(…) KeyHash(…)");
    }

    #[test]
    fn a_mask_shows_a_prefix_and_four_characters_of_long_keys_only() {
        assert_eq!(mask("sk-admin-0123456789abcdef"), "sk-admin-***cdef");
        assert_eq!(mask("sk-proj-0123456789abcdef"), "sk-proj-***cdef");
        assert_eq!(mask("0123456789abcdefghijk"), "***hijk");
        assert_eq!(mask("sk-admin-0123456789"), "***");
        assert_eq!(mask("ключключключключключ"), "***ключ");
    }
}
