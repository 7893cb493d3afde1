//! A request on its way to the store. The only road from a handler to a row leads through [`Call::read`] or
//! [`Call::write`], and both authenticate inside the transaction that serves the request.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use sql::Tx;

use super::body::{FromFields, Incoming, Parsed};
use super::edge::Trace;
use super::{credential, origin};
use crate::access::{Caller, Circumstances, Credential, authenticate};
use crate::app::App;
use crate::audit::EVENTS_PER_CHANGE;
use crate::domain::scope::Scope;
use crate::domain::secret::PlainKey;
use crate::error::Result;
use crate::resources::admin_api_keys::store as keys;

/// How old the recorded last use of a key may get, in seconds, before a request refreshes it.
const LAST_USED_PRECISION: i64 = 300;

/// One request. Not yet authenticated: that happens where its rows are read.
pub struct Call {
    app: App,
    trace: Arc<Trace>,
    credential: Result<Credential>,
    at: Circumstances,
}

impl FromRequestParts<App> for Call {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let at = Circumstances {
            now: app.clock.now(),
            origin: origin::of(parts, &app.settings.trusted_proxies),
            event_ids: app.ids.block(EVENTS_PER_CHANGE),
        };
        let trace = parts.extensions.get::<Arc<Trace>>().cloned().unwrap_or_default();
        Ok(Self { app: app.clone(), trace, credential: credential::read(parts), at })
    }
}

impl Call {
    /// A new id for something this request creates, drawn before the transaction.
    #[must_use]
    pub fn new_id(&self, prefix: &str) -> String {
        self.app.ids.make(prefix)
    }

    /// A new key, drawn before the transaction.
    #[must_use]
    pub fn new_key(&self, prefix: &str) -> PlainKey {
        PlainKey::generate(prefix, &*self.app.random)
    }

    /// Reads in one snapshot, as somebody who may read.
    pub async fn read<T, F>(self, f: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>, &Caller) -> Result<T> + Send + 'static,
    {
        let admit = self.admit(Scope::ManagementRead)?;
        let result = self.app.store.read(move |tx| admit.run(tx, &f)).await;
        self.record_use();
        result
    }

    /// Changes something without a body, as somebody who may write.
    pub async fn write<T, F>(self, f: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>, &Caller) -> Result<T> + Send + 'static,
    {
        let admit = self.admit(Scope::ManagementWrite)?;
        let result = self.app.store.write(move |tx| admit.run(tx, &f)).await;
        self.record_use();
        result
    }

    /// Changes something with a body. Strangers are refused before their body is received; the key is checked again in the
    /// transaction of the change, because it may be gone by then.
    pub async fn write_with<B, T, F>(self, body: Incoming, f: F) -> Result<T>
    where
        B: FromFields + Send + Sync + 'static,
        T: Send + 'static,
        F: Fn(&mut Tx<'_>, &Caller, &Parsed<B>) -> Result<T> + Send + 'static,
    {
        let admit = self.admit(Scope::ManagementWrite)?;
        self.app.store.read(move |tx| admit.caller(tx).map(drop)).await?;
        let settings = &self.app.settings;
        let body = body.receive::<B>(settings.body_cap, settings.body_deadline).await?;
        self.write(move |tx, caller| f(tx, caller, &body)).await
    }

    fn admit(&self, scope: Scope) -> Result<Admission> {
        Ok(Admission {
            credential: self.credential.clone()?,
            scope,
            at: self.at.clone(),
            trace: Arc::clone(&self.trace),
        })
    }

    /// Notes that the key was used. A few minutes' precision is enough. Nobody waits for it: a store that cannot write now must
    /// neither fail nor delay a request that succeeded.
    fn record_use(&self) {
        let now = self.at.now;
        let Some(identity) = self.trace.identity() else { return };
        let Some(key) = &identity.key else { return };
        let is_fresh = key.last_used_at.is_some_and(|used| used > now - LAST_USED_PRECISION);
        if is_fresh || !self.app.last_used.claim(&identity.organization_id, &key.id, now) {
            return;
        }
        let (organization, key) = (identity.organization_id.clone(), key.id.clone());
        let store = self.app.store.clone();
        self.app.background.spawn(async move {
            let recorded = store.write(move |tx| keys::record_use(tx, &organization, &key, now));
            if let Err(error) = recorded.await {
                tracing::warn!(%error, "the last use of a key could not be recorded");
            }
        });
    }
}

/// What a transaction needs to find out who is asking. Run again, it asks again.
struct Admission {
    credential: Credential,
    scope: Scope,
    at: Circumstances,
    trace: Arc<Trace>,
}

impl Admission {
    fn run<T>(&self, tx: &mut Tx<'_>, f: impl Fn(&mut Tx<'_>, &Caller) -> Result<T>) -> Result<T> {
        let caller = self.caller(tx)?;
        f(tx, &caller)
    }

    fn caller(&self, tx: &mut Tx<'_>) -> Result<Caller> {
        let caller = authenticate(tx, &self.credential, &self.at)?;
        self.trace.identify(&caller);
        caller.require(self.scope)?;
        Ok(caller)
    }
}
