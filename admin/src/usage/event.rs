//! An event of usage after it was accepted: checked, complete, and with its price.

use serde::{Deserialize, Serialize};

use super::kind::{Dimension, Kind};

/// What usage is counted by: a kind, and a value or none for each of the kind's dimensions, in their order. `batch` is `true` or `false`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Series {
    /// The kind.
    pub kind: Kind,
    /// As many as [`Kind::dimensions`] names.
    pub values: Vec<Option<String>>,
}

impl Series {
    /// The value of a dimension, if the kind has it and the series has one.
    #[must_use]
    pub fn value(&self, dimension: Dimension) -> Option<&str> {
        self.values.get(self.kind.place(dimension)?)?.as_deref()
    }
}

/// The largest number that an event may report of anything. So many of them can be added up in 64 bits as come in in a lifetime.
pub const MOST: u64 = 1_000_000_000_000;

/// Dollars, in units of 10^-18, so that a price of twelve decimals for a million units has an exact share for one.
pub type Amount = i128;

/// What one measure of an event cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// `MODEL, MEASURE`, or the measure alone where there is no model.
    pub line_item: String,
    /// How much was used.
    pub quantity: u64,
    /// In what, as the API names units; nothing for what it has no unit for.
    pub unit: Option<String>,
    /// What it cost at the time of the event.
    pub amount: Amount,
}

/// An event that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The caller's id.
    pub id: String,
    /// When it happened, in Unix seconds.
    pub time: i64,
    /// Whose it is, and of what.
    pub series: Series,
    /// As many as [`Kind::measures`] names, in their order.
    pub measures: Vec<u64>,
    /// What it cost; nothing where there was no price.
    pub costs: Vec<Cost>,
}

impl Event {
    /// The series in which one of its costs is counted.
    #[must_use]
    pub fn series_of(&self, cost: &Cost) -> Series {
        let value = |dimension| match dimension {
            Dimension::LineItem => Some(cost.line_item.clone()),
            Dimension::QuantityUnit => cost.unit.clone(),
            _ => self.series.value(dimension).map(str::to_owned),
        };
        let values = Kind::Costs.dimensions().iter().map(|dimension| value(*dimension)).collect();
        Series { kind: Kind::Costs, values }
    }
}
