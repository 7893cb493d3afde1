//! Rows of costs as they are sent.

use crate::error::Result;
use crate::resources::usage::wire::{bucket, number, string, text};
use crate::usage::event::Amount;
use crate::usage::kind::{Dimension, Kind};
use crate::usage::money;
use crate::usage::query::{Bucket, Row};

/// Draws rows that are grouped in one way.
#[derive(Debug)]
pub struct Drawer {
    project: Option<usize>,
    user: Option<usize>,
    key: Option<usize>,
    line_item: Option<usize>,
    /// How many values tell rows apart; the unit stands behind them.
    groups: usize,
    organization: String,
}

/// Rows of one line item, in whatever units.
struct Item<'r> {
    row: &'r Row<'r>,
    quantity: Amount,
    amount: Amount,
    /// The unit, if it is one and the same.
    unit: Option<&'r str>,
}

impl Drawer {
    /// For rows that are grouped by these.
    pub fn new(groups: &[Dimension], organization: &str) -> Self {
        let place = |dimension| groups.iter().position(|group| *group == dimension);
        Self {
            project: place(Dimension::ProjectId),
            user: place(Dimension::UserId),
            key: place(Dimension::ApiKeyId),
            line_item: place(Dimension::LineItem),
            groups: groups.len(),
            organization: organization.to_owned(),
        }
    }

    /// Whose rows a bucket has, if that is told.
    pub fn users<'b>(&self, bucket: &'b Bucket<'_>) -> impl Iterator<Item = &'b str> {
        let place = self.user;
        bucket.rows.iter().filter_map(move |row| row.values[place?].as_deref())
    }

    /// Draws a bucket, with the addresses of users.
    pub fn bucket<'m>(
        &self,
        found: &Bucket<'_>,
        email: impl Fn(&str) -> Option<&'m str>,
    ) -> Result<Vec<u8>> {
        let items = self.items(found);
        let rows = items.iter().map(|item| *item.row).collect();
        let told = Bucket { start: found.start, end: found.end, rows };
        let mut items = items.iter();
        bucket(&told, |out, _| items.next().map_or(Ok(()), |item| self.row(out, item, &email)))
    }

    /// Rows that differ in their units only are one.
    fn items<'r>(&self, bucket: &'r Bucket<'r>) -> Vec<Item<'r>> {
        let mut items: Vec<Item<'_>> = Vec::with_capacity(bucket.rows.len());
        for row in &bucket.rows {
            let unit = row.values.get(self.groups).and_then(|unit| unit.as_deref());
            let (quantity, amount) = (row.sums[0], row.sums[1]);
            match items.last_mut() {
                Some(last) if last.row.values[..self.groups] == row.values[..self.groups] => {
                    last.quantity += quantity;
                    last.amount += amount;
                    last.unit = None;
                }
                _ => items.push(Item { row, quantity, amount, unit }),
            }
        }
        items
    }

    fn row<'m>(
        &self,
        out: &mut Vec<u8>,
        item: &Item<'_>,
        email: impl Fn(&str) -> Option<&'m str>,
    ) -> Result<()> {
        let value = |place: Option<usize>| item.row.values[place?].as_deref();
        text(out, &format!("{{\"object\":\"{}\",\"amount\":{{\"value\":", Kind::Costs.object()));
        text(out, &money::text(item.amount));
        text(out, ",\"currency\":\"usd\"},\"line_item\":");
        string(out, value(self.line_item))?;
        text(out, ",\"project_id\":");
        string(out, value(self.project))?;
        text(out, ",\"api_key_id\":");
        string(out, value(self.key))?;
        text(out, ",\"quantity\":");
        match self.line_item {
            Some(_) => number(out, item.quantity)?,
            None => text(out, "null"),
        }
        text(out, ",\"quantity_unit\":");
        string(out, item.unit)?;
        if self.user.is_some() {
            let user = value(self.user);
            text(out, ",\"organization_id\":");
            string(out, Some(&self.organization))?;
            text(out, ",\"user_id\":");
            string(out, user)?;
            text(out, ",\"user_email\":");
            string(out, user.and_then(email))?;
        }
        out.push(b'}');
        Ok(())
    }
}
