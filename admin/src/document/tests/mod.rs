//! Documents: that they come back as they went, what they may say, and what becomes of it.

mod coverage;
mod literal;
mod refusals;
mod rules;
mod terraform;
mod trips;

use std::sync::{Arc, LazyLock};

use sql::Store;

use super::{Document, Hashes, Outcome, Refusal, Restoration, export, parse, render};
use crate::audit::Actor;
use crate::domain::id::Ids;
use crate::testing::{Api, SeededRandom, TestClock, TestStore, snapshot};

pub use trips::assert_round_trip;

/// Where every restoration of these tests has its ids from.
static IDS: LazyLock<Ids> = LazyLock::new(|| {
    Ids::new(Arc::new(TestClock::at(1_760_000_000)), Arc::new(SeededRandom::new(5)))
});

/// A restoration of this document, as the command line makes it.
#[must_use]
pub fn restoration(document: Document) -> Restoration {
    let actor = Actor::CommandLine { user: "olga".to_owned() };
    Restoration::draw(document, actor, 1_760_000_000, &IDS).expect("its keys can be hashed")
}

/// Puts a document into a store. Whatever comes of it: a rehearsal says the same, and what is refused changes nothing.
pub async fn restore_by(store: &Store, restoration: Restoration) -> Result<Outcome, Refusal> {
    let rehearsed = restoration.clone();
    let rehearsed = store.read(move |tx| rehearsed.rehearse(tx)).await;
    let before = snapshot::take(store).await;
    let done = store.write(move |tx| restoration.execute(tx)).await;
    match (&rehearsed, &done) {
        (Ok(rehearsed), Ok(done)) => assert_eq!(rehearsed.changes, done.changes),
        (Err(rehearsed), Err(done)) => assert_eq!(rehearsed.to_string(), done.to_string()),
        _ => panic!("done: {done:?}, rehearsed: {rehearsed:?}"),
    }
    let after = snapshot::take(store).await;
    let is_change = done.as_ref().is_ok_and(|done| {
        done.changes.iter().any(|change| change.action != super::Action::LeftOut)
    });
    assert_eq!(is_change, before != after, "what is told is what is done");
    done
}

/// The same for a document that can be restored. A second time changes nothing.
pub async fn restore(store: &Store, document: Document) -> Outcome {
    let outcome = restore_by(store, restoration(document.clone())).await;
    let outcome = outcome.unwrap_or_else(|refusal| panic!("{refusal}"));
    let again = restoration(document).into_organization(&outcome.organization.id);
    let again = restore_by(store, again).await.unwrap_or_else(|refusal| panic!("{refusal}"));
    let changes = again.changes.into_iter().filter(|one| one.action != super::Action::LeftOut);
    assert_eq!(changes.collect::<Vec<_>>(), []);
    outcome
}

/// An organization as text.
pub async fn exported(store: &Store, organization: &str, hashes: Hashes) -> String {
    let organization = organization.to_owned();
    let document = store.read(move |tx| export(tx, &organization, hashes)).await;
    render(&document.expect("it can be read"))
}

/// The same as a document, read as somebody reads it who has the text.
pub async fn document_of(api: &Api, hashes: Hashes) -> Document {
    let text = exported(&api.app.store, &api.first.organization.id, hashes).await;
    parse(&text).expect("what is written can be read")
}

/// Everything that is in a store and belongs into a document.
pub async fn rows(store: &Store) -> Vec<String> {
    let mut rows = snapshot::take(store).await;
    rows.retain(|row| coverage::is_covered(row) && !is_empty_policy(row));
    rows
}

/// A level whose last policy was cleared keeps a row without any: the same as no row.
fn is_empty_policy(row: &str) -> bool {
    row.starts_with("policies ") && row.ends_with(", None, None, None, None, None]")
}

/// Another store.
pub async fn fresh() -> TestStore {
    TestStore::new(None).await
}
