//! The pages that people see who were invited. They need no script and load nothing; whatever somebody typed is escaped by the
//! templates.

use std::sync::LazyLock;

use askama::Template;
use axum::body::Body;
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderName, HeaderValue, header};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::store::Invitation;
use crate::domain::role::OrganizationRole;
use crate::error::{Error, Kind};
use crate::resources::projects::store::Project;

const STYLE: &str = "\
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; }
main { box-sizing: border-box; margin: 0 auto; max-width: 36rem; padding: 2rem 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; }
h2 { font-size: 1.1rem; }
label { display: block; }
input, button { box-sizing: border-box; font: inherit; padding: 0.5rem 0.75rem; }
input { width: 100%; }";

/// What a browser may do with a page: show it in this style, and send its form back here.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let style = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
    HeaderValue::from_str(&policy).expect("base64 is fit for a header")
});

#[derive(Template)]
#[template(path = "invitation.html")]
struct InvitationPage<'a> {
    style: &'static str,
    organization: &'a str,
    email: &'a str,
    role: &'static str,
    about_role: &'static str,
    projects: Vec<(&'a str, &'static str)>,
    until: String,
    until_exact: String,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct Notice<'a> {
    style: &'static str,
    title: &'a str,
    text: &'a str,
}

/// What somebody is invited to, and the button that accepts it.
pub fn invitation(invitation: &Invitation, projects: &[Project]) -> Response {
    let invite = &invitation.invite;
    let about_role = match invite.role {
        OrganizationRole::Owner => "you will manage everything in it.",
        OrganizationRole::Reader => "you will see who and what is in it.",
    };
    let role_in = |id: &str| {
        let invited = invite.projects.iter().find(|project| project.id == id);
        invited.map_or("", |project| project.role.name())
    };
    let until = Timestamp::from_second(invite.expires_at).unwrap_or_default();
    html(&InvitationPage {
        style: STYLE,
        organization: &invitation.organization_name,
        email: &invite.email,
        role: invite.role.name(),
        about_role,
        projects: projects
            .iter()
            .map(|project| (project.name.as_str(), role_in(&project.id)))
            .collect(),
        until: until.strftime("%-d %B %Y, %H:%M UTC").to_string(),
        until_exact: until.to_string(),
    })
}

/// Somebody is in the organization now.
pub fn welcome(invitation: &Invitation) -> Response {
    let title = format!("You are in {}", invitation.organization_name);
    let text = format!(
        "You have joined as {}. Whoever invited you can give you keys now. This page can be closed.",
        invitation.invite.email
    );
    html(&Notice { style: STYLE, title: &title, text: &text })
}

/// The link leads nowhere. Why is not said, because whoever tries links must learn nothing.
pub fn invalid() -> Response {
    let text = "Ask whoever invited you for a fresh one.";
    let mut response =
        html(&Notice { style: STYLE, title: "This link is not valid any more", text });
    *response.status_mut() = Kind::NotFound.status();
    response
}

/// Something went wrong, with the sender or with us. What the operator has to know goes into the log.
pub fn trouble(error: &Error) -> Response {
    let (title, text) = match error.kind {
        Kind::Unavailable => (
            "Not now",
            "The server cannot answer in this moment. Nothing was changed; try again shortly.",
        ),
        Kind::OutcomeUnknown => (
            "It is not known whether that worked",
            "Open the link again shortly. If it is not valid any more then, you have joined.",
        ),
        Kind::Internal => {
            ("Something went wrong", "The server made a mistake. Nothing was changed.")
        }
        _ => ("That could not be read", error.message.as_str()),
    };
    if matches!(error.kind, Kind::Unavailable | Kind::OutcomeUnknown | Kind::Internal) {
        tracing::error!(%error, "an invitation page could not be shown");
    }
    let mut response = html(&Notice { style: STYLE, title, text });
    *response.status_mut() = error.kind.status();
    if matches!(error.kind, Kind::Unavailable | Kind::OutcomeUnknown) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

fn html(page: &impl Template) -> Response {
    let Ok(text) = page.render() else {
        // The templates write into memory, which does not refuse.
        let mut response = Response::new(Body::empty());
        *response.status_mut() = Kind::Internal.status();
        return response;
    };
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
    response
}
