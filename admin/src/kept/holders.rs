//! Project keys that were looked up, each under the stamp of the state in which it was.

use std::sync::Arc;

use quick_cache::sync::Cache;
use sql::{Stamp, Tx};

use super::Kept;
use crate::domain::secret::KeyHash;
use crate::error::Result;
use crate::resources::check::known::Known;
use crate::resources::check::policy::ProjectPolicy;
use crate::resources::project_api_keys::store::{self as keys, Holder};

/// How many project keys are kept: a few KiB each.
const HOLDERS: usize = 16_384;
/// For how many projects it is kept which models they may use, and how much of them: usually a few KiB each.
const POLICIES: usize = 1024;

/// Project keys by the hash of their secret, and what the keys of a project share.
pub(super) struct Holders {
    keys: Cache<KeyHash, (Stamp, Arc<Known>)>,
    policies: Cache<Project, (Stamp, Arc<ProjectPolicy>)>,
}

/// The ids of an organization and a project.
type Project = (String, String);

impl Default for Holders {
    fn default() -> Self {
        Self { keys: Cache::new(HOLDERS), policies: Cache::new(POLICIES) }
    }
}

impl Kept {
    /// What the project key with this hash opens, in the state that the transaction sees and whose stamp this is. That nobody has
    /// such a key is not kept: anybody can make keys up. If something has to be read, it is read with what holds for this model.
    pub fn find_holder(
        &self,
        tx: &mut Tx<'_>,
        stamp: Option<Stamp>,
        hash: &KeyHash,
        model: Option<&str>,
        now: i64,
    ) -> Result<Option<Arc<Known>>> {
        if let Some(known) = stamp.and_then(|stamp| self.holder(stamp, hash, now)) {
            return Ok(Some(known));
        }
        let Some(holder) = keys::find_holder(tx, hash)? else { return Ok(None) };
        let policy = self.find_policy(tx, stamp, &holder, model, now)?;
        let known = Arc::new(Known::of(holder, policy)?);
        if let Some(stamp) = stamp {
            self.holders.keys.insert(*hash, (stamp, Arc::clone(&known)));
        }
        Ok(Some(known))
    }

    fn find_policy(
        &self,
        tx: &mut Tx<'_>,
        stamp: Option<Stamp>,
        holder: &Holder,
        model: Option<&str>,
        now: i64,
    ) -> Result<Arc<ProjectPolicy>> {
        let project = (holder.organization.id.clone(), holder.project_id.clone());
        let kept = stamp.and_then(|stamp| {
            let policy = self.holders.policies.get(&project);
            policy.filter(|(read, policy)| *read == stamp && policy.spending.holds(now))
        });
        if let Some((_, policy)) = kept {
            return Ok(policy);
        }
        let policy = Arc::new(ProjectPolicy::read(tx, &project.0, &project.1, model, now)?);
        if let Some(stamp) = stamp {
            self.holders.policies.insert(project, (stamp, Arc::clone(&policy)));
        }
        Ok(policy)
    }

    /// What the project key with this hash opens, if that is known for this state and for the month of this time: what was spent is
    /// another matter in each.
    #[must_use]
    pub fn holder(&self, stamp: Stamp, hash: &KeyHash, now: i64) -> Option<Arc<Known>> {
        let known = self.holders.keys.get(hash).filter(|(read, _)| *read == stamp);
        known.map(|(_, known)| known).filter(|known| known.policy.spending.holds(now))
    }
}
