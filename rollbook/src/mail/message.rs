//! What a message says of an alert.

use std::time::{Duration, UNIX_EPOCH};

use admin::error;
use admin::organization;
use admin::resources::projects::store as projects;
use admin::usage::alerts::{self, Fired};
use anyhow::{Context, Result};
use jiff::civil::Date;
use lettre::Message;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, header};
use sql::{Store, Tx};

use crate::commands::amount;
use crate::commands::table::time;

/// So many alerts of an organization are under way at once.
const MOST: u32 = 1000;

/// An alert with the names that people know.
pub struct Alert {
    /// What fired.
    pub fired: Fired,
    /// The slug of the organization.
    pub organization: String,
    /// The project, if it is about one.
    pub project: Option<String>,
}

/// Everything that fired and is not delivered.
pub async fn undelivered(store: &Store) -> error::Result<Vec<Alert>> {
    store.read(all_undelivered).await
}

fn all_undelivered(tx: &mut Tx<'_>) -> error::Result<Vec<Alert>> {
    let mut found = Vec::new();
    for organization in organization::list(tx)? {
        for fired in alerts::undelivered(tx, &organization.id, MOST)? {
            let project = match &fired.project_id {
                Some(project) => Some(projects::find(tx, &organization.id, project)?),
                None => None,
            };
            found.push(Alert {
                fired,
                organization: organization.slug.clone(),
                project: project.map(|project| project.name),
            });
        }
    }
    Ok(found)
}

impl Alert {
    /// What happened, in one line.
    pub fn headline(&self) -> String {
        let who = match &self.project {
            Some(project) => format!("project '{project}' of {}", self.organization),
            None => self.organization.clone(),
        };
        format!("{who} has spent ${} in {}", self.spent(), self.month())
    }

    /// The message to one of its recipients.
    pub fn message(&self, from: &Mailbox, to: &str, now: i64) -> Result<Message> {
        let date = UNIX_EPOCH + Duration::from_secs(u64::try_from(now).unwrap_or_default());
        let to: Mailbox = to.parse().with_context(|| format!("{to} is no address"))?;
        let message = Message::builder()
            .from(from.clone())
            .to(to.clone())
            .subject(self.subject())
            // The same whenever it is sent again, so that mailboxes can tell.
            .message_id(Some(self.id(from, &to)))
            .date(date)
            .header(ContentType::TEXT_PLAIN)
            .header(AutoSubmitted)
            .body(self.text());
        message.context("the message cannot be written")
    }

    fn subject(&self) -> String {
        let prefix = self.fired.subject_prefix.as_deref().unwrap_or_default();
        let subject = format!("{prefix} {}", capital(&self.headline()));
        // A line end would begin another header.
        subject.trim().chars().map(|one| if one.is_control() { ' ' } else { one }).collect()
    }

    fn text(&self) -> String {
        let threshold = amount::cents(self.fired.threshold_amount);
        let at = time(self.fired.fired_at).unwrap_or_default();
        format!(
            "{}.\n\nThat reached the alert at ${threshold} ({}) at {at}. The alert fires once a month; \
             months are those of UTC.\n",
            capital(&self.headline()),
            self.fired.alert_id,
        )
    }

    fn id(&self, from: &Mailbox, to: &Mailbox) -> String {
        let Fired { alert_id, month, threshold_amount, .. } = &self.fired;
        let plain = |one: char| if one.is_ascii_alphanumeric() { one } else { '-' };
        let to: String = to.email.to_string().chars().map(plain).collect();
        format!("<{alert_id}.{month}.{threshold_amount}.{to}@{}>", from.email.domain())
    }

    fn spent(&self) -> String {
        let spent = self.fired.spent.clone();
        amount::parse(&spent).map_or(spent, amount::shown)
    }

    /// The month as people say it.
    fn month(&self) -> String {
        let (year, month) = (self.fired.month / 100, self.fired.month % 100);
        let date = i16::try_from(year).ok().zip(i8::try_from(month).ok());
        let date = date.and_then(|(year, month)| Date::new(year, month, 1).ok());
        date.map_or_else(|| self.fired.month.to_string(), |date| date.strftime("%B %Y").to_string())
    }
}

fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// Says that no answer is expected, so that nobody's absence is answered with.
#[derive(Clone)]
struct AutoSubmitted;

impl header::Header for AutoSubmitted {
    fn name() -> header::HeaderName {
        header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> std::result::Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> header::HeaderValue {
        header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}
