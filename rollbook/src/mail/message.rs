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

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(project: Option<&str>, prefix: Option<&str>) -> Alert {
        let fired = Fired {
            organization_id: "org-1".to_owned(),
            project_id: project.map(str::to_owned),
            alert_id: "alert_1".to_owned(),
            month: 202_611,
            threshold_amount: 1050,
            spent: "12.3456".to_owned(),
            recipients: Vec::new(),
            subject_prefix: prefix.map(str::to_owned),
            fired_at: 1_795_996_800,
            delivered_at: None,
        };
        Alert { fired, organization: "example".to_owned(), project: project.map(str::to_owned) }
    }

    fn written(alert: &Alert, to: &str) -> String {
        let from = "Rollbook <rollbook@example.com>".parse().unwrap();
        let message = alert.message(&from, to, 1_795_996_800).unwrap();
        String::from_utf8(message.formatted()).unwrap()
    }

    #[test]
    fn a_message_says_who_spent_how_much_in_which_month() {
        let text = written(&alert(Some("Search"), None), "ada@example.com");
        assert!(
            text.contains(
                "Subject: Project 'Search' of example has spent $12.35 in November 2026\r\n"
            ),
            "{text}"
        );
        assert!(
            text.contains("That reached the alert at $10.50 (alert_1) at 2026-11-30T00:00Z."),
            "{text}"
        );
        assert!(text.contains("Date: Mon, 30 Nov 2026 00:00:00 +0000\r\n"), "{text}");
        let text = written(&alert(None, Some("[money]")), "ada@example.com");
        assert!(text.contains("Subject: [money] Example has spent"), "{text}");
    }

    #[test]
    fn a_message_is_named_alike_whenever_it_is_sent_and_otherwise_for_everybody_else() {
        let name = |to: &str| {
            let text = written(&alert(None, None), to);
            text.lines().find(|line| line.starts_with("Message-ID: ")).unwrap().to_owned()
        };
        assert_eq!(name("ada@example.com"), name("ada@example.com"));
        assert_ne!(name("ada@example.com"), name("bob@example.com"));
    }

    #[test]
    fn a_prefix_begins_no_other_header() {
        let text = written(
            &alert(None, Some("[x]\r\nBcc: eve@example.com\r\n\r\nHello")),
            "ada@example.com",
        );
        let head = text.split("\r\n\r\n").next().unwrap();
        assert!(!head.contains("\r\nBcc:") && head.contains("Message-ID:"), "{text}");
    }

    #[test]
    fn an_address_that_is_none_is_told() {
        let from = "rollbook@example.com".parse().unwrap();
        let error = alert(None, None).message(&from, "nobody", 0).unwrap_err();
        assert!(error.to_string().contains("nobody is no address"));
    }
}
