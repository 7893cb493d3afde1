//! Reads an organization into a document: each table once, along its key.

mod organization;
mod projects;
mod roles;

use sql::Tx;

use super::format::{Document, Keyed};
use crate::error::Result;

/// Whether a document has what keys and links can be told by. Whoever reads a hash cannot use the key, but may put it elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hashes {
    /// With the hashes of keys and of the links of invitations, so that they work where the document is restored.
    Included,
    /// Without. Keys are told of and cannot be restored.
    LeftOut,
}

/// The document of an organization, everything in it sorted by id. It is one snapshot.
pub fn export(tx: &mut Tx<'_>, organization: &str, hashes: Hashes) -> Result<Document> {
    let mut document = organization::read(tx, organization, hashes)?;
    projects::read(tx, organization, hashes, &mut document)?;
    roles::read(tx, organization, &mut document)?;
    Ok(document)
}

/// A document as it is written: two spaces further in for each level, and a line end behind it.
#[must_use]
pub fn render(document: &Document) -> String {
    // Nothing in a document can fail to be written.
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

/// The one of this id among siblings that are sorted.
fn find<'a, T: Keyed>(among: &'a mut [T], id: &str) -> Option<&'a mut T> {
    let place = among.binary_search_by(|one| one.key().cmp(id)).ok()?;
    among.get_mut(place)
}
