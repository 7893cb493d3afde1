//! What was spent in each calendar month, kept beside the events that cost it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sql::{Tx, args};

use super::alerts;
use super::event::Amount;
use super::money::{self, CENT};
use crate::error::{Error, Result};

/// The project under which the organization's sum is kept.
const ORGANIZATION: &str = "";

/// The calendar month of a time in UTC, as a number like 202602.
#[must_use]
pub fn month_of(time: i64) -> i64 {
    let moment = Timestamp::from_second(time).unwrap_or_default();
    let date = TimeZone::UTC.to_datetime(moment);
    i64::from(date.year()) * 100 + i64::from(date.month())
}

/// What was spent at a level, by whom it is kept: the project's id, or nothing for the organization.
pub fn find(
    tx: &mut Tx<'_>,
    organization: &str,
    project: Option<&str>,
    month: i64,
) -> Result<Amount> {
    let sql = "SELECT amount FROM usage_spend
        WHERE organization_id = $1 AND project_id = $2 AND month = $3";
    let this = args![organization, project.unwrap_or(ORGANIZATION), month];
    let kept: Option<String> = tx.one(sql, this, |row| row.get(0))?;
    kept.map_or(Ok(0), |text| {
        let unreadable = || Error::internal(format!("what was spent cannot be read: {text}"));
        money::parse(&text).ok_or_else(unreadable)
    })
}

/// Whole cents of an amount, as limits and alerts count them: a threshold is reached when all of it was spent.
#[must_use]
pub fn cents(amount: Amount) -> i64 {
    i64::try_from(amount.div_euclid(CENT)).unwrap_or(i64::MAX)
}

/// What a batch adds, by project and month.
pub type Added = BTreeMap<(String, i64), Amount>;

/// Adds what a batch cost to its projects and to the organization, and fires the alerts whose thresholds are reached.
pub fn add(tx: &mut Tx<'_>, organization: &str, added: &Added, now: i64) -> Result<()> {
    let mut all = added.clone();
    for ((_, month), amount) in added {
        *all.entry((ORGANIZATION.to_owned(), *month)).or_default() += amount;
    }
    for ((project, month), amount) in all.iter().filter(|(_, amount)| **amount != 0) {
        let spent = find(tx, organization, Some(project), *month)? + amount;
        tx.execute(
            "INSERT INTO usage_spend (organization_id, project_id, month, amount) VALUES ($1, $2, $3, $4)
             ON CONFLICT (organization_id, project_id, month) DO UPDATE SET amount = excluded.amount",
            args![organization, project, *month, &money::text(spent)],
        )?;
        alerts::fire(tx, organization, project, *month, spent, now)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_at_midnight_in_utc() {
        for (time, month) in [
            (0, 197_001),
            (1_709_251_199, 202_402), // 29 February 2024, 23:59:59
            (1_709_251_200, 202_403),
            (1_767_225_599, 202_512),
            (1_767_225_600, 202_601),
            (-1, 196_912),
        ] {
            assert_eq!(month_of(time), month, "{time}");
        }
    }

    #[test]
    fn a_threshold_is_reached_when_all_of_it_is_spent() {
        assert_eq!([cents(CENT - 1), cents(CENT), cents(CENT * 2 - 1)], [0, 1, 1]);
    }
}
