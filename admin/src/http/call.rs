//! A request on its way to the store. The only road from a handler to a row leads through [`Call::show`] or
//! [`Call::write`], and both authenticate inside the transaction that serves the request.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::FromRequestParts;
use http::Uri;
use http::request::Parts;
use serde::Serialize;
use sql::{Stamp, Tx};

use super::body::{Incoming, Many, Parsed};
use super::copied::Copied;
use super::edge::Trace;
use super::fields::FromFields;
use super::meter::Meter;
use super::reply::{self, Shown};
use super::{credential, origin};
use crate::access::{Caller, Circumstances, Credential, Identity, identify};
use crate::app::{App, Settings};
use crate::aside::Aside;
use crate::audit::{EVENTS_PER_CHANGE, Origin};
use crate::domain::scope::Scope;
use crate::domain::secret::PlainKey;
use crate::error::Result;
use crate::kept::{Answer, Kept};
use crate::usage::ids;
use crate::usage::intake::{Facts, Reporter};
use crate::usage::memory::Memory;
use crate::usage::pace::Pace;

/// One request. Not yet authenticated: that happens where its rows are read.
pub struct Call {
    app: App,
    trace: Arc<Trace>,
    meter: Option<Arc<Meter>>,
    credential: Result<Credential>,
    now: i64,
    /// Nothing is recorded of a request that only reads, so then it is not looked up.
    origin: Option<Origin>,
    /// The path and the query.
    target: Uri,
}

impl FromRequestParts<App> for Call {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self {
            app: app.clone(),
            trace: parts.extensions.get::<Arc<Trace>>().cloned().unwrap_or_default(),
            meter: parts.extensions.get::<Arc<Meter>>().cloned(),
            credential: credential::read(parts),
            now: app.clock.now(),
            origin: (!parts.method.is_safe())
                .then(|| origin::of(parts, &app.settings.trusted_proxies)),
            target: parts.uri.clone(),
        })
    }
}

impl Call {
    /// What the operator set.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.app.settings
    }

    /// A new id for something this request creates, drawn before the transaction.
    #[must_use]
    pub fn new_id(&self, prefix: &str) -> String {
        self.app.ids.make(prefix)
    }

    /// A new id in hexadecimal digits, drawn before the transaction.
    #[must_use]
    pub fn new_hex_id(&self, prefix: &str) -> String {
        self.app.ids.make_hex(prefix)
    }

    /// A new key, drawn before the transaction.
    #[must_use]
    pub fn new_key(&self, prefix: &str) -> PlainKey {
        PlainKey::generate(prefix, &*self.app.random)
    }

    /// Shows what `f` reads in one snapshot to somebody who may read. `f` is given the organization and nothing else of the
    /// caller, because the answer is kept for everybody in it.
    pub async fn show<T, F>(self, f: F) -> Result<Shown<T>>
    where
        T: Serialize,
        F: Fn(&mut Tx<'_>, &str) -> Result<T> + Send + 'static,
    {
        let meter = self.meter.clone();
        self.read(meter, move |tx, organization| reply::bytes(&f(tx, organization)?)).await
    }

    /// The same for what lies in the store as it is sent.
    pub async fn show_copied<T, F>(self, f: F) -> Result<Shown<T>>
    where
        F: Fn(&mut Tx<'_>, &str) -> Result<Copied<T>> + Send + 'static,
    {
        let meter = self.meter.clone();
        self.read(meter, move |tx, organization| Ok(f(tx, organization)?.into_bytes())).await
    }

    /// The same for an answer that depends on the time too, or on anything else beside the store and the request: it is not kept.
    pub async fn show_now<T, F>(self, f: F) -> Result<Shown<T>>
    where
        T: Serialize,
        F: Fn(&mut Tx<'_>, &str) -> Result<T> + Send + 'static,
    {
        self.read(None, move |tx, organization| reply::bytes(&f(tx, organization)?)).await
    }

    /// What `f` finds of usage and costs in one snapshot, for somebody who may read those. Nothing of it is kept.
    pub async fn show_usage<T, F>(self, f: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>, &str) -> Result<T> + Send + 'static,
    {
        let admission = self.admission(Scope::UsageRead)?;
        let read = self.app.store.read(move |tx| {
            let stamp = tx.stamp();
            let identity = admission.identify(tx, stamp)?;
            f(tx, &identity.organization().id)
        });
        let read = read.await;
        self.record_use();
        read
    }

    /// What this process keeps of usage.
    #[must_use]
    pub fn usage(&self) -> Arc<Memory> {
        Arc::clone(&self.app.usage)
    }

    /// Where long computing is done.
    #[must_use]
    pub fn aside(&self) -> Aside {
        self.app.aside.clone()
    }

    /// The time of the request, in seconds.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.now
    }

    /// Reads, and keeps the answer if it is to be counted by a meter when it is sent again.
    async fn read<T, F>(self, kept: Option<Arc<Meter>>, f: F) -> Result<Shown<T>>
    where
        F: Fn(&mut Tx<'_>, &str) -> Result<Bytes> + Send + 'static,
    {
        let admission = self.admission(Scope::ManagementRead)?;
        let read = self.app.store.read(move |tx| {
            let stamp = tx.stamp();
            let identity = admission.identify(tx, stamp)?;
            let body = f(tx, &identity.organization().id)?;
            Ok((body, stamp, identity))
        });
        let read: Result<(Bytes, _, _)> = read.await;
        self.record_use();
        let (body, stamp, identity) = read?;
        if let (Some(stamp), Some(meter)) = (stamp, &kept)
            && self.app.kept.is_wanted(&self.target)
        {
            let answer = Answer { stamp, body: body.clone(), meter: Arc::clone(meter) };
            self.app.kept.keep(&identity.organization().id, &self.target, answer);
        }
        Ok(Shown::new(body))
    }

    /// Changes something without a body, as somebody who may write.
    pub async fn write<T, F>(self, f: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>, &Caller) -> Result<T> + Send + 'static,
    {
        self.change(f).await
    }

    async fn change<T, F>(&self, f: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>, &Caller) -> Result<T> + Send + 'static,
    {
        let admission = self.admission(Scope::ManagementWrite)?;
        let at = self.circumstances();
        let result = self.app.store.write(move |tx| {
            let caller = Caller::new(admission.identify(tx, None)?, &at);
            f(tx, &caller)
        });
        let result = result.await;
        self.record_use();
        result
    }

    /// Changes something with a body. Strangers are refused before their body is received; the key is checked again in the
    /// transaction of the change, because it may be gone by then. Whoever was let in when their key was read last is no stranger, so
    /// of them that transaction alone decides.
    pub async fn write_with<B, T, F>(self, body: Incoming, f: F) -> Result<T>
    where
        B: FromFields + Send + Sync + 'static,
        T: Send + 'static,
        F: Fn(&mut Tx<'_>, &Caller, &Parsed<B>) -> Result<T> + Send + 'static,
    {
        let is_familiar = self.admission(Scope::ManagementWrite)?.is_familiar();
        if !is_familiar {
            self.let_in().await?;
        }
        let settings = &self.app.settings;
        let body = body.receive::<B>(settings.body_cap, settings.body_deadline).await;
        let done = match body {
            Ok(body) => self.change(move |tx, caller| f(tx, caller, &body)).await,
            Err(error) => Err(error),
        };
        if done.is_err() && self.trace.identity().is_none() {
            // A refusal for anything else is for those who are let in, and names them.
            self.let_in().await?;
            self.record_use();
        }
        done
    }

    /// Refuses somebody who may not write, in a snapshot of its own.
    async fn let_in(&self) -> Result<()> {
        let admission = self.admission(Scope::ManagementWrite)?;
        let read = move |tx: &mut Tx<'_>| {
            let stamp = tx.stamp();
            admission.identify(tx, stamp).map(drop)
        };
        self.app.store.read(read).await
    }

    /// Lets somebody in who may report usage, and receives what they report. Strangers are refused before.
    pub async fn reporting(self, body: Incoming) -> Result<(Reporting, Many)> {
        let reporting = Reporting(self);
        reporting.look(|_, _| Ok(())).await?;
        let settings = &reporting.0.app.settings;
        let body = body.receive_many(settings.usage_body_cap, settings.body_deadline).await?;
        Ok((reporting, body))
    }

    fn admission(&self, scope: Scope) -> Result<Admission> {
        Ok(self.entry()?.needing(scope))
    }

    /// Of somebody of whom it is not said yet what they must be able to do.
    fn entry(&self) -> Result<Entry> {
        Ok(Entry {
            credential: self.credential.clone()?,
            now: self.now,
            kept: Arc::clone(&self.app.kept),
            trace: Arc::clone(&self.trace),
        })
    }

    /// Drawn before the transaction, so that a second run of it finds the same.
    fn circumstances(&self) -> Circumstances {
        let event_ids = self.app.ids.block(EVENTS_PER_CHANGE);
        debug_assert!(self.origin.is_some(), "a request that only reads changes something");
        Circumstances { now: self.now, origin: self.origin.clone().unwrap_or_default(), event_ids }
    }

    fn record_use(&self) {
        if let Some(key) = self.trace.identity().and_then(Identity::key) {
            self.app.record_use(key, self.now);
        }
    }
}

/// Somebody who reports usage. They were let in before their report was received, and each transaction asks again.
pub struct Reporting(Call);

impl Reporting {
    /// What is remembered of projects and keys.
    #[must_use]
    pub fn facts(&self) -> Arc<Facts> {
        Arc::clone(&self.0.app.usage_facts)
    }

    /// How fast reports may come in.
    #[must_use]
    pub fn usage_pace(&self) -> Arc<Pace> {
        Arc::clone(&self.0.app.usage_pace)
    }

    /// What is known of the ids that were counted.
    #[must_use]
    pub fn usage_ids(&self) -> Arc<ids::Known> {
        Arc::clone(&self.0.app.usage_ids)
    }

    /// What `f` finds in one snapshot.
    pub async fn look<T, F>(&self, f: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>, &Reporter) -> Result<T> + Send + 'static,
    {
        let entry = self.0.entry()?;
        let read = self.0.app.store.read(move |tx| {
            let stamp = tx.stamp();
            let reporter = Reporter::of(&entry.identify(tx, stamp)?)?;
            f(tx, &reporter)
        });
        let read = read.await;
        self.0.record_use();
        if let (Ok(_), Some(Identity::Project(key))) = (&read, self.0.trace.identity()) {
            self.0.app.record_project_use(&key.holder, self.0.now);
        }
        read
    }

    /// Changes something.
    pub async fn write<T, F>(&self, f: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>, &Reporter) -> Result<T> + Send + 'static,
    {
        let entry = self.0.entry()?;
        let write = move |tx: &mut Tx<'_>| {
            let reporter = Reporter::of(&entry.identify(tx, None)?)?;
            f(tx, &reporter)
        };
        self.0.app.store.write(write).await
    }
}

/// What a transaction needs to find out who is asking. Run again, it asks again.
struct Entry {
    credential: Credential,
    now: i64,
    kept: Arc<Kept>,
    trace: Arc<Trace>,
}

impl Entry {
    fn needing(self, scope: Scope) -> Admission {
        Admission { entry: self, scope }
    }

    fn identify(&self, tx: &mut Tx<'_>, stamp: Option<Stamp>) -> Result<Identity> {
        let identity = identify(tx, &self.credential, self.now, &self.kept, stamp);
        let identity = identity.inspect_err(|_| self.forget())?;
        self.trace.identify(&identity);
        Ok(identity)
    }

    /// Whoever is refused is a stranger the next time.
    fn forget(&self) {
        if let Credential::Key { hash, .. } = &self.credential {
            self.kept.forget_key(hash);
        }
    }
}

/// The same of somebody who must have a scope.
struct Admission {
    entry: Entry,
    scope: Scope,
}

impl Admission {
    fn identify(&self, tx: &mut Tx<'_>, stamp: Option<Stamp>) -> Result<Identity> {
        let identity = self.entry.identify(tx, stamp)?;
        identity.require(self.scope).inspect_err(|_| self.entry.forget())?;
        Ok(identity)
    }

    /// Whether this key was let in when it was read last.
    fn is_familiar(&self) -> bool {
        let Credential::Key { hash, organization, .. } = &self.entry.credential else {
            return false;
        };
        self.entry.kept.last_key(hash).is_some_and(|(_, key)| {
            key.organization.is_named(organization.as_deref())
                && key.is_valid(self.entry.now)
                && key.scopes.has(self.scope)
        })
    }
}
