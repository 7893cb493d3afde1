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

/// Makes the models of every organization those of the settings. Models that were added by a command stay; a store that never had
/// any from settings is left alone if these name none. Prices are added where they are new, and never taken away.
pub fn apply(store: &Store, settings: &Settings) -> Result<()> {
    let wanted: Arc<[NewModel]> = settings.model.iter().map(|model| model.0.clone()).collect();
    let set: Arc<[NewPrice]> = settings.price.iter().flat_map(|spec| spec.0.clone()).collect();
    let ids = Ids::new(Arc::new(SystemClock), Arc::new(SystemRandom));
    for organization in store.read_blocking(organization::list)? {
        let (now, ids) = (SystemClock.now(), ids.block(EVENTS_PER_CHANGE));
        let (wanted, slug) = (Arc::clone(&wanted), organization.slug.clone());
        let organization_id = organization.id.clone();
        let is_changed = store.write_blocking(move |tx| {
            let (organization, ids) = (organization.clone(), ids.clone());
            let by = Author::new(organization, Actor::System, Origin::default(), now, ids);
            models::synchronize(tx, &by, &wanted)
        })?;
        if is_changed {
            tracing::info!("the models of the organization '{slug}' are as the settings say now");
        }
        let (id, set) = (organization_id, Arc::clone(&set));
        let added = store.write_blocking(move |tx| {
            let add = |price: &NewPrice| prices::set(tx, &id, price, now);
            set.iter()
                .map(add)
                .try_fold(0, |sum, is_new| Ok::<_, Error>(sum + usize::from(is_new?)))
        })?;
        if added > 0 {
            tracing::info!("{added} prices of the settings are new to the organization '{slug}'");
        }
    }
    Ok(())
}
