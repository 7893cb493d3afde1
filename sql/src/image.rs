//! Everything in a store in memory, as bytes.

use std::fmt;
use std::sync::Arc;

/// A store in memory as it was at one moment, from which others like it can be opened: far sooner than one is filled.
///
/// Two images of stores that nobody changed are the same bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Image(pub(crate) Arc<[u8]>);

impl Image {
    /// The bytes, of which only the engine knows what they mean.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Image({} bytes)", self.0.len())
    }
}
