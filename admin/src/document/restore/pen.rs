//! Who writes the events of a restoration: more than one author's ids hold.

use crate::audit::{Actor, Author, EVENTS_PER_CHANGE, Origin};
use crate::domain::id::IdBlock;
use crate::organization::Organization;

/// An author that goes on with the next block of ids when one is nearly used up.
pub struct Pen<'a> {
    author: Author,
    rest: std::slice::Iter<'a, IdBlock>,
}

impl<'a> Pen<'a> {
    /// The author of this organization, with these blocks. Without a block there is nothing to write with.
    pub fn new(
        organization: &Organization,
        actor: &Actor,
        origin: &Origin,
        now: i64,
        blocks: &'a [IdBlock],
    ) -> Option<Self> {
        let mut rest = blocks.iter();
        let first = rest.next()?.clone();
        let author = Author::new(organization.clone(), actor.clone(), origin.clone(), now, first);
        Some(Self { author, rest })
    }

    /// The author, who has ids for a whole change.
    pub fn author(&mut self) -> &Author {
        if self.author.left() < EVENTS_PER_CHANGE
            && let Some(next) = self.rest.next()
        {
            let before = &self.author;
            self.author = Author::new(
                before.organization.clone(),
                before.actor.clone(),
                before.origin.clone(),
                before.now,
                next.clone(),
            );
        }
        &self.author
    }
}
