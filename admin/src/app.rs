//! What every handler can reach: the store, the clock, the dice, and the settings.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use sql::Store;
use tokio_util::task::TaskTracker;

use crate::aside::Aside;
use crate::domain::clock::{Clock, Random};
use crate::domain::decision::{Reason, Wish, decide};
use crate::domain::id::Ids;
use crate::http::meter::Meters;
use crate::kept::Kept;
use crate::resources::admin_api_keys::store::{self as keys, FoundKey};
use crate::resources::project_api_keys::store::{self as project_keys, Holder};
use crate::usage::ids::Known;
use crate::usage::intake::Facts;
use crate::usage::keep::Keep;
use crate::usage::memory::Memory;
use crate::usage::pace::Pace;
use crate::uses::Uses;

/// How old the recorded last use of a key may get, in seconds, before a request refreshes it.
const LAST_USED_PRECISION: i64 = 300;

/// What an operator may set about the API.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The largest request body, in bytes.
    pub body_cap: usize,
    /// The largest body of a report of usage, in bytes.
    pub usage_body_cap: usize,
    /// How long usage is kept.
    pub usage_keep: Keep,
    /// How long a body may take to arrive.
    pub body_deadline: Duration,
    /// How long a request may take in all, its body included.
    pub request_deadline: Duration,
    /// Proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Where people reach this server: what stands before the path of a link, without a slash at its end.
    pub public_url: String,
    /// How long an invitation can be accepted, in seconds.
    pub invite_lifetime: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            body_cap: 1 << 20,
            usage_body_cap: 8 << 20,
            usage_keep: Keep::default(),
            body_deadline: Duration::from_secs(10),
            request_deadline: Duration::from_secs(30),
            trusted_proxies: Vec::new(),
            public_url: "http://127.0.0.1:8080".to_owned(),
            invite_lifetime: 7 * 24 * 60 * 60,
        }
    }
}

/// The application, shared by all requests.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of an [`App`].
pub struct Parts {
    /// Where everything is kept.
    pub store: Store,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where secrets and request ids come from.
    pub random: Arc<dyn Random>,
    /// Where ids come from.
    pub ids: Ids,
    /// What the operator set.
    pub settings: Settings,
    /// Which admin keys were noted as used lately.
    pub last_used: LastUsed,
    /// Which project keys were used and are not noted yet.
    pub uses: Uses,
    /// What was read and may be read again.
    pub kept: Arc<Kept>,
    /// What was read of usage and may be read again.
    pub usage: Arc<Memory>,
    /// What is remembered of projects and keys when usage is reported.
    pub usage_facts: Arc<Facts>,
    /// What is known of the ids of the events that were counted.
    pub usage_ids: Arc<Known>,
    /// How fast reports of usage may come in.
    pub usage_pace: Arc<Pace>,
    /// How often each operation is asked for, and how long it takes.
    pub meters: Meters,
    /// Work that no request waits for.
    pub background: TaskTracker,
    /// Where long computing is done.
    pub aside: Aside,
}

impl App {
    /// An application on this store.
    #[must_use]
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        settings: Settings,
    ) -> Self {
        Self::computing(Aside::default(), store, clock, random, settings)
    }

    /// The same with threads of their own for what computes long.
    #[must_use]
    pub fn computing(
        aside: Aside,
        store: Store,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        settings: Settings,
    ) -> Self {
        let ids = Ids::new(Arc::clone(&clock), Arc::clone(&random));
        let usage_facts = Arc::new(Facts::new(store.engine()));
        Self(Arc::new(Parts {
            store,
            clock,
            random,
            ids,
            settings,
            last_used: LastUsed::default(),
            uses: Uses::default(),
            kept: Arc::default(),
            usage: Arc::default(),
            usage_facts,
            usage_ids: Arc::default(),
            usage_pace: Arc::default(),
            meters: Meters::default(),
            background: TaskTracker::new(),
            aside,
        }))
    }
}

impl App {
    /// Notes that a key was used. A few minutes' precision is enough. Nobody waits for it: a store that cannot write now must
    /// neither fail nor delay a request that succeeded.
    pub fn record_use(&self, key: &FoundKey, now: i64) {
        let is_fresh = key.last_used_at.is_some_and(|used| used > now - LAST_USED_PRECISION);
        if is_fresh || !self.last_used.claim(&key.organization.id, &key.key_id, now) {
            return;
        }
        let (organization, key) = (key.organization.id.clone(), key.key_id.clone());
        let store = self.store.clone();
        self.background.spawn(async move {
            let recorded = store.write(move |tx| keys::record_use(tx, &organization, &key, now));
            if let Err(error) = recorded.await {
                tracing::warn!(%error, "the last use of a key could not be recorded");
            }
        });
    }

    /// Notes that a project key was used, together with others: once a minute at most for all keys of this process, because each
    /// change of the store makes everything useless that is kept of it. A key that opens nothing any more is not used.
    /// What was collected last is lost when the process ends: the next use of these keys tells.
    pub fn record_project_use(&self, holder: &Holder, now: i64) {
        if decide(&holder.standing(now), &Wish::default()) != Reason::Allowed {
            return;
        }
        if holder.last_used_at.is_none_or(|used| used <= now - LAST_USED_PRECISION) {
            self.uses.collect(holder, now);
        }
        let Some(used) = self.uses.due(now) else { return };
        let store = self.store.clone();
        self.background.spawn(async move {
            let recorded = store.write(move |tx| project_keys::record_uses(tx, &used));
            if let Err(error) = recorded.await {
                tracing::warn!(%error, "the last use of project keys could not be recorded");
            }
        });
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Spreads out the recording of keys' last use: one attempt a minute and key, also when the store refuses to write.
#[derive(Debug, Default)]
pub struct LastUsed(Mutex<HashMap<(String, String), i64>>);

impl LastUsed {
    /// Whether this request is the one to record the use of the key.
    pub fn claim(&self, organization: &str, key: &str, now: i64) -> bool {
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let attempt = attempts.entry((organization.to_owned(), key.to_owned())).or_insert(i64::MIN);
        let is_due = *attempt <= now - 60;
        if is_due {
            *attempt = now;
        }
        is_due
    }
}
