//! What the settings say of the organizations, brought into the store at each start.

use std::sync::Arc;

use admin::audit::{Actor, Author, EVENTS_PER_CHANGE, Origin};
use admin::domain::clock::{Clock, SystemClock, SystemRandom};
use admin::domain::id::Ids;
use admin::error::{Error, Result};
use admin::organization;
use admin::resources::rate_limits::models::{self, NewModel};
use admin::usage::prices::{self, NewPrice};
use sql::Store;

use crate::config::Settings;

/// Makes the store what the settings say.
pub fn apply(store: &Store, settings: &Settings) -> Result<()> {
    apply_models(store, settings)?;
    apply_prices(store, settings)
}

/// Makes the models of every organization those of the settings. Models that were added by a command stay; a store that never had
/// any from settings is left alone if these name none.
fn apply_models(store: &Store, settings: &Settings) -> Result<()> {
    let wanted: Arc<[NewModel]> = settings.model.iter().map(|model| model.0.clone()).collect();
    let ids = Ids::new(Arc::new(SystemClock), Arc::new(SystemRandom));
    for organization in store.read_blocking(organization::list)? {
        let (now, ids) = (SystemClock.now(), ids.block(EVENTS_PER_CHANGE));
        let (wanted, slug) = (Arc::clone(&wanted), organization.slug.clone());
        let is_changed = store.write_blocking(move |tx| {
            let (organization, ids) = (organization.clone(), ids.clone());
            let by = Author::new(organization, Actor::System, Origin::default(), now, ids);
            models::synchronize(tx, &by, &wanted)
        })?;
        if is_changed {
            tracing::info!("the models of the organization '{slug}' are as the settings say now");
        }
    }
    Ok(())
}

/// Adds the prices of the settings that the organizations do not have yet. One that would change what has been counted is refused, because
/// the settings would say something else than the costs.
fn apply_prices(store: &Store, settings: &Settings) -> Result<()> {
    let mut wanted: Vec<_> = settings.price.iter().map(|price| price.0.clone()).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    wanted.sort_by_key(|price| price.effective_from);
    let (wanted, now) = (Arc::<[NewPrice]>::from(wanted), SystemClock.now());
    for organization in store.read_blocking(organization::list)? {
        let (wanted, id) = (Arc::clone(&wanted), organization.id);
        let added = store.write_blocking(move |tx| {
            let mut added = 0;
            for price in wanted.iter() {
                added += u32::from(prices::set(tx, &id, price, now)?);
            }
            Ok::<_, Error>(added)
        })?;
        if added > 0 {
            tracing::info!(
                "the organization '{}' has {added} new prices from the settings",
                organization.slug
            );
        }
    }
    Ok(())
}
