//! Project keys that were looked up, each under the stamp of the state in which it was.

use std::sync::Arc;

use quick_cache::sync::Cache;
use sql::{Stamp, Tx};

use super::Kept;
use crate::domain::secret::KeyHash;
use crate::error::Result;
use crate::resources::check::known::Known;
use crate::resources::project_api_keys::store as keys;

/// How many project keys are kept: a few KiB each.
const HOLDERS: usize = 16_384;

/// Project keys by the hash of their secret.
pub(super) struct Holders(Cache<KeyHash, (Stamp, Arc<Known>)>);

impl Default for Holders {
    fn default() -> Self {
        Self(Cache::new(HOLDERS))
    }
}

impl Kept {
    /// What the project key with this hash opens, in the state that the transaction sees and whose stamp this is. That nobody has
    /// such a key is not kept: anybody can make keys up.
    pub fn find_holder(
        &self,
        tx: &mut Tx<'_>,
        stamp: Option<Stamp>,
        hash: &KeyHash,
    ) -> Result<Option<Arc<Known>>> {
        if let Some(known) = stamp.and_then(|stamp| self.holder(stamp, hash)) {
            return Ok(Some(known));
        }
        let Some(holder) = keys::find_holder(tx, hash)? else { return Ok(None) };
        let known = Arc::new(Known::of(holder)?);
        if let Some(stamp) = stamp {
            self.holders.0.insert(*hash, (stamp, Arc::clone(&known)));
        }
        Ok(Some(known))
    }

    /// What the project key with this hash opens, if that is known for this state.
    #[must_use]
    pub fn holder(&self, stamp: Stamp, hash: &KeyHash) -> Option<Arc<Known>> {
        self.holders.0.get(hash).filter(|(read, _)| *read == stamp).map(|(_, known)| known)
    }
}
