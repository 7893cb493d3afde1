//! The pages on which an invitation is accepted. Whoever has the link needs nothing else, so opening it changes nothing, a mail
//! scanner may do that, and accepting it works once.

mod page;
mod store;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;

use self::store::Newcomer;
use crate::access::Circumstances;
use crate::app::App;
use crate::domain::secret::KeyHash;
use crate::error::{Error, Result};
use crate::http::body::Incoming;
use crate::http::origin;
use crate::http::path::Path;

/// The largest form that is received, in bytes: one name, percent-encoded.
const FORM_CAP: usize = 4096;
/// How many characters a name can have.
const LONGEST_NAME: usize = 255;
/// How many events an acceptance may write: one for each project and a few more.
const EVENTS: u16 = 256;

/// The routes of the pages.
pub fn routes() -> Router<App> {
    Router::new().route("/invite/{token}", get(show).post(accept))
}

/// Shows what somebody is invited to. Changes nothing.
async fn show(State(app): State<App>, Path(token): Path<String>) -> Response {
    let (link, now) = (KeyHash::of(&token), app.clock.now());
    let read = app.store.read(move |tx| {
        let Some(invitation) = store::find(tx, &link, now)? else { return Ok(None) };
        let projects = store::open_projects(tx, &invitation)?;
        Ok::<_, Error>(Some((invitation, projects)))
    });
    match read.await {
        Ok(Some((invitation, projects))) => page::invitation(&invitation, &projects),
        Ok(None) => page::invalid(),
        Err(error) => page::trouble(&error),
    }
}

/// Accepts the invitation.
async fn accept(State(app): State<App>, Path(token): Path<String>, request: Request) -> Response {
    match accepted(&app, &token, request).await {
        Ok(Some(invitation)) => page::welcome(&invitation),
        Ok(None) => page::invalid(),
        Err(error) => page::trouble(&error),
    }
}

async fn accepted(app: &App, token: &str, request: Request) -> Result<Option<store::Invitation>> {
    let (parts, body) = request.into_parts();
    let settings = &app.settings;
    let at = Circumstances {
        now: app.clock.now(),
        origin: origin::of(&parts, &settings.trusted_proxies),
        event_ids: app.ids.block(EVENTS),
    };
    let form = Incoming::new(&parts.headers, body);
    let form = form.receive_form(settings.body_cap.min(FORM_CAP), settings.body_deadline).await?;
    let newcomer = Newcomer { id: app.ids.make("user-"), name: name(form.text("name")?)? };
    let link = KeyHash::of(token);
    app.store.write(move |tx| store::accept(tx, &link, &newcomer, &at)).await
}

/// The name in the form, if somebody typed one.
fn name(typed: Option<&str>) -> Result<Option<String>> {
    let Some(name) = typed.map(str::trim).filter(|name| !name.is_empty()) else { return Ok(None) };
    if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        let message =
            "A name has at most 255 characters, all of them printable. Go back and shorten it.";
        return Err(Error::invalid("invalid_value", message).param("name"));
    }
    Ok(Some(name.to_owned()))
}
