//! Limits of what may be spent, as they are sent and received.

use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Result;
use crate::http::fields::{Fields, FromFields};
use crate::http::reply::literal;

literal!(
    /// Names the limit of an organization.
    OrganizationSpendLimit = "organization.spend_limit"
);
literal!(
    /// Names the end of an organization's limit.
    OrganizationSpendLimitDeleted = "organization.spend_limit.deleted"
);
literal!(
    /// Names the limit of a project.
    ProjectSpendLimit = "project.spend_limit"
);
literal!(
    /// Names the end of a project's limit.
    ProjectSpendLimitDeleted = "project.spend_limit.deleted"
);
literal!(
    /// The currency of amounts: they are in its cents.
    SpendCurrency = "USD"
);
literal!(
    /// The time for which amounts hold: a calendar month in UTC.
    SpendInterval = "month"
);

/// The most cents of a threshold: the largest whole number that every reader of JSON keeps as it is.
pub const LARGEST_AMOUNT: i64 = 9_007_199_254_740_991;

/// A limit of what may be spent.
#[derive(Debug, Serialize, ToSchema)]
pub struct SpendLimit<O> {
    object: O,
    /// The limit, in cents.
    threshold_amount: i64,
    currency: SpendCurrency,
    interval: SpendInterval,
    enforcement: SpendLimitEnforcement,
}

/// What a limit does at this moment.
#[derive(Debug, Serialize, ToSchema)]
pub struct SpendLimitEnforcement {
    status: EnforcementStatus,
}

/// Whether a limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnforcementStatus {
    /// Less was spent this month.
    Inactive,
    /// It was spent, and nothing more may be.
    Enforcing,
}

impl<O: Default> SpendLimit<O> {
    /// A limit where this much, in cents, was spent in the month.
    #[must_use]
    pub fn of(limit: i64, spent: i64) -> Self {
        let is_reached = spent >= limit;
        let status =
            if is_reached { EnforcementStatus::Enforcing } else { EnforcementStatus::Inactive };
        Self {
            object: O::default(),
            threshold_amount: limit,
            currency: SpendCurrency,
            interval: SpendInterval,
            enforcement: SpendLimitEnforcement { status },
        }
    }
}

/// The answer to the end of a limit. There is one at most, so it has no id.
#[derive(Debug, Serialize, ToSchema)]
pub struct SpendLimitDeleted<O> {
    object: O,
    /// Always true: what was not there is answered with an error.
    deleted: bool,
}

impl<O: Default> Default for SpendLimitDeleted<O> {
    fn default() -> Self {
        Self { object: O::default(), deleted: true }
    }
}

/// A limit to be set.
#[derive(Debug, ToSchema)]
pub struct SpendLimitBody {
    /// The limit, in cents.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub threshold_amount: i64,
    /// The currency.
    pub currency: SpendCurrency,
    /// The time for which the limit holds.
    pub interval: SpendInterval,
}

impl FromFields for SpendLimitBody {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        let threshold_amount = fields.required_integer("threshold_amount", 1..=LARGEST_AMOUNT)?;
        let (currency, interval) = dollars_a_month(fields)?;
        Ok(Self { threshold_amount, currency, interval })
    }
}

/// Reads the currency and the interval of an amount, of which there is one each.
pub fn dollars_a_month(fields: &mut Fields) -> Result<(SpendCurrency, SpendInterval)> {
    fields.required_one_of("currency", &["USD"])?;
    fields.required_one_of("interval", &["month"])?;
    Ok((SpendCurrency, SpendInterval))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_reached_when_all_of_it_is_spent() {
        for (limit, spent, status) in [
            (1, 0, EnforcementStatus::Inactive),
            (100, 99, EnforcementStatus::Inactive),
            (100, 100, EnforcementStatus::Enforcing),
            (100, 101, EnforcementStatus::Enforcing),
        ] {
            let limit = SpendLimit::<ProjectSpendLimit>::of(limit, spent);
            assert_eq!(limit.enforcement.status, status);
        }
    }
}
