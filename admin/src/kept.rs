//! What was read and is worth keeping: keys, and answers as they are sent.
//!
//! Everything here lies under the stamp of the state of the store in which it was read, and is used only for a transaction or a
//! request that finds the store in the same state. So nothing is ever too old, whoever changed the store, and nothing has to be
//! told that it is. The price is that each change makes all of it useless at once. Only whether to receive the body of a change is
//! decided by what was known of a key before: the change itself asks the store, and whoever is refused is forgotten.

mod holders;

use std::array;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Bytes;
use http::Uri;
use http::uri::PathAndQuery;
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};
use sql::{Stamp, Tx};

use self::holders::Holders;
use crate::domain::secret::KeyHash;
use crate::error::Result;
use crate::http::meter::Meter;
use crate::resources::admin_api_keys::store::{self as keys, FoundKey};

/// How many keys are kept.
const KEYS: usize = 4096;
/// How many bytes of answers are kept.
const BYTES: u64 = 16 << 20;
/// How many answers of usual size that is.
const ANSWERS: usize = 4096;
/// So many questions are remembered as asked lately.
const ASKED_LATELY: usize = 4096;
/// What an answer takes beside its bytes and its path.
const OVERHEAD: u64 = 256;

/// Everything that is kept.
pub struct Kept {
    keys: Cache<KeyHash, (Stamp, Arc<FoundKey>)>,
    answers: Cache<Question, Answer, Weight>,
    lately: Lately,
    holders: Holders,
}

/// An answer as it was sent, but for its headers.
#[derive(Clone)]
pub struct Answer {
    /// The state of the store in which it is right.
    pub stamp: Stamp,
    /// The body.
    pub body: Bytes,
    /// Counts the requests of this kind.
    pub meter: Arc<Meter>,
}

/// What an answer answers. Whoever may ask in an organization gets the same answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Question {
    organization: String,
    target: String,
}

/// The same, borrowed. It must hash alike.
#[derive(Hash)]
struct Asked<'a> {
    organization: &'a str,
    target: &'a str,
}

impl Equivalent<Question> for Asked<'_> {
    fn equivalent(&self, question: &Question) -> bool {
        self.organization == question.organization && self.target == question.target
    }
}

#[derive(Clone)]
struct Weight;

impl Weighter<Question, Answer> for Weight {
    fn weight(&self, question: &Question, answer: &Answer) -> u64 {
        let text = question.organization.len() + question.target.len() + answer.body.len();
        text as u64 + OVERHEAD
    }
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            keys: Cache::new(KEYS),
            answers: Cache::with_weighter(ANSWERS, BYTES, Weight),
            lately: Lately::default(),
            holders: Holders::default(),
        }
    }
}

impl Kept {
    /// Whose key has this hash, in the state that the transaction sees and whose stamp this is.
    pub fn find_key(
        &self,
        tx: &mut Tx<'_>,
        stamp: Option<Stamp>,
        hash: &KeyHash,
    ) -> Result<Option<Arc<FoundKey>>> {
        if let Some(key) = stamp.and_then(|stamp| self.key(stamp, hash)) {
            return Ok(Some(key));
        }
        let found = keys::find_by_secret(tx, hash)?.map(Arc::new);
        if let (Some(stamp), Some(key)) = (stamp, &found) {
            self.keys.insert(*hash, (stamp, Arc::clone(key)));
        }
        Ok(found)
    }

    /// Whose key has this hash, if that is known for this state.
    fn key(&self, stamp: Stamp, hash: &KeyHash) -> Option<Arc<FoundKey>> {
        self.last_key(hash).filter(|(read, _)| *read == stamp).map(|(_, key)| key)
    }

    /// Whose key had this hash when that was read last, and the state in which that was.
    #[must_use]
    pub fn last_key(&self, hash: &KeyHash) -> Option<(Stamp, Arc<FoundKey>)> {
        self.keys.get(hash)
    }

    /// Forgets whose key that was.
    pub fn forget_key(&self, hash: &KeyHash) {
        self.keys.remove(hash);
    }

    /// Whether the answer to a path with its query is worth keeping: whether that was asked for before, by anybody. Most
    /// pages are asked for once, and to keep one costs time and the place of another.
    pub fn is_wanted(&self, target: &Uri) -> bool {
        self.lately.note(text(target))
    }

    /// Keeps the answer to a path with its query.
    pub fn keep(&self, organization: &str, target: &Uri, answer: Answer) {
        let (organization, target) = (organization.to_owned(), text(target).to_owned());
        self.answers.insert(Question { organization, target }, answer);
    }

    /// The last answer to a path with its query, if it is kept. It is good for its state only.
    #[must_use]
    pub fn last_answer(&self, organization: &str, target: &str) -> Option<Answer> {
        self.answers.get(&Asked { organization, target })
    }
}

fn text(target: &Uri) -> &str {
    target.path_and_query().map_or("", PathAndQuery::as_str)
}

/// What was asked for lately, as hashes, each in the one place where it can be: a question that takes the place of another
/// makes that one ask once more, and no more depends on it.
struct Lately {
    hasher: RandomState,
    hashes: Box<[AtomicU64; ASKED_LATELY]>,
}

impl Default for Lately {
    fn default() -> Self {
        let hashes = Box::new(array::from_fn(|_| AtomicU64::default()));
        Self { hasher: RandomState::new(), hashes }
    }
}

impl Lately {
    /// Notes a question, and whether it was noted before.
    fn note(&self, question: &str) -> bool {
        let hash = self.hasher.hash_one(question);
        let place = usize::try_from(hash).unwrap_or_default() % ASKED_LATELY;
        self.hashes[place].swap(hash, Ordering::Relaxed) == hash
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::Request;
    use tower::ServiceExt;

    use crate::Recall;
    use crate::testing::Api;

    #[tokio::test]
    async fn an_answer_is_kept_when_it_is_asked_for_again() {
        let api = Api::new().await;
        // The use of the key is recorded, which would make what is kept useless.
        api.get("/organization/projects").await;
        let (router, recall) = (crate::router(api.app.clone()), Recall::new(api.app.clone()));
        let mut recalled = Vec::new();
        for _ in 0..3 {
            let request = Request::get("/v1/organization/users")
                .header("authorization", format!("Bearer {}", api.first.key))
                .body(Body::empty())
                .unwrap();
            recalled.push(recall.answer(&request).is_some());
            assert!(router.clone().oneshot(request).await.unwrap().status().is_success());
        }
        let is_kept = api.app.store.stamp().is_some();
        assert_eq!(recalled, [false, false, is_kept]);
    }
}
