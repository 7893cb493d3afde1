//! What answers say of the limits of what may be spent.

use axum::body::Bytes;
use http::HeaderValue;
use serde::Serialize;
use sql::Tx;
use utoipa::ToSchema;

use super::store::Limits;
use crate::error::{Error, Result};
use crate::http::reply;
use crate::usage::spend;

/// The header that tells a proxy whether a limit is reached.
pub const HEADER: &str = "x-rollbook-spend-limit-reached";

/// Whether the limits of what may be spent are reached, of a project and of its organization.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct CheckSpendLimit {
    /// Whether one of them is.
    reached: bool,
    /// The limit of the project.
    #[schema(required)]
    project: Option<CheckSpendLevel>,
    /// The limit of the organization.
    #[schema(required)]
    organization: Option<CheckSpendLevel>,
}

/// The limit of a level.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct CheckSpendLevel {
    /// The limit, in cents.
    threshold_amount: i64,
    /// Whether it was spent this month.
    reached: bool,
}

/// What was spent, as answers show it, in the month in which it was read: what is kept must not be shown in the next one.
#[derive(Debug)]
pub struct Spending {
    /// The month; none where nothing is limited, which is so in each.
    month: Option<i64>,
    /// The member of an answer.
    pub shown: Bytes,
    /// What a proxy is told.
    pub header: Option<HeaderValue>,
}

impl Spending {
    /// Reads what was spent where that is limited.
    pub fn read(
        tx: &mut Tx<'_>,
        organization: &str,
        project: &str,
        limits: Limits,
        now: i64,
    ) -> Result<Self> {
        let month = spend::month_of(now);
        let mut level = |limit: Option<i64>, project: Option<&str>| {
            let Some(threshold_amount) = limit else { return Ok(None) };
            let spent = spend::cents(spend::find(tx, organization, project, month)?);
            let reached = spent >= threshold_amount;
            Ok::<_, Error>(Some(CheckSpendLevel { threshold_amount, reached }))
        };
        let project = level(limits.project, Some(project))?;
        let organization = level(limits.organization, None)?;
        let levels = [project, organization];
        if levels.iter().all(Option::is_none) {
            return Ok(Self { month: None, shown: reply::bytes(&())?, header: None });
        }
        let reached = levels.iter().flatten().any(|level| level.reached);
        let shown = reply::bytes(&CheckSpendLimit { reached, project, organization })?;
        let header = HeaderValue::from_static(if reached { "true" } else { "false" });
        Ok(Self { month: Some(month), shown, header: Some(header) })
    }

    /// Whether it is what would be read at this time, in the same state of the store.
    #[must_use]
    pub fn holds(&self, now: i64) -> bool {
        self.month.is_none_or(|month| month == spend::month_of(now))
    }
}
