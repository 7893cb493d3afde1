//! Alerts that fired: once for each threshold and month, whoever reports what was spent.

use std::collections::BTreeMap;

use sql::{Row, Tx, args};

use super::event::Amount;
use super::money;
use super::spend::{cents, month_of, within};
use crate::error::Result;

/// An alert that fired, as it was at that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fired {
    /// The organization.
    pub organization_id: String,
    /// The project; none if the organization as a whole spent so much.
    pub project_id: Option<String>,
    /// The alert.
    pub alert_id: String,
    /// The calendar month, like 202602.
    pub month: i64,
    /// The threshold, in cents.
    pub threshold_amount: i64,
    /// What was spent when it fired, in dollars.
    pub spent: String,
    /// Who is to be told.
    pub recipients: Vec<String>,
    /// What the subject of the message begins with.
    pub subject_prefix: Option<String>,
    /// When it fired, in Unix seconds.
    pub fired_at: i64,
    /// When somebody was told, in Unix seconds.
    pub delivered_at: Option<i64>,
}

impl Fired {
    fn from_row(row: &Row<'_>) -> sql::Result<Self> {
        let (project, recipients): (String, String) = (row.get(1)?, row.get(6)?);
        let unreadable = |error: serde_json::Error| sql::Error::Statement(error.to_string());
        Ok(Self {
            organization_id: row.get(0)?,
            project_id: Some(project).filter(|project| !project.is_empty()),
            alert_id: row.get(2)?,
            month: row.get(3)?,
            threshold_amount: row.get(4)?,
            spent: row.get(5)?,
            recipients: serde_json::from_str(&recipients).map_err(unreadable)?,
            subject_prefix: row.get(7)?,
            fired_at: row.get(8)?,
            delivered_at: row.get(9)?,
        })
    }
}

/// Fires every alert of these levels whose threshold is reached and that did not fire in the month. Only the month that runs and the one
/// before are told of: nobody wants to hear about last year when its usage is imported.
pub(super) fn fire(
    tx: &mut Tx<'_>,
    organization: &str,
    month: i64,
    spent: &[(&str, Amount)],
    now: i64,
) -> Result<()> {
    if month < month_before(month_of(now)) {
        return Ok(());
    }
    // No level has spent more, so no higher threshold is reached.
    let most = spent.iter().map(|(_, amount)| cents(*amount)).max().unwrap_or_default();
    let (places, arguments) = within(organization, most, spent);
    let sql = format!(
        "SELECT project_id, MIN(threshold_amount) FROM spend_alerts
         WHERE organization_id = $1 AND project_id IN ({places}) AND threshold_amount <= $2 GROUP BY project_id"
    );
    let lowest: Vec<(String, i64)> =
        tx.all(&sql, &arguments, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let lowest: BTreeMap<String, i64> = lowest.into_iter().collect();
    for (project, spent) in spent {
        if lowest.get(*project).is_some_and(|threshold| *threshold <= cents(*spent)) {
            fire_of(tx, organization, project, month, *spent, now)?;
        }
    }
    Ok(())
}

fn fire_of(
    tx: &mut Tx<'_>,
    organization: &str,
    project: &str,
    month: i64,
    spent: Amount,
    now: i64,
) -> Result<()> {
    tx.execute(
        "INSERT INTO fired_alerts (organization_id, project_id, alert_id, month, threshold_amount, spent, recipients,
             subject_prefix, fired_at)
         SELECT organization_id, project_id, id, $3, threshold_amount, $5, recipients, subject_prefix, $6 FROM spend_alerts
         WHERE organization_id = $1 AND project_id = $2 AND threshold_amount <= $4
         ON CONFLICT (organization_id, project_id, alert_id, month, threshold_amount) DO NOTHING",
        args![organization, project, month, cents(spent), &money::text(spent), now],
    )?;
    Ok(())
}

fn month_before(month: i64) -> i64 {
    if month % 100 == 1 { month - 89 } else { month - 1 }
}

/// Alerts of which nobody was told yet, oldest first.
pub fn undelivered(tx: &mut Tx<'_>, organization: &str, most: u32) -> Result<Vec<Fired>> {
    let sql = "SELECT organization_id, project_id, alert_id, month, threshold_amount, spent, recipients, subject_prefix, fired_at,
             delivered_at
         FROM fired_alerts WHERE organization_id = $1 AND delivered_at IS NULL
         ORDER BY fired_at, project_id, alert_id, month, threshold_amount LIMIT $2";
    Ok(tx.all(sql, args![organization, most], Fired::from_row)?)
}

/// Notes that somebody was told, and answers whether that is news.
pub fn delivered(tx: &mut Tx<'_>, fired: &Fired, now: i64) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE fired_alerts SET delivered_at = $6
         WHERE organization_id = $1 AND project_id = $2 AND alert_id = $3 AND month = $4 AND threshold_amount = $5
             AND delivered_at IS NULL",
        args![
            &fired.organization_id,
            fired.project_id.as_deref().unwrap_or_default(),
            &fired.alert_id,
            fired.month,
            fired.threshold_amount,
            now
        ],
    )?;
    Ok(changed > 0)
}

/// Alerts that fired, newest first.
pub fn list(tx: &mut Tx<'_>, organization: &str, most: u32) -> Result<Vec<Fired>> {
    let sql = "SELECT organization_id, project_id, alert_id, month, threshold_amount, spent, recipients, subject_prefix, fired_at,
             delivered_at
         FROM fired_alerts WHERE organization_id = $1
         ORDER BY fired_at DESC, project_id DESC, alert_id DESC, month DESC, threshold_amount DESC LIMIT $2";
    Ok(tx.all(sql, args![organization, most], Fired::from_row)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn december_is_before_january() {
        assert_eq!([month_before(202_601), month_before(202_603)], [202_512, 202_602]);
    }
}
