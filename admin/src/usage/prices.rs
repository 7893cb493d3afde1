//! What things cost, from a time on. A price is never changed or taken away, so what was counted keeps its price.

use std::collections::BTreeMap;

use sql::{Row, Tx, args};

use super::event::{Amount, Cost};
use super::kind::Kind;
use super::money::{self, DOLLAR};
use crate::error::{Error, Result};
use crate::resources::rate_limits::models::fault_of_name;

/// The highest price, in dollars for its units.
const HIGHEST: Amount = 1_000_000 * DOLLAR;
/// So many decimals a price has at most.
const DECIMALS: usize = 12;
/// The most units that a price is for.
const MOST_UNITS: i64 = 1_000_000_000;
/// What one event may cost at most for one measure: so much of it can be added up as comes in in a lifetime.
const MOST: Amount = 1_000_000_000 * DOLLAR;

/// What is asked for: a price from a time on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPrice {
    /// The model; empty for a use of a tool, which costs the same with each model.
    pub model: String,
    /// What is counted, by its name in events; for a use of a tool the name of its kind.
    pub measure: String,
    /// From when on it holds, in Unix seconds. It must be later than the last one.
    pub effective_from: i64,
    /// So many dollars, as a plain decimal …
    pub price: String,
    /// … for so many units.
    pub units: i64,
}

/// A price as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// What was asked for.
    pub terms: NewPrice,
    /// When it was set, in Unix seconds.
    pub created_at: i64,
}

impl Price {
    fn from_row(row: &Row<'_>) -> sql::Result<Self> {
        let terms = NewPrice {
            model: row.get(0)?,
            measure: row.get(1)?,
            effective_from: row.get(2)?,
            price: row.get(3)?,
            units: row.get(4)?,
        };
        Ok(Self { terms, created_at: row.get(5)? })
    }
}

/// The measures of a kind that can have a price, with the kind's own name where it is priced without a model.
///
/// Each call of a tool costs the same with every model; and what a search has of requests to models is counted there too.
const fn tool(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::VectorStores => Some("usage_bytes"),
        Kind::CodeInterpreterSessions => Some("num_sessions"),
        Kind::FileSearchCalls | Kind::WebSearchCalls => Some("num_requests"),
        _ => None,
    }
}

/// What the API calls the unit of a measure, where it has a name for it.
fn unit_of(measure: &str) -> Option<&'static str> {
    match measure {
        "images" => Some("images"),
        "characters" => Some("characters"),
        "seconds" => Some("duration_seconds"),
        _ if measure.ends_with("_tokens") => Some("tokens"),
        _ => None,
    }
}

fn fault(param: &str, message: impl Into<String>) -> Error {
    Error::invalid("invalid_value", message).param(param)
}

impl NewPrice {
    /// What one unit costs, or what is wrong with the price.
    pub fn check(&self) -> Result<Amount> {
        if self.model.is_empty() {
            let tools: Vec<_> =
                Kind::OF_EVENTS.into_iter().filter(|kind| tool(*kind).is_some()).collect();
            let names: Vec<_> = tools.into_iter().map(Kind::name).collect();
            if !names.contains(&self.measure.as_str()) {
                return Err(Error::unsupported_value("measure", &self.measure, &names));
            }
        } else {
            if let Some(fault_of_it) = fault_of_name(&self.model) {
                return Err(fault("model", format!("The name of a model {fault_of_it}.")));
            }
            let of_models = Kind::OF_EVENTS.into_iter().filter(|kind| tool(*kind).is_none());
            let mut names: Vec<_> = of_models.flat_map(Kind::measures).copied().collect();
            names.sort_unstable();
            names.dedup();
            if !names.contains(&self.measure.as_str()) {
                return Err(Error::unsupported_value("measure", &self.measure, &names));
            }
        }
        if self.effective_from < 0 {
            return Err(fault("effective_from", "A price holds from 1970 on or later."));
        }
        if !(1..=MOST_UNITS).contains(&self.units) {
            return Err(fault("units", format!("A price is for 1 to {MOST_UNITS} units.")));
        }
        let decimals = self.price.split_once('.').map_or(0, |(_, rest)| rest.len());
        let amount = money::parse(&self.price)
            .filter(|amount| (0..=HIGHEST).contains(amount) && decimals <= DECIMALS);
        let amount = amount.ok_or_else(|| {
            let message = format!(
                "The price '{}' is not a plain decimal of at most {DECIMALS} decimals from 0 to 1000000, like 2.50.",
                self.price
            );
            fault("price", message)
        })?;
        let units = Amount::from(self.units);
        if amount % units != 0 {
            let message = format!(
                "{} dollars for {} units is no exact price of one unit. Choose a number of units by which it can be divided, like 1000000.",
                self.price, self.units
            );
            return Err(fault("units", message));
        }
        Ok(amount / units)
    }
}

/// Sets a price, and answers whether it is new: the same price from the same time on is there once. One that does not begin later
/// than the last one of its model and measure is refused.
pub fn set(tx: &mut Tx<'_>, organization: &str, new: &NewPrice, now: i64) -> Result<bool> {
    new.check()?;
    let sql = "SELECT model, measure, effective_from, price, units, created_at FROM prices
        WHERE organization_id = $1 AND model = $2 AND measure = $3 ORDER BY effective_from DESC";
    let this = args![organization, &new.model, &new.measure];
    let kept = tx.all(sql, this, Price::from_row)?;
    let is_equal = |price: &&Price| price.terms.effective_from == new.effective_from;
    if let Some(same) = kept.iter().find(is_equal)
        && same.terms.check()? == new.check()?
    {
        return Ok(false);
    }
    if let Some(last) = kept.first().filter(|last| last.terms.effective_from >= new.effective_from)
    {
        let message = format!(
            "A price must begin later than the last one, and that of {} begins at {}. What was counted keeps its price; set one that begins later.",
            line_item(&new.model, &new.measure),
            last.terms.effective_from
        );
        return Err(Error::invalid("price_in_force", message).param("effective_from"));
    }
    tx.execute(
        "INSERT INTO prices (organization_id, model, measure, effective_from, price, units, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        args![
            organization,
            &new.model,
            &new.measure,
            new.effective_from,
            &new.price,
            new.units,
            now
        ],
    )?;
    Ok(true)
}

/// Every price, by model, measure and time.
pub fn list(tx: &mut Tx<'_>, organization: &str) -> Result<Vec<Price>> {
    let sql = "SELECT model, measure, effective_from, price, units, created_at FROM prices
        WHERE organization_id = $1 ORDER BY model, measure, effective_from";
    Ok(tx.all(sql, args![organization], Price::from_row)?)
}

fn line_item(model: &str, measure: &str) -> String {
    if model.is_empty() { measure.to_owned() } else { format!("{model}, {measure}") }
}

/// The prices of some models, for what is to be counted.
#[derive(Debug, Default)]
pub struct Prices(BTreeMap<String, OfModel>);

/// Measures, each with what one unit costs from which time on, in order of time.
type OfModel = BTreeMap<String, Vec<(i64, Amount)>>;

impl Prices {
    /// Reads the prices of these models. Those of tools have no model.
    pub fn read<'m>(
        tx: &mut Tx<'_>,
        organization: &str,
        models: impl IntoIterator<Item = &'m str>,
    ) -> Result<Self> {
        let sql = "SELECT model, measure, effective_from, price, units, created_at FROM prices
            WHERE organization_id = $1 AND model = $2 ORDER BY measure, effective_from";
        let mut all = BTreeMap::new();
        for model in models {
            let mut of_model = OfModel::new();
            for Price { terms, .. } in tx.all(sql, args![organization, model], Price::from_row)? {
                let price = (terms.effective_from, terms.check()?);
                of_model.entry(terms.measure).or_default().push(price);
            }
            all.insert(model.to_owned(), of_model);
        }
        Ok(Self(all))
    }

    fn unit(&self, model: &str, measure: &str, time: i64) -> Option<Amount> {
        let prices = self.0.get(model)?.get(measure)?;
        let later = prices.partition_point(|(from, _)| *from <= time);
        Some(prices[later.checked_sub(1)?].1)
    }

    /// What an event costs by the prices at its time, as far as there are any. Nothing if it cannot cost that much.
    #[must_use]
    pub fn costs(
        &self,
        kind: Kind,
        model: Option<&str>,
        time: i64,
        measures: &[u64],
    ) -> Option<Vec<Cost>> {
        let (model, tool) =
            if tool(kind).is_some() { ("", tool(kind)) } else { (model.unwrap_or(""), None) };
        let mut costs = Vec::new();
        let counted = kind.measures().iter().zip(measures).filter(|(_, quantity)| **quantity > 0);
        for (measure, &quantity) in counted {
            let priced = match tool {
                Some(only) if only == *measure => kind.name(),
                Some(_) => continue,
                None => measure,
            };
            let Some(unit) = self.unit(model, priced, time) else { continue };
            let amount = unit.checked_mul(quantity.into()).filter(|amount| *amount <= MOST)?;
            let (line_item, unit) = (line_item(model, priced), unit_of(measure).map(str::to_owned));
            costs.push(Cost { line_item, quantity, unit, amount });
        }
        Some(costs)
    }
}
