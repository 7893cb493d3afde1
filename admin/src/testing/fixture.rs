//! What tests put into a store, and what they look up there, beside the wire.

use serde_json::Value;
use sql::args;

use crate::app::App;
use crate::audit::{Actor, Author, EVENTS_PER_CHANGE, Origin};
use crate::domain::role::OrganizationRole;
use crate::domain::scope::Scopes;
use crate::domain::secret::{ADMIN_PREFIX, PlainKey};
use crate::organization::Organization;
use crate::resources::admin_api_keys::store::{self as keys, NewKey};
use crate::resources::rate_limits::limits::Limits;
use crate::resources::rate_limits::models::{self, NewModel};
use crate::resources::users::store::{self as users, NewUser};

/// Adds a person to an organization under an id made here.
pub async fn add_user(app: &App, organization: &Organization, email: &str) -> String {
    add_user_as(app, organization, &app.ids.make("user-"), email).await
}

/// Adds a person under this id, as an import of a foreign organization would.
pub async fn add_user_as(app: &App, organization: &Organization, id: &str, email: &str) -> String {
    let new = NewUser {
        id: id.to_owned(),
        email: email.to_owned(),
        name: None,
        role: OrganizationRole::Reader,
    };
    let (organization, block) = (organization.clone(), app.ids.block(EVENTS_PER_CHANGE));
    let now = app.clock.now();
    let add = move |tx: &mut sql::Tx<'_>| {
        let by =
            Author::new(organization.clone(), Actor::System, Origin::default(), now, block.clone());
        users::add(tx, &by, &new).map(|user| user.id)
    };
    app.store.write(add).await.expect("the user can be added")
}

/// The events on record, oldest first: type, project, payload.
pub async fn events(app: &App) -> Vec<(String, Option<String>, Value)> {
    let sql = "SELECT kind, project_id, payload FROM audit_events ORDER BY id";
    let read = move |tx: &mut sql::Tx<'_>| {
        tx.all(sql, args![], |row| {
            let payload: String = row.get(2)?;
            Ok((
                row.get(0)?,
                row.get(1)?,
                serde_json::from_str(&payload).expect("payloads are JSON"),
            ))
        })
    };
    app.store.read::<_, sql::Error>(read).await.expect("events can be read")
}

/// Who wrote the events about this: the type of each, and what kind of actor it was under which id.
pub async fn actors_of(app: &App, resource: &str) -> Vec<(String, String, String)> {
    let sql = "SELECT e.kind, a.kind, a.actor_id FROM audit_events e
               JOIN audit_actors a ON a.organization_id = e.organization_id AND a.actor = e.actor
               WHERE e.resource_id = $1 ORDER BY e.id";
    let resource = resource.to_owned();
    let read = move |tx: &mut sql::Tx<'_>| {
        tx.all(sql, args![&resource], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
    };
    app.store.read::<_, sql::Error>(read).await.expect("events can be read")
}

/// Makes an admin key for an owner, as the command line would; answers the secret.
pub async fn add_key(app: &App, organization: &Organization, owner: &str) -> String {
    let secret = PlainKey::generate(ADMIN_PREFIX, &*app.random);
    let new = NewKey {
        id: app.ids.make("key_"),
        name: None,
        hash: secret.hash(),
        redacted_value: secret.redacted(),
        scopes: Scopes::all(),
        expires_at: None,
    };
    let (organization, block, owner) =
        (organization.clone(), app.ids.block(EVENTS_PER_CHANGE), owner.to_owned());
    let now = app.clock.now();
    let add = move |tx: &mut sql::Tx<'_>| {
        let by =
            Author::new(organization.clone(), Actor::System, Origin::default(), now, block.clone());
        let owner = users::find(tx, &organization.id, &owner)?;
        keys::create(tx, &by, &owner, &new)
    };
    app.store.write(add).await.expect("the key can be made");
    secret.expose().to_owned()
}

/// Adds a model to an organization, as the command line would.
pub async fn add_model(app: &App, organization: &Organization, id: &str) {
    let new = NewModel {
        id: id.to_owned(),
        limits: Limits([Some(1000), Some(50_000), None, None, None, None]),
    };
    add_model_with(app, organization, new).await;
}

/// The same with these limits.
pub async fn add_model_with(app: &App, organization: &Organization, new: NewModel) {
    let (organization, block) = (organization.clone(), app.ids.block(EVENTS_PER_CHANGE));
    let now = app.clock.now();
    let add = move |tx: &mut sql::Tx<'_>| {
        let by =
            Author::new(organization.clone(), Actor::System, Origin::default(), now, block.clone());
        models::add(tx, &by, &new).map(drop)
    };
    app.store.write(add).await.expect("the model can be added");
}

/// Removes a model from an organization, as the command line would.
pub async fn remove_model(app: &App, organization: &Organization, id: &'static str) {
    let (organization, block) = (organization.clone(), app.ids.block(EVENTS_PER_CHANGE));
    let now = app.clock.now();
    let remove = move |tx: &mut sql::Tx<'_>| {
        let by =
            Author::new(organization.clone(), Actor::System, Origin::default(), now, block.clone());
        models::remove(tx, &by, id)
    };
    app.store.write(remove).await.expect("the model can be removed");
}
