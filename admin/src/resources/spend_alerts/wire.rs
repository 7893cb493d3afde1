//! Alerts of what was spent, as they are sent and received.

use std::collections::HashSet;

use serde::Serialize;
use utoipa::ToSchema;

use super::store::{Alert, Terms};
use crate::domain::email;
use crate::error::{Error, Result};
use crate::http::fields::{Fields, FromFields};
use crate::http::page::Identified;
use crate::http::reply::literal;
use crate::resources::spend_limits::wire::{
    LARGEST_AMOUNT, SpendCurrency, SpendInterval, dollars_a_month,
};

literal!(
    /// Names an alert of an organization.
    OrganizationSpendAlert = "organization.spend_alert"
);
literal!(
    /// Names the end of an organization's alert.
    OrganizationSpendAlertDeleted = "organization.spend_alert.deleted"
);
literal!(
    /// Names an alert of a project.
    ProjectSpendAlert = "project.spend_alert"
);
literal!(
    /// Names the end of a project's alert.
    ProjectSpendAlertDeleted = "project.spend_alert.deleted"
);
literal!(
    /// The one way to tell people.
    NotificationByEmail = "email"
);

/// An alert of what was spent.
#[derive(Debug, Serialize, ToSchema)]
pub struct SpendAlert<O> {
    /// The alert's id.
    id: String,
    object: O,
    /// Of how many cents it tells.
    threshold_amount: i64,
    currency: SpendCurrency,
    interval: SpendInterval,
    notification_channel: SpendAlertChannel,
}

/// Who is told, and how.
#[derive(Debug, Serialize, ToSchema)]
pub struct SpendAlertChannel {
    #[serde(rename = "type")]
    kind: NotificationByEmail,
    /// The addresses, in the order in which they were named.
    recipients: Vec<String>,
    /// What the subject of the message begins with.
    #[schema(required)]
    subject_prefix: Option<String>,
}

impl<O: Default> From<Alert> for SpendAlert<O> {
    fn from(alert: Alert) -> Self {
        let Alert { id, terms } = alert;
        Self {
            id,
            object: O::default(),
            threshold_amount: terms.threshold_amount,
            currency: SpendCurrency,
            interval: SpendInterval,
            notification_channel: SpendAlertChannel {
                kind: NotificationByEmail,
                recipients: terms.recipients,
                subject_prefix: terms.subject_prefix,
            },
        }
    }
}

impl<O> Identified for SpendAlert<O> {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Everything that an alert says.
#[derive(Debug, ToSchema)]
pub struct SpendAlertBody {
    /// Of how many cents it tells.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub threshold_amount: i64,
    /// The currency.
    pub currency: SpendCurrency,
    /// The time in which the amount is spent.
    pub interval: SpendInterval,
    /// Who is told, and how.
    pub notification_channel: SpendAlertChannelBody,
}

impl SpendAlertBody {
    /// What it asks for.
    #[must_use]
    pub fn terms(&self) -> Terms {
        Terms {
            threshold_amount: self.threshold_amount,
            recipients: self.notification_channel.recipients.clone(),
            subject_prefix: self.notification_channel.subject_prefix.clone(),
        }
    }
}

impl FromFields for SpendAlertBody {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        let threshold_amount = fields.required_integer("threshold_amount", 0..=LARGEST_AMOUNT)?;
        let (currency, interval) = dollars_a_month(fields)?;
        let notification_channel = fields.required_object("notification_channel")?;
        Ok(Self { threshold_amount, currency, interval, notification_channel })
    }
}

/// Who shall be told, and how.
#[derive(Debug, ToSchema)]
pub struct SpendAlertChannelBody {
    /// How.
    #[schema(rename = "type")]
    pub kind: NotificationByEmail,
    /// The addresses. One that is named twice is kept where it is named first.
    #[schema(min_items = 1, max_items = 100)]
    pub recipients: Vec<String>,
    /// What the subject of the message begins with.
    pub subject_prefix: Option<String>,
}

impl FromFields for SpendAlertChannelBody {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        fields.required_one_of("type", &["email"])?;
        Ok(Self {
            kind: NotificationByEmail,
            recipients: addresses(fields.required_texts_within("recipients", 1..=100, 1..=320)?)?,
            subject_prefix: fields.optional_text("subject_prefix", 0..=255)?,
        })
    }
}

/// Addresses in their order, each once, or the first of them that cannot be one.
fn addresses(texts: Vec<String>) -> Result<Vec<String>> {
    for (place, text) in texts.iter().enumerate() {
        if let Some(fault) = email::fault(text) {
            let param = format!("recipients[{place}]");
            let message = format!("Invalid value for '{param}': '{text}' {fault}.");
            return Err(Error::invalid("invalid_value", message).param(param));
        }
    }
    let mut seen = HashSet::new();
    Ok(texts.into_iter().filter(|text| seen.insert(text.clone())).collect())
}
