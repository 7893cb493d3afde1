//! A request about a key on its way to the store. It needs no caller: whoever shows a key may know what it opens.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::request::Parts;
use sql::Tx;

use super::asked::{Asked, Found};
use crate::app::App;
use crate::domain::secret::KeyHash;
use crate::error::Result;
use crate::http::edge::Trace;
use crate::kept::Kept;

/// One request about a key.
pub struct Inquiry {
    /// The application.
    pub app: App,
    trace: Arc<Trace>,
}

impl FromRequestParts<App> for Inquiry {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let trace = parts.extensions.get::<Arc<Trace>>().cloned().unwrap_or_default();
        Ok(Self { app: app.clone(), trace })
    }
}

impl Inquiry {
    /// Looks the key up in one snapshot and answers.
    pub async fn answer(&self, asked: &Asked<'_>) -> Result<Response> {
        let (hash, now) = (asked.hash(), self.app.clock.now());
        let (kept, model) = (Arc::clone(&self.app.kept), asked.model().map(str::to_owned));
        let read = move |tx: &mut Tx<'_>| find(tx, &kept, &hash, model.as_deref(), now);
        let found: Result<Found> = self.app.store.read(read).await;
        let found = found?;
        if let Found::Known(known, _) = &found {
            self.app.record_project_use(&known.holder, now);
        }
        let (response, identity) = asked.answer(&found, now);
        if let Some(identity) = &identity {
            self.trace.identify(identity);
        }
        Ok(response)
    }
}

/// What is known of this key, and of this model in its project. That somebody shows an admin key is looked at only to tell them.
fn find(
    tx: &mut Tx<'_>,
    kept: &Kept,
    hash: &KeyHash,
    model: Option<&str>,
    now: i64,
) -> Result<Found> {
    let stamp = tx.stamp();
    if let Some(known) = kept.find_holder(tx, stamp, hash, model, now)? {
        let (organization, project) = (&known.holder.organization.id, &known.holder.project_id);
        let model = known.policy.find(tx, organization, project, model)?;
        return Ok(Found::Known(known, model));
    }
    let admin = kept.find_key(tx, stamp, hash)?.filter(|key| key.is_valid(now));
    Ok(if admin.is_some() { Found::Admin } else { Found::Unknown })
}
