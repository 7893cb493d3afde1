//! What was spent in each calendar month, kept beside the events that cost it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sql::{Arg, Tx, args};

use super::alerts;
use super::event::Amount;
use super::money::{self, CENT};
use crate::error::{Error, Result};

/// The project under which the organization's sum is kept.
const ORGANIZATION: &str = "";
/// So many levels are read and written by one statement.
const AT_ONCE: usize = 128;

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
    kept.map_or(Ok(0), |amount| amount_of(&amount))
}

fn amount_of(text: &str) -> Result<Amount> {
    let unreadable = || Error::internal(format!("what was spent cannot be read: {text}"));
    money::parse(text).ok_or_else(unreadable)
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
    let mut months: BTreeMap<i64, BTreeMap<&str, Amount>> = BTreeMap::new();
    for ((project, month), amount) in added.iter().filter(|(_, amount)| **amount != 0) {
        let month = months.entry(*month).or_default();
        *month.entry(project).or_default() += amount;
        *month.entry(ORGANIZATION).or_default() += amount;
    }
    for (month, levels) in months {
        let levels: Vec<_> = levels.into_iter().collect();
        for levels in levels.chunks(AT_ONCE) {
            let spent = read(tx, organization, month, levels)?;
            let spent: Vec<(&str, Amount)> = levels
                .iter()
                .map(|(project, amount)| {
                    (*project, spent.get(*project).copied().unwrap_or(0) + amount)
                })
                .collect();
            write(tx, organization, month, &spent)?;
            alerts::fire(tx, organization, month, &spent, now)?;
        }
    }
    Ok(())
}

/// What these levels have spent in a month, as far as they have.
fn read(
    tx: &mut Tx<'_>,
    organization: &str,
    month: i64,
    levels: &[(&str, Amount)],
) -> Result<BTreeMap<String, Amount>> {
    let (places, arguments) = within(organization, month, levels);
    let sql = format!(
        "SELECT project_id, amount FROM usage_spend
         WHERE organization_id = $1 AND project_id IN ({places}) AND month = $2"
    );
    let kept: Vec<(String, String)> =
        tx.all(&sql, &arguments, |row| Ok((row.get(0)?, row.get(1)?)))?;
    kept.into_iter().map(|(project, amount)| Ok((project, amount_of(&amount)?))).collect()
}

/// The places of these levels in a statement behind two other arguments, and all of them.
pub(super) fn within<'a>(
    organization: &'a str,
    second: i64,
    levels: &[(&'a str, Amount)],
) -> (String, Vec<Arg<'a>>) {
    let mut arguments = args![organization, second].to_vec();
    let places = sql::list(&mut arguments, levels.iter().map(|(project, _)| *project));
    (places, arguments)
}

/// Keeps what levels have spent: as many rows at once as are a power of two, for the same reason.
fn write(tx: &mut Tx<'_>, organization: &str, month: i64, spent: &[(&str, Amount)]) -> Result<()> {
    let texts: Vec<_> =
        spent.iter().map(|(project, amount)| (*project, money::text(*amount))).collect();
    let mut rest = &texts[..];
    while !rest.is_empty() {
        let (some, others) = rest.split_at(1 << rest.len().ilog2());
        let row = |place: usize| format!("($1, ${}, $2, ${})", 3 + 2 * place, 4 + 2 * place);
        let rows: Vec<String> = (0..some.len()).map(row).collect();
        let sql = format!(
            "INSERT INTO usage_spend (organization_id, project_id, month, amount) VALUES {}
             ON CONFLICT (organization_id, project_id, month) DO UPDATE SET amount = excluded.amount",
            rows.join(", ")
        );
        let mut arguments = vec![Arg::from(organization), Arg::from(month)];
        for (project, amount) in some {
            arguments.extend([Arg::from(*project), Arg::from(amount)]);
        }
        tx.execute(&sql, &arguments)?;
        rest = others;
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
